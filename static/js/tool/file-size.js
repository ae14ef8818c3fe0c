// Says at once that a file is larger than the server takes; otherwise it would be sent first, and refused.
const MEGA = 1_000_000;

export const refuseLargeFiles = (form) => {
  form.addEventListener("change", ({ target }) => {
    if (target.type !== "file") return;
    const most = Number(form.dataset.mostBytes);
    const { size } = target.files[0] ?? { size: 0 };
    const megabytes = (bytes) => Math.round(bytes / MEGA).toLocaleString();
    target.setCustomValidity(size > most ? `The file has ${megabytes(size)} MB, and ${megabytes(most)} MB is the most here. Give it in parts.` : "");
    target.reportValidity();
  });
};
