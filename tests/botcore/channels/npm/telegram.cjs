// Telegram's server as telegram-test-api imitates it, on the port given; says "ready" once it listens.
const TelegramServer = require("telegram-test-api");
const server = new TelegramServer({ port: Number(process.argv[2]), host: "127.0.0.1" });
server.start().then(() => console.log("ready"));
