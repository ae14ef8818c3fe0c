// Shows a job's progress in the tab: in its title, and as a ring in its icon.
// People start a job and switch tabs; a swapped part can change neither the title nor the icon.
const COLOURS = { primary: "#0d6efd", secondary: "#6c757d", warning: "#e0a100", danger: "#dc3545", success: "#198754" };
const AROUND = 2 * Math.PI * 12; // circumference of the ring, whose radius is 12

const show = (live) => {
  if (!live) return;
  document.title = live.dataset.title;
  const colour = COLOURS[live.dataset.colour] || COLOURS.secondary;
  const done = Number(live.dataset.percent ?? 0);
  const ring = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="12" fill="none" stroke="${colour}" stroke-opacity=".3" stroke-width="7"/><circle cx="16" cy="16" r="12" fill="none" stroke="${colour}" stroke-width="7" stroke-dasharray="${(AROUND * done) / 100} ${AROUND}" transform="rotate(-90 16 16)"/></svg>`;
  const address = `data:image/svg+xml,${encodeURIComponent(ring)}`;
  const link = document.querySelector("link[rel=icon]");
  if (link && link.getAttribute("href") !== address) link.setAttribute("href", address);
};
const showPage = () => show(document.getElementById("job-live"));

showPage();
document.addEventListener("htmx:afterSwap", showPage);

// A hidden page does not poll, but its tab is still visible. Ask for the live part now and then, for the tab only.
let ended = false;
setInterval(async () => {
  const live = document.getElementById("job-live");
  if (!document.hidden || ended || !live?.matches("[data-polled]")) return;
  try {
    const answer = await fetch(live.getAttribute("hx-get"));
    if (answer.status !== 200) return;
    const news = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("job-live");
    if (!news || !document.hidden) return;
    ended = !news.matches("[data-polled]");
    show(news);
  } catch { /* the server is away; try again next time */ }
}, 30_000);
