"""Repeat the experiments of docs/autoencoder.md: Surefoot against the same protocol in NumPy and SciPy, from the same start.

    pip install numpy scipy
    cargo build --release
    python docs/autoencoder.py [--surefoot PATH] [--fashion FOLDER] [patches] [fashion]

Prints a line for each figure of the document, and leaves models and pictures in the present folder. FOLDER has the four files
of Fashion-MNIST (Debian's package dataset-fashion-mnist).
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
from lbfgs_twin import sparse_autoencoder  # noqa: E402


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


def images(path):
    """The rows of a packed IDX file of bytes."""
    data = gzip.decompress(Path(path).read_bytes())
    shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape[0], -1).astype(np.float64)


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
    found = minimize(
        sparse_autoencoder,
        start,
        args=arguments,
        jac=True,
        method="L-BFGS-B",
        options={"maxcor": 10, "maxiter": 400, "maxfun": 10**6, "ftol": 0.0, "gtol": 0.0},
    )
    seconds = time.monotonic() - begin
    print(f"{name}: SciPy: {found.nit} iterations, {found.nfev} evaluations, cost {found.fun:.4f}, {seconds:.1f} s", flush=True)


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surefoot", default=ROOT / "target" / "release" / "surefoot")
    parser.add_argument("--fashion", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("experiments", nargs="*", default=["patches", "fashion"])
    OPTIONS = parser.parse_args()
    if "patches" in OPTIONS.experiments:
        x = 0.1 + 0.8 * images(ROOT / "crates/surefoot-table/data/patches.idx.gz") / 255
        experiment("patches", "patches", x, 25, 1e-4, 0.01, 3)
    if "fashion" in OPTIONS.experiments:
        file = Path(OPTIONS.fashion) / "train-images-idx3-ubyte.gz"
        x = images(file)[:10_000] / 255
        experiment("fashion", file, x, 196, 3e-3, 0.1, 3, more=["--rows", 10_000], checked=["--sample", 20])


if __name__ == "__main__":
    main()
