"""Repeat the experiments of docs/autoencoder.md: Surefoot against the same protocol in NumPy and SciPy.

    pip install numpy scipy
    cargo build --release
    python docs/autoencoder.py [--surefoot PATH] [--fashion FOLDER] [EXPERIMENT ...]

EXPERIMENT is one of patches, fashion, self-taught-digits, self-taught-fashion, stacked-digits, stacked-fashion; without one
all are run. The first two begin at the same start as SciPy, the others each at its own.

Prints a line for each figure of the document, and leaves data, models and pictures in the present folder. FOLDER has the four
files of Fashion-MNIST (Debian's package dataset-fashion-mnist).
"""
import argparse
import gzip
import json
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "crates/surefoot/tests/reference"))
from lbfgs_twin import sigmoid, sparse_autoencoder, start as draw  # noqa: E402


def surefoot(*arguments):
    """The JSON lines of a command, and its seconds."""
    begin = time.monotonic()
    run = subprocess.run([OPTIONS.surefoot, *map(str, arguments)], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")], time.monotonic() - begin


def parameters(model):
    """W1, b1, W2, b2 of a model file, in float64."""
    data = Path(model).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    found = []
    for name in ("layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"):
        begin, end = (8 + length + offset for offset in header[name]["data_offsets"])
        kind = {"F32": "<f4", "F64": "<f8"}[header[name]["dtype"]]
        found.append(np.frombuffer(data[begin:end], kind).astype(np.float64))
    return np.concatenate(found)


def idx(path):
    """A packed IDX file of bytes."""
    data = gzip.decompress(Path(path).read_bytes())
    shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def images(path):
    """The rows of a packed IDX file of bytes."""
    found = idx(path)
    return found.reshape(len(found), -1).astype(np.float64)


def write(name, pictures, labels):
    """A pair of IDX files; the name of the first."""
    for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
        head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        Path(f"{name}-{kind}-ubyte").write_bytes(head + array.astype(np.uint8).tobytes())
    return f"{name}-images-idx3-ubyte"


def lbfgs(cost, start, *arguments):
    """SciPy, 400 iterations."""
    options = {"maxcor": 10, "maxiter": 400, "maxfun": 10**6, "ftol": 0.0, "gtol": 0.0}
    return minimize(cost, start, args=arguments, jac=True, method="L-BFGS-B", options=options)


def experiment(name, data, x, units, decay, rho, beta, more=(), checked=()):
    n = x.shape[1]
    settings = ["--autoencoder", "--hidden", units, "--sparsity", rho, "--sparsity-weight", beta]
    settings += ["--weight-decay", decay, "--optimizer", "lbfgs", "--init", f"uniform:{(6 / (n + units + 1)) ** 0.5}"]
    train = ["train", data, *settings, *more, "--no-check", "--json"]
    surefoot(*train, "--epochs", 0, "--precision", "f64", "--out", f"{name}-start.safetensors")
    (check,), _ = surefoot("check", f"{name}-start.safetensors", data, *checked, "--json")
    print(f"{name}: check at the start: {check['checked']} coordinates, difference {check['difference']:.1e}")
    start = parameters(f"{name}-start.safetensors")
    arguments = ((n, units, n), x, None, decay, rho, beta)
    ours = check["cost"]
    if not checked:
        print(f"{name}: cost at the start: Surefoot {ours:.12f}, NumPy {sparse_autoencoder(start, *arguments)[0]:.12f}")
    for precision in ("f32", "f64"):
        model = f"{name}-{precision}.safetensors"
        lines, seconds = surefoot(*train, "--epochs", 400, "--precision", precision, "--out", model)
        final = sparse_autoencoder(parameters(model), *arguments)[0]
        print(f"{name}: Surefoot, {precision}: {lines[-1]['epochs']} iterations, cost {final:.4f}, {seconds:.1f} s")
    subprocess.run([OPTIONS.surefoot, "show", f"{name}-f64.safetensors", "--features", f"{name}.png"], check=True)
    begin = time.monotonic()
    found = lbfgs(sparse_autoencoder, start, *arguments)
    seconds = time.monotonic() - begin
    print(f"{name}: SciPy: {found.nit} iterations, {found.nfev} evaluations, cost {found.fun:.4f}, {seconds:.1f} s", flush=True)


def unpack(theta, units):
    """W and b of each layer."""
    layers = []
    for a, b in zip(units, units[1:]):
        layers.append((theta[: a * b].reshape(b, a), theta[a * b : a * b + b]))
        theta = theta[a * b + b :]
    return layers


def feedforward(theta, units, x):
    """The activations of each layer, sigmoid, and the weighted sums of the output."""
    activations, layers = [x], unpack(theta, units)
    for w, b in layers[:-1]:
        activations.append(sigmoid(activations[-1] @ w.T + b))
    w, b = layers[-1]
    return activations, activations[-1] @ w.T + b


def softmax_cost(theta, units, x, y, decay):
    """Cross-entropy of a softmax on any number of sigmoid layers, with weight decay."""
    activations, z = feedforward(theta, units, x)
    layers = unpack(theta, units)
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    delta = (np.exp(log_p) - y) / len(x)
    parts = []
    for (w, _), a in zip(layers[::-1], activations[::-1]):
        parts += [delta.sum(axis=0), (delta.T @ a + decay * w).ravel()]
        delta = (delta @ w) * a * (1 - a)
    cost = -(y * log_p).sum() / len(x) + decay / 2 * sum((w**2).sum() for w, _ in layers)
    return cost, np.concatenate(parts[::-1])


def accuracy(theta, units, x, labels):
    return (feedforward(theta, units, x)[1].argmax(axis=1) == labels).mean()


def softmax_twin(train, test, classes):
    """The accuracy of a softmax on standardised columns, by SciPy."""
    (x, labels), (test_x, test_labels) = train, test
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1
    units = (x.shape[1], classes)
    theta = lbfgs(softmax_cost, draw(units, 1), units, (x - centre) / scale, np.eye(classes)[labels], 1e-4).x
    return accuracy(theta, units, (test_x - centre) / scale, test_labels)


def self_taught(name, pictures, labels, white, decay):
    """Features of classes 5 to 9 for a softmax of classes 0 to 4, half of them to learn from."""
    few = np.flatnonzero(labels < 5)
    train, test = few[::2], few[1::2]
    sets = {"unlabelled": np.flatnonzero(labels >= 5), "train": train, "test": test}
    files = {key: write(f"{name}-{key}", pictures[rows], labels[rows]) for key, rows in sets.items()}
    print(f"{name}: {', '.join(f'{len(rows)} {key}' for key, rows in sets.items())}")
    sparse = ["--sparsity", 0.1, "--sparsity-weight", 3, "--weight-decay", decay, "--optimizer", "lbfgs", "--epochs", 400]
    features = f"{name}.safetensors"
    _, seconds = surefoot("train", files["unlabelled"], "--autoencoder", "--hidden", 200, *sparse, "--out", features, "--json")
    softmax = ["--hidden", "none", "--optimizer", "lbfgs", "--epochs", 400, "--validation", 0, "--json"]
    for key in ("train", "test"):
        surefoot("encode", features, files[key], "--out", f"{name}-{key}.csv")
    surefoot("train", files["train"], *softmax, "--out", f"{name}-raw.safetensors")
    surefoot("train", f"{name}-train.csv", "--target", "label", *softmax, "--out", f"{name}-features.safetensors")
    (raw,), _ = surefoot("evaluate", f"{name}-raw.safetensors", files["test"], "--json")
    (learned,), _ = surefoot("evaluate", f"{name}-features.safetensors", f"{name}-test.csv", "--json")
    print(f"{name}: Surefoot: raw {raw['score']:.4f}, features {learned['score']:.4f}; the autoencoder took {seconds:.1f} s")
    surefoot("show", features, "--features", f"{name}.png")

    x = pictures.reshape(len(pictures), -1) / white
    d = x.shape[1]
    begin = time.monotonic()
    units = (d, 200, d)
    found = lbfgs(sparse_autoencoder, draw(units, 1), units, x[sets["unlabelled"]], None, decay, 0.1, 3)
    seconds = time.monotonic() - begin
    w, b = unpack(found.x, units)[0]
    encode = lambda rows: sigmoid(x[rows] @ w.T + b)  # noqa: E731
    raw = softmax_twin((x[train], labels[train]), (x[test], labels[test]), 5)
    learned = softmax_twin((encode(train), labels[train]), (encode(test), labels[test]), 5)
    print(f"{name}: SciPy: raw {raw:.4f}, features {learned:.4f}; the autoencoder took {seconds:.1f} s", flush=True)


def stacked(name, train, test, white, decay):
    """d-200-200-k: before and after fine-tuning."""
    data, other = (write(f"{name}-{key}", *part) for key, part in (("train", train), ("test", test)))
    lines, seconds = surefoot(
        *["train", data, "--hidden", "200,200", "--pretrain", "sparse-autoencoder", "--pretrain-weight-decay", decay],
        *["--optimizer", "lbfgs", "--epochs", 400, "--validation", other, "--patience", 0],
        *["--out", f"{name}.safetensors", "--json"],
    )
    before, after = lines[-1]["before_fine_tuning"]["validation_score"], lines[-1]["validation_score"]
    print(f"{name}: Surefoot: before {before:.4f}, after {after:.4f}, {seconds:.1f} s")

    (x, labels), (test_x, test_labels) = ((part[0].reshape(len(part[0]), -1) / white, part[1]) for part in (train, test))
    y = np.eye(10)[labels]
    begin = time.monotonic()
    a, stack, units = x, [], [x.shape[1]]
    for _ in range(2):
        widths = (a.shape[1], 200, a.shape[1])
        theta = lbfgs(sparse_autoencoder, draw(widths, 1), widths, a, None, decay, 0.1, 3).x
        stack.append(theta[: 200 * a.shape[1] + 200])
        units.append(200)
        a = sigmoid(a @ unpack(theta, widths)[0][0].T + unpack(theta, widths)[0][1])
    stack.append(lbfgs(softmax_cost, draw((200, 10), 1), (200, 10), a, y, 1e-4).x)
    units, theta = (*units, 10), np.concatenate(stack)
    before = accuracy(theta, units, test_x, test_labels)
    theta = lbfgs(softmax_cost, theta, units, x, y, 1e-4).x
    after = accuracy(theta, units, test_x, test_labels)
    seconds = time.monotonic() - begin
    print(f"{name}: SciPy: before {before:.4f}, after {after:.4f}, {seconds:.1f} s", flush=True)


def digits():
    table = np.loadtxt(ROOT / "crates/surefoot-table/data/digits.csv", delimiter=",", skiprows=1)
    return table[:, :64].reshape(-1, 8, 8), table[:, 64].astype(int)


def fashion(part):
    return tuple(idx(Path(OPTIONS.fashion) / f"{part}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surefoot", default=ROOT / "target" / "release" / "surefoot")
    parser.add_argument("--fashion", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("experiments", nargs="*")
    OPTIONS = parser.parse_args()

    def patches():
        x = 0.1 + 0.8 * images(ROOT / "crates/surefoot-table/data/patches.idx.gz") / 255
        experiment("patches", "patches", x, 25, 1e-4, 0.01, 3)

    def garments():
        file = Path(OPTIONS.fashion) / "train-images-idx3-ubyte.gz"
        x = images(file)[:10_000] / 255
        experiment("fashion", file, x, 196, 3e-3, 0.1, 3, more=["--rows", 10_000], checked=["--sample", 20])

    def stacked_digits():
        pictures, labels = digits()
        stacked("stacked-digits", (pictures[::2], labels[::2]), (pictures[1::2], labels[1::2]), 16, 1e-3)

    known = {
        "patches": patches,
        "fashion": garments,
        "self-taught-digits": lambda: self_taught("self-taught-digits", *digits(), 16, 1e-4),
        "self-taught-fashion": lambda: self_taught("self-taught-fashion", *fashion("train"), 255, 1e-4),
        "stacked-digits": stacked_digits,
        "stacked-fashion": lambda: stacked("stacked-fashion", fashion("train"), fashion("t10k"), 255, 3e-3),
    }
    for name in OPTIONS.experiments or known:
        known[name]()


if __name__ == "__main__":
    main()
