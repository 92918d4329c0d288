// The page of a training run: asks what is new every second or two and shows it without a reload.
const SVG = "http://www.w3.org/2000/svg";
const PAD = { left: 46, right: 12, top: 12, bottom: 26 };
const HEIGHT = 240;
// The drawing is as wide as its place, so that its words are as large on a phone as elsewhere.
let width = 640;

const points = new Map();
let most = 0;
let last = 0;
let shownState = "";
let wantsNotice = false;
const plainTitle = document.title;

const find = (name) => document.querySelector(`[data-${name}]`);

function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

// A number that is not known yet has no place.
function tell(name, text) {
  const place = find(name);
  if (!place) return;
  say(place, text ?? "–");
  place.closest(".stat").hidden = text === undefined;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

function roundStep(range, count) {
  const rough = range / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
}

function smooth(values, share) {
  let mean;
  return values.map(([step, value]) => {
    mean = mean === undefined ? value : mean + share * (value - mean);
    return [step, mean];
  });
}

// Lines `{ points: [[x, y], …], name }` with a grid behind them, as wide as the drawing's place.
function plot(svg, lines, least) {
  const drawn = lines.filter((one) => one.points.length > 1);
  if (!drawn.length) return;
  width = Math.max(280, Math.round(svg.clientWidth) || 640);
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const all = drawn.flatMap((one) => one.points);
  let low = Math.min(...all.map((p) => p[1]));
  let high = Math.max(...all.map((p) => p[1]));
  if (high - low < 1e-6) { low -= 0.01; high += 0.01; }
  const gap = (high - low) * 0.08;
  low -= gap; high += gap;
  const end = Math.max(least, ...all.map((p) => p[0]));
  const x = (step) => PAD.left + (step / end) * (width - PAD.left - PAD.right);
  const y = (value) => PAD.top + ((high - value) / (high - low)) * (HEIGHT - PAD.top - PAD.bottom);
  const parts = [];
  const rise = roundStep(high - low, 4);
  const digits = Math.max(0, -Math.floor(Math.log10(rise)));
  for (let value = Math.ceil(low / rise) * rise; value <= high; value += rise) {
    parts.push(element("line", { x1: PAD.left, x2: width - PAD.right, y1: y(value), y2: y(value), class: "grid" }));
    parts.push(element("text", { x: PAD.left - 6, y: y(value) + 4, class: "tick tick-y" }, value.toFixed(digits)));
  }
  const stride = roundStep(end, width < 420 ? 4 : 6);
  for (let step = 0; step <= end; step += stride) {
    const words = String(Math.round(step));
    // The last one must not stand out at the side.
    const at = Math.min(x(step), width - 4 * words.length);
    parts.push(element("text", { x: at, y: HEIGHT - 6, class: "tick" }, words));
  }
  const path = (list) => list.map(([s, v], n) => `${n ? "L" : "M"}${x(s).toFixed(1)} ${y(v).toFixed(1)}`).join("");
  for (const one of drawn) {
    parts.push(element("path", { d: path(one.points), class: one.name }));
    if (!one.mark) continue;
    const [step, value] = one.points[one.points.length - 1];
    parts.push(element("circle", { cx: x(step), cy: y(value), r: 3.5, class: "now" }));
  }
  svg.replaceChildren(...parts);
}

function drawCurve(steps) {
  most = steps || most;
  const svg = find("curve");
  if (!svg || points.size < 2) return;
  find("curve-section").hidden = false;
  const all = [...points.values()].sort((a, b) => a[0] - b[0]);
  const loss = smooth(all.filter((p) => p[1] !== null).map((p) => [p[0], p[1]]), 0.25);
  const fixed = all.filter((p) => p[2] !== null).map((p) => [p[0], p[2]]);
  plot(svg, [{ points: loss, name: "loss" }, { points: fixed, name: "fixed", mark: true }], most);
}

// The page of several runs: one line for each.
function drawCompared() {
  const told = document.getElementById("compare-curves");
  if (!told) return;
  const lines = JSON.parse(told.textContent);
  plot(find("compare-curves"), lines.map((one, n) => ({ points: one.points, name: `compare-line line-${n + 1}` })), 0);
}

function drawGrowth(pictures) {
  const list = find("growth");
  if (!list || !pictures.length) return;
  const known = new Set([...list.querySelectorAll("img")].map((image) => image.getAttribute("src")));
  if (pictures.every((picture) => known.has(picture.url)) && known.size) return;
  const stages = new Map();
  for (const picture of pictures) {
    if (!stages.has(picture.step)) stages.set(picture.step, []);
    stages.get(picture.step).push(picture);
  }
  list.replaceChildren(...[...stages].map(([step, own]) => {
    const item = document.createElement("li");
    const label = document.createElement("span");
    label.className = "soft small";
    label.textContent = `step ${step}`;
    item.append(label, ...own.map((picture) => {
      const image = new Image(96, 96);
      image.src = picture.url;
      image.alt = picture.alt;
      return image;
    }));
    return item;
  }));
  find("growth-section").hidden = false;
  list.scrollLeft = list.scrollWidth;
}

// A number of which the first digits count; what is not known has no place.
function digits(value, count) {
  return typeof value === "number" ? Number(value.toPrecision(count)).toString() : undefined;
}

function drawLog(happened) {
  const list = find("log");
  if (!list) return;
  for (const { number, at, shown, said } of happened) {
    if (list.querySelector(`[data-event="${number}"]`)) continue;
    const item = document.createElement("li");
    item.dataset.event = number;
    const time = document.createElement("time");
    time.className = "soft small";
    time.dateTime = at;
    time.textContent = shown;
    const words = document.createElement("span");
    words.textContent = said;
    item.append(time, " ", words);
    list.append(item);
  }
}

// A tab in the background tells by its title how far the run is.
function entitle(live) {
  const share = live.state === "training" ? `${Math.floor((100 * live.step) / live.steps)} %` : live.label;
  document.title = live.over || live.running ? `${share} · ${plainTitle}` : plainTitle;
}

function notifyOf(live) {
  if (wantsNotice && document.hidden) new Notification(`${plainTitle.split(",")[0]}: ${live.label}`, { tag: location.pathname });
}

// Offered where the browser can, and asks for leave only when pressed.
function offerNotice() {
  const button = find("notify");
  if (!button || !("Notification" in window) || Notification.permission === "denied") return;
  button.hidden = false;
  if (wantsNotice) {
    button.textContent = "This page will tell you";
    button.disabled = true;
    return;
  }
  button.onclick = async () => {
    wantsNotice = (await Notification.requestPermission()) === "granted";
    button.textContent = wantsNotice ? "This page will tell you" : "Your browser does not allow it";
    button.disabled = true;
  };
}

function show(live) {
  entitle(live);
  last = Math.max(last, live.last);
  for (const point of live.points) points.set(point[0], point);
  say(find("label"), live.label);
  const drawing = live.to_draw ? `Picture ${live.drawn} of ${live.to_draw}` : live.says;
  say(find("says"), drawing);
  say(find("step"), live.step.toLocaleString("en"));
  tell("left", live.left === null ? undefined : duration(live.left));
  tell("speed", live.speed ? live.speed.toFixed(live.speed < 10 ? 1 : 0) : undefined);
  tell("fixed", digits(live.fixed, 4));
  tell("error", digits(live.error, 4));
  tell("norm", digits(live.norm, 3));
  const bar = find("progress");
  if (bar) {
    bar.max = live.to_draw || live.steps;
    bar.value = live.to_draw ? live.drawn : live.step;
  }
  const stop = find("stop");
  if (stop) stop.disabled = live.stopping;
  drawCurve(live.steps);
  drawGrowth(live.growth);
  drawLog(live.log);
}

// A new state changes what the page has, not only its numbers: take the page's new middle part.
async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-run]");
  const old = find("run");
  const opened = [...old.querySelectorAll("details[open] > summary")].map((one) => one.textContent);
  for (const fold of fresh.querySelectorAll("details")) fold.open ||= opened.includes(fold.firstElementChild.textContent);
  const focused = document.activeElement && old.contains(document.activeElement);
  old.replaceWith(fresh);
  shownState = fresh.dataset.state;
  document.dispatchEvent(new Event("glossa:renewed"));
  offerNotice();
  if (focused) document.querySelector("main").focus({ preventScroll: true });
  drawCurve(Number(find("progress")?.max) || 0);
}

async function ask() {
  const address = `${find("run").dataset.events}?after=${last}`;
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function follow() {
  let failures = 0;
  for (;;) {
    let pause = 1000;
    try {
      const live = await ask();
      failures = 0;
      if (live.state !== shownState) await renew();
      show(live);
      if (live.over) {
        notifyOf(live);
        return;
      }
      pause = live.running ? 1000 : 2000;
    } catch {
      failures += 1;
      say(find("says"), "The hub does not answer; trying again.");
      pause = Math.min(1000 * 2 ** failures, 15000);
    }
    // Nobody looks at a hidden tab but for its title; whoever comes back sees what is new at once.
    await new Promise((resume) => {
      setTimeout(resume, document.hidden ? Math.max(pause, 10000) : pause);
      document.addEventListener("visibilitychange", () => { if (!document.hidden) resume(); }, { once: true });
    });
  }
}

// A phone that is turned has another width.
addEventListener("resize", () => { drawCurve(); drawCompared(); });

drawCompared();

if (find("run")) {
  shownState = find("run").dataset.state;
  offerNotice();
  follow();
}
