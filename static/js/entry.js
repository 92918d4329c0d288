/* An entry's page: tabs, the slider between with and without the word, and the picture viewer. */

for (const box of document.querySelectorAll("[data-tabs]")) makeTabs(box);
makePictures();
/* A sheet that was still being drawn arrives later. */
document.addEventListener("htmx:afterSettle", makePictures);
document.addEventListener("glossa:renewed", makePictures);

function makePictures() {
  for (const figure of document.querySelectorAll("[data-compare]")) once(figure, makeCompare);
  for (const sheet of document.querySelectorAll("[data-sheet]")) once(sheet, makeViewer);
}

function once(element, make) {
  if (element.dataset.made !== undefined) return;
  element.dataset.made = "";
  make(element);
}

function makeTabs(box) {
  const panels = [...box.querySelectorAll("[data-tab]")];
  if (panels.length < 2) return;
  const list = document.createElement("div");
  list.className = "tabs";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Tools");
  const tabs = panels.map((panel, index) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.id = `${panel.id}-tab`;
    tab.textContent = panel.dataset.tab;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    tab.addEventListener("click", () => choose(index));
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    panel.querySelector("[data-tab-heading]").hidden = true;
    list.append(tab);
    return tab;
  });
  function choose(index, focus = false) {
    tabs.forEach((tab, other) => {
      tab.setAttribute("aria-selected", String(other === index));
      tab.tabIndex = other === index ? 0 : -1;
      panels[other].hidden = other !== index;
    });
    if (focus) tabs[index].focus();
    try { localStorage.setItem("tool", panels[index].dataset.tab); } catch { /* not remembered */ }
  }
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose((next + tabs.length) % tabs.length, true);
  });
  box.prepend(list);
  let remembered = null;
  try { remembered = localStorage.getItem("tool"); } catch { /* first tab */ }
  choose(Math.max(0, panels.findIndex((panel) => panel.dataset.tab === remembered)));
}

function makeCompare(figure) {
  const range = figure.querySelector("[data-compare-range]");
  if (!range) return;
  const show = () => figure.style.setProperty("--split", `${range.value}%`);
  range.addEventListener("input", show);
  const stage = figure.querySelector(".compare-stage");
  const drag = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = stage.getBoundingClientRect();
    range.value = Math.round(((event.clientX - box.left) / box.width) * 100);
    show();
  };
  stage.addEventListener("pointerdown", drag);
  stage.addEventListener("pointermove", drag);
  show();
}

function makeViewer(sheet) {
  const dialog = sheet.querySelector("[data-viewer]");
  let link = null;
  function show(chosen) {
    link = chosen;
    const image = link.querySelector("img");
    const side = dialog.querySelector(".viewer-side");
    dialog.querySelector(".viewer-stage").replaceChildren(stageOf(image));
    const facts = link.closest("[data-picture]").querySelector(".picture-facts").cloneNode(true);
    facts.hidden = false;
    const original = document.createElement("a");
    original.href = link.href;
    original.textContent = "The picture itself";
    original.className = "small";
    side.replaceChildren(facts, original);
    dialog.querySelectorAll("[data-compare]").forEach(makeCompare);
  }
  /* The next picture that is not folded away. */
  function step(by) {
    const links = [...sheet.querySelectorAll(".picture-open")].filter((one) => one.checkVisibility());
    show(links[(links.indexOf(link) + by + links.length) % links.length]);
  }
  sheet.addEventListener("click", (event) => {
    const chosen = event.target.closest(".picture-open");
    if (!chosen || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(chosen);
    dialog.showModal();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("input")) return;
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
    if (event.target.dataset.turn) step(Number(event.target.dataset.turn));
  });
  dialog.addEventListener("close", () => link?.focus());
}

/* The large picture; with a control beside it, the slider. */
function stageOf(image) {
  const large = image.cloneNode();
  large.removeAttribute("loading");
  if (!image.dataset.control) return large;
  const figure = document.createElement("figure");
  figure.className = "compare";
  figure.dataset.compare = "";
  const stage = document.createElement("div");
  stage.className = "compare-stage";
  const without = image.cloneNode();
  without.removeAttribute("loading");
  without.src = image.dataset.control;
  without.className = "compare-without";
  without.alt = "The same without the word";
  stage.append(large, without);
  const caption = document.createElement("figcaption");
  caption.className = "compare-control";
  const label = document.createElement("label");
  label.htmlFor = "viewer-range";
  for (const words of ["without the word", "with it"]) {
    const span = document.createElement("span");
    span.textContent = words;
    label.append(span);
  }
  const range = document.createElement("input");
  Object.assign(range, { id: "viewer-range", type: "range", min: 0, max: 100, value: 50 });
  range.dataset.compareRange = "";
  caption.append(label, range);
  figure.append(stage, caption);
  return figure;
}
