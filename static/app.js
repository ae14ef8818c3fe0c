// Small things that make the pages nicer; every page works without them.
(() => {
  const polled = (event) => event.detail.elt?.closest("[data-polled]");

  // Nobody looks at a hidden tab: it asks for nothing, and asks again at the first beat after it is shown.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && polled(event)) event.preventDefault();
  });

  // A poll that fails keeps the last figures and says how old they are.
  let updated = new Date();
  const trouble = () => document.getElementById("poll-trouble");
  const fail = (event) => {
    const note = trouble();
    if (!note || !polled(event)) return;
    note.textContent = `The server did not answer. This is how it was at ${updated.toLocaleTimeString()}; trying again.`;
    note.hidden = false;
  };
  document.addEventListener("htmx:sendError", fail);
  document.addEventListener("htmx:responseError", fail);
  document.addEventListener("htmx:timeout", fail);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful || !trouble()) return;
    updated = new Date();
    trouble().hidden = true;
  });

  // Times are written in UTC; here they become the reader's own.
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const moment = new Date(time.dateTime);
      const today = moment.toDateString() === new Date().toDateString();
      const clock = { hour: "2-digit", minute: "2-digit", second: time.dataset.seconds && "2-digit" };
      time.title = moment.toLocaleString();
      time.textContent = moment.toLocaleString([], today ? clock : { day: "numeric", month: "short", ...clock });
      time.dataset.local = "";
    }
  };
  document.addEventListener("DOMContentLoaded", () => localise(document));
  document.addEventListener("htmx:afterSettle", () => localise(document));

  // A second click while the first is under way would only make people wait twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    form.querySelector("[type=submit]")?.setAttribute("aria-busy", "true");
  });
  // Back from the next page, the form may be sent again.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("[data-sent]")) {
      delete form.dataset.sent;
      form.querySelector("[type=submit]")?.removeAttribute("aria-busy");
    }
  });
})();
