// The page: settings to a session, and what is seen of it to the drawings.

import { showCheck } from "./check.js";
import { number } from "./colours.js";
import { Costs, Pictures, drawCurve, drawHistograms, drawPlane, nearest } from "./drawing.js";
import { NetworkDrawing, widths } from "./network.js";
import { address, get, post, remove, save } from "./server.js";
import { Walk } from "./walk.js";
import { Weights } from "./weights.js";

const of = (id) => document.getElementById(id);
const DEFAULTS = { data: "toy:xor", hidden: "4,4", activation: "tanh", noise: "0.1", rows: "200", decay: "0.0001", seed: "0", validation: "0" };
const FIELDS = ["data", "noise", "rows", "target", "autoencoder", "validation", "activation", "output", "loss", "initialization", "seed", "optimizer", "rate", "batch", "decay", "sparsity"];
/** The choice of the activation that is a choice for each layer. */
const EACH = "each";

/** All that the page knows. */
const page = { settings: {}, session: null, summary: null, now: null, costs: new Costs(), from: [], clicked: null, checked: null, table: null, activations: [], isNew: false };
/** Units and activation of each hidden layer. */
let layers = [];
let isAsking = false;
/** Drawings that wait for a frame, so that none has to draw them all. */
let waiting = [];
/** Milliseconds of a frame that drawings may begin in. */
const SHARE = 4;
/** Milliseconds between two times that a training is told to a screen reader. */
const TOLD_EVERY = 10_000;
let told = -Infinity;
let making = Promise.resolve();

function fail(error) {
  of("error").textContent = error.message;
  of("error").hidden = false;
}

/** Runs what may fail, and says so. */
const tried = (work) => async (...all) => {
  try {
    of("error").hidden = true;
    return await work(...all);
  } catch (error) {
    fail(error);
  }
};

/** Tells what has changed to whoever cannot see it. */
function tell(text) {
  told = performance.now();
  of("told").textContent = text;
}

function option(select, value, text = value) {
  const element = document.createElement("option");
  [element.value, element.textContent] = [value, text];
  select.append(element);
}

function readSettings() {
  const settings = {};
  for (const id of FIELDS) settings[id] = of(id).type === "checkbox" ? of(id).checked : of(id).value;
  if (settings.activation === EACH) settings.activation = layers.map(({ activation }) => activation).join(",");
  page.settings = { ...settings, hidden: layers.map(({ units }) => units).join(",") };
  return page.settings;
}

/** What a link says, after the # so that it stays in the browser. */
function readUrl() {
  const said = { ...DEFAULTS, ...Object.fromEntries(new URLSearchParams(location.hash.slice(1))) };
  const names = said.activation.split(",");
  const activation = (l) => (names.length > 1 ? (names[l] ?? DEFAULTS.activation) : names[0]);
  layers = said.hidden.split(",").map(Number).filter((units) => units > 0).map((units, l) => ({ units, activation: activation(l) }));
  if (names.length > 1) said.activation = EACH;
  for (const id of FIELDS) {
    if (said[id] === undefined) continue;
    if (of(id).type === "checkbox") of(id).checked = said[id] === "true";
    else if (id === "target") page.target = said[id];
    else of(id).value = said[id];
  }
  return Number(said.step ?? 1) - 1;
}

function writeUrl() {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(page.settings)) if (value !== "" && value !== false && String(value) !== DEFAULTS[name]) said.set(name, value);
  if (walk.step > 0) said.set("step", walk.step + 1);
  history.replaceState(null, "", `${location.pathname}${location.search}#${said}`);
}

function wanted(settings) {
  const [kind, name] = settings.data.split(":");
  if (kind === "toy") return { toy: { toy: name, rows: Number(settings.rows), noise: Number(settings.noise), seed: Number(settings.seed) } };
  if (kind === "given") return "given";
  if (kind === "own") return { csv: page.table };
  return { builtin: name };
}

function choices(settings) {
  const or = (text, make = (t) => t) => (text === "" ? null : make(text));
  return {
    target: page.target || null,
    autoencoder: settings.autoencoder,
    hidden: layers.map(({ units }) => units),
    activation: or(settings.activation, (text) => (text.includes(",") ? text.split(",") : text)),
    output_activation: or(settings.output),
    loss: or(settings.loss),
    weight_decay: Number(settings.decay),
    sparsity: or(settings.sparsity, Number),
    optimizer: settings.optimizer,
    learning_rate: or(settings.rate, Number),
    batch_size: or(settings.batch, (text) => (text === "full" ? "full" : Number(text))),
    initialization: or(settings.initialization),
    validation: Number(settings.validation),
    seed: Number(settings.seed),
  };
}

/** Begins a session with the settings of the page. */
const make = tried(async () => {
  const settings = readSettings();
  writeUrl();
  of("toy").hidden = !settings.data.startsWith("toy:");
  drawLayers();
  if (settings.data.startsWith("own") && !page.table) {
    throw new Error("this link is about a table of its own: choose that file");
  }
  const old = page.session;
  const made = await post("/api/sessions", { data: wanted(settings), choices: choices(settings) });
  if (old !== null) remove(`/api/sessions/${old}`).catch(() => {});
  Object.assign(page, { session: made.id, summary: made.summary, from: widths(made.summary).map(() => 0), clicked: null, checked: null });
  page.costs.clear();
  waiting = [];
  of("equation").innerHTML = '<p class="muted">Nothing is chosen yet.</p>';
  of("verdict").textContent = "";
  weights.clear();
  of("derivative").hidden = true;
  of("report").replaceChildren();
  of("lines").replaceChildren();
  delete of("histograms").dataset.layers;
  if (settings.activation === "") layers.forEach((layer, l) => (layer.activation = page.summary.layers[l].activation));
  drawLayers();
  drawTargets();
  drawing.chosen = null;
  page.hasPictures = made.now.pictures !== null;
  build();
  of("plane-section").hidden = page.summary.points.length === 0;
  of("legend").textContent = page.summary.classes.length ? `Squares: ${page.summary.classes[0]}. Circles: ${page.summary.classes.slice(1).join(", ")}. Click a point to follow it.` : "Click a point to follow it.";
  of("pictures-section").hidden = !page.hasPictures;
  of("example").max = page.summary.examples;
  of("example").value = 1;
  of("save-data").hidden = !/^(toy|own)/.test(settings.data);
  see(made.now);
});

const remake = () => {
  making = making.then(make);
  return making;
};

function drawTargets() {
  const select = of("target");
  select.replaceChildren();
  option(select, "", `automatic: ${page.summary.target || "none"}`);
  page.summary.columns.forEach((column) => option(select, column));
  select.value = page.target ?? "";
}

/** Builds the drawing anew, and the buttons for layers of which a part is drawn. */
function build() {
  const { summary, from } = page;
  drawing.build(summary, from);
  const all = widths(summary);
  pictures.build(from[1], page.hasPictures ? Math.min(summary.drawn, all[1] - from[1]) : 0);
  const focused = of("pages").contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  of("pages").replaceChildren();
  all.forEach((total, l) => {
    if (total <= summary.drawn) return;
    const name = l === 0 ? "inputs" : `units of layer ${l}`;
    const turn = (sign, what, by) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: sign });
      button.setAttribute("aria-label", `${what} ${name}`);
      button.setAttribute("aria-disabled", from[l] + by < 0 || from[l] + by >= total);
      button.addEventListener("click", () => {
        if (from[l] + by < 0 || from[l] + by >= total) return;
        from[l] += by;
        build();
        look();
        tell(`${name} ${from[l] + 1} to ${Math.min(total, from[l] + summary.drawn)} of ${total} are drawn`);
      });
      return button;
    };
    const text = document.createElement("span");
    text.textContent = `${name} ${from[l] + 1} to ${Math.min(total, from[l] + summary.drawn)} of ${total}`;
    of("pages").append(turn("◂", "Previous", -summary.drawn), text, turn("▸", "Next", summary.drawn));
  });
  if (focused) of("pages").querySelector(`[aria-label="${focused}"]`).focus();
  const drawn = all.map((total, l) => Math.min(summary.drawn, total - from[l]));
  const isPart = drawn.slice(1).some((count, l) => count * drawn[l] > summary.lines);
  of("part").textContent = isPart ? `Lines are the ${summary.lines} largest weights of a layer. A unit that is chosen lists all of its weights.` : "";
}

/** A row for each hidden layer; what has the focus keeps it. */
function drawLayers() {
  const focused = of("layers").contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  of("layers").replaceChildren(
    ...layers.map((layer, l) => {
      const { units } = layer;
      const row = document.createElement("div");
      row.className = "layer";
      const text = document.createElement("span");
      text.textContent = `layer ${l + 1}: ${units} ${units === 1 ? "unit" : "units"}`;
      const button = (sign, name, change) => {
        const element = document.createElement("button");
        Object.assign(element, { type: "button", textContent: sign });
        element.setAttribute("aria-label", `${name} of layer ${l + 1}`);
        element.addEventListener("click", () => {
          change();
          remake();
        });
        return element;
      };
      const by = (factor) => Math.max(1, Math.min(1024, units + factor * (units >= 16 ? 8 : 1)));
      const select = document.createElement("select");
      select.setAttribute("aria-label", `Activation of layer ${l + 1}`);
      page.activations.forEach((name) => option(select, name));
      select.value = layer.activation;
      select.addEventListener("change", () => {
        layer.activation = select.value;
        const isOne = layers.every(({ activation }) => activation === select.value);
        of("activation").value = isOne ? select.value : EACH;
        remake();
      });
      row.append(text, button("−", "Fewer units", () => (layer.units = by(-1))), button("+", "More units", () => (layer.units = by(1))), button("×", "Removal", () => layers.splice(l, 1)), select);
      return row;
    }),
  );
  if (focused) [...of("layers").querySelectorAll("[aria-label]")].find((element) => element.getAttribute("aria-label") === focused)?.focus();
  of("add").disabled = layers.length >= 8;
}

/** Takes in what the server said. */
function see(now) {
  if (now.since <= page.costs.count) page.costs.take(now.since, now.history);
  page.now = now;
  page.isNew = true;
}

/** What the page has, and what it draws. */
const seen = () => `?since=${page.costs.count}&from=${page.from.join(",")}`;

/** Draws what the server has now. */
const look = tried(async () => see(await get(path(seen()))));

const path = (what = "") => `/api/sessions/${page.session}${what}`;

const go = tried(async (how) => {
  await making;
  if (how === "reset") page.costs.clear();
  const now = await post(path(`/go${seen()}`), how);
  see(now);
  tell(`${{ running: "Training runs", paused: "Paused", ended: "Training has ended" }[now.state]}. ${statusOf(now)}`);
  if (page.clicked) await showEquation(false);
});

/** Asks again and again while it trains; drawing never waits for it. */
async function poll() {
  if (page.now?.state === "running" && !isAsking && !document.hidden) {
    isAsking = true;
    try {
      const session = page.session;
      const now = await get(path(seen()));
      if (session === page.session) see(now);
    } catch (error) {
      fail(error);
      if (page.now) page.now.state = "lost";
    }
    isAsking = false;
  }
  setTimeout(poll, 80);
}

function statusOf(now) {
  const { score_name, task } = page.summary;
  const score = now.score === null ? "" : `, ${score_name} ${task === "classification" ? `${(100 * now.score).toFixed(1)} %` : number(now.score)}`;
  return `Epoch ${now.epoch}, step ${now.step}${score}${now.checked === null ? "" : ", gradient checked"}${now.ended ? `, ended: ${now.ended}` : ""}`;
}

/** What is to be drawn of one look, from the most important on. */
const drawings = (now, summary) => [
  () => {
    const isRunning = now.state === "running";
    of("run").textContent = isRunning ? "Pause" : "Run";
    of("status").textContent = statusOf(now);
    if (now.ended || (isRunning && performance.now() - told > TOLD_EVERY)) tell(statusOf(now));
    const flat = now.look.flatMap(({ flat, is_dead }, l) => flat.map((unit) => `unit ${unit + 1} of layer ${l + 1} is ${is_dead ? "dead" : "saturated"}`));
    of("marked").textContent = flat.length === 0 ? "" : `${flat.slice(0, 4).join("; ")}${flat.length > 4 ? ` and ${flat.length - 4} more` : ""}: f′(z) is almost 0 for nearly every example, so δ is, too, and its weights hardly learn.`;
    const { last } = page.costs;
    of("numbers").textContent = last ? `training cost ${number(last[1])}${last[2] === null ? "" : `, validation cost ${number(last[2])} (dashed)`}` : "";
  },
  () => drawing.update(now),
  () => drawPlane(of("plane"), now, summary, Number(of("example").value) - 1),
  () => drawCurve(of("curve"), page.costs),
  () => now.pictures && pictures.update(now.pictures),
  () => drawHistograms(of("histograms"), now, summary),
];

function draw() {
  if (page.isNew && waiting.length === 0 && page.now && page.summary) {
    page.isNew = false;
    waiting = drawings(page.now, page.summary);
  }
  const start = performance.now();
  while (waiting.length > 0 && performance.now() - start < SHARE) waiting.shift()();
  walk.update(page);
  requestAnimationFrame(draw);
}

const showEquation = tried(async (numeric) => {
  const example = Math.min(Math.max(1, Number(of("example").value) || 1), page.summary.examples) - 1;
  const fault = of("fault").value || null;
  const said = await post(path("/equation"), { ...page.clicked, example, numeric, fault });
  // formulas are MathML that the server makes of numbers alone
  of("equation").innerHTML = said.formulas.join("");
  of("cells").textContent = said.cells.slice(0, 5).map(([name, text]) => `${name} = ${text}`).join(", ");
  of("derivative").hidden = said.kind !== "parameter";
  weights.show(page.summary, page.clicked, said);
  of("verdict").textContent = "";
  if (said.numeric !== null && said.numeric !== undefined) {
    const difference = Math.abs(said.numeric - said.analytic);
    const verdict = of("verdict");
    const agrees = difference < 5e-9 * Math.max(1, Math.abs(said.analytic));
    verdict.className = agrees ? "good" : "bad";
    verdict.textContent = `analytic ${said.analytic.toFixed(10)}, numerical ${said.numeric.toFixed(10)}: ${agrees ? "they agree to 8 digits" : `they differ by ${number(difference)}`}`;
  }
});

const choose = async (what) => {
  page.clicked = what;
  drawing.mark(what);
  page.isNew = true;
  await showEquation(false);
  const { layer, unit, from, bias } = what;
  const part = bias ? "Bias of " : from === null ? "" : `Weight from ${layer === 0 ? "input" : "unit"} ${from + 1} to `;
  tell(`${part}unit ${unit + 1} of layer ${layer + 1} is chosen. Its equations are under Equation.`);
};

const runCheck = tried(async () => {
  of("report").textContent = "Checking…";
  let said;
  try {
    said = await post(path("/check"), { fault: of("fault").value || null });
  } catch (error) {
    of("report").replaceChildren();
    throw error;
  }
  page.checked = said;
  showCheck(of("report"), said);
});

const showLines = tried(async () => {
  const said = await get(path("/lines"));
  const part = (title, text) => [Object.assign(document.createElement("h3"), { textContent: title }), Object.assign(document.createElement("pre"), { textContent: text })];
  const note = said.needs_data ? [Object.assign(document.createElement("p"), { textContent: `Save the data as ${said.needs_data} beside it. ${said.epochs} whole epochs.` })] : [];
  of("lines").replaceChildren(...note, ...part("Command", said.command), ...part("Python", said.python), ...part("Rust", said.rust));
});

/** Saves what is trained again for it, which may take as long as the training did. */
async function saveTrained(what, name) {
  of("saving").textContent = `Trains ${page.now.epoch} epochs again, to the same bits, to save ${name}…`;
  await tried(() => save(path(what), name))();
  of("saving").textContent = "";
}

async function take(file) {
  const text = await file.text();
  page.table = { name: file.name, text };
  page.target = "";
  if (!of("data").querySelector('[value="own:"]')) option(of("data"), "own:", "your table");
  of("data").value = "own:";
  await remake();
}

const drawing = new NetworkDrawing(of("drawing"), of("lines-of-network"), choose);
const pictures = new Pictures(of("pictures"), choose);
const weights = new Weights(of("weights"), choose);
const walk = new Walk(of("walk"), () => writeUrl());

const begin = tried(async () => {
  if (!address) throw new Error("open the address that `surefoot lab` printed: it has a token");
  const known = await get("/api/choices");
  if (known.given) option(of("data"), "given:", known.given);
  known.toys.forEach(({ name, about }) => option(of("data"), `toy:${name}`, `${name}: ${about}`));
  known.builtin.forEach(({ name, about }) => option(of("data"), `builtin:${name}`, about.split(":")[0] === about ? name : `${name}: ${about.split(":")[0]}`));
  option(of("activation"), "", "by optimizer");
  option(of("output"), "", "by task");
  known.activations.forEach(({ name, for_outputs }) => {
    if (!for_outputs) page.activations.push(name);
    option(of("output"), name);
  });
  page.activations.forEach((name) => option(of("activation"), name));
  option(of("activation"), EACH, "one for each layer");
  known.optimizers.forEach((name) => option(of("optimizer"), name));
  of("optimizer").value = "adam";
  if (known.given) DEFAULTS.data = "given:";
  const step = readUrl();
  walk.go(step, false);
  for (const id of FIELDS) {
    of(id).addEventListener("change", () => {
      if (id === "data") page.target = "";
      if (id === "target") page.target = of("target").value;
      const activation = of("activation").value;
      if (id === "activation" && activation !== "" && activation !== EACH) layers.forEach((layer) => (layer.activation = activation));
      remake();
    });
  }
  of("add").addEventListener("click", () => {
    layers.push({ units: 4, activation: layers.at(-1)?.activation ?? DEFAULTS.activation });
    remake();
  });
  of("settings").addEventListener("submit", (event) => event.preventDefault());
  of("run").addEventListener("click", () => {
    const pace = of("pace").value;
    return go(page.now?.state === "running" ? "pause" : { run: { pace: pace === "" ? null : Number(pace) } });
  });
  of("pace").addEventListener("change", () => page.now?.state === "running" && go({ run: { pace: of("pace").value === "" ? null : Number(of("pace").value) } }));
  of("step").addEventListener("click", () => go("step"));
  of("epoch").addEventListener("click", () => go("epoch"));
  of("reset").addEventListener("click", () => go("reset"));
  of("check").addEventListener("click", runCheck);
  of("derivative").addEventListener("click", () => showEquation(true));
  const follow = () => {
    page.isNew = true;
    if (page.clicked) showEquation(false);
  };
  of("example").addEventListener("change", follow);
  of("plane").addEventListener("click", (event) => {
    of("example").value = nearest(of("plane"), event, page.now, page.summary) + 1;
    if (page.clicked) follow();
    else choose({ layer: page.summary.layers.length - 1, unit: 0, from: null });
    page.isNew = true;
  });
  of("save-model").addEventListener("click", () => saveTrained("/model", "lab.safetensors"));
  of("save-report").addEventListener("click", () => saveTrained("/report", "lab.html"));
  of("save-data").addEventListener("click", tried(() => save(path("/data"), page.summary.name)));
  of("show-lines").addEventListener("click", showLines);
  of("file").addEventListener("change", () => of("file").files[0] && take(of("file").files[0]));
  const drop = of("drop");
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (page.isNew = true));
  addEventListener("resize", () => (page.isNew = true));
  addEventListener("pagehide", () => page.session !== null && fetch(path(), { method: "DELETE", headers: { "x-surefoot-token": address }, keepalive: true }));
  await remake();
});

begin();
poll();
draw();
