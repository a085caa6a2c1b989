// The drawings: network, curves, plane, pictures, histograms.

const SVG = "http://www.w3.org/2000/svg";
const BOX = 34;

/** An SVG element. */
function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
};

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** A colour from orange over paper to blue, for a byte. */
function scale() {
  const of = colours();
  const [low, middle, high] = [rgb(of("two")), rgb(of("paper")), rgb(of("one"))];
  return Array.from({ length: 256 }, (_, byte) => {
    const t = (byte - 127.5) / 127.5;
    const end = t < 0 ? low : high;
    return middle.map((m, k) => Math.round(m + (end[k] - m) * Math.abs(t) * 0.85));
  });
}

const number = (x) => (x === null || x === undefined ? "–" : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5 ? x.toPrecision(4) : x.toExponential(2));

/** Paints a map of bytes in hexadecimal onto a canvas of its own size. */
function paint(canvas, hex, [rows, columns], palette) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let k = 0; k < rows * columns; k++) {
    const [r, g, b] = palette[parseInt(hex.substr(2 * k, 2), 16)];
    image.data.set([r, g, b, 255], 4 * k);
  }
  context.putImageData(image, 0, 0);
}

/** A canvas with the pixels of the screen. */
function sized(canvas) {
  const { clientWidth, clientHeight } = canvas;
  const density = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(clientWidth * density), Math.round(clientHeight * density)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, clientWidth, clientHeight);
  return [context, clientWidth, clientHeight];
}

/** The network as units and lines that can be chosen. It is built once for a network, and updated as the weights move. */
export class NetworkDrawing {
  constructor(element, choose) {
    this.element = element;
    this.choose = choose;
    this.chosen = null;
  }

  build(summary) {
    const { layers, inputs, drawn } = summary;
    const columns = [Math.min(layers[0].inputs, drawn), ...layers.map((layer) => Math.min(layer.outputs, drawn))];
    const most = Math.max(...columns);
    const gap = most > 8 ? BOX + 6 : BOX + 14;
    const [width, height] = [Math.max(420, 130 * columns.length + 90), most * gap + 50];
    const x = (l) => 60 + (l * (width - 140)) / Math.max(1, columns.length - 1);
    const y = (l, i) => 34 + ((most - columns[l]) * gap) / 2 + i * gap;
    this.element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.element.replaceChildren();
    this.lines = [];
    this.units = [];
    layers.forEach((layer, l) => {
      for (let i = 0; i < columns[l + 1]; i++) {
        for (let j = 0; j < columns[l]; j++) {
          const [x1, y1, x2, y2] = [x(l) + BOX, y(l, j) + BOX / 2, x(l + 1), y(l + 1, i) + BOX / 2];
          const d = `M${x1},${y1}C${(x1 + x2) / 2},${y1} ${(x1 + x2) / 2},${y2} ${x2},${y2}`;
          const line = svg("path", { class: "w plus", d });
          const group = this.choosable({ layer: l, unit: i, from: j }, `Weight W${l + 1} of unit ${i + 1} from ${j + 1}`, l > 0 || j > 0 || i > 0);
          group.append(svg("path", { class: "hit", d }), line);
          this.lines.push({ l, i, j, line });
          this.element.append(group);
        }
      }
    });
    columns.forEach((count, l) => {
      this.units.push([]);
      const total = l === 0 ? layers[0].inputs : layers[l - 1].outputs;
      const title = l === 0 ? `inputs, ${total}` : `${layers[l - 1].activation}, ${total}`;
      this.element.append(svg("text", { x: x(l) + BOX / 2, y: 16, "text-anchor": "middle", class: "small" }, title));
      if (total > count) this.element.append(svg("text", { x: x(l) + BOX / 2, y: 28, "text-anchor": "middle", class: "small" }, `first ${count} drawn`));
      for (let i = 0; i < count; i++) {
        const isInput = l === 0;
        const name = isInput ? (inputs[i] ?? `x${i + 1}`) : `a${i + 1}`;
        const output = l === columns.length - 1 ? outputName(summary, i) : "";
        const group = isInput ? svg("g", { class: "input" }) : this.choosable({ layer: l - 1, unit: i, from: null }, `Unit ${i + 1} of layer ${l + 1} ${output}`, i > 0);
        group.classList.add("unit");
        group.append(svg("rect", { x: x(l), y: y(l, i), width: BOX, height: BOX, rx: 5 }));
        const picture = svg("image", { x: x(l) + 2, y: y(l, i) + 2, width: BOX - 4, height: BOX - 4, preserveAspectRatio: "none" });
        if (!isInput) group.append(picture);
        if (isInput) group.append(svg("text", { x: x(l) - 5, y: y(l, i) + 21, "text-anchor": "end" }, short(name, 8)), svg("text", { x: x(l) + BOX / 2, y: y(l, i) + 21, "text-anchor": "middle" }, `x${i + 1}`));
        if (output) group.append(svg("text", { x: x(l) + BOX + 6, y: y(l, i) + 21 }, short(output, 10)));
        group.append(svg("title", {}, isInput ? name : `unit ${i + 1} ${output}`));
        this.units[l].push({ group, picture });
        this.element.append(group);
      }
    });
    this.mark();
  }

  choosable(what, name, isLater) {
    const group = svg("g", { role: "button", tabindex: isLater ? -1 : 0, "aria-label": name });
    group.what = what;
    group.addEventListener("click", () => this.choose(what));
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.choose(what);
      }
      const move = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (move) {
        event.preventDefault();
        const all = [...this.element.querySelectorAll('g[role="button"]')];
        const next = all[all.indexOf(group) + move];
        if (next) {
          next.setAttribute("tabindex", "0");
          next.focus();
        }
      }
    });
    return group;
  }

  mark(what = this.chosen) {
    this.chosen = what;
    for (const group of this.element.querySelectorAll('g[role="button"]')) {
      const { layer, unit, from } = group.what;
      const is = what && what.layer === layer && what.unit === unit && what.from === from && !what.bias;
      group.classList.toggle("chosen", Boolean(is));
      group.setAttribute("aria-pressed", is ? "true" : "false");
    }
  }

  update(now) {
    const most = now.layers.map(({ w }) => Math.max(1e-9, ...w.flat().map(Math.abs)));
    for (const { l, i, j, line } of this.lines) {
      const w = now.layers[l].w[i]?.[j] ?? 0;
      line.setAttribute("class", w < 0 ? "w minus" : "w plus");
      line.setAttribute("stroke-width", (0.4 + (3.6 * Math.abs(w)) / most[l]).toFixed(2));
      line.setAttribute("stroke-opacity", (0.25 + (0.75 * Math.abs(w)) / most[l]).toFixed(2));
    }
    now.look.forEach(({ flat }, l) => this.units[l + 1].forEach(({ group }, i) => group.classList.toggle("flat", flat.includes(i))));
    if (now.heat) {
      const palette = scale();
      this.canvas ??= document.createElement("canvas");
      now.heat.units.forEach((units, l) =>
        units.forEach((hex, i) => {
          paint(this.canvas, hex, [now.heat.side, now.heat.side], palette);
          this.units[l + 1][i].picture.setAttribute("href", this.canvas.toDataURL());
        }),
      );
    }
  }
}

const short = (text, most) => ([...text].length > most ? `${[...text].slice(0, most - 1).join("")}…` : text);

export function outputName(summary, i) {
  const { classes, layers, target } = summary;
  const outputs = layers.at(-1).outputs;
  if (classes.length > 0) return outputs === 1 ? classes[1] : (classes[i] ?? "");
  return outputs === 1 ? (target ?? "") : `${i + 1}`;
}

/** The costs by epoch, on a logarithmic scale where they span more than a factor of 20. */
export function drawCurve(canvas, history) {
  const [context, width, height] = sized(canvas);
  const of = colours();
  context.font = "11px system-ui, sans-serif";
  const [left, right, top, bottom] = [46, 8, 10, 20];
  const all = history.flatMap(([cost, validation]) => [cost, validation]).filter((x) => Number.isFinite(x));
  if (all.length === 0) {
    context.fillStyle = of("muted");
    context.fillText("The curve begins after the first epoch.", 10, height / 2);
    return;
  }
  let [low, high] = [Math.min(...all.slice(0, 50_000)), Math.max(...all.slice(0, 50_000))];
  for (const x of all) {
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const isLog = low > 0 && high / low > 20;
  if (!isLog) low = Math.min(low, 0);
  if (high === low) high = low + 1;
  const f = isLog ? Math.log : (x) => x;
  const y = (cost) => top + ((f(high) - f(cost)) / (f(high) - f(low))) * (height - top - bottom);
  const x = (k) => left + (k / Math.max(1, history.length - 1)) * (width - left - right);
  context.strokeStyle = of("faint");
  context.fillStyle = of("muted");
  context.textAlign = "right";
  for (const t of [0, 0.5, 1]) {
    const value = isLog ? Math.exp(f(low) + t * (f(high) - f(low))) : low + t * (high - low);
    context.beginPath();
    context.moveTo(left, y(value));
    context.lineTo(width - right, y(value));
    context.stroke();
    context.fillText(String(Number(value.toPrecision(2))), left - 4, y(value) + 4);
  }
  context.fillText(`epoch ${history.length}`, width - right, height - 5);
  const every = Math.max(1, Math.floor(history.length / 1000));
  [["one", 0, []], ["two", 1, [5, 3]]].forEach(([colour, which, dash]) => {
    context.strokeStyle = of(colour);
    context.lineWidth = 2;
    context.setLineDash(dash);
    context.beginPath();
    for (let k = 0; k < history.length; k += every) {
      const cost = history[k][which];
      if (Number.isFinite(cost)) context.lineTo(x(k), y(cost));
    }
    context.stroke();
  });
  context.setLineDash([]);
}

/** The output over the plane, with the examples. */
export function drawPlane(canvas, now, summary, chosen) {
  if (!now.heat) return;
  const [context, width, height] = sized(canvas);
  const { side, bounds, units } = now.heat;
  const maps = units.at(-1);
  const own = document.createElement("canvas");
  // of two outputs the second says how much it is of the second class
  paint(own, maps.length === 2 ? maps[1] : maps[0], [side, side], scale());
  context.imageSmoothingEnabled = true;
  context.drawImage(own, 0, 0, width, height);
  const of = colours();
  const [[left, right], [bottom, top]] = bounds;
  summary.points.forEach(([x1, x2, target], k) => {
    const [x, y] = [((x1 - left) / (right - left)) * width, ((top - x2) / (top - bottom)) * height];
    context.beginPath();
    // shape and colour both say the class
    if (target > 0.5) context.arc(x, y, 4, 0, 2 * Math.PI);
    else context.rect(x - 3.5, y - 3.5, 7, 7);
    context.fillStyle = of(target > 0.5 ? "one" : "two");
    context.strokeStyle = k === chosen ? of("ink") : of("paper");
    context.lineWidth = k === chosen ? 3 : 1;
    context.fill();
    context.stroke();
  });
}

/** The example whose point is nearest to a click. */
export function nearest(canvas, event, now, summary) {
  const box = canvas.getBoundingClientRect();
  const [[left, right], [bottom, top]] = now.heat.bounds;
  const x1 = left + ((event.clientX - box.left) / box.width) * (right - left);
  const x2 = top - ((event.clientY - box.top) / box.height) * (top - bottom);
  let [best, least] = [0, Infinity];
  summary.points.forEach(([p1, p2], k) => {
    const distance = (p1 - x1) ** 2 + (p2 - x2) ** 2;
    if (distance < least) [best, least] = [k, distance];
  });
  return best;
}

export function drawPictures(element, { tile, units }, choose) {
  const palette = scale();
  while (element.children.length < units.length) {
    const unit = element.children.length;
    const canvas = document.createElement("canvas");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "button");
    canvas.setAttribute("aria-label", `Preferred input of unit ${unit + 1}`);
    const chosen = () => choose({ layer: 0, unit, from: null });
    canvas.addEventListener("click", chosen);
    canvas.addEventListener("keydown", (event) => event.key === "Enter" && chosen());
    element.append(canvas);
  }
  while (element.children.length > units.length) element.lastChild.remove();
  units.forEach((hex, unit) => paint(element.children[unit], hex, tile, palette));
}

function bars(canvas, { bins }, colour) {
  const [context, width, height] = sized(canvas);
  const most = Math.max(1, ...bins);
  context.fillStyle = colours()(colour);
  bins.forEach((count, k) => {
    const tall = (count / most) * (height - 2);
    context.fillRect((k * width) / bins.length, height - tall, width / bins.length - 1, tall);
  });
}

export function drawHistograms(element, now, summary) {
  const key = summary.layers.length;
  if (element.dataset.layers !== String(key)) {
    element.dataset.layers = key;
    element.replaceChildren();
    for (let l = 0; l < key; l++) {
      const name = document.createElement("div");
      name.textContent = `layer ${l + 1}`;
      const cells = ["activations a", "gradient ∂J/∂W"].map((what) => {
        const cell = document.createElement("div");
        const canvas = document.createElement("canvas");
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `Histogram of ${what}, layer ${l + 1}`);
        const range = document.createElement("div");
        range.className = "muted";
        cell.append(canvas, range);
        return cell;
      });
      element.append(name, ...cells);
    }
  }
  now.look.forEach((look, l) => {
    [look.activations, look.gradients].forEach((histogram, k) => {
      const cell = element.children[3 * l + 1 + k];
      bars(cell.firstChild, histogram, k === 0 ? "one" : "two");
      cell.lastChild.textContent = `${k === 0 ? "a" : "∂J/∂W"} from ${number(histogram.low)} to ${number(histogram.high)}`;
    });
  });
}

export { number };
