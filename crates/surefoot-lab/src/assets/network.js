// The drawing of the network: units that can be chosen over a canvas with the weights as lines.

import { arrows, colours, paint, pressable, stop } from "./colours.js";

const SVG = "http://www.w3.org/2000/svg";
/** Units of a layer that stand below each other; more stand in a square. */
const COLUMN = 16;
/** Lines of a layer are drawn in so many widths. */
const WIDTHS = 8;
/** How near to a line a click has to be, in the units of the drawing. */
const NEAR = 8;

/** An SVG element. */
function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const short = (text, most) => ([...text].length > most ? `${[...text].slice(0, most - 1).join("")}…` : text);

export const inputName = (summary, i) => summary.inputs[i] ?? `x${i + 1}`;

export function outputName(summary, i) {
  const { classes, layers, target } = summary;
  const outputs = layers.at(-1).outputs;
  if (classes.length > 0) return outputs === 1 ? classes[1] : (classes[i] ?? "");
  return outputs === 1 ? (target ?? "") : `${i + 1}`;
}

/** Units of the inputs and of each layer. */
export const widths = ({ layers }) => [layers[0].inputs, ...layers.map(({ outputs }) => outputs)];

/** The network as units and lines that can be chosen. It is built once for a network, and updated as the weights move. */
export class NetworkDrawing {
  constructor(element, canvas, choose) {
    Object.assign(this, { element, canvas, choose, chosen: null, places: [], groups: [], lines: [], strip: document.createElement("canvas") });
    arrows(element, 'g[role="button"]', (key, at, all) => this.next(key, all[at].what, all));
    element.addEventListener("click", (event) => {
      const line = event.target.closest("g") ? null : this.nearest(event);
      if (line) this.choose(line);
    });
    element.addEventListener("pointermove", (event) => element.classList.toggle("over", !event.target.closest("g") && this.nearest(event) !== null));
  }

  /** Where everything stands, with the first unit that is drawn of each layer. */
  build(summary, from) {
    const { layers, drawn } = summary;
    const columns = widths(summary).map((total, l) => ({ total, first: from[l] ?? 0, count: Math.min(drawn, total - (from[l] ?? 0)) }));
    let x = 60;
    for (const column of columns) {
      const side = column.count > COLUMN ? Math.ceil(Math.sqrt(column.count)) : 1;
      const [box, gap] = side > 1 ? [18, 20] : [34, column.count > 8 ? 40 : 48];
      Object.assign(column, { x, side, box, gap, tall: Math.ceil(column.count / side) * gap });
      x += (side - 1) * gap + box + 90;
    }
    const width = Math.max(420, x);
    const tallest = Math.max(...columns.map(({ tall }) => tall));
    const spread = (width - x) / Math.max(1, columns.length - 1);
    this.size = [width, tallest + 44];
    this.element.setAttribute("viewBox", `0 0 ${width} ${tallest + 44}`);
    this.element.replaceChildren();
    this.columns = columns;
    this.groups = [];
    this.places = columns.map(({ x, side, box, gap, tall, count }, l) =>
      Array.from({ length: count }, (_, k) => ({ x: x + l * spread + (k % side) * gap, y: 36 + (tallest - tall) / 2 + Math.floor(k / side) * gap, box })),
    );
    columns.forEach((column, l) => {
      const { count, total, first, side, box, gap } = column;
      const centre = this.places[l][0].x + ((side - 1) * gap + box) / 2;
      const said = (y, text) => this.element.append(svg("text", { x: centre, y, "text-anchor": "middle", class: "small" }, text));
      said(14, l === 0 ? `inputs, ${total}` : `${layers[l - 1].activation}, ${total}`);
      if (total > count) said(27, `${first + 1} to ${first + count} drawn`);
      this.groups.push(this.places[l].map((place, k) => this.unit(summary, l, first + k, place, side)));
      this.element.append(...this.groups[l]);
    });
    const all = this.groups.slice(1).flat();
    stop(all, all[0]);
    this.mark();
  }

  unit(summary, l, i, { x, y, box }, side) {
    const isInput = l === 0;
    const isOutput = l === summary.layers.length;
    const name = isInput ? inputName(summary, i) : isOutput ? outputName(summary, i) : "";
    const full = isInput ? `Input ${i + 1}: ${name}` : `Unit ${i + 1} of layer ${l}${name && `, ${name}`}`;
    const group = svg("g", { class: "unit", role: isInput ? "img" : "button", "aria-label": full });
    group.append(svg("rect", { x, y, width: box, height: box, rx: box > 30 ? 5 : 2 }), svg("title", {}, full));
    if (side === 1 && isInput) group.append(svg("text", { x: x - 5, y: y + 21, "text-anchor": "end" }, short(name, 8)), svg("text", { x: x + box / 2, y: y + 21, "text-anchor": "middle" }, `x${i + 1}`));
    if (side === 1 && name && isOutput) group.append(svg("text", { x: x + box + 6, y: y + 21 }, short(name, 10)));
    if (!isInput) {
      group.what = { layer: l - 1, unit: i, from: null };
      pressable(group, () => this.choose(group.what));
    }
    return group;
  }

  /** The unit that an arrow key leads to: up and down within a layer, left and right to the next layer. */
  next(key, { layer, unit }, all) {
    const column = this.columns[layer + 1];
    const k = unit - column.first;
    const to = (l, k) => all.indexOf(this.groups[l]?.[Math.min(Math.max(0, k), this.groups[l].length - 1)]);
    const ways = { ArrowDown: () => to(layer + 1, k + 1), ArrowUp: () => to(layer + 1, k - 1), ArrowRight: () => (layer + 2 < this.groups.length ? to(layer + 2, k) : undefined), ArrowLeft: () => (layer > 0 ? to(layer, k) : undefined) };
    return ways[key]?.();
  }

  mark(what = this.chosen) {
    this.chosen = what;
    const all = this.groups.slice(1).flat();
    for (const group of all) {
      const { layer, unit } = group.what;
      const is = Boolean(what && what.layer === layer && what.unit === unit);
      group.classList.toggle("chosen", is);
      group.setAttribute("aria-pressed", is);
      if (is) stop(all, group);
    }
  }

  /** The ends of a weight's line, where both are drawn. */
  ends(l, i, j) {
    const from = this.places[l]?.[j - this.columns[l].first];
    const to = this.places[l + 1]?.[i - this.columns[l + 1].first];
    return from && to ? [from.x + from.box, from.y + from.box / 2, to.x, to.y + to.box / 2] : null;
  }

  /** The weight whose line is under the pointer. */
  nearest(event) {
    const matrix = this.element.getScreenCTM();
    if (!matrix) return null;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    let [best, least] = [null, NEAR];
    this.lines.forEach((lines, l) => {
      for (const [unit, from] of lines) {
        const ends = this.ends(l, unit, from);
        if (!ends || x < ends[0] || x > ends[2]) continue;
        // the curve's own parameter, by its x, and its height there
        let [low, high] = [0, 1];
        for (let k = 0; k < 12; k++) {
          const t = (low + high) / 2;
          const share = 1.5 * t * (1 - t) ** 2 + 1.5 * t * t * (1 - t) + t ** 3;
          if (share < (x - ends[0]) / (ends[2] - ends[0])) low = t;
          else high = t;
        }
        const distance = Math.abs(ends[1] + (ends[3] - ends[1]) * (3 * low * low - 2 * low ** 3) - y);
        if (distance < least) [best, least] = [{ layer: l, unit, from }, distance];
      }
    });
    return best;
  }

  update(now) {
    const [clientWidth, clientHeight] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const density = window.devicePixelRatio || 1;
    const size = [Math.round(clientWidth * density), Math.round(clientHeight * density)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
    const context = this.canvas.getContext("2d");
    const [width, height] = this.size;
    const scale = Math.min(size[0] / width, size[1] / height);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, ...size);
    context.setTransform(scale, 0, 0, scale, (size[0] - scale * width) / 2, (size[1] - scale * height) / 2);
    this.lines = now.lines;
    now.lines.forEach((lines, l) => this.drawLines(context, lines, l));
    this.drawChosen(context);
    context.fillStyle = colours().paper;
    for (const { x, y, box } of this.places.flat()) context.fillRect(x, y, box, box);
    now.heat?.layers.forEach(({ side, units }, l) => {
      paint(this.strip, units, [side, side]);
      this.places[l + 1].slice(0, units.length).forEach(({ x, y, box }, k) => context.drawImage(this.strip, 0, k * side, side, side, x + 1, y + 1, box - 2, box - 2));
    });
    now.look.forEach(({ flat }, l) => {
      const all = new Set(flat);
      for (const group of this.groups[l + 1]) {
        const is = all.has(group.what.unit);
        if (is !== Boolean(group.isFlat)) group.classList.toggle("flat", (group.isFlat = is));
      }
    });
  }

  /** Lines of one layer, those of a width and a sign together. */
  drawLines(context, lines, l) {
    const most = lines.reduce((most, [, , w]) => Math.max(most, Math.abs(w)), 1e-9);
    const paths = new Map();
    for (const [i, j, w] of lines) {
      const ends = this.ends(l, i, j);
      if (!ends) continue;
      const key = Math.round(((WIDTHS - 1) * Math.abs(w)) / most) * (w < 0 ? -1 : 1) + (w < 0 ? -0.5 : 0.5);
      if (!paths.has(key)) paths.set(key, new Path2D());
      curve(paths.get(key), ends);
    }
    const { one, two } = colours();
    for (const [key, path] of [...paths].sort(([a], [b]) => Math.abs(a) - Math.abs(b))) {
      const share = (Math.abs(key) - 0.5) / (WIDTHS - 1);
      Object.assign(context, { strokeStyle: key < 0 ? two : one, lineWidth: 0.4 + 3.6 * share, globalAlpha: 0.25 + 0.75 * share });
      context.stroke(path);
    }
    context.globalAlpha = 1;
  }

  drawChosen(context) {
    const { layer, unit, from } = this.chosen ?? {};
    const ends = from === null || from === undefined ? null : this.ends(layer, unit, from);
    if (!ends) return;
    const path = new Path2D();
    curve(path, ends);
    Object.assign(context, { strokeStyle: colours().ink, lineWidth: 3 });
    context.setLineDash([5, 3]);
    context.stroke(path);
    context.setLineDash([]);
  }
}

function curve(path, [x1, y1, x2, y2]) {
  path.moveTo(x1, y1);
  path.bezierCurveTo((x1 + x2) / 2, y1, (x1 + x2) / 2, y2, x2, y2);
}
