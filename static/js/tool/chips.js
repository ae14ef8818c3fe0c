// Adds a button to each chip that takes its tag out of the text box; the box stays the only value sent.
// The server draws the chips with the buttons hidden, because they do nothing without JavaScript.
export const takeOutChips = (form) => {
  document.addEventListener("htmx:afterSettle", () => {
    for (const button of form.querySelectorAll(".drop[hidden]")) button.hidden = false;
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-drop]");
    if (!button) return;
    const input = button.closest("[data-tags]").querySelector("input");
    const words = input.value.split(/[\s,]+/);
    // data-drop holds the tag as the server stores it: composed characters, lower case.
    const left = words.filter((word) => word && word.normalize("NFC").toLowerCase() !== button.dataset.drop);
    input.value = left.join(" ");
    input.focus();
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
};
