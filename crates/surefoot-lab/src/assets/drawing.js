// The drawings beside the network: costs, plane, pictures, histograms.

import { arrows, colours, number, paint, sized, stop } from "./colours.js";

/** Points that the curve of the costs keeps. */
const POINTS = 2000;

/** The costs by epoch: all of a short training, of a long one every so many. */
export class Costs {
  constructor() {
    this.clear();
  }

  clear() {
    Object.assign(this, { count: 0, every: 1, points: [], last: null, low: Infinity, high: -Infinity });
  }

  /** Takes in the epochs from one on. */
  take(since, rows) {
    for (const [cost, validation] of rows.slice(Math.max(0, this.count - since))) {
      for (const x of [cost, validation]) if (Number.isFinite(x)) [this.low, this.high] = [Math.min(this.low, x), Math.max(this.high, x)];
      this.last = [this.count, cost, validation];
      if (this.count % this.every === 0) this.points.push(this.last);
      this.count++;
      if (this.points.length <= POINTS) continue;
      this.every *= 2;
      this.points = this.points.filter(([epoch]) => epoch % this.every === 0);
    }
  }
}

/** The costs by epoch, on a logarithmic scale where they span more than a factor of 20. */
export function drawCurve(canvas, costs) {
  const [context, width, height] = sized(canvas);
  const of = colours();
  context.font = "11px system-ui, sans-serif";
  const [left, right, top, bottom] = [46, 8, 10, 20];
  let { low, high } = costs;
  if (low > high) {
    context.fillStyle = of.muted;
    context.fillText("The curve begins after the first epoch.", 10, height / 2);
    return;
  }
  const isLog = low > 0 && high / low > 20;
  if (!isLog) low = Math.min(low, 0);
  if (high === low) high = low + 1;
  const f = isLog ? Math.log : (x) => x;
  const y = (cost) => top + ((f(high) - f(cost)) / (f(high) - f(low))) * (height - top - bottom);
  const x = (k) => left + (k / Math.max(1, costs.count - 1)) * (width - left - right);
  context.strokeStyle = of.faint;
  context.fillStyle = of.muted;
  context.textAlign = "right";
  for (const t of [0, 0.5, 1]) {
    const value = isLog ? Math.exp(f(low) + t * (f(high) - f(low))) : low + t * (high - low);
    context.beginPath();
    context.moveTo(left, y(value));
    context.lineTo(width - right, y(value));
    context.stroke();
    context.fillText(String(Number(value.toPrecision(2))), left - 4, y(value) + 4);
  }
  context.fillText(`epoch ${costs.count}`, width - right, height - 5);
  [["one", 1, []], ["two", 2, [5, 3]]].forEach(([colour, which, dash]) => {
    context.strokeStyle = of[colour];
    context.lineWidth = 2;
    context.setLineDash(dash);
    context.beginPath();
    for (const point of [...costs.points, costs.last]) if (Number.isFinite(point[which])) context.lineTo(x(point[0]), y(point[which]));
    context.stroke();
  });
  context.setLineDash([]);
}

const map = document.createElement("canvas");

/** The output over the plane, with the examples. */
export function drawPlane(canvas, now, summary, chosen) {
  if (!now.heat) return;
  const [context, width, height] = sized(canvas);
  const { bounds, layers } = now.heat;
  const { side, units } = layers.at(-1);
  // of two outputs the second says how much it is of the second class
  paint(map, [units.length === 2 ? units[1] : units[0]], [side, side]);
  context.imageSmoothingEnabled = true;
  context.drawImage(map, 0, 0, width, height);
  const of = colours();
  const [[left, right], [bottom, top]] = bounds;
  summary.points.forEach(([x1, x2, target], k) => {
    const [x, y] = [((x1 - left) / (right - left)) * width, ((top - x2) / (top - bottom)) * height];
    context.beginPath();
    // shape and colour both say the class
    if (target > 0.5) context.arc(x, y, 4, 0, 2 * Math.PI);
    else context.rect(x - 3.5, y - 3.5, 7, 7);
    context.fillStyle = of[target > 0.5 ? "one" : "two"];
    context.strokeStyle = k === chosen ? of.ink : of.paper;
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

/** Pictures beside each other. */
const BESIDE = 8;

/** What the drawn units of the first layer answer to: buttons over one canvas, as each canvas costs time in every frame. */
export class Pictures {
  constructor(element, choose) {
    Object.assign(this, { element, choose, canvas: document.createElement("canvas") });
    this.canvas.setAttribute("aria-hidden", "true");
    arrows(element, "button", (key, at) => ({ ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + BESIDE, ArrowUp: at - BESIDE })[key]);
  }

  /** Makes room for the pictures of a network, from a unit on. */
  build(first, count) {
    const all = Array.from({ length: count }, (_, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Preferred input of unit ${first + k + 1}`);
      button.addEventListener("click", () => this.choose({ layer: 0, unit: first + k, from: null }));
      return button;
    });
    stop(all, all[0]);
    this.element.replaceChildren(this.canvas, ...all);
  }

  /** Each picture with an empty column and row behind it. */
  update({ tile: [rows, columns], units }) {
    const { bytes } = colours();
    const [width, height] = [BESIDE * (columns + 1), Math.ceil(units.length / BESIDE) * (rows + 1)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    units.forEach((hex, unit) => {
      const corner = Math.floor(unit / BESIDE) * (rows + 1) * width + (unit % BESIDE) * (columns + 1);
      for (let k = 0; k < rows * columns; k++) pixels[corner + Math.floor(k / columns) * width + (k % columns)] = bytes[parseInt(hex.slice(2 * k, 2 * k + 2), 16)];
    });
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }
}

const SVG = "http://www.w3.org/2000/svg";

/** Bars of a histogram as one path within 1 × 1. */
function bars(bins) {
  const most = Math.max(1, ...bins);
  return bins.map((count, k) => `M${(k / bins.length).toFixed(3)},1v${(-count / most).toFixed(3)}h${(0.85 / bins.length).toFixed(3)}V1`).join("");
}

export function drawHistograms(element, now, summary) {
  const key = summary.layers.length;
  if (element.dataset.layers !== String(key)) {
    element.dataset.layers = key;
    element.replaceChildren();
    for (let l = 0; l < key; l++) {
      const name = document.createElement("div");
      name.textContent = `layer ${l + 1}`;
      const cells = ["activations a", "gradient ∂J/∂W"].map((what, k) => {
        const cell = document.createElement("div");
        const drawing = document.createElementNS(SVG, "svg");
        const all = { viewBox: "0 0 1 1", preserveAspectRatio: "none", role: "img", "aria-label": `Histogram of ${what}, layer ${l + 1}`, class: k === 0 ? "one" : "two" };
        for (const [name, value] of Object.entries(all)) drawing.setAttribute(name, value);
        drawing.append(document.createElementNS(SVG, "path"));
        const range = document.createElement("div");
        range.className = "muted";
        cell.append(drawing, range);
        return cell;
      });
      element.append(name, ...cells);
    }
  }
  now.look.forEach((look, l) => {
    [look.activations, look.gradients].forEach((histogram, k) => {
      const cell = element.children[3 * l + 1 + k];
      cell.firstChild.firstChild.setAttribute("d", bars(histogram.bins));
      cell.lastChild.textContent = `${k === 0 ? "a" : "∂J/∂W"} from ${number(histogram.low)} to ${number(histogram.high)}`;
    });
  });
}
