// Shows a Copy button beside a text where the browser has a clipboard; without it, people select by hand.
// HTML has no way to copy, so the buttons are hidden until this file runs.
const offer = () => {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
};

offer();
document.addEventListener("htmx:afterSwap", offer);
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(text); // permission denied: leave it selected for Ctrl-C
  }
});
