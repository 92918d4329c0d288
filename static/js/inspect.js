/* What is it?: a file may be dropped anywhere or pasted; asking for another layout is a plain download. */

const input = document.getElementById("inspect-file");
const form = input.form;
const answer = document.getElementById("answer");

function take(files) {
  if (!files?.length) return;
  const one = new DataTransfer();
  one.items.add(files[0]);
  input.files = one.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/* A picture is seen at once, from this computer. */
const shown = document.querySelector("[data-shown]");
input.addEventListener("change", () => {
  URL.revokeObjectURL(shown.src);
  const file = input.files[0];
  shown.hidden = !/^image\/(png|jpeg|webp)$/.test(file?.type ?? "");
  if (!shown.hidden) shown.src = URL.createObjectURL(file);
});

document.addEventListener("dragover", (event) => {
  if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (event.target === input || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  take(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => take(event.clipboardData?.files));

/* htmx would swap the file into the page; the browser saves it. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-plain-submit]");
  if (!button) return;
  event.preventDefault();
  const layout = Object.assign(document.createElement("input"), { type: "hidden", name: "layout", value: button.value });
  const before = form.action;
  form.append(layout);
  form.action = button.formAction;
  HTMLFormElement.prototype.submit.call(form);
  form.action = before;
  layout.remove();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target !== answer) return;
  answer.focus({ preventScroll: true });
  answer.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
});
