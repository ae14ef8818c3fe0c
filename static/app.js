// Small things that make the pages nicer; every page works without them.
(() => {
  const polled = (event) => event.detail.elt?.closest("[data-polled]");
  const byId = (id) => document.getElementById(id);

  // Nobody looks at a hidden tab: it asks for nothing, and asks again at the first beat after it is shown.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && polled(event)) event.preventDefault();
  });

  // A poll that fails keeps the last figures and says how old they are, until one succeeds.
  let updated = Date.now();
  let away = false;
  const tellAge = () => {
    const note = byId("poll-trouble");
    if (!note || !away) return;
    note.textContent = `Last update ${stretch((Date.now() - updated) / 1000)} ago: the server does not answer. Trying again.`;
    note.hidden = false;
  };
  const fail = (event) => {
    if (!polled(event)) return;
    away = true;
    tellAge();
  };
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) document.addEventListener(name, fail);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    updated = Date.now();
    away = false;
    const note = byId("poll-trouble");
    if (note) note.hidden = true;
  });

  // The server writes times, and takes days, in the zone that this browser names.
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if (timeZone) document.cookie = `zone=${timeZone}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;

  // Here they become the reader's own way of writing them, and some tell how long ago that was.
  const stretch = (seconds) => {
    if (seconds < 60) return `${Math.round(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} d`;
  };
  const RECENT = 7 * 86400;
  const write = (time) => {
    const moment = new Date(time.dateTime);
    const past = (Date.now() - moment) / 1000;
    const today = moment.toDateString() === new Date().toDateString();
    const clock = { hour: "2-digit", minute: "2-digit", second: time.dataset.seconds && "2-digit" };
    const day = { day: "numeric", month: "short" };
    if (moment.getFullYear() !== new Date().getFullYear()) day.year = "numeric";
    let words = moment.toLocaleString([], today ? clock : { ...day, ...clock });
    if (time.dataset.ago && past >= -5 && past < RECENT) words = past < 45 ? "just now" : `${stretch(Math.max(past, 60))} ago`;
    if (time.textContent !== words) time.textContent = words;
    time.title = moment.toLocaleString([], { dateStyle: "full", timeStyle: "long" });
  };
  const localise = () => { for (const time of document.querySelectorAll("time[datetime]")) write(time); };
  setInterval(() => {
    if (document.hidden) return;
    tellAge();
    for (const time of document.querySelectorAll("time[data-ago]")) write(time);
  }, 5000);

  // A tab in the background tells how far its job is: in its title, and as a ring in its icon.
  const COLOURS = { primary: "#0d6efd", secondary: "#6c757d", warning: "#e0a100", danger: "#dc3545", success: "#198754" };
  const showInTab = (live = byId("job-live")) => {
    if (!live) return;
    document.title = live.dataset.title;
    const colour = COLOURS[live.dataset.colour] || COLOURS.secondary;
    const done = Number(live.dataset.percent ?? 0);
    const around = 2 * Math.PI * 12;
    const ring = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="12" fill="none" stroke="${colour}" stroke-opacity=".3" stroke-width="7"/><circle cx="16" cy="16" r="12" fill="none" stroke="${colour}" stroke-width="7" stroke-dasharray="${(around * done) / 100} ${around}" transform="rotate(-90 16 16)"/></svg>`;
    const address = `data:image/svg+xml,${encodeURIComponent(ring)}`;
    const link = document.querySelector("link[rel=icon]");
    if (link && link.getAttribute("href") !== address) link.setAttribute("href", address);
  };
  // A hidden page does not keep itself up to date, but its tab is still seen: that alone is asked for, now and then.
  let ended = false;
  setInterval(async () => {
    const live = byId("job-live");
    if (!document.hidden || ended || !live?.matches("[data-polled]")) return;
    try {
      const answer = await fetch(live.getAttribute("hx-get"));
      if (answer.status !== 200) return;
      const news = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("job-live");
      if (!news || !document.hidden) return;
      ended = !news.matches("[data-polled]");
      showInTab(news);
    } catch { /* the server is away; the next time will do */ }
  }, 30_000);

  // Jobs that were ticked stay ticked when the rows are renewed.
  const ticks = () => [...document.querySelectorAll("input[name=job][form=choose]")];
  let ticked = new Set();
  const countTicks = () => {
    const all = ticks();
    const head = byId("tick-all");
    const number = all.filter((tick) => tick.checked).length;
    if (head) {
      head.hidden = !all.length;
      head.checked = number > 0 && number === all.length;
      head.indeterminate = number > 0 && number < all.length;
    }
    const words = byId("chosen");
    const said = number ? `${number} on this page ticked` : "";
    if (words && words.textContent !== said) words.textContent = said;
  };
  document.addEventListener("htmx:beforeSwap", () => {
    ticked = new Set(ticks().filter((tick) => tick.checked).map((tick) => tick.value));
  });
  const restoreTicks = () => {
    for (const tick of ticks()) if (ticked.has(tick.value)) tick.checked = true;
    countTicks();
  };
  document.addEventListener("change", (event) => {
    if (event.target.id === "tick-all") for (const tick of ticks()) tick.checked = event.target.checked;
    countTicks();
  });

  // Whoever was at a button of a part that is renewed without it goes on at the part's sentence, not at the top.
  let focused = null;
  document.addEventListener("htmx:beforeSwap", () => { focused = document.activeElement; });
  const keepPlace = () => {
    if (!focused || focused === document.body || focused.isConnected || document.activeElement !== document.body) return;
    byId("state")?.focus({ preventScroll: true });
  };

  document.addEventListener("DOMContentLoaded", () => {
    localise();
    showInTab();
    countTicks();
    // After an action the eye, and whoever hears the page, goes to what became of it.
    if (document.querySelector(".said")) byId("state")?.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:afterSwap", () => { restoreTicks(); localise(); showInTab(); keepPlace(); });

  // A second click while the first is under way would only make people wait twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  // Back from the next page, the form may be sent again.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    }
    countTicks();
  });

  // What is to be copied can be selected by hand, too: the buttons are there only where they work.
  const offerCopies = () => {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  };
  document.addEventListener("DOMContentLoaded", offerCopies);
  document.addEventListener("htmx:afterSwap", offerCopies);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId(button.dataset.copy)); // it was not allowed: Ctrl-C does the rest
    }
  });

  // A few keys, listed under ?. Never while one types, nor together with Ctrl, Alt or the like.
  const keys = byId("keys");
  const goes = (name) => { const address = keys?.dataset[name]; if (address) location.assign(address); };
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");
  let afterG = 0;
  document.addEventListener("keydown", (event) => {
    if (!keys || keys.open || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const isSecond = Date.now() - afterG < 1500;
    afterG = 0;
    if (event.key === "?") keys.showModal();
    else if (isSecond && event.key === "h") goes("home");
    else if (isSecond && event.key === "j") goes("jobs");
    else if (event.key === "g") { afterG = Date.now(); return; }
    else if (event.key === "n") goes("tool");
    else if (event.key === "/") { const field = byId("filter-q"); if (field) field.focus(); else goes("jobs"); }
    else return;
    event.preventDefault();
  });
  // The menu on one's name closes like a menu.
  const menu = document.querySelector("details.who");
  if (menu) {
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }
  const opener = byId("keys-open");
  if (opener && keys) {
    opener.hidden = false;
    opener.addEventListener("click", () => keys.showModal());
  }
})();
