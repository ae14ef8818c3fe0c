// Shows one way to choose tickets at a time, as tabs; the server then reads only the chosen panel.
// Without JavaScript all panels are on the page, which is long but complete.
export const showOnePanel = (form) => {
  const panels = form.querySelector(".panels");
  if (!panels) return; // the tool's own fields say which tickets
  const tabs = panels.querySelector(".panel-tabs");
  const radios = [...tabs.querySelectorAll("input")];
  const show = (name) => {
    for (const panel of panels.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
  };
  const broken = panels.querySelector(".is-invalid")?.closest("[data-panel]")?.dataset.panel;
  const first = broken || radios.find((radio) => radio.checked)?.value || panels.dataset.chosen || radios[0].value;
  panels.classList.add("has-tabs");
  tabs.hidden = false;
  for (const radio of radios) {
    radio.checked = radio.value === first;
    radio.addEventListener("change", () => show(radio.value));
  }
  show(first);
};
