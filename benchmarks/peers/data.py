"""Writes the folder of a configuration: what every worker reads."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from .grid import Setup

ORDERS = 4
SEED = 20240613
# Raised when the made-up data changes, so that folders written before are written again.
EDITION = 1

Data = tuple[np.ndarray, np.ndarray]


def folder_for(setup: Setup, home: Path, fashion: Path) -> Path:
    """The configuration's folder below `home`, written first where it is missing or out of date."""
    folder = home / setup.id
    stamp = folder / "written.json"
    config = setup.for_workers(ORDERS)
    if setup.data == "fashion" and setup.precision == "f32":
        # in double precision a pixel over 255 would be another number than in the file of all the others
        config["images"] = str(_idx_file(fashion, "train-images-idx3-ubyte"))
    mark = json.dumps({"edition": EDITION, "data": setup.data, "config": config})
    if stamp.exists() and stamp.read_text() == mark:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    rng = np.random.default_rng([SEED, ord(setup.id[0])])
    inputs, targets = _SOURCES[setup.data](setup, rng, fashion)
    assert inputs.shape == (setup.rows, setup.layers[0]) and targets.shape == (setup.rows, setup.layers[-1])
    order = np.stack([rng.permutation(setup.rows) for _ in range(ORDERS)])
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    _write(folder / "inputs.f32", inputs, "<f4")
    _write(folder / "targets.f32", targets, "<f4")
    _write(folder / "theta.f32", start(setup, rng), "<f4")
    _write(folder / "order.u32", order, "<u4")
    stamp.write_text(mark)
    return folder


def _write(path: Path, values: np.ndarray, kind: str) -> None:
    np.ascontiguousarray(values, dtype=kind).tofile(path)


def start(setup: Setup, rng: np.random.Generator) -> np.ndarray:
    """Start weights: He before a ReLU, Glorot otherwise; both uniform. Biases are zero."""
    parts = []
    for fan_in, fan_out, activation in zip(setup.layers, setup.layers[1:], setup.activations):
        limit = np.sqrt(6.0 / fan_in) if activation == "relu" else np.sqrt(6.0 / (fan_in + fan_out))
        parts += [rng.uniform(-limit, limit, fan_out * fan_in), np.zeros(fan_out)]
    return np.concatenate(parts).astype(np.float32)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[labels]


def _idx_file(fashion: Path, name: str) -> Path:
    packed = fashion / f"{name}.gz"
    return packed if packed.exists() else fashion / name


@lru_cache(maxsize=1)
def _fashion_images(fashion: Path) -> Data:
    """The training images, one a row, and their labels, from the IDX files."""

    def idx(name: str, header: int) -> np.ndarray:
        raw = _idx_file(fashion, name).read_bytes()
        return np.frombuffer(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw, np.uint8, offset=header)

    images = idx("train-images-idx3-ubyte", 16).reshape(-1, 784)
    return images, idx("train-labels-idx1-ubyte", 8)


def _fashion(setup: Setup, rng: np.random.Generator, fashion: Path) -> Data:
    images, labels = _fashion_images(fashion)
    return images[: setup.rows].astype(np.float32) / np.float32(255), one_hot(labels[: setup.rows], 10)


def _patches(setup: Setup, rng: np.random.Generator, fashion: Path) -> Data:
    """8x8 patches that are not flat, cut from the images and brought into 0.1 to 0.9."""
    images = _fashion_images(fashion)[0].reshape(-1, 28, 28)
    tries = 3 * setup.rows
    which = rng.integers(len(images), size=tries)
    top, left = rng.integers(21, size=(2, tries))
    patches = np.stack([images[i, t : t + 8, s : s + 8].ravel() for i, t, s in zip(which, top, left)])
    lively = patches[patches.std(axis=1) > 10.0][: setup.rows]
    values = (0.1 + 0.8 * lively.astype(np.float32) / 255).astype(np.float32)
    return values, values


def _digits(setup: Setup, rng: np.random.Generator, fashion: Path) -> Data:
    from sklearn.datasets import load_digits

    inputs, labels = load_digits(return_X_y=True)
    return inputs[: setup.rows] / 16, one_hot(labels[: setup.rows], 10)


def _quadrants(setup: Setup, rng: np.random.Generator, fashion: Path) -> Data:
    """Two numbers; the target says whether their signs differ."""
    inputs = rng.uniform(-1, 1, (setup.rows, 2))
    return inputs, (inputs[:, :1] * inputs[:, 1:] < 0).astype(np.float32)


def _waves(setup: Setup, rng: np.random.Generator, fashion: Path) -> Data:
    """Sines of random projections of random numbers."""
    inputs = rng.standard_normal((setup.rows, setup.layers[0]))
    mix = rng.standard_normal((setup.layers[0], setup.layers[-1])) / np.sqrt(setup.layers[0])
    return inputs, np.sin(inputs @ mix)


def _arm(setup: Setup, rng: np.random.Generator, fashion: Path) -> Data:
    """Four joint angles, and the joints' positions of a two-piece arm in the plane, with two cross terms."""
    q = rng.uniform(-1, 1, (setup.rows, 4))
    reach = q[:, 0] + q[:, 1]
    columns = [np.cos(q[:, 0]) + np.cos(reach), np.sin(q[:, 0]) + np.sin(reach), q[:, 2] * q[:, 3], np.sin(2 * q[:, 3])]
    return q, np.stack(columns, axis=1)


_SOURCES = {
    "fashion": _fashion,
    "patches": _patches,
    "digits": _digits,
    "quadrants": _quadrants,
    "waves": _waves,
    "arm": _arm,
}
