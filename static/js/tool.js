// Makes a tool's form quicker to fill in, one feature per file. Without them it is a plain HTML form.
// The draft comes first: the others show what it restores.
import { keepDraft } from "./tool/draft.js";
import { showOnePanel } from "./tool/panels.js";
import { checkPrefilled } from "./tool/prefilled.js";
import { refuseLargeFiles } from "./tool/file-size.js";
import { countNumbers } from "./tool/numbers.js";
import { takeOutChips } from "./tool/chips.js";
import { suggestTags } from "./tool/suggestions.js";

const form = document.getElementById("tool-form");
if (form) {
  keepDraft(form);
  showOnePanel(form);
  checkPrefilled(form);
  refuseLargeFiles(form);
  countNumbers(form);
  takeOutChips(form);
  suggestTags(form);
}
