// Keeps an open page fresh without loading it again: what is typed, chosen and focused stays. Elements with `data-live`
// and an id are replaced by what the same address shows now; forms stay outside of them.

const SECONDS = 4;
const body = document.body;
const address = body.dataset.follow || location.href;

async function follow() {
  if (document.hidden) return;
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(old.id);
    if (now && !now.isEqualNode(old)) renew(old, now);
  }
  document.title = page.title;
}

function renew(old, now) {
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const more = count(now) - count(old);
  const stay = atEnd();
  old.replaceWith(now);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  if (more > 0) say(now.dataset.news);
  if (stay && field) toEnd();
}

const column = document.querySelector(".column"); // the dialogue with the field below it
const atEnd = () => column && column.getBoundingClientRect().bottom <= innerHeight + 80;
const toEnd = () => column.scrollIntoView({ block: "end" });
const count = (region) => region.querySelectorAll("[data-new]").length;

function say(text) {
  const status = document.getElementById("news");
  if (status && text) status.textContent = text;
}

// --- writing an answer -----------------------------------------------------------------------------------------------

const field = document.getElementById("answer-text");
const draft = `draft ${location.pathname}`;

function use(text) {
  field.focus();
  // The only way that leaves "undo" as it was; where it is gone the text is put in all the same.
  if (!document.execCommand("insertText", false, text)) field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
}

if (field) {
  if (!location.search) toEnd(); // where the newest words are; a reply that is asked for by number is looked at itself
  field.value ||= sessionStorage.getItem(draft) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(draft, field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    field.form.requestSubmit(document.getElementById("answer-send"));
  });
  field.form.addEventListener("submit", (event) => {
    if (event.submitter?.name !== "suggestion") sessionStorage.removeItem(draft);
    setTimeout(() => document.querySelectorAll("[form=answer], #answer button").forEach((button) => (button.disabled = true)));
  });
}

/** Into the clipboard; where the browser has none for this page, the text is marked, for the reader to copy. */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  getSelection().selectAllChildren(source);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    return;
  }
  const name = button.firstChild;
  const before = name.textContent;
  name.textContent = button.dataset.copied;
  say(button.dataset.copied);
  setTimeout(() => (name.textContent = before), 2000);
}

document.addEventListener("click", (event) => {
  const used = event.target.closest("[data-use]");
  const copied = event.target.closest("[data-copy]");
  if (used && field) {
    event.preventDefault();
    use(document.getElementById(used.dataset.use).textContent);
  }
  if (copied) copy(copied);
});

setInterval(follow, 1000 * SECONDS);
document.addEventListener("visibilitychange", follow);
