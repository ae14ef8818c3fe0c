// Moves the focus to the job's state after an action, and when the focused button is swapped away.
// Otherwise keyboard and screen reader users start again at the top of the page.
const focusState = () => document.getElementById("state")?.focus({ preventScroll: true });

if (document.querySelector(".said")) focusState();

let focused = null;
document.addEventListener("htmx:beforeSwap", () => { focused = document.activeElement; });
document.addEventListener("htmx:afterSwap", () => {
  const isLost = focused && focused !== document.body && !focused.isConnected;
  if (isLost && document.activeElement === document.body) focusState();
});
