// A tool's form made quicker; without this file the same form works in plain HTML.
(() => {
  const form = document.getElementById("tool-form");
  if (!form) return;

  // What was typed outlives an expired session and the Back button. Files and tokens are not kept.
  const place = `draft:${location.pathname}`;
  const unkept = new Set(["csrfmiddlewaretoken", "nonce"]);
  const fields = () => [...form.elements].filter((e) => e.name && !unkept.has(e.name) && e.type !== "file" && e.type !== "submit");
  const ticks = (field) => field.type === "radio" || field.type === "checkbox";
  const forget = () => { try { sessionStorage.removeItem(place); } catch { /* storage is forbidden: nothing was kept */ } };
  const keep = () => {
    const kept = fields().map((f) => [f.name, ticks(f) ? f.value : null, ticks(f) ? f.checked : f.value]);
    try { sessionStorage.setItem(place, JSON.stringify(kept)); } catch { forget(); } // too much, and an older one would mislead
  };
  const restore = () => {
    let kept;
    try { kept = JSON.parse(sessionStorage.getItem(place) || "null"); } catch { return; }
    if (!kept) return;
    for (const field of fields()) {
      const found = kept.find(([name, value]) => name === field.name && (value === null || value === field.value));
      if (!found) continue;
      if (ticks(field)) field.checked = found[2];
      else field.value = found[2];
    }
    document.getElementById("restored").hidden = false;
    for (const details of form.querySelectorAll("details")) details.open ||= [...details.querySelectorAll("input, select, textarea")].some((f) => (ticks(f) ? f.checked : f.value));
  };
  const came = performance.getEntriesByType("navigation")[0]?.type;
  const asked = new URLSearchParams(location.search).has("restore");
  const failed = document.querySelector(".alert-danger[role=alert]");
  if (asked || (!failed && (came === "back_forward" || came === "reload"))) restore();
  else if (!failed) forget(); // a form that is begun anew, or filled from an earlier job: a reload must not bring another back
  form.addEventListener("input", keep);
  form.addEventListener("submit", keep);

  // One way to say which tickets at a time, where the tool's own fields do not say it.
  const oneAtATime = (panels) => {
    const tabs = panels.querySelector(".panel-tabs");
    const radios = [...tabs.querySelectorAll("input")];
    const show = (name) => {
      for (const panel of panels.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
    };
    const broken = panels.querySelector(".is-invalid")?.closest("[data-panel]")?.dataset.panel;
    const first = broken || radios.find((r) => r.checked)?.value || panels.dataset.chosen || radios[0].value;
    panels.classList.add("has-tabs");
    tabs.hidden = false;
    for (const radio of radios) {
      radio.checked = radio.value === first;
      radio.addEventListener("change", () => show(radio.value));
    }
    show(first);
  };
  const panels = form.querySelector(".panels");
  if (panels) oneAtATime(panels);

  // What is filled in already, by whomever, is counted and shown at once; htmx looks at these only after us.
  for (const part of form.querySelectorAll("[hx-trigger][hx-include]")) {
    if (form.querySelector(part.getAttribute("hx-include")).value) part.setAttribute("hx-trigger", `load, ${part.getAttribute("hx-trigger")}`);
  }

  // How many numbers were given.
  const count = (text) => {
    const words = text.split(/[\s,;]+/).filter(Boolean);
    const numbers = new Set(words.map((w) => w.replace(/^#/, "")).filter((w) => /^\d+$/.test(w)));
    const others = words.filter((w) => !/^#?\d+$/.test(w));
    if (!words.length) return "";
    const say = `${numbers.size.toLocaleString()} ticket number${numbers.size === 1 ? "" : "s"}`;
    return others.length ? `${say}; ${others.length.toLocaleString()} not a number, such as ${others[0].slice(0, 20)}` : say;
  };
  const countNumbers = (ids) => {
    const tell = () => { document.getElementById("ids-count").textContent = count(ids.value); };
    ids.addEventListener("input", tell);
    tell();
    form.elements.ids_file.addEventListener("change", async (event) => {
      const note = document.getElementById("file-count");
      const file = event.target.files[0];
      if (!file) { note.textContent = ""; return; }
      if (file.size > 50_000_000) { note.textContent = "A large file; its numbers are counted when it is sent."; return; }
      const lines = (await file.text()).split(/\r?\n/).filter((line) => /\d/.test(line));
      note.textContent = `${lines.length.toLocaleString()} line${lines.length === 1 ? "" : "s"} with a number`;
    });
    ids.addEventListener("dragover", (event) => event.preventDefault());
    ids.addEventListener("drop", (event) => {
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      form.elements.ids_file.files = event.dataTransfer.files;
      form.elements.ids_file.dispatchEvent(new Event("change", { bubbles: true }));
    });
  };
  if (form.elements.ids) countNumbers(form.elements.ids);

  // A tag is taken out at its chip; the text box stays the truth.
  const reveal = () => { for (const drop of form.querySelectorAll(".drop[hidden]")) drop.hidden = false; };
  document.addEventListener("htmx:afterSettle", reveal);
  form.addEventListener("click", (event) => {
    const drop = event.target.closest("[data-drop]");
    if (!drop) return;
    const input = drop.closest("[data-tags]").querySelector("input");
    const left = input.value.split(/[\s,]+/).filter((word) => word && word.normalize("NFC").toLowerCase() !== drop.dataset.drop);
    input.value = left.join(" ");
    input.focus();
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Suggestions for the word that is being typed: a combobox with a list.
  const suggest = (box) => {
    const input = box.querySelector("input");
    const list = document.createElement("ul");
    list.className = "options";
    list.id = `${input.id}_options`;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Tags of Zendesk");
    input.closest(".field").querySelector("input").after(list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, autocomplete: "off", autocapitalize: "none", spellcheck: "false" })) input.setAttribute(name, value);
    let timer, asked = 0, at = -1;
    const close = () => {
      clearTimeout(timer); asked += 1; at = -1; list.hidden = true; list.replaceChildren();
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
    const ask = async () => {
      const wanted = word(), mine = ++asked;
      if (wanted.length < 2) return close();
      let tags = [];
      try {
        const answer = await fetch(`${form.dataset.suggestions}?q=${encodeURIComponent(wanted)}`);
        if (answer.ok) tags = (await answer.json()).tags;
      } catch { /* typing goes on without suggestions */ }
      if (mine !== asked || document.activeElement !== input) return;
      tags = tags.filter((tag) => tag !== wanted);
      if (!tags.length) return close();
      at = -1;
      list.replaceChildren(...tags.map((tag, i) => {
        const option = document.createElement("li");
        option.id = `${list.id}_${i}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = tag;
        option.addEventListener("mousedown", (event) => { event.preventDefault(); pick(tag); });
        return option;
      }));
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      input.removeAttribute("aria-activedescendant");
    };
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 250); });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      if (event.key === "ArrowDown") { event.preventDefault(); mark(at + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); mark(at < 0 ? -1 : at - 1); }
      else if (event.key === "Enter" && at >= 0) { event.preventDefault(); pick(list.children[at].textContent); }
      else if (event.key === "Escape") { event.preventDefault(); close(); }
    });
  };
  for (const box of form.querySelectorAll("[data-tags]")) suggest(box);
})();
