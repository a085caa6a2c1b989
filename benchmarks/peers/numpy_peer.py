"""NumPy by hand: preallocated buffers, one flat parameter vector, products by its BLAS."""

from __future__ import annotations

import hashlib
import time

import numpy as np

from .common import Config, Peer, serve


class Activations:
    """Buffers for a number of rows, and the passes over them."""

    def __init__(self, config: Config, rows: int) -> None:
        self.h = [np.empty((rows, size), config.dtype) for size in config.layers[1:]]
        self.ones = np.ones(rows, config.dtype)
        self.column = np.empty((rows, 1), config.dtype)
        self.ones_out = np.ones((config.layers[-1], 1), config.dtype)

    def forward(self, config: Config, layers: list, inputs: np.ndarray) -> np.ndarray:
        below = inputs
        for h, (weights, biases), activation in zip(self.h, layers, config.activations):
            np.dot(below, weights.T, out=h)
            h += biases
            if activation == "sigmoid":
                np.negative(h, out=h)
                np.exp(h, out=h)
                h += 1
                np.reciprocal(h, out=h)
            elif activation == "tanh":
                np.tanh(h, out=h)
            elif activation == "relu":
                np.maximum(h, 0, out=h)
            elif activation == "softmax":
                np.max(h, axis=1, keepdims=True, out=self.column)
                h -= self.column
                np.exp(h, out=h)
                np.dot(h, self.ones_out, out=self.column)
                h /= self.column
            below = h
        return below


class Gradients(Activations):
    """Buffers for cost and gradient as well."""

    def __init__(self, config: Config, rows: int) -> None:
        super().__init__(config, rows)
        self.delta = [np.empty_like(h) for h in self.h]
        self.spare = [np.empty_like(h) for h in self.h]
        self.masks = [np.empty(h.shape, bool) for h in self.h]
        self.flat = np.empty_like(config.theta)
        self.parts = config.split(self.flat)

    def slope(self, activation: str, layer: int) -> None:
        """Multiplies a layer's delta by its activation's slope; the layer's outputs are used up."""
        h, delta = self.h[layer], self.delta[layer]
        if activation == "sigmoid":
            spare = self.spare[layer]
            np.subtract(1, h, out=spare)
            spare *= h
            delta *= spare
        elif activation == "tanh":
            np.multiply(h, h, out=h)
            np.subtract(1, h, out=h)
            delta *= h
        elif activation == "relu":
            mask = self.masks[layer]
            np.greater(h, 0, out=mask)
            delta *= mask

    def backward(self, config: Config, layers: list, inputs: np.ndarray, targets: np.ndarray) -> None:
        top = config.depth - 1
        np.subtract(self.h[top], targets, out=self.delta[top])
        self.delta[top] *= config.dtype.type(1 / len(targets))
        if config.loss == "squared-error":
            self.slope(config.activations[top], top)
        for layer in range(top, -1, -1):
            delta, (weights, biases) = self.delta[layer], self.parts[layer]
            np.dot(delta.T, self.h[layer - 1] if layer else inputs, out=weights)
            np.dot(self.ones, delta, out=biases)
            if layer:
                np.dot(delta, layers[layer][0], out=self.delta[layer - 1])
                self.slope(config.activations[layer - 1], layer - 1)
        if config.weight_decay:
            for (gradient, _), (weights, _) in zip(self.parts, layers):
                gradient += config.dtype.type(config.weight_decay) * weights


class NumpyPeer(Peer):
    def __init__(self, threads: int) -> None:
        self.threads = threads
        np.seterr(over="ignore")

    def load(self, config: Config, variant: str) -> None:
        self.config = config
        self.flat = config.theta.copy()
        self.layers = config.split(self.flat)
        self.m, self.v, self.spare = (np.zeros_like(self.flat) for _ in range(3))
        self.at = 0
        self.order = config.steps.astype(np.intp)
        self.forwards: dict[int, Activations] = {}
        if config.kind != "predict":
            self.buffers = Gradients(config, config.batch)
            self.x = np.empty((config.batch, config.layers[0]), config.dtype)
            self.y = np.empty((config.batch, config.layers[-1]), config.dtype)

    def reset(self) -> None:
        self.flat[:] = self.config.theta
        self.m[:] = 0
        self.v[:] = 0
        self.at = 0

    def theta(self) -> np.ndarray:
        return self.flat

    def run(self, steps: int) -> None:
        step = self.evaluate if self.config.kind == "evaluate" else self.train
        for _ in range(steps):
            step()

    def evaluate(self) -> float:
        c, b = self.config, self.buffers
        b.forward(c, self.layers, c.inputs)
        value = 0.0
        if c.loss == "squared-error":
            np.subtract(b.h[-1], c.targets, out=b.delta[-1])
            flat = b.delta[-1].ravel()
            value = 0.5 * float(np.dot(flat, flat)) / c.rows
        else:
            value = -float(np.log((b.h[-1] * c.targets).sum(axis=1)).mean())
        for weights, _ in self.layers:
            flat = weights.ravel()
            value += 0.5 * c.weight_decay * float(np.dot(flat, flat))
        b.backward(c, self.layers, c.inputs, c.targets)
        return value

    def train(self) -> None:
        c, b = self.config, self.buffers
        if c.full:
            x, y = c.inputs, c.targets
        else:
            rows = self.order[self.at % len(self.order)]
            # "clip" spares take a copy of the buffer; all rows are in range.
            x = np.take(c.inputs, rows, axis=0, out=self.x, mode="clip")
            y = np.take(c.targets, rows, axis=0, out=self.y, mode="clip")
        b.forward(c, self.layers, x)
        b.backward(c, self.layers, x, y)
        self.at += 1
        if c.optimizer["name"] == "adam":
            self.adam(b.flat)
        else:
            b.flat *= c.dtype.type(c.optimizer["learning_rate"])
            self.flat -= b.flat

    def adam(self, gradient: np.ndarray) -> None:
        o = self.config.optimizer
        beta1, beta2, spare = o["beta1"], o["beta2"], self.spare
        self.m *= beta1
        np.multiply(gradient, 1 - beta1, out=spare)
        self.m += spare
        self.v *= beta2
        np.multiply(gradient, gradient, out=gradient)
        gradient *= 1 - beta2
        self.v += gradient
        # The corrections go into the rate and epsilon, which spares two passes.
        root = float(np.sqrt(1 - beta2**self.at))
        np.sqrt(self.v, out=spare)
        spare += o["epsilon"] * root
        np.divide(self.m, spare, out=spare)
        spare *= o["learning_rate"] * root / (1 - beta1**self.at)
        self.flat -= spare

    def predict(self, rows: int, repeat: int) -> None:
        if rows not in self.forwards:
            self.forwards[rows] = Activations(self.config, rows)
        x, buffers = self.config.inputs[:rows], self.forwards[rows]
        for _ in range(repeat):
            buffers.forward(self.config, self.layers, x)

    def evaluation(self) -> tuple[float, np.ndarray]:
        return self.evaluate(), self.buffers.flat

    def outputs(self) -> np.ndarray:
        self.predict(self.config.rows, 1)
        return self.forwards[self.config.rows].h[-1]

    # The next two let this peer stand in for ours while trying out the benchmark.

    def calibrate(self) -> dict[str, float]:
        a = np.ones((512, 512), np.float32)
        begin = time.perf_counter()
        np.dot(a, a)
        return {"gflops": 2 * 512**3 / (time.perf_counter() - begin) / 1e9}

    def digest(self) -> dict[str, str]:
        kind = self.config.kind
        values = self.flat if kind == "train" else self.buffers.flat if kind == "evaluate" else self.outputs()
        return {"digest": hashlib.sha256(values.tobytes()).hexdigest()}


if __name__ == "__main__":
    serve(NumpyPeer)
