// Suggests the account's tags for the word that is being typed, in a combobox as ARIA describes it.
// A <datalist> completes the whole value of a field, and these fields hold several tags.
const PAUSE = 250; // milliseconds without a key before asking
const SHORTEST = 2; // characters; Zendesk completes nothing shorter

const suggestIn = (box, address) => {
  const input = box.querySelector("input");
  const list = document.createElement("ul");
  list.className = "options";
  list.id = `${input.id}_options`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Tags of Zendesk");
  input.after(list);
  const attributes = {
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": list.id,
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
  };
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);

  let timer;
  let asked = 0; // the number of the latest question; older answers are dropped
  let at = -1; // the index of the marked option

  const close = () => {
    clearTimeout(timer);
    asked += 1;
    at = -1;
    list.hidden = true;
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const word = () => input.value.slice(0, input.selectionStart).split(/[\s,]+/).pop();
  const pick = (tag) => {
    const start = input.selectionStart - word().length;
    const rest = input.value.slice(input.selectionStart).replace(/^[\s,]*/, "");
    const before = `${input.value.slice(0, start)}${tag} `;
    input.value = before + rest;
    input.setSelectionRange(before.length, before.length);
    close();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    clearTimeout(timer);
  };
  const mark = (next) => {
    const options = [...list.children];
    at = (next + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    options[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[at].id);
  };
  const optionFor = (tag, i) => {
    const option = document.createElement("li");
    option.id = `${list.id}_${i}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.textContent = tag;
    // Not "click": the box would lose the focus first, and the list would close.
    option.addEventListener("mousedown", (event) => { event.preventDefault(); pick(tag); });
    return option;
  };
  const ask = async () => {
    const wanted = word();
    const mine = ++asked;
    if (wanted.length < SHORTEST) return close();
    let tags = [];
    try {
      const answer = await fetch(`${address}?q=${encodeURIComponent(wanted)}`);
      if (answer.ok) tags = (await answer.json()).tags;
    } catch { /* typing goes on without suggestions */ }
    if (mine !== asked || document.activeElement !== input) return;
    tags = tags.filter((tag) => tag !== wanted);
    if (!tags.length) return close();
    at = -1;
    list.replaceChildren(...tags.map(optionFor));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at < 0 ? -1 : at - 1);
    else if (event.key === "Enter" && at >= 0) pick(list.children[at].textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
};

export const suggestTags = (form) => {
  for (const box of form.querySelectorAll("[data-tags]")) suggestIn(box, form.dataset.suggestions);
};
