// The outcome of a gradient check, layer by layer.

import { number } from "./colours.js";

const made = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

/** `layers.0.weight[3, 1]` as the notes count: W⁽¹⁾ from 1. */
function place(text) {
  const [, layer, kind, at] = /layers\.(\d+)\.(\w+)\[(.*)\]/.exec(text) ?? [];
  if (layer === undefined) return text;
  const index = at.split(", ").map((k) => Number(k) + 1).join(",");
  return `${kind === "weight" ? "W" : "b"}(${Number(layer) + 1}) ${index}`;
}

export function showCheck(element, said) {
  const verdict = made("p", said.passed ? `The gradient is right: ${said.checked} of ${said.parameters} derivatives compared over ${said.examples} examples.` : `The gradient is wrong: ${said.wrong} of ${said.checked} derivatives differ from the numerical ones.`);
  verdict.id = "check-verdict";
  verdict.className = said.passed ? "good" : "bad";
  const table = document.createElement("table");
  const row = (cells, tag) => {
    const line = document.createElement("tr");
    line.append(...cells.map((text) => made(tag, text)));
    table.append(line);
    return line;
  };
  row(["layer", "compared", "wrong", "difference", "worst"], "th");
  said.layers.forEach((layer, l) => {
    const { worst } = layer;
    const line = row([l + 1, layer.checked, layer.wrong, layer.difference === null ? "–" : layer.difference.toExponential(2), worst ? `${place(worst.place)}: analytic ${number(worst.analytic)}, numerical ${number(worst.numeric)}` : ""], "td");
    if (layer.wrong > 0) line.className = "bad";
  });
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.append(table);
  element.replaceChildren(verdict, scroll, ...(said.note ? [made("p", said.note)] : []));
}
