// Counts and checks the fields that are filled in when the page opens, as if they had just been typed.
// htmx reads hx-trigger once, after this file has run, so adding "load" here is enough.
export const checkPrefilled = (form) => {
  for (const part of form.querySelectorAll("[hx-trigger][hx-include]")) {
    const field = form.querySelector(part.getAttribute("hx-include"));
    if (field.value) part.setAttribute("hx-trigger", `load, ${part.getAttribute("hx-trigger")}`);
  }
};
