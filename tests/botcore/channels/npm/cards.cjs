// Reads Adaptive Cards from standard input; prints what Microsoft's own parser of version 1.5 has against each, and what it read.
const { readFileSync } = require("node:fs");
const cards = require("adaptivecards/dist/adaptivecards.js");

const verdicts = JSON.parse(readFileSync(0, "utf8")).map((value) => {
  const context = new cards.SerializationContext(cards.Versions.v1_5);
  const card = new cards.AdaptiveCard();
  card.parse(value, context);
  const parsed = Array.from({ length: context.eventCount }, (_, number) => context.getEventAt(number).message);
  const checked = card.validateProperties().validationEvents.map((event) => event.message);
  return { problems: [...parsed, ...checked], read: card.toJSON(new cards.SerializationContext(cards.Versions.v1_5)) };
});
console.log(JSON.stringify(verdicts));
