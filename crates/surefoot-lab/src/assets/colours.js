// Numbers, colours and canvases, as all drawings use them, and keys to move by.

export const number = (x) => (x === null || x === undefined ? "–" : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5 ? x.toPrecision(4) : x === 0 ? "0" : x.toExponential(2));

const scheme = matchMedia("(prefers-color-scheme: dark)");
let known = null;
scheme.addEventListener("change", () => (known = null));

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** The colours of the page by name, and those of bytes from orange over paper to blue, as pixels. They are read once for a scheme. */
export function colours() {
  if (known) return known;
  const style = getComputedStyle(document.documentElement);
  known = Object.fromEntries(["paper", "ink", "muted", "faint", "one", "two", "bad", "wash"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  const [low, middle, high] = [rgb(known.two), rgb(known.paper), rgb(known.one)];
  const pixels = new Uint8ClampedArray(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    const t = (byte - 127.5) / 127.5;
    const end = t < 0 ? low : high;
    middle.forEach((m, k) => (pixels[4 * byte + k] = m + (end[k] - m) * Math.abs(t) * 0.85));
    pixels[4 * byte + 3] = 255;
  }
  known.bytes = new Uint32Array(pixels.buffer);
  return known;
}

/** Paints maps of bytes in hexadecimal below each other onto a canvas of their size. */
export function paint(canvas, maps, [rows, columns]) {
  if (canvas.width !== columns || canvas.height !== rows * maps.length) [canvas.width, canvas.height] = [columns, rows * maps.length];
  const { bytes } = colours();
  const image = new ImageData(columns, rows * maps.length);
  const pixels = new Uint32Array(image.data.buffer);
  let at = 0;
  for (const map of maps) for (let k = 0; k < map.length; k += 2) pixels[at++] = bytes[parseInt(map.slice(k, k + 2), 16)];
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A canvas with the pixels of the screen, empty. */
export function sized(canvas) {
  const { clientWidth, clientHeight } = canvas;
  const density = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(clientWidth * density), Math.round(clientHeight * density)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, clientWidth, clientHeight);
  return [context, clientWidth, clientHeight];
}

/** Makes an element do its work on a click, Enter and the space bar. */
export function pressable(element, press) {
  element.addEventListener("click", press);
  if (element.tagName === "BUTTON") return;
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    press(event);
  });
}

/** Makes many elements one stop of the Tab key, among which the arrow keys move: `next` names the one that a key leads to. */
export function arrows(container, selector, next) {
  container.addEventListener("keydown", (event) => {
    const all = [...container.querySelectorAll(selector)];
    const at = all.indexOf(document.activeElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : next(event.key, at, all);
    if (to === undefined) return;
    event.preventDefault();
    stop(all, all[Math.min(Math.max(0, to), all.length - 1)]).focus();
  });
}

/** One after the other, by any arrow. */
export const inTurn = (key, at) => ({ ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1 })[key];

/** Lets the Tab key stop at one of many elements. */
export function stop(all, one) {
  for (const element of all) element.setAttribute("tabindex", element === one ? 0 : -1);
  return one;
}
