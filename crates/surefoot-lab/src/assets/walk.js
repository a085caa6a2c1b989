// The walk through the notes: each step is a small task on the live page.

export const STEPS = [
  {
    name: "Neuron",
    text: "A neuron weighs its inputs and adds a bias: z = Σ W x + b. Choose a unit of the network and read its z.",
    done: (page) => page.clicked?.from === null && !page.clicked.bias,
  },
  {
    name: "Activation",
    text: "a = f(z). The sigmoid goes from 0 to 1, tanh from −1 to 1. Change the activation of the hidden layers to sigmoid.",
    done: (page) => page.summary?.layers.length > 1 && page.summary.layers[0].activation === "sigmoid",
  },
  {
    name: "Forward",
    text: "Layer by layer, equations (6) and (7): what one layer gives, the next one reads. Choose a unit of the output layer.",
    done: (page) => page.clicked?.from === null && page.clicked.layer === page.summary.layers.length - 1,
  },
  {
    name: "Cost",
    text: "J(W,b) is the mean loss of the examples plus λ/2 times the sum of the squared weights. Set λ to 0.01.",
    done: (page) => page.summary?.weight_decay === 0.01,
  },
  {
    name: "Gradient descent",
    text: "W := W − α ∂J/∂W. Choose gradient-descent as the optimizer, then press Step five times and watch the lines move.",
    done: (page) => page.settings.optimizer === "gradient-descent" && page.now?.step >= 5,
  },
  {
    name: "Backpropagation",
    text: "δ says how much a unit was responsible for the error; ∂J/∂W = a δ. Choose a weight: a line of the network, or a button of a unit that is chosen.",
    done: (page) => page.clicked?.from !== null && page.clicked?.from !== undefined,
  },
  {
    name: "Check",
    text: "Is the gradient right? Check it. Then plant the fault “forget f′” and check again: it says which layer is wrong.",
    done: (page) => page.checked?.passed === false,
  },
  {
    name: "Autoencoder",
    text: "Let the network learn its own inputs: choose the set patches, tick Autoencoder, sparsity 0.05, and run. The hidden units find edges.",
    done: (page) => page.summary?.autoencoder && page.now?.epoch >= 5,
  },
];

/** Shows the steps, and whether the task of the present one is done. */
export class Walk {
  constructor(element, changed) {
    this.element = element;
    this.changed = changed;
    const list = document.createElement("ol");
    this.buttons = STEPS.map(({ name }, k) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.textContent = `${k + 1} ${name}`;
      button.addEventListener("click", () => this.go(k));
      item.append(button);
      list.append(item);
      return button;
    });
    this.text = document.createElement("p");
    this.state = document.createElement("p");
    this.state.setAttribute("role", "status");
    element.append(list, this.text, this.state);
    this.go(0, false);
  }

  go(step, isNew = true) {
    this.step = Math.min(Math.max(0, step), STEPS.length - 1);
    this.buttons.forEach((button, k) => (k === this.step ? button.setAttribute("aria-current", "step") : button.removeAttribute("aria-current")));
    this.text.textContent = STEPS[this.step].text;
    if (isNew) this.changed();
  }

  update(page) {
    const isDone = Boolean(page.summary && STEPS[this.step].done(page));
    const text = isDone ? "Done. Go on with the next step." : "";
    if (this.state.textContent !== text) this.state.textContent = text;
    this.state.className = isDone ? "done" : "";
  }
}
