// Says how old the figures on the page are while polls fail, until a request succeeds again.
// htmx keeps the last figures when the server does not answer, and they would look current.
import { duration } from "./duration.js";

let updated = Date.now();
let failing = false;

const showAge = () => {
  const note = document.getElementById("poll-trouble");
  if (!note || !failing) return;
  note.textContent = `Last update ${duration((Date.now() - updated) / 1000)} ago: the server does not answer. Trying again.`;
  note.hidden = false;
};

for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (!event.detail.elt?.closest("[data-polled]")) return;
    failing = true;
    showAge();
  });
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) return;
  updated = Date.now();
  failing = false;
  const note = document.getElementById("poll-trouble");
  if (note) note.hidden = true;
});
setInterval(() => { if (!document.hidden) showAge(); }, 5000);
