// Small helps of the catalogue's pages: choosing rows, showing only the fields a change needs, leaving out files that are
// too large before they are sent. Everything works without it.

const NEEDED = {
  stock: ["stock"],
  price: ["percent", "rounding"],
  category: ["category"],
  add: ["attribute", "value"],
  remove: ["attribute", "value"],
};
const LARGEST = 100 * 1024 * 1024;

const boxes = (name) => [...document.querySelectorAll(`input[type=checkbox][name="${name}"]`)];

function count(name) {
  const told = document.querySelector(`[data-count="${name}"]`);
  const chosen = boxes(name).filter((box) => box.checked).length;
  if (told) told.textContent = chosen ? `${told.dataset.words} (${chosen})` : told.dataset.words;
}

function show(action) {
  for (const field of document.querySelectorAll("#bulk [data-for]")) {
    const name = field.dataset.for;
    field.hidden = name !== "action" && !(NEEDED[action] ?? []).includes(name);
  }
}

document.addEventListener("change", ({ target }) => {
  if (target.dataset.all) boxes(target.dataset.all).forEach((box) => (box.checked = target.checked));
  if (target.dataset.all || target.name === "ids") {
    count("ids");
    const chosen = document.querySelector('#bulk [name="scope"][value="chosen"]');
    if (chosen) chosen.checked = true;
  }
  if (target.id === "bulk-action") show(target.value);
  if (target.type === "file") {
    const file = target.files[0];
    target.setCustomValidity(file && file.size > LARGEST ? `${(file.size / 1024 / 1024).toFixed(0)} MB > 100 MB` : "");
    target.reportValidity();
  }
});

// What a page checked in the background shows anew once it is done: its forms are outside of what is swapped.
document.addEventListener("htmx:afterSwap", () => {
  if (document.getElementById("later") && !document.querySelector("#set[hx-get]")) location.reload();
});

const action = document.getElementById("bulk-action");
if (action) show(action.value);
count("ids");
