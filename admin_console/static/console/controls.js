// What a page's own controls need: a key for a button (`data-key`), and the value of a slider beside it (`data-shown-in`).

const TYPES = "input:not([type=range], [type=checkbox], [type=radio], [type=submit]), textarea, select, [contenteditable]";

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest(TYPES)) return;
  const button = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
});

document.addEventListener("input", (event) => {
  const shown = document.getElementById(event.target.dataset.shownIn);
  if (shown) shown.value = `${event.target.value} %`;
});
