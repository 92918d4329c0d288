/* The publish form: what the file says fills the fields that nobody has typed in yet. */

const typed = new Set();

document.addEventListener("input", (event) => {
  if (event.isTrusted && event.target.closest("[data-publish]")) typed.add(event.target.name);
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "facts") return;
  const pair = document.querySelector("[data-half]");
  if (pair && event.target.querySelector("[data-is-half]")) pair.open = true;
  const word = event.target.querySelector("[data-suggest-trigger]")?.dataset.suggestTrigger;
  if (!word) return;
  fill("trigger", word);
  fill("name", word.replaceAll("--", "-"));
  fill("title", word.replaceAll(/[-_]+/g, " "));
});

function fill(name, value) {
  const field = document.querySelector(`[data-publish] [name="${name}"]`);
  if (!field || typed.has(name) || (field.value && !field.dataset.suggested)) return;
  field.value = value;
  field.dataset.suggested = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/* After a refusal the file is still chosen: say so, and lead to what is wrong. */
document.addEventListener("htmx:afterSettle", (event) => {
  const form = event.target.closest?.("[data-publish]") ?? document.querySelector("[data-publish]");
  if (!form?.querySelector(".errorlist, [role=alert]")) return;
  const file = form.querySelector("input[type=file]");
  if (file.files.length) form.querySelector("[data-drop-name]").textContent = file.files[0].name;
  if (event.target.id !== "facts") form.querySelector("[aria-invalid=true]")?.focus();
});
