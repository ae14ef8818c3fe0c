// Adds the keyboard shortcuts that the dialog under "?" lists, and the button that opens it.
// HTML's accesskey takes no two-key sequences and clashes with the browser's and screen readers' own keys.
const SECOND_KEY = 1500; // milliseconds in which the second key has to follow the g
const dialog = document.getElementById("keys");

const go = (name) => { if (dialog.dataset[name]) location.assign(dialog.dataset[name]); };
const isTyping = (target) => target.closest?.("input, textarea, select, [contenteditable]");

let afterG = 0;
const press = (event) => {
  if (dialog.open || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const isSecond = Date.now() - afterG < SECOND_KEY;
  afterG = 0;
  if (event.key === "?") dialog.showModal();
  else if (isSecond && event.key === "h") go("home");
  else if (isSecond && event.key === "j") go("jobs");
  else if (event.key === "g") { afterG = Date.now(); return; }
  else if (event.key === "n") go("tool");
  else if (event.key === "/") { const field = document.getElementById("filter-q"); if (field) field.focus(); else go("jobs"); }
  else return;
  event.preventDefault();
};

// Nobody signed in, no dialog, no shortcuts.
if (dialog) {
  document.addEventListener("keydown", press);
  const opener = document.getElementById("keys-open");
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
}
