// Closes the menu under the user's name on Escape and on a click elsewhere, as people expect of a menu.
// A <details> element opens without JavaScript, but closes only from its own summary.
const menu = document.querySelector("details.who");

if (menu) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
