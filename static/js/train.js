// The wizard: each picture is checked as it arrives, and stays with the form whatever happens to the rest.
const form = document.querySelector("[data-train]");
const input = document.querySelector("[data-pictures]");
const picked = document.querySelector("[data-picked]");
const refused = document.querySelector("[data-refused]");
const advice = document.querySelector("[data-advice]");
const findings = document.querySelector("[data-findings]");
const found = document.querySelector("[data-found]");
const describe = document.querySelector("[data-describe]");
const described = document.querySelector("[data-captions]");
const captions = new Map(); // by the picture's name without its ending, from text files
const start = document.querySelector("[data-start]");
const busy = document.querySelector("[data-busy]");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
let waiting = 0;

function make(tag, properties, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

function advise() {
  if (!picked) return;
  const shas = [...picked.querySelectorAll("[data-sha]")].map((item) => item.dataset.sha);
  const text = shas.length > Number(input.dataset.most) ? `A run takes at most ${input.dataset.most} pictures; remove some.` : "";
  advice.textContent = text;
  advice.hidden = !text;
  advice.classList.toggle("notice-warn", Boolean(text));
  describe.hidden = !shas.length;
  start.disabled = waiting > 0;
  busy.textContent = waiting > 0 ? `Checking ${waiting} picture${waiting > 1 ? "s" : ""}…` : "";
}

const stem = (name) => name.replace(/\.[^.]*$/, "");

// What a text file says goes below its picture, unless something stands there.
function describeOne(item) {
  const field = item.querySelector(".pick-caption");
  if (!field.value) field.value = captions.get(stem(item.querySelector(".pick-name").textContent)) ?? "";
}

// A caption file may come before its picture or after it. What a person typed stays.
async function read(file) {
  captions.set(stem(file.name), (await file.text()).trim().slice(0, 400));
  described.checked = true;
  picked.querySelectorAll("[data-sha]").forEach(describeOne);
}

// What the pictures are like together, as the hub sees it. A late answer to an earlier question is dropped.
let asked = 0;
async function look() {
  if (!findings || waiting > 0) return;
  asked += 1;
  const now = asked;
  const body = new FormData();
  for (const kept of picked.querySelectorAll("[name=picture]")) body.append("picture", kept.value);
  const base = form.querySelector("select[name=base_model], [name=base_model]:checked, input[type=hidden][name=base_model]");
  body.append("kind", form.querySelector("[name=kind]:checked")?.value ?? "");
  body.append("base_model", base?.value ?? "");
  try {
    const answer = await fetch(findings.dataset.advise, {
      method: "POST", body, headers: { "X-CSRFToken": token, Accept: "text/html" },
    });
    if (!answer.ok || now !== asked) return;
    findings.innerHTML = await answer.text();
    const count = findings.querySelectorAll("[data-code]").length;
    found.textContent = count ? `${count} ${count > 1 ? "remarks" : "remark"} on your pictures, below them.` : "";
  } catch {
    // Advice is only advice: without it everything works.
  }
}

function refuse(file, why) {
  const name = make("strong", { textContent: file.name });
  refused.append(make("li", { className: "notice notice-bad" }, name, make("p", { textContent: why })));
}

function placeholder(file) {
  const address = URL.createObjectURL(file);
  const image = make("img", { src: address, width: 96, height: 96, alt: "" });
  const item = make(
    "li",
    { className: "pick pick-waiting" },
    image,
    make("p", { className: "pick-name", textContent: file.name }),
    make("p", { className: "soft small", textContent: "Checking…" }),
  );
  const free = () => URL.revokeObjectURL(address);
  image.addEventListener("load", free);
  image.addEventListener("error", () => { free(); image.remove(); });
  return item;
}

async function check(file) {
  const item = placeholder(file);
  picked.append(item);
  waiting += 1;
  advise();
  const body = new FormData();
  body.append("picture", file);
  try {
    const answer = await fetch(input.dataset.check, {
      method: "POST", body, headers: { "X-CSRFToken": token, Accept: "application/json" },
    });
    const content = await answer.json();
    if (answer.ok) {
      item.outerHTML = content.tile;
      describeOne(document.getElementById(`picture-${content.id}`));
    } else {
      item.remove();
      refuse(file, content.error.message);
    }
  } catch {
    item.remove();
    refuse(file, "The hub did not answer; add the picture again.");
  }
  waiting -= 1;
  advise();
  look();
}

async function take(files) {
  refused.replaceChildren();
  // Two at a time: the hub checks each in a process of its own.
  const isCaption = (file) => file.name.toLowerCase().endsWith(".txt");
  const queue = [...files].filter((file) => !isCaption(file));
  await Promise.all([...files].filter(isCaption).map(read));
  const work = async () => { while (queue.length) await check(queue.shift()); };
  await Promise.all([work(), work()]);
}

if (input) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    // What was checked is with the hub already; the form must not send it again.
    input.value = "";
    take(files);
  });
  picked.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    button.closest("li").remove();
    advise();
    look();
    input.focus();
    fetch(button.dataset.remove, { method: "DELETE", headers: { "X-CSRFToken": token } });
  });
}

function suggest() {
  const kind = form.querySelector("[name=kind]:checked");
  const field = form.querySelector("[name=initializer]");
  if (!kind || !field) return;
  const word = form.getAttribute(`data-suggest-${kind.value}`);
  field.placeholder = word ? `for example: ${word}` : "";
}

// A quality brings its own number of steps, in place of what was filled in; the empty field shows it.
const steps = form.querySelector("[name=max_steps]");
function showSteps() {
  const quality = form.querySelector("[name=preset]:checked")?.value;
  steps.placeholder = JSON.parse(steps.dataset.steps || "{}")[quality] ?? "";
}
form.addEventListener("change", (event) => {
  if (event.target.name !== "preset") return;
  steps.value = "";
  showSteps();
});

form.addEventListener("change", suggest);
form.addEventListener("change", (event) => { if (["kind", "base_model"].includes(event.target.name)) look(); });
form.addEventListener("submit", () => {
  busy.textContent = "Starting…";
  // After this tick, so that the press itself still counts.
  setTimeout(() => { start.disabled = true; }, 0);
});
window.addEventListener("pageshow", () => { start.disabled = false; busy.textContent = ""; advise(); suggest(); showSteps(); });
suggest();
showSteps();
advise();
