// Sets the light or dark theme: the one chosen here before, otherwise the system's. CSS alone keeps no choice.
// A classic script in the head, because a module may run after the first paint, and the page would flash.
(() => {
  const NAME = "tagmanager-theme";
  const CHOICES = { "": "as the system", light: "light", dark: "dark" };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try { return localStorage.getItem(NAME) || ""; } catch { return ""; } // storage is forbidden
  };
  const keep = (choice) => {
    try { if (choice) localStorage.setItem(NAME, choice); else localStorage.removeItem(NAME); } catch { /* storage is forbidden: the choice holds for this page only */ }
  };
  let choice = chosen();
  const apply = () => {
    if (!(choice in CHOICES)) choice = "";
    const root = document.documentElement.dataset;
    root.bsTheme = choice || (dark.matches ? "dark" : "light");
    root.theme = root.bsTheme; // the admin's style sheets read this name
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    button.dataset.choice = choice || "system";
    button.setAttribute("aria-label", `Colours: ${CHOICES[choice]}. Change`);
    button.title = `Colours: ${CHOICES[choice]}`;
  };
  dark.addEventListener("change", apply);
  addEventListener("storage", (event) => { if (event.key === NAME) { choice = chosen(); apply(); } });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#theme")) return;
    const names = Object.keys(CHOICES);
    choice = names[(names.indexOf(choice) + 1) % names.length];
    keep(choice);
    apply();
  });
  document.addEventListener("DOMContentLoaded", apply);
  apply();
})();
