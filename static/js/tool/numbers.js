// Counts the ticket numbers as they are typed or chosen as a file, and takes a file dropped on the box.
// People paste thousands; a count before sending shows at once that some were lost or are not numbers.
const LARGE = 50_000_000; // bytes; a larger file would freeze the page while it is read

const TEXT = /\.(csv|tsv|txt)$/i; // anything else is a workbook, or no table at all

const describe = (text) => {
  if (text.includes("\t")) return "A table; its numbers are counted when it is sent.";
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const numbers = new Set(words.map((word) => word.replace(/^#/, "")).filter((word) => /^\d+$/.test(word)));
  const others = words.filter((word) => !/^#?\d+$/.test(word));
  if (!words.length) return "";
  const count = `${numbers.size.toLocaleString()} ticket number${numbers.size === 1 ? "" : "s"}`;
  return others.length ? `${count}; ${others.length.toLocaleString()} not a number, such as ${others[0].slice(0, 20)}` : count;
};

const describeFile = async (file) => {
  if (!file) return "";
  if (!TEXT.test(file.name)) return "A workbook; its numbers are counted when it is sent.";
  if (file.size > LARGE) return "A large file; its numbers are counted when it is sent.";
  const lines = (await file.text()).split(/\r?\n/).filter((line) => /\d/.test(line));
  return `${lines.length.toLocaleString()} line${lines.length === 1 ? "" : "s"} with a number`;
};

export const countNumbers = (form) => {
  const { ids, ids_file: file } = form.elements;
  if (!ids) return; // the tool's own fields say which tickets
  const showCount = () => { document.getElementById("ids-count").textContent = describe(ids.value); };
  ids.addEventListener("input", showCount);
  showCount();
  file.addEventListener("change", async () => {
    document.getElementById("file-count").textContent = await describeFile(file.files[0]);
  });
  ids.addEventListener("dragover", (event) => event.preventDefault());
  ids.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    file.files = event.dataTransfer.files;
    file.dispatchEvent(new Event("change", { bubbles: true }));
  });
};
