/* What every page can do: copy buttons, drop zones, menus that close, filters that stand open where there is room.
   Works on pieces that arrive later too, because it listens on the document. */

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const text = source.dataset.full ?? source.textContent;
  const label = button.dataset.label ??= button.textContent;
  button.textContent = (await copy(text)) ? "Copied" : "Press Ctrl+C";
  if (button.textContent !== "Copied") getSelection().selectAllChildren(source);
  announce(button.textContent);
  setTimeout(() => { button.textContent = label; }, 1800);
});

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/* Plain http on another machine has no clipboard API. */
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

function announce(text) {
  let place = document.getElementById("announcer");
  if (!place) {
    place = document.createElement("p");
    place.id = "announcer";
    place.className = "visually-hidden";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  place.textContent = text;
}

for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    const zone = event.target.closest?.("[data-drop]");
    for (const other of document.querySelectorAll("[data-drop].is-over")) other.classList.remove("is-over");
    if (zone && (type === "dragenter" || type === "dragover")) zone.classList.add("is-over");
  });
}

document.addEventListener("change", (event) => {
  const zone = event.target.closest("[data-drop]");
  const name = zone?.querySelector("[data-drop-name]");
  if (name) name.textContent = [...event.target.files].map((file) => file.name).join(", ");
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector("form[role=search] input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

const wide = matchMedia("(min-width: 60rem)");
function openWide() {
  for (const fold of document.querySelectorAll("[data-open-wide]")) fold.open = wide.matches;
}
openWide();
wide.addEventListener("change", openWide);
document.addEventListener("htmx:afterSettle", openWide);

/* A press that loses something is asked once more. */
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

/* After a refusal: begin at the first field that is wrong. */
document.querySelector("main [aria-invalid=true]")?.focus();

/* Pressed twice is pressed once: a plain form that is on its way takes no second press. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.matches("[hx-post], [data-train], [data-plain]")) return;
  const press = event.submitter;
  if (!press || press.hasAttribute("data-plain-submit") || press.hasAttribute("download")) return;
  setTimeout(() => { press.disabled = true; }, 0);
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const press of document.querySelectorAll("button:disabled[type=submit]")) press.disabled = false;
});
