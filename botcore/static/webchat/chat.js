// The page's wiring: the server's events become elements, the visitor's doings become posts.

import { Outbox, Shelf } from "./outbox.js";
import { element, myMessage, reply } from "./view.js";

const settings = JSON.parse(document.getElementById("settings").textContent);
const texts = JSON.parse(document.getElementById("texts").textContent);
const [log, welcome, typing, status, composer, field, fresh] = ["log", "welcome", "typing", "status", "composer", "text", "new"].map(
  (id) => document.getElementById(id),
);
const room = document.querySelector("main");
const submit = composer.querySelector("button");

const mine = new Map(); // the message's id -> its element
const replies = new Set(); // ids of the replies that are shown
let last = ""; // the id of the last one
let conversation = null; // the number of the one that is shown
let ready = false; // whether the history has been shown

// --- showing ---------------------------------------------------------------------------------------------------------

function nearEnd() {
  return room.scrollHeight - room.scrollTop - room.clientHeight < 120;
}

/** What the server has not told us of yet stays below everything that it has. */
function add(node, follow = nearEnd()) {
  if (ready) node.classList.add("arriving");
  log.insertBefore(node, node.matches(".unheard") ? null : log.querySelector(":scope > .unheard"));
  welcome.hidden = true;
  fresh.hidden = false;
  if (follow) room.scrollTop = room.scrollHeight;
}

/** A long reply is read from its beginning: scroll no further than its top. */
function reveal(node) {
  const top = node.offsetTop - room.offsetTop - 16;
  room.scrollTop = Math.min(top, room.scrollHeight);
}

function empty() {
  log.replaceChildren();
  mine.clear();
  replies.clear();
  typing.hidden = true;
  welcome.hidden = false;
  fresh.hidden = true;
}

function showMine(id, text, unheard) {
  const node = myMessage(text, texts);
  if (unheard) node.classList.add("unheard", "waiting");
  mine.set(id, node);
  add(node, true);
  return node;
}

function note(node, text, retry) {
  node.querySelector(".note")?.remove();
  if (!text) return;
  const line = element("p", { class: retry ? "note failed" : "note" }, text);
  if (retry) {
    const again = element("button", { type: "button", class: "link" }, texts.retry);
    again.addEventListener("click", retry);
    line.append(" ", again);
  }
  node.append(line);
}

// --- posting ---------------------------------------------------------------------------------------------------------

function post(action, data) {
  const headers = { "Content-Type": "application/json", "X-Chat-Token": settings.token };
  return fetch(settings.page + action, { method: "POST", headers, body: JSON.stringify(data), credentials: "same-origin" });
}

const outbox = new Outbox(
  (message) => post("messages", message),
  (message, state, detail) => {
    const node = mine.get(message.id);
    if (!node) return;
    node.classList.toggle("waiting", state === "late");
    if (state === "sent") note(node, "");
    if (state === "late") outbox.waiting.forEach(({ id }, place) => note(mine.get(id), (!place && detail) || texts.sending));
    if (state === "failed") {
      node.classList.remove("unheard");
      note(node, `${texts.failed} ${detail}`, () => resend(message, node));
    }
    if (nearEnd()) room.scrollTop = room.scrollHeight;
  },
  new Shelf(`daogou:${settings.page}`, settings.token.slice(0, 16)),
);

/** What waits from before a reload, or was written for a conversation that has been closed meanwhile. */
function showWaiting() {
  for (const { id, text } of outbox.waiting) note(showMine(id, text, true), texts.sending);
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function resend(message, node) {
  note(node, "");
  node.classList.add("unheard", "waiting");
  log.append(node);
  outbox.add(message);
}

/** Whether there was room for it. */
function say(text, sku) {
  if (outbox.full) {
    status.textContent = texts.full;
    return false;
  }
  const message = { id: newId(), text, ...(sku ? { sku } : {}) };
  showMine(message.id, text, true);
  outbox.add(message);
  return true;
}

async function judge(turn, verdict) {
  try {
    return (await post("feedback", { turn, verdict })).ok;
  } catch {
    return false;
  }
}

// --- hearing ---------------------------------------------------------------------------------------------------------

const heard = {
  asked({ id, text }) {
    outbox.drop(id);
    const node = mine.get(id) ?? showMine(id, text, false);
    node.classList.remove("unheard", "waiting");
    note(node, "");
  },
  reply(content, id) {
    if (replies.has(id)) return;
    replies.add(id);
    last = id;
    const follow = nearEnd();
    typing.hidden = true;
    const choose = (card) => say(card.title, card.sku);
    const node = reply(content, texts, { choose, judge: (verdict) => judge(content.turn, verdict) });
    add(node, follow && !ready);
    if (follow && ready) reveal(node);
  },
  typing({ on }) {
    const follow = nearEnd();
    typing.hidden = !on;
    if (on && follow) room.scrollTop = room.scrollHeight;
  },
  conversation({ id }) {
    if (conversation !== null && id !== conversation) {
      empty(); // begun anew, perhaps on another page
      showWaiting();
    }
    conversation = id;
    typing.hidden = true; // a stream begins with this: where somebody is still writing, it goes on to say so
  },
  ready() {
    if (ready) return; // a stream that came back
    ready = true;
    log.setAttribute("aria-live", "polite"); // the history is not read aloud, what comes now is
    if (!log.childElementCount) empty();
    room.scrollTop = room.scrollHeight;
  },
};

function listen() {
  const source = new EventSource(`${settings.page}events?after=${last}`);
  let away = 0;
  for (const [name, show] of Object.entries(heard)) {
    source.addEventListener(name, (event) => show(JSON.parse(event.data), event.lastEventId));
  }
  source.addEventListener("open", () => {
    clearTimeout(away);
    status.textContent = navigator.onLine ? "" : texts.offline;
  });
  source.addEventListener("error", () => {
    clearTimeout(away);
    // Ends of streams and restarts of the server mend themselves; only a longer absence is worth a word.
    away = setTimeout(() => (status.textContent = navigator.onLine ? texts.connecting : texts.offline), 3000);
    if (source.readyState === EventSource.CLOSED) refused();
  });
}

/** The browser gives up after an answer that is no stream: no cookie (say so), or a server that is not ready (wait). */
async function refused() {
  const answer = await fetch(`${settings.page}events?after=0`, { method: "HEAD" }).catch(() => null);
  if (answer?.status !== 401) return setTimeout(listen, 3000);
  const link = element("a", { href: settings.page, target: "_blank", rel: "noopener" }, texts.own_window);
  status.replaceChildren(`${texts.no_cookie} `, link);
  ready = true;
  empty();
}

addEventListener("offline", () => (status.textContent = texts.offline));
addEventListener("online", () => (status.textContent = ""));

// --- writing ---------------------------------------------------------------------------------------------------------

function resize() {
  submit.disabled = !field.value.trim();
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (!text || !say(text)) return;
  field.value = "";
  resize();
  field.focus();
});

field.addEventListener("input", resize);
field.addEventListener("keydown", (event) => {
  // An Enter that ends the composition of a Chinese word belongs to the input method (229: Safari's late keydown).
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || event.shiftKey || composing) return;
  event.preventDefault();
  composer.requestSubmit();
});

welcome.addEventListener("click", (event) => {
  const chip = event.target.closest("button");
  if (!chip) return;
  say(chip.textContent);
  field.focus();
});

fresh.addEventListener("click", async () => {
  const answer = await post("new", {}).catch(() => null);
  if (!answer?.ok) {
    status.textContent = texts.connecting;
    return;
  }
  conversation = null;
  outbox.clear();
  empty();
  field.focus();
});

/** Ready to write; but on a phone that would open the keyboard over the welcome. */
function begin() {
  (matchMedia("(hover: hover)").matches ? field : room).focus();
}

// --- within the widget -----------------------------------------------------------------------------------------------

if (settings.embedded && parent !== window) {
  const close = () => parent.postMessage({ daogou: "close" }, "*");
  document.getElementById("close").addEventListener("click", close);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) close();
  });
  addEventListener("message", (event) => {
    if (event.source === parent && event.data?.daogou === "opened") begin();
  });
} else {
  begin();
}

resize();
showWaiting();
listen();
