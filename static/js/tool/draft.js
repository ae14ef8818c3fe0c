// Keeps what was typed through a reload, the Back button and an expired session, for this tab only.
// Browsers restore a form only sometimes, and never after a sign-in. Files and tokens are not kept.
const NOT_KEPT = new Set(["csrfmiddlewaretoken", "nonce"]);
const KEY = `draft:${location.pathname}`;

const isTick = (field) => field.type === "radio" || field.type === "checkbox";
const fieldsOf = (form) => [...form.elements].filter((field) => field.name && !NOT_KEPT.has(field.name) && field.type !== "file" && field.type !== "submit");

const forget = () => {
  try { sessionStorage.removeItem(KEY); } catch { /* storage is forbidden, so nothing was kept */ }
};
const keep = (form) => {
  const kept = fieldsOf(form).map((field) => [field.name, isTick(field) ? field.value : null, isTick(field) ? field.checked : field.value]);
  try { sessionStorage.setItem(KEY, JSON.stringify(kept)); } catch { forget(); } // too large: an older draft would mislead
};
const restore = (form) => {
  let kept;
  try { kept = JSON.parse(sessionStorage.getItem(KEY) || "null"); } catch { return; }
  if (!kept) return;
  for (const field of fieldsOf(form)) {
    const found = kept.find(([name, value]) => name === field.name && (value === null || value === field.value));
    if (!found) continue;
    if (isTick(field)) field.checked = found[2];
    else field.value = found[2];
  }
  document.getElementById("restored").hidden = false;
  for (const details of form.querySelectorAll("details")) {
    details.open ||= [...details.querySelectorAll("input, select, textarea")].some((field) => (isTick(field) ? field.checked : field.value));
  }
};

export const keepDraft = (form) => {
  const navigation = performance.getEntriesByType("navigation")[0]?.type;
  const isAsked = new URLSearchParams(location.search).has("restore");
  const isRefused = document.querySelector(".alert-danger[role=alert]"); // the server has filled in what was sent
  if (isAsked || (!isRefused && (navigation === "back_forward" || navigation === "reload"))) restore(form);
  else if (!isRefused) forget(); // a new form, or one filled in from a job: a reload must not restore an older draft
  form.addEventListener("input", () => keep(form));
  form.addEventListener("submit", () => keep(form));
};
