// Rewrites the server's times in the reader's own format; those marked data-ago say how long ago it was.
// HTML can neither follow the browser's locale nor keep an age up to date.
import { duration } from "./duration.js";

const RECENT = 7 * 86400; // seconds; an older time is written as a date

const write = (time) => {
  const moment = new Date(time.dateTime);
  const past = (Date.now() - moment) / 1000;
  const today = moment.toDateString() === new Date().toDateString();
  const clock = { hour: "2-digit", minute: "2-digit", second: time.dataset.seconds && "2-digit" };
  const day = { day: "numeric", month: "short" };
  if (moment.getFullYear() !== new Date().getFullYear()) day.year = "numeric";
  let words = moment.toLocaleString([], today ? clock : { ...day, ...clock });
  // The server's clock may run up to 5 s ahead of the browser's.
  if (time.dataset.ago && past >= -5 && past < RECENT) words = past < 45 ? "just now" : `${duration(Math.max(past, 60))} ago`;
  if (time.textContent !== words) time.textContent = words;
  time.title = moment.toLocaleString([], { dateStyle: "full", timeStyle: "long" });
};
const writeAll = (selector) => { for (const time of document.querySelectorAll(selector)) write(time); };

writeAll("time[datetime]");
document.addEventListener("htmx:afterSwap", () => writeAll("time[datetime]"));
setInterval(() => { if (!document.hidden) writeAll("time[data-ago]"); }, 5000);
