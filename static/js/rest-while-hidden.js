// Skips polls while the tab is hidden; the first poll after it is shown again goes through.
// An htmx trigger filter could do this, but it needs eval, which the Content-Security-Policy forbids.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt?.closest("[data-polled]")) event.preventDefault();
});
