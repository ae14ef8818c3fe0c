// Does at once what a link marked data-one-click would ask about first: it submits the page's own form to the
// link's address. The form stands outside the part that refreshes itself. Without this script, or with a key
// that opens a new tab, the link leads to the page that asks.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-one-click]");
  const form = document.getElementById("one-click");
  if (!link || !form || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  form.action = link.href;
  form.requestSubmit();
});
