// The weights and the bias of one unit, drawn or not, as buttons.

import { arrows, inTurn, number, stop } from "./colours.js";
import { inputName } from "./network.js";

export class Weights {
  constructor(element, choose) {
    Object.assign(this, { element, choose, key: "", buttons: [] });
    arrows(element, "button", inTurn);
  }

  clear() {
    this.key = "";
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  show(summary, clicked, { weights, bias }) {
    const { layer, unit } = clicked;
    const key = `${layer} ${unit}`;
    if (this.key !== key) {
      this.key = key;
      this.element.hidden = false;
      this.element.setAttribute("aria-label", `Bias and weights of unit ${unit + 1} of layer ${layer + 1}`);
      this.buttons = Array.from({ length: weights.length + 1 }, (_, k) => {
        const button = document.createElement("button");
        button.type = "button";
        button.addEventListener("click", () => this.choose(k === 0 ? { layer, unit, from: null, bias: true } : { layer, unit, from: k - 1 }));
        return button;
      });
      this.element.replaceChildren(...this.buttons);
      stop(this.buttons, this.buttons[0]);
    }
    this.buttons.forEach((button, k) => {
      const value = number(k === 0 ? bias : weights[k - 1]);
      const below = layer === 0 ? inputName(summary, k - 1) : `a${k}`;
      button.textContent = k === 0 ? `b ${value}` : `${below} ${value}`;
      button.setAttribute("aria-label", k === 0 ? `Bias of unit ${unit + 1}: ${value}` : `Weight of unit ${unit + 1} from ${layer === 0 ? below : `unit ${k}`}: ${value}`);
      const is = k === 0 ? Boolean(clicked.bias) : clicked.from === k - 1;
      button.setAttribute("aria-pressed", is);
      if (is) stop(this.buttons, button);
    });
  }
}
