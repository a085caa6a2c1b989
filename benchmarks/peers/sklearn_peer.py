"""scikit-learn's own network, through `partial_fit`, `predict` and the cost that its L-BFGS calls.

Its squared error goes with an identity output only. For a sigmoid output the function is set by hand, which
gives the same passes and cost but leaves the sigmoid's slope out of the last layer's delta: similar work.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from .common import Config, Peer, flatten, serve

NAMES = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "identity": "identity", "softmax": "softmax"}


class SklearnPeer(Peer):
    def __init__(self, threads: int) -> None:
        self.threads = threads
        warnings.simplefilter("ignore", ConvergenceWarning)

    def load(self, config: Config, variant: str) -> None:
        self.config = config
        self.classes = np.arange(config.layers[-1])
        self.softmax = config.activations[-1] == "softmax"
        if self.softmax:
            self.y = config.labels()
        else:
            self.y = config.targets.ravel() if config.layers[-1] == 1 else config.targets
        self.order = config.steps.astype(np.intp).ravel()

    def reset(self) -> None:
        c, o = self.config, self.config.optimizer
        make = MLPClassifier if self.softmax else MLPRegressor
        self.model = make(
            hidden_layer_sizes=tuple(c.layers[1:-1]),
            activation=NAMES[c.activations[0]],
            solver="adam" if o["name"] == "adam" else "sgd",
            # It divides the penalty by the number of rows; this undoes that.
            alpha=c.weight_decay * c.rows,
            batch_size=c.batch,
            learning_rate_init=o.get("learning_rate", 0.001),
            momentum=0.0,
            beta_1=o.get("beta1", 0.9),
            beta_2=o.get("beta2", 0.999),
            epsilon=o.get("epsilon", 1e-8),
            # The rows come in the benchmark's order already.
            shuffle=False,
        )
        # One call lets it set itself up; its weights and optimizer are then replaced.
        self.fit(c.inputs[: c.batch], self.y[: c.batch])
        self.model.out_activation_ = NAMES[c.activations[-1]]
        parts = c.split(c.theta)
        self.model.coefs_ = [np.ascontiguousarray(w.T) for w, _ in parts]
        self.model.intercepts_ = [b.copy() for _, b in parts]
        del self.model._optimizer
        self.at = 0

    def fit(self, x: np.ndarray, y: np.ndarray) -> None:
        if self.softmax:
            self.model.partial_fit(x, y, classes=self.classes)
        else:
            self.model.partial_fit(x, y)

    def run(self, steps: int) -> None:
        if self.config.kind == "evaluate":
            for _ in range(steps):
                self.evaluate()
            return
        c = self.config
        while steps:
            if c.full:
                self.fit(c.inputs, self.y)
                steps -= 1
                continue
            # As many steps a call as the epoch has left: `partial_fit` goes through the rows once, in batches.
            begin = self.at * c.batch % len(self.order)
            count = min(steps, (c.rows - begin % c.rows) // c.batch)
            rows = self.order[begin : begin + count * c.batch]
            self.fit(c.inputs[rows], self.y[rows])
            self.at += count
            steps -= count

    def evaluate(self) -> tuple[float, list[np.ndarray], list[np.ndarray]]:
        depth = self.config.depth
        layers = [self.config.inputs] + [None] * depth
        value, coefs, intercepts = self.model._backprop(
            self.config.inputs, self.config.targets, None, layers, [None] * depth, [None] * depth, [None] * depth
        )
        return value, coefs, intercepts

    def predict(self, rows: int, repeat: int) -> None:
        x = self.config.inputs[:rows]
        for _ in range(repeat):
            self.model.predict_proba(x)

    def theta(self) -> np.ndarray:
        return flatten([(w.T, b) for w, b in zip(self.model.coefs_, self.model.intercepts_)])

    def evaluation(self) -> tuple[float, np.ndarray]:
        value, coefs, intercepts = self.evaluate()
        # Its squared error is the mean over the outputs as well; the penalty is not.
        weights = sum(float(np.square(w, dtype=np.float64).sum()) for w in self.model.coefs_)
        penalty = 0.5 * self.config.weight_decay * weights
        value = (value - penalty) * self.config.layers[-1] + penalty
        return float(value), flatten([(w.T, b) for w, b in zip(coefs, intercepts)])

    def outputs(self) -> np.ndarray:
        return self.model.predict_proba(self.config.inputs)


if __name__ == "__main__":
    serve(SklearnPeer)
