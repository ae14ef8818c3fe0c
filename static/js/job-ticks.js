// Keeps the ticked jobs of the list ticked when its rows are swapped, counts them, and ticks all at once.
// The server does not know the ticks before the form is sent, so it draws new rows without them.
const ticks = () => [...document.querySelectorAll("input[name=job][form=choose]")];

const count = () => {
  const all = ticks();
  const number = all.filter((tick) => tick.checked).length;
  const head = document.getElementById("tick-all");
  if (head) {
    head.hidden = !all.length;
    head.checked = number > 0 && number === all.length;
    head.indeterminate = number > 0 && number < all.length;
  }
  const chosen = document.getElementById("chosen");
  const words = number ? `${number} on this page ticked` : "";
  if (chosen && chosen.textContent !== words) chosen.textContent = words;
};

count();
addEventListener("pageshow", count); // coming Back, the browser has ticked some again
document.addEventListener("change", (event) => {
  if (event.target.id === "tick-all") for (const tick of ticks()) tick.checked = event.target.checked;
  count();
});

let ticked = new Set();
document.addEventListener("htmx:beforeSwap", () => {
  ticked = new Set(ticks().filter((tick) => tick.checked).map((tick) => tick.value));
});
document.addEventListener("htmx:afterSwap", () => {
  for (const tick of ticks()) if (ticked.has(tick.value)) tick.checked = true;
  count();
});
