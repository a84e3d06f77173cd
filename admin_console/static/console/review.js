// The review queue: one reply after another by keys. What comes next is loaded before it is needed, what was decided is
// sent behind (outbox.js). Keys that come while a reply is still on its way are kept and taken in their order.

import { Outbox, token } from "./outbox.js";
import { show as showDiff } from "./diff.js";

const AHEAD = 8; // replies taken at a time, and so many rows are wanted below the one that is read
const KEPT = 60; // replies that stay loaded behind
const RENEW = 60_000; // milliseconds until others are told again that a reply is being read
const CHECK = 500; // milliseconds of rest in typing before the text is checked

const root = document.getElementById("review");
const texts = JSON.parse(document.getElementById("texts").textContent);
// The cookie is newer than the page where somebody has logged in again meanwhile.
const csrf = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? root.querySelector("[name=csrfmiddlewaretoken]").value;
const [rowList, talk, evidence, done, decide] = ["rows", "talk", "evidence", "done", "decide"].map((id) =>
  document.getElementById(id),
);
const training = document.getElementById("for-training");
const decidedQueue = "decided" in root.dataset;

const replies = new Map(); // turn -> its article, loaded
const loading = new Map(); // turn -> the promise of it
const keys = []; // not taken yet
let current = null; // the row that is read
let shown = null; // its article
let saving = false; // a correction is on its way, and its reply stays until it is taken
let moreRows = true;
let rowsOnTheWay = false;

const t = (name, values = {}) => (texts[name] ?? name).replace(/%\((\w+)\)s/g, (_, key) => values[key]);
const turnOf = (row) => Number(row.dataset.turn);
const rows = () => [...rowList.children];
const rowsOf = (turns) => rows().filter((row) => turns.some(([turn]) => turn === turnOf(row)));
const isOpen = (row) => !row.dataset.verdict && !("held" in row.dataset);
const say = (text) => (document.getElementById("said").textContent = text);

// --- rows and replies ------------------------------------------------------------------------------------------------

function rowAfter(row, wanted = () => true) {
  for (let next = row?.nextElementSibling; next; next = next.nextElementSibling) if (wanted(next)) return next;
  return null;
}

/** Rows from this one on that are to be read. */
function upcoming(row, count) {
  const found = [];
  for (let next = row; next && found.length < count; next = rowAfter(next, isOpen)) found.push(next);
  return found;
}

/** Load these replies in one request, those that are not here or on their way. */
function take(wanted) {
  const turns = wanted.map(turnOf).filter((turn) => !replies.has(turn) && !loading.has(turn));
  if (turns.length === 0) return;
  const request = fetch(root.dataset.take, {
    method: "POST",
    headers: { "X-CSRFToken": csrf() },
    body: new URLSearchParams({ turns }),
  })
    .then(async (answer) => {
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const article of page.querySelectorAll("article[data-turn]")) keep(article);
      return true;
    })
    .catch(() => false)
    .finally(() => turns.forEach((turn) => loading.delete(turn)));
  turns.forEach((turn) => loading.set(turn, request));
}

function keep(article) {
  const turn = Number(article.dataset.turn);
  const field = article.querySelector("textarea");
  replies.set(turn, {
    turn,
    version: Number(article.dataset.version),
    talk: article.querySelector(".talk-part"),
    evidence: article.querySelector(".evidence-part"),
    training: "training" in article.dataset,
    field,
    sent: field?.value ?? "",
    alike: [...article.querySelectorAll("[data-alike]")].map((li) => [Number(li.dataset.alike), Number(li.dataset.version)]),
  });
  for (const old of replies.keys()) {
    if (replies.size <= KEPT) break;
    if (old !== shown?.turn) replies.delete(old);
  }
}

async function loadRows() {
  const last = rowList.lastElementChild;
  if (!moreRows || rowsOnTheWay || !last) return;
  rowsOnTheWay = true;
  const found = await rowsAfter(turnOf(last));
  rowsOnTheWay = false;
  if (!found) return void setTimeout(loadRows, 1000);
  const known = new Set(rows().map(turnOf));
  const fresh = found.filter((row) => !known.has(turnOf(row)));
  rowList.append(...fresh);
  moreRows = fresh.length > 0;
  if (!current) open(fresh.find(isOpen) ?? null);
}

/** Rows below a reply, by the filters of the address; null where the server does not tell. */
async function rowsAfter(turn) {
  const address = new URL(root.dataset.rows, location);
  address.search = location.search;
  address.searchParams.delete("turn");
  address.searchParams.set("shop", root.dataset.shop);
  address.searchParams.set("after", turn);
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return [...page.querySelectorAll("li[data-turn]")];
}

/** Read a row's reply; what comes after it is loaded as well. */
async function open(row) {
  current?.removeAttribute("aria-current");
  current = row;
  shown = null;
  decide.hidden = !row;
  if (!row) return finished();
  done.hidden = true;
  row.setAttribute("aria-current", "true");
  reveal(rowList, row);
  const ahead = upcoming(row, AHEAD);
  const missing = ahead.filter((each) => !replies.has(turnOf(each)) && !loading.has(turnOf(each)));
  if (missing.length > AHEAD / 2 || missing.includes(row)) take(missing);
  if (ahead.length < AHEAD) loadRows();
  const turn = turnOf(row);
  while (!replies.has(turn)) {
    const told = await loading.get(turn);
    if (current !== row) return;
    if (told && !replies.has(turn)) return lost(row);
    if (!replies.has(turn) && !loading.has(turn)) {
      say(t("unreachable"));
      await new Promise((after) => setTimeout(after, 1000));
      take([row]);
    }
  }
  if (current === row) display(replies.get(turn));
}

function display(reply) {
  shown = reply;
  talk.replaceChildren(reply.talk);
  evidence.replaceChildren(reply.evidence);
  if (decidedQueue) training.checked = reply.training;
  evidence.scrollTop = 0;
  talk.scrollTop = 0;
  reveal(talk, reply.talk.querySelector(".chosen"));
  edited();
  label();
  drain();
}

/** Scroll a pane, and nothing around it, until the element is in it. */
function reveal(pane, element) {
  if (!element) return;
  const [whole, part] = [pane.getBoundingClientRect(), element.getBoundingClientRect()];
  if (part.top < whole.top) pane.scrollTop -= whole.top - part.top;
  else if (part.bottom > whole.bottom) pane.scrollTop += Math.min(part.bottom - whole.bottom, part.top - whole.top);
}

/** The reply is not there any more: its customer has been forgotten. */
function lost(row) {
  const next = rowAfter(row, isOpen);
  row.remove();
  open(next);
}

function finished() {
  talk.replaceChildren();
  evidence.replaceChildren();
  loadRows();
  done.hidden = rowsOnTheWay;
  drain();
}

// --- deciding --------------------------------------------------------------------------------------------------------

const selected = () => rows().filter((row) => row.querySelector("input").checked);
const together = () => shown?.talk.querySelector("[data-together]")?.checked ?? false;

/** The replies that a decision means, with the versions that were seen: the selected ones, else this and those like it. */
function targets() {
  const marked = selected();
  if (marked.length) return marked.map((row) => [turnOf(row), replies.get(turnOf(row))?.version ?? Number(row.dataset.version)]);
  return [[shown.turn, shown.version], ...(together() ? shown.alike : [])];
}

/** How many are decided stands on the buttons. */
function label() {
  const count = shown ? targets().length : 1;
  for (const [action, one, several] of [["approve", "approve", "several"], ["reject", "reject", "several_rejected"]])
    root.querySelector(`[data-do=${action}] [data-label]`).textContent = count > 1 ? t(several, { count }) : t(one);
  const marked = selected().length;
  document.getElementById("selected").textContent = marked ? t("selected", { count: marked }) : "";
}

function decideOn(kind, { reason = "", text = "", turns = targets(), for_training = training.checked } = {}) {
  const entry = { token: token(), kind, turns, text, reason, for_training };
  rowsOf(turns).forEach((row) => mark(row, kind));
  remember({ token: entry.token, kind, turns, row: current ? turnOf(current) : turns[0][0] });
  outbox.add(entry);
  say(t(kind));
}

function mark(row, kind) {
  row.querySelector("input").checked = false;
  const tag = row.querySelector(".verdict-tag");
  tag.hidden = !kind;
  tag.textContent = kind ? t(kind) : "";
  tag.className = `tag verdict-tag ${{ approved: "good", rejected: "bad", corrected: "warn" }[kind] ?? ""}`;
  if (kind) row.dataset.verdict = kind;
  else delete row.dataset.verdict;
}

const onward = () => open(rowAfter(current, isOpen) ?? rows().find(isOpen) ?? null);

function verdict(kind, options) {
  decideOn(kind, options);
  onward();
}

/** A correction waits for the server's word, since it may be refused; without a connection it goes on. */
function save() {
  if (!shown?.field || saving) return;
  shown.field.blur();
  saving = true;
  say(t("saving"));
  shown.talk.querySelector(".problem-list").replaceChildren();
  decideOn("corrected", { text: shown.field.value, turns: [[shown.turn, shown.version]] });
}

function saved(goOn) {
  if (!saving) return;
  saving = false;
  if (goOn) onward();
  drain();
}

const HISTORY = `${root.dataset.person} decided`;
const history = JSON.parse(sessionStorage.getItem(HISTORY) ?? "[]");

function remember(decision) {
  history.push(decision);
  sessionStorage.setItem(HISTORY, JSON.stringify(history.slice(-50)));
}

function undo() {
  const last = history.pop();
  if (!last) return say(t("nothing_to_undo"));
  sessionStorage.setItem(HISTORY, JSON.stringify(history));
  rowsOf(last.turns).forEach((row) => mark(row, ""));
  if (last.kind === "training" && replies.has(last.row)) replies.get(last.row).training ^= true;
  const row = rows().find((each) => turnOf(each) === last.row);
  if (!outbox.recall(last.token)) outbox.add({ token: last.token, kind: "undo", turns: last.turns, back: row ? 0 : last.row });
  say(t("undone"));
  if (row) open(row);
}

function told(entry, result) {
  if (entry.kind === "undo") {
    if (result.status === "conflict") problem(t("undo_conflict"), []);
    if (entry.back) location.assign(`?shop=${root.dataset.shop}&turn=${entry.back}`);
    return;
  }
  if (result.status !== "kept") forget(entry, result);
  const mine = saving && entry.kind === "corrected" && entry.turns[0][0] === shown?.turn;
  if (result.status === "refused" && mine) refuse(result.problems);
  else if (result.status === "refused") problem(t("refused"), [...result.problems, entry.text], [["open_again", () => reopen(entry)]]);
  if (result.status === "conflict") conflict(entry, result.theirs);
  if (result.status === "gone") say(t("gone"));
  if (result.status === "kept" && result.conflicts) problem(t("skipped", { count: result.conflicts }), []);
  if (mine) saved(result.status !== "refused");
}

/** It was not kept, and there is nothing to undo: a refused row waits as before, one that somebody else decided is theirs. */
function forget(entry, result) {
  const place = history.findIndex((each) => each.token === entry.token);
  if (place >= 0) history.splice(place, 1);
  sessionStorage.setItem(HISTORY, JSON.stringify(history));
  for (const row of rowsOf(entry.turns)) {
    if (result.status === "refused") mark(row, "");
    if (result.theirs?.verdict) row.querySelector(".verdict-tag").textContent = result.theirs.verdict;
  }
}

function refuse(problems) {
  tell(problems);
  shown.field.focus();
}

function reopen(entry) {
  const row = rows().find((each) => turnOf(each) === entry.turns[0][0]);
  if (!row) return location.assign(`?shop=${root.dataset.shop}&turn=${entry.turns[0][0]}`);
  open(row).then(() => {
    if (!shown?.field) return;
    shown.field.value = entry.text;
    edited();
    shown.field.focus();
  });
}

/** Somebody else was faster: both words are shown, and the reviewer chooses. */
function conflict(entry, theirs) {
  const yours = entry.text || t(entry.kind);
  const lines = [
    theirs.verdict ? `${t("by", theirs)} — ${theirs.text}` : `${t("taken_back")} — ${theirs.text}`,
    `${t("yours", { verdict: t(entry.kind) })} — ${yours}`,
  ];
  const again = () => {
    const { turns, ...rest } = entry;
    decideOn(entry.kind, { ...rest, turns: [[theirs.turn, theirs.version], ...turns.slice(1)] });
  };
  problem(t("conflict"), lines, [["keep_theirs", () => {}], ["use_mine", again]]);
}

/** Tell of something above the panes, with buttons; nothing has to be answered at once. */
function problem(title, lines, actions = [["dismiss", () => {}]]) {
  const box = document.createElement("div");
  box.className = "notice warning";
  box.setAttribute("role", "alert");
  const strong = document.createElement("strong");
  strong.textContent = title;
  const list = document.createElement("ul");
  list.append(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  const buttons = document.createElement("p");
  buttons.className = "buttons";
  for (const [name, act] of actions) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: t(name) });
    button.addEventListener("click", () => (box.remove(), act()));
    buttons.append(button);
  }
  box.append(strong, list, buttons);
  document.getElementById("problems").append(box);
}

// --- editing ---------------------------------------------------------------------------------------------------------

let checking = 0;

function edited() {
  if (shown?.field) showDiff(shown.talk.querySelector(".diff"), shown.sent, shown.field.value);
}

async function check(reply) {
  const body = new URLSearchParams({ turn: reply.turn, text: reply.field.value });
  const answer = await fetch(root.dataset.check, { method: "POST", headers: { "X-CSRFToken": csrf() }, body }).catch(() => null);
  if (answer?.ok && !answer.redirected && reply === shown && !saving) tell((await answer.json()).problems);
}

function tell(problems) {
  const lines = problems.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
  shown.talk.querySelector(".problem-list").replaceChildren(...lines);
}

function edit() {
  if (!shown.field) return say(t("not_editable"));
  shown.field.focus();
  shown.field.setSelectionRange(shown.field.value.length, shown.field.value.length);
}

function leave() {
  if (!shown?.field) return;
  shown.field.value = shown.sent;
  edited();
  tell([]);
  shown.field.blur();
}

talk.addEventListener("input", () => {
  edited();
  label();
  clearTimeout(checking);
  const reply = shown;
  if (reply?.field && reply.field.value !== reply.sent) checking = setTimeout(() => check(reply), CHECK);
  else if (reply?.field) tell([]);
});

// --- keys and buttons ------------------------------------------------------------------------------------------------

const step = (row) => row && open(row);

const ACTIONS = {
  approve: () => verdict("approved"),
  reject: () => verdict("rejected"),
  reason: (reason) => verdict("rejected", { reason }),
  edit,
  save,
  leave,
  undo,
  next: () => step(current.nextElementSibling),
  back: () => step(current.previousElementSibling),
  select() {
    const box = current.querySelector("input");
    box.checked = !box.checked;
    label();
    if (box.checked && current.nextElementSibling) open(current.nextElementSibling);
  },
  together() {
    const box = shown.talk.querySelector("[data-together]");
    if (box) box.checked = !box.checked;
    label();
  },
  training() {
    if (decidedQueue) return switchTraining();
    training.checked = !training.checked;
    say(t(training.checked ? "for_training_on" : "for_training_off"));
  },
  search() {
    const field = document.getElementById("filter-q");
    field.closest("details").open = true;
    field.focus();
    field.select();
  },
  help: () => document.getElementById("help").showModal(),
};

/** Of what was decided before: the word on it is learned from, or not any more. */
function switchTraining() {
  shown.training = training.checked = !training.checked;
  decideOn("training");
}

const KEYS = { a: "approve", r: "reject", e: "edit", j: "next", k: "back", x: "select", z: "undo", g: "together", t: "training" };
const ANYTIME = new Set(["undo", "search", "help"]);

const isTyping = (element) =>
  element.closest("textarea, select, [contenteditable], input:not([type=checkbox])") || document.querySelector("dialog[open]");

/** What a key asks for: an action and what it is told; null where it is none of ours. */
function asked(event) {
  if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return null;
  if (isTyping(event.target)) return null;
  if (event.key === "/") return ["search"];
  if (event.key === "?") return ["help"];
  const reason = root.querySelectorAll("[data-reason]")[Number(event.key) - 1];
  if (/^[1-9]$/.test(event.key)) return reason ? ["reason", reason.dataset.reason] : null;
  const action = KEYS[event.key.toLowerCase()];
  return action ? [action] : null;
}

/** Take the keys that came, as long as there is a reply to which they can apply. */
function drain() {
  while (keys.length && !saving && (shown || (!current && !rowsOnTheWay))) {
    const [action, ...rest] = keys.shift();
    if (shown || ANYTIME.has(action)) ACTIONS[action](...rest);
  }
}

document.addEventListener("keydown", (event) => {
  if (isTyping(event.target) && shown?.field === event.target && !event.isComposing && event.keyCode !== 229) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.preventDefault(), save();
    if (event.key === "Escape") leave();
    return;
  }
  const action = asked(event);
  if (!action) return;
  event.preventDefault();
  if (event.repeat && !["next", "back"].includes(action[0])) return; // a key that is held down decides once
  keys.push(action);
  drain();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  const row = event.target.closest("#rows li");
  if (button && !saving && (shown || ANYTIME.has(button.dataset.do))) ACTIONS[button.dataset.do](button.dataset.reason);
  else if (row && event.target.closest("a")) event.preventDefault(), open(row);
});
rowList.addEventListener("change", label);
decide.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault()); // the focus stays
training.addEventListener("change", () => {
  if (!decidedQueue || !shown) return;
  training.checked = !training.checked; // as it was before the click
  switchTraining();
});

// --- how many each view holds ----------------------------------------------------------------------------------------

const views = document.getElementById("views");

async function count() {
  const answer = await fetch(views.dataset.counts).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const { counts } = await answer.json();
  views.querySelectorAll(".count").forEach((place, number) => (place.textContent = counts[number] ?? ""));
}

// --- on the way ------------------------------------------------------------------------------------------------------

const outbox = new Outbox({
  address: root.dataset.decisions,
  csrf,
  store: `${root.dataset.person} outbox`,
  told,
  changed(unsent, trouble) {
    document.getElementById("outbox").textContent = trouble && unsent ? t(trouble, { count: unsent }) : "";
    root.dataset.unsent = unsent;
    if (trouble && unsent) saved(true);
  },
});

addEventListener("beforeunload", (event) => {
  if (outbox.entries.length && outbox.trouble) event.preventDefault();
});

setInterval(() => {
  if (document.hidden || !shown) return;
  count();
  const body = new URLSearchParams({ turns: [shown.turn] });
  fetch(root.dataset.take, { method: "POST", headers: { "X-CSRFToken": csrf() }, body }).catch(() => {});
}, RENEW);

// What a reload interrupted counts as decided already.
for (const entry of outbox.entries) rowsOf(entry.turns).forEach((row) => mark(row, entry.kind === "undo" ? "" : entry.kind));
outbox.keep();
outbox.send();
open(rows().find(isOpen) ?? rows()[0] ?? null);
count();
