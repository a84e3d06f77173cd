// What the talk looks like, as elements. Everything a person or a shop wrote goes in as text, never as markup.

const THUMB = "M7 11l4-8a2.5 2.5 0 0 1 2.5 2.5V9H19a2 2 0 0 1 2 2.3l-1.3 7A2 2 0 0 1 17.7 20H7zM7 11H3v9h4";
const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

export function aside(text) {
  return element("span", { class: "aside" }, text);
}

export function myMessage(text, texts) {
  return element("div", { class: "message mine" }, aside(texts.you), element("div", { class: "bubble" }, text));
}

/** A reply with its products and thumbs; a person's has none. `on` holds `choose(card)` and `judge(verdict)`. */
export function reply(content, texts, on) {
  const bubble = element("div", { class: "bubble" }, content.text);
  if (content.source) {
    bubble.append(element("p", { class: "source" }, texts.source.replace("{source}", content.source)));
  }
  const language = content.language === "zh" ? "zh-Hans" : content.language || "en";
  const writer = content.person ? element("p", { class: "writer" }, texts.person) : aside(texts.bot);
  const node = element("div", { class: "message theirs", lang: language }, writer, bubble);
  if (content.cards?.length) node.append(cards(content.cards, texts, on.choose));
  if (!content.person) node.append(thumbs(content.verdict, texts, on.judge));
  return node;
}

function cards(products, texts, choose) {
  const items = products.map((product) => card(product, texts, choose));
  return element("ul", { class: "cards", role: "list", tabindex: "0", "aria-label": texts.cards }, ...items);
}

function card(product, texts, choose) {
  const picture = element("div", { class: "picture" });
  if (product.image_url) {
    const image = element("img", { src: product.image_url, alt: "", width: "400", height: "300", decoding: "async" });
    image.addEventListener("error", () => image.remove());
    picture.append(image);
  }
  const about = element(
    "div",
    { class: "about" },
    element("h3", {}, product.title),
    element("p", { class: "price" }, product.price),
    product.detail ? element("p", { class: "detail" }, product.detail) : "",
  );
  const named = (text) => text.replace("{title}", product.title);
  const more = element("button", { type: "button", "aria-label": named(texts.choose_label) }, texts.choose);
  more.addEventListener("click", () => choose(product));
  const actions = element("div", { class: "actions" }, more);
  if (/^https?:\/\//.test(product.url)) {
    const link = { href: product.url, target: "_blank", rel: "noopener", "aria-label": named(texts.open_label) };
    actions.append(element("a", link, texts.open));
  }
  return element("li", { class: "card" }, picture, about, actions);
}

function thumbs(verdict, texts, judge) {
  const row = element("div", { class: "verdict" });
  const after = element("span", { role: "status" });
  const notMeant = element("button", { type: "button", class: "link" }, texts.not_meant);
  const up = thumb("up", texts.up);
  const down = thumb("down", texts.down);
  const show = (now) => {
    verdict = now;
    up.setAttribute("aria-pressed", now === "up");
    down.setAttribute("aria-pressed", now === "down" || now === "not_meant");
    notMeant.hidden = now !== "down";
  };
  const set = async (wanted) => {
    const before = verdict;
    show(wanted);
    after.textContent = "";
    if (!(await judge(wanted))) show(before);
    else if (wanted === "not_meant") after.textContent = texts.thanks;
  };
  up.addEventListener("click", () => set(verdict === "up" ? "none" : "up"));
  down.addEventListener("click", () => set(["down", "not_meant"].includes(verdict) ? "none" : "down"));
  notMeant.addEventListener("click", () => {
    down.focus();
    set("not_meant");
  });
  show(verdict || "none");
  row.append(up, down, notMeant, after);
  return row;
}

function thumb(name, label) {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", THUMB);
  if (name === "down") path.setAttribute("transform", "rotate(180 12 12)");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return element("button", { type: "button", class: "thumb", "aria-label": label, title: label }, svg);
}
