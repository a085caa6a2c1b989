"""What every Python worker shares: reading a configuration, and answering commands."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Config:
    """A configuration folder, read."""

    kind: str
    layers: list[int]
    activations: list[str]
    loss: str
    weight_decay: float
    optimizer: dict[str, Any]
    full: bool
    batch: int
    rows: int
    inputs: np.ndarray
    targets: np.ndarray
    theta: np.ndarray
    # The rows of each step, one step a line; steps past the last begin again at the first.
    steps: np.ndarray

    @staticmethod
    def read(folder: str | Path) -> Config:
        folder = Path(folder)
        raw = json.loads((folder / "config.json").read_text())
        rows, layers = raw["rows"], raw["layers"]
        full = raw["batch"] == "full"
        batch = rows if full else raw["batch"]
        assert rows % batch == 0, "rows must be a multiple of the batch"
        # the files are in single precision, so that both have the same numbers
        dtype = np.float64 if raw["precision"] == "f64" else np.float32
        order = np.fromfile(folder / "order.u32", "<u4").reshape(raw["orders"] * (rows // batch), batch)
        return Config(
            kind=raw["kind"],
            layers=layers,
            activations=raw["activations"],
            loss=raw["loss"],
            weight_decay=raw["weight_decay"],
            optimizer=raw["optimizer"] or {"name": "none"},
            full=full,
            batch=batch,
            rows=rows,
            inputs=np.fromfile(folder / "inputs.f32", "<f4").reshape(rows, layers[0]).astype(dtype),
            targets=np.fromfile(folder / "targets.f32", "<f4").reshape(rows, layers[-1]).astype(dtype),
            theta=np.fromfile(folder / "theta.f32", "<f4").astype(dtype),
            steps=order,
        )

    @property
    def dtype(self) -> np.dtype:
        return self.theta.dtype

    @property
    def depth(self) -> int:
        return len(self.layers) - 1

    def split(self, flat: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Views of a flat vector as (W, b) of each layer; W is outputs x inputs."""
        parts, at = [], 0
        for fan_in, fan_out in zip(self.layers, self.layers[1:]):
            weights = flat[at : at + fan_out * fan_in].reshape(fan_out, fan_in)
            at += weights.size
            parts.append((weights, flat[at : at + fan_out]))
            at += fan_out
        assert at == flat.size
        return parts

    def labels(self) -> np.ndarray:
        """Class numbers, for the softmax rows."""
        return self.targets.argmax(axis=1)


def flatten(parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    return np.concatenate([np.ravel(piece) for part in parts for piece in part])


def cost(config: Config, theta: np.ndarray) -> float:
    """Cost over all rows at theta, added up in double precision, block by block. Never timed."""
    layers, total = config.split(theta), 0.0
    for begin in range(0, config.rows, 4096):
        h = config.inputs[begin : begin + 4096]
        y = config.targets[begin : begin + 4096]
        for (weights, biases), activation in zip(layers, config.activations):
            h = h @ weights.T + biases
            if activation == "sigmoid":
                with np.errstate(over="ignore"):
                    h = 1 / (1 + np.exp(-h))
            elif activation == "tanh":
                h = np.tanh(h)
            elif activation == "relu":
                h = np.maximum(h, 0)
        if config.loss == "cross-entropy":
            z = h.astype(np.float64)
            z -= z.max(axis=1, keepdims=True)
            total += float((np.log(np.exp(z).sum(axis=1)) - (z * y).sum(axis=1)).sum())
        else:
            total += 0.5 * float(np.square(h - y, dtype=np.float64).sum())
    squares = sum(float(np.square(weights, dtype=np.float64).sum()) for weights, _ in layers)
    return total / config.rows + 0.5 * config.weight_decay * squares


class Peer:
    """A worker's side of the work. Whatever `run` and `predict` start is finished when they return."""

    threads = 1

    def variants(self, config: Config) -> list[str]:
        """Ways of doing the same work. The quickest, by a short trial, is the one that is measured."""
        return ["only"]

    def load(self, config: Config, variant: str) -> None:
        """Makes everything ready; `reset` follows."""
        raise NotImplementedError

    def reset(self) -> None:
        raise NotImplementedError

    def run(self, steps: int) -> None:
        """Optimizer steps, or evaluations of cost and gradient."""
        raise NotImplementedError

    def predict(self, rows: int, repeat: int) -> None:
        raise NotImplementedError

    def theta(self) -> np.ndarray:
        raise NotImplementedError

    def evaluation(self) -> tuple[float, np.ndarray]:
        """Cost and flat gradient, computed by what `run` times."""
        raise NotImplementedError

    def outputs(self) -> np.ndarray:
        """Predictions for all rows, computed by what `predict` times."""
        raise NotImplementedError


class Session:
    """Answers commands on behalf of a peer."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.config: Config | None = None

    def load(self, folder: str) -> dict[str, Any]:
        self.config = Config.read(folder)
        variants = self.peer.variants(self.config)
        tried = {}
        for variant in variants:
            self.peer.load(self.config, variant)
            self.peer.reset()
            tried[variant] = self.trial()
        chosen = min(tried, key=lambda variant: tried[variant])
        if chosen != variants[-1]:
            self.peer.load(self.config, chosen)
            self.peer.reset()
            self.trial()
        return self.reset() | {"variant": chosen}

    def trial(self) -> float:
        """Seconds a step, after warming up; the least of a few short runs."""
        steps, seconds = 2, 0.0
        if self.config is None or self.config.kind == "predict":
            self.predict(1, 3)
            self.predict(self.config.rows, 1)
            return 0.0
        self.run(steps)
        while (seconds := self.run(steps)["seconds"]) < 0.02:
            steps *= 2
        return min(seconds, *(self.run(steps)["seconds"] for _ in range(3))) / steps

    def reset(self) -> dict[str, Any]:
        self.peer.reset()
        return {"ready": True}

    def run(self, steps: int) -> dict[str, Any]:
        begin = time.perf_counter()
        self.peer.run(steps)
        return {"seconds": time.perf_counter() - begin, "steps": steps}

    def predict(self, rows: int, repeat: int) -> dict[str, Any]:
        begin = time.perf_counter()
        self.peer.predict(rows, repeat)
        return {"seconds": time.perf_counter() - begin}

    def state(self) -> dict[str, Any]:
        assert self.config is not None
        if self.config.kind == "train":
            theta = self.peer.theta()
            value, vector = cost(self.config, theta), theta
        elif self.config.kind == "evaluate":
            value, vector = self.peer.evaluation()
        else:
            vector = self.peer.outputs()
            value = np.sum(vector, dtype=np.float64)
        return {"cost": float(value), "norm": float(np.sqrt(np.square(vector, dtype=np.float64).sum()))}

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = command.pop("cmd")
        if name in ("load", "reset", "run", "predict", "state"):
            return getattr(self, name)(**command)
        # A peer may know more, such as `calibrate`.
        return getattr(self.peer, name)(**command)


def serve(make: Callable[[int], Peer]) -> None:
    """Reads commands, one JSON object a line, until `quit` or the end of the input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    threads = parser.parse_args().threads
    # Answers go out on their own descriptor, so that a library's prints cannot land among them.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    session = Session(make(threads))
    for line in sys.stdin:
        command = json.loads(line)
        if command["cmd"] == "quit":
            break
        print(json.dumps(session.answer(command)), file=answers, flush=True)
