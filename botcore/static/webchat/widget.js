// A button that opens the shop's chat on any page: <script src="https://host/chat/shop/widget.js" async></script>
// Everything lives in a shadow root, so that neither side's styles reach the other. Optional: data-label, data-side="left".

(() => {
  const script = document.currentScript;
  const page = new URL("./", script.src);
  const chinese = (document.documentElement.lang || navigator.language).toLowerCase().startsWith("zh");
  const words = chinese ? { open: "打开聊天", close: "关闭聊天", chat: "聊天" } : { open: "Open chat", close: "Close chat", chat: "Chat" };
  const side = script.dataset.side === "left" ? "left" : "right";

  const styles = `
    :host { all: initial; }
    button {
      all: initial; box-sizing: border-box; position: fixed; ${side}: max(1rem, env(safe-area-inset-${side}));
      bottom: max(1rem, env(safe-area-inset-bottom)); z-index: 2147483000; display: grid; place-items: center;
      width: 3.5rem; height: 3.5rem; border-radius: 50%; background: #1f6f54; color: #fff; cursor: pointer;
      box-shadow: 0 2px 6px rgb(0 0 0 / 18%), 0 8px 24px rgb(0 0 0 / 16%);
    }
    button:hover { background: #185a44; }
    button:focus-visible { outline: 3px solid #fff; outline-offset: -6px; box-shadow: 0 0 0 3px #1f6f54; }
    svg { width: 1.625rem; height: 1.625rem; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .shut, .open[aria-expanded="true"] .chat { display: none; }
    .open[aria-expanded="true"] .shut { display: block; }
    .frame {
      position: fixed; ${side}: max(1rem, env(safe-area-inset-${side})); bottom: calc(max(1rem, env(safe-area-inset-bottom)) + 4.25rem);
      z-index: 2147483000; width: min(24rem, calc(100vw - 2rem)); height: min(40rem, calc(100dvh - 6.5rem));
      border-radius: 1rem; overflow: hidden; background: Canvas; color-scheme: light dark;
      box-shadow: 0 4px 12px rgb(0 0 0 / 14%), 0 16px 48px rgb(0 0 0 / 22%);
    }
    .frame[hidden] { display: none; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    @media (max-width: 30rem) {
      .frame { inset: 0; width: 100%; height: 100dvh; border-radius: 0; }
      .open[aria-expanded="true"] { display: none; }
    }
    @media print { button, .frame { display: none; } }
  `;

  const host = document.createElement("daogou-chat");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  root.adoptedStyleSheets = [sheet];

  const make = (tag, attributes, parent = root) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    parent.append(node);
    return node;
  };
  const drawing = (name, path) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", name);
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  };

  const button = make("button", { type: "button", class: "open", "aria-expanded": "false" });
  button.append(drawing("chat", "M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2zM8 10h8M8 13h5"), drawing("shut", "M6 9l6 6 6-6"));
  const box = make("div", { class: "frame", role: "dialog", "aria-label": script.dataset.label || words.chat, hidden: "" });
  let frame = null;

  const show = (open) => {
    if (open && !frame) {
      frame = make("iframe", { src: new URL("?embed=1", page).href, title: script.dataset.label || words.chat, allow: "" }, box);
      frame.addEventListener("load", () => greet());
    }
    box.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", open ? words.close : script.dataset.label || words.open);
    if (open) greet();
    else button.focus();
  };
  const greet = () => {
    frame.focus();
    frame.contentWindow.postMessage({ daogou: "opened" }, page.origin);
  };

  button.setAttribute("aria-label", script.dataset.label || words.open);
  button.addEventListener("click", () => show(box.hidden));
  addEventListener("message", (event) => {
    if (frame && event.source === frame.contentWindow && event.origin === page.origin && event.data?.daogou === "close") show(false);
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !box.hidden) show(false);
  });
  const attach = () => document.body.append(host);
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach);
})();
