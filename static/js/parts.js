// The part of each picture that is learned from: a box that is drawn on it, moved, and pulled at its corners. The
// fields below the picture say the same in percent and are the truth; what changes is kept with the picture at once.
const form = document.querySelector("[data-train]");
const picked = document.querySelector("[data-picked]");
const found = document.querySelector("[data-found]");
const REACH = 24; // pixels of the screen around a corner that take hold of it
const LEAST = 2; // percent: less is a slip of the hand and no box

const edges = (item) => [...item.querySelectorAll("[data-edge]")];
const within = (value, low = 0, high = 100) => Math.min(Math.max(value, low), high);

// Left, top, right and bottom in percent; null where no part is said.
function boxOf(item) {
  const fields = edges(item);
  if (fields.every((field) => field.value === "")) return null;
  return fields.map((field) => (field.value === "" ? Number(field.dataset.edge) : Number(field.value)));
}

function write(item, box) {
  edges(item).forEach((field, place) => { field.value = box ? String(Math.round(box[place] * 10) / 10) : ""; });
  draw(item);
}

const sizeOf = (over) => [over.viewBox.baseVal.width, over.viewBox.baseVal.height];
const path = ([left, top, right, bottom]) => `M${left} ${top}H${right}V${bottom}H${left}Z`;

// The square that is trained on: the smallest that holds the box, moved inward at the border; as the engine has it.
function squareOf([left, top, right, bottom], [width, height]) {
  const side = Math.min(Math.max(right - left, bottom - top), width, height);
  const x = within((left + right - side) / 2, 0, width - side);
  const y = within((top + bottom - side) / 2, 0, height - side);
  return [x, y, x + side, y + side];
}

function draw(item) {
  const over = item.querySelector("[data-over]");
  const [width, height] = sizeOf(over);
  const said = boxOf(item);
  const isBox = said && said[0] < said[2] && said[1] < said[3];
  const box = isBox && said.map((percent, place) => (percent / 100) * (place % 2 ? height : width));
  const [left, top, right, bottom] = box || [];
  const parts = {
    dim: box ? `M0 0H${width}V${height}H0Z${path(squareOf(box, [width, height]))}` : "",
    outline: box ? path(box) : "",
    corners: box ? `M${left} ${top}h0M${right} ${top}h0M${right} ${bottom}h0M${left} ${bottom}h0` : "",
  };
  for (const [name, shape] of Object.entries(parts)) {
    over.querySelectorAll(`[data-${name}]`).forEach((one) => one.setAttribute("d", shape));
  }
}

// What the tile says goes to the hub, one thing after another; the answer is the tile as it is kept.
let sending = Promise.resolve();
function keep(item, more = {}) {
  const id = item.querySelector("[name=picture]").value;
  const body = new FormData();
  for (const field of item.querySelectorAll("select, textarea, [data-edge]")) body.append(field.name, field.value);
  for (const [name, value] of Object.entries(more)) body.append(`${name}-${id}`, value);
  const refusal = item.querySelector("[data-refusal]");
  const send = async () => {
    try {
      const answer = await fetch(item.dataset.keep, {
        method: "POST", body,
        headers: { "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value, Accept: "application/json" },
      });
      const content = await answer.json();
      refusal.textContent = answer.ok ? "" : content.error.message;
      return answer.ok ? content : null;
    } catch {
      refusal.textContent = "The hub did not answer; try it again.";
      return null;
    }
  };
  sending = sending.then(send);
  return sending;
}

// A mask comes or goes: the tile is new, open as it was, with the keyboard where it was of use.
async function renew(item, more, next, told) {
  const content = await keep(item, more);
  if (!content) return;
  const caption = item.querySelector(".pick-caption").value;
  item.outerHTML = content.tile;
  const made = document.getElementById(`picture-${content.id}`);
  meet(made);
  made.querySelector(".pick-caption").value = caption;
  made.querySelector("details").open = true;
  made.querySelector(next)?.focus();
  found.textContent = told;
}

// A hand on the picture: the place in percent, and what it has taken hold of.
let held = null;

function at(over, event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(over.getScreenCTM().inverse());
  const [width, height] = sizeOf(over);
  return [within((point.x / width) * 100), within((point.y / height) * 100)];
}

function cornerAt(over, box, [x, y]) {
  const [width, height] = sizeOf(over);
  const scale = over.getScreenCTM().a;
  const near = (percent, to, side) => Math.abs(percent - to) / 100 * side * scale <= REACH;
  const column = [0, 2].find((place) => near(x, box[place], width));
  const row = [1, 3].find((place) => near(y, box[place], height));
  return column === undefined || row === undefined ? null : [column, row];
}

function pull(event) {
  const [x, y] = at(held.over, event);
  if (held.corner) {
    // The corner across stays where it is; past it the box turns over.
    const [column, row] = held.corner;
    const [ox, oy] = [held.before[2 - column], held.before[4 - row]];
    write(held.item, [Math.min(x, ox), Math.min(y, oy), Math.max(x, ox), Math.max(y, oy)]);
  } else {
    const [left, top, right, bottom] = held.before;
    const dx = within(x - held.from[0], -left, 100 - right);
    const dy = within(y - held.from[1], -top, 100 - bottom);
    write(held.item, [left + dx, top + dy, right + dx, bottom + dy]);
  }
}

function press(event) {
  const over = event.target.closest("[data-over]");
  const item = over?.closest(".pick");
  if (!over || !event.isPrimary || event.button || !item.querySelector("details").open) return;
  event.preventDefault();
  over.setPointerCapture(event.pointerId);
  const from = at(over, event);
  const was = boxOf(item);
  const corner = was && cornerAt(over, was, from);
  const inside = was && from[0] > was[0] && from[0] < was[2] && from[1] > was[1] && from[1] < was[3];
  // On empty ground a new box begins, whose far corner is in the hand.
  held = corner || inside
    ? { over, item, from, was, before: was, corner }
    : { over, item, from, was, before: [...from, ...from], corner: [2, 3] };
}

function letGo(event) {
  if (!held) return;
  const { item, was } = held;
  held = null;
  const box = boxOf(item);
  const isNothing = box && (box[2] - box[0] < LEAST || box[3] - box[1] < LEAST);
  if (event.type === "pointercancel" || isNothing) write(item, was);
  else if (String(box) !== String(was)) keep(item);
}

// Masks travel alone: the form need not send a file field for each picture.
function meet(item) {
  item.querySelector("[data-mask]").removeAttribute("name");
  item.querySelectorAll("[data-by-script]").forEach((one) => { one.hidden = false; });
  item.querySelector("[data-without-script]")?.remove();
  draw(item);
}

if (picked) {
  picked.querySelectorAll("[data-sha]").forEach(meet);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node.dataset?.sha) meet(node);
    }
  }).observe(picked, { childList: true });
  // A hub takes so many fields and no more; that a picture has no part is kept with it already.
  form.addEventListener("formdata", ({ formData }) => {
    for (const item of picked.querySelectorAll("[data-sha]")) {
      if (!boxOf(item)) edges(item).forEach((field) => formData.delete(field.name));
    }
  });
  picked.addEventListener("pointerdown", press);
  picked.addEventListener("pointermove", (event) => { if (held) pull(event); });
  picked.addEventListener("pointerup", letGo);
  picked.addEventListener("pointercancel", letGo);
  picked.addEventListener("input", (event) => { if (event.target.matches("[data-edge]")) draw(event.target.closest(".pick")); });
  picked.addEventListener("change", (event) => {
    const item = event.target.closest(".pick");
    if (event.target.matches("[data-edge], .pick-end select")) keep(item);
    if (event.target.matches("[data-mask]") && event.target.files.length) {
      const file = event.target.files[0];
      event.target.value = "";
      renew(item, { mask: file }, "[data-unmask]", "The mask is kept; what hardly counts is shown dark.");
    }
  });
  picked.addEventListener("click", (event) => {
    const item = event.target.closest(".pick");
    if (event.target.closest("[data-clear]")) {
      write(item, null);
      keep(item);
    }
    if (event.target.closest("[data-unmask]")) {
      renew(item, { unmask: "on" }, "[data-mask]", "The mask is removed; all of the picture counts.");
    }
  });
}
