// Tells the server the browser's time zone in a cookie, because no request header names it.
// The server then writes times, and reads the days of a filter, in that zone instead of UTC.
const YEAR = 365 * 86400; // seconds
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
const secure = location.protocol === "https:" ? "; secure" : "";
if (timeZone) document.cookie = `zone=${timeZone}; path=${document.documentElement.dataset.root || "/"}; max-age=${YEAR}; samesite=lax${secure}`;
