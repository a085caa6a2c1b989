"""Fit and predict times of surefoot.sklearn beside scikit-learn's MLP, on the same work.

    pip install "./python[sklearn]" threadpoolctl
    python python/benchmarks/run.py [--quick] [--rounds N] [--only TEXT] [--write FILE]

A pair is a run of ours and a run of scikit-learn, one right after the other; which comes first alternates. Short work
is repeated within a run until it takes long enough to be timed. A ratio is scikit-learn's time over ours, above 1 where
Surefoot is faster: the median of the pairs, with the quartiles in brackets. Both train the same number of epochs or
iterations from the same start (random_state); where their number differs there is no ratio. Ours gets its threads by
n_threads, scikit-learn by threadpoolctl. Data sets that are not there are made up in the same shape, and the table says
so. Nothing else may run meanwhile: two threads of OpenBLAS on one free processor take twenty times as long.

Prints a Markdown table; only --write writes a file.
"""

import argparse
import gc
import gzip
import os
import platform
import sys
import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable

import numpy as np
import sklearn
from sklearn import neural_network
from sklearn.datasets import load_digits, load_iris
from threadpoolctl import threadpool_limits

import surefoot
import surefoot.sklearn

FASHION = Path("/usr/share/datasets/fashion-mnist")
# A run is at least this long: what is shorter is repeated.
SECONDS = 0.2
# Threads of OpenBLAS wait awake for some 30 ms after a product, and would disturb the next run.
SETTLE = 0.06


# Data, in double precision


@lru_cache
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@lru_cache
def iris():
    X, y = load_iris(return_X_y=True)
    return (X - X.mean(0)) / X.std(0), y


@lru_cache
def fashion():
    """60,000 images of 784 pixels; of the Debian package dataset-fashion-mnist, or made up."""
    if not FASHION.exists():
        random = np.random.RandomState(0)
        return random.uniform(size=(60_000, 784)), random.randint(0, 10, 60_000)
    images, labels = (
        np.frombuffer(gzip.decompress((FASHION / name).read_bytes()), np.uint8, offset=offset)
        for name, offset in (("train-images-idx3-ubyte.gz", 16), ("train-labels-idx1-ubyte.gz", 8))
    )
    return images.reshape(60_000, 784) / 255, labels.astype(int)


@lru_cache
def houses():
    """20,640 rows of eight numbers, the size of the California housing data; made up."""
    random = np.random.RandomState(0)
    X = random.normal(size=(20_640, 8))
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * random.normal(size=len(X))


# Work


@dataclass
class Row:
    """One line of the table. `prepare` gets an estimator of either side and data; what it returns is timed."""

    name: str
    estimator: str
    settings: dict[str, Any]
    data: Callable[[], tuple[np.ndarray, np.ndarray]]
    prepare: Callable[[Any, np.ndarray, np.ndarray], Callable[[], Any]]


def fit(model, X, y):
    return lambda: model.fit(X, y)


def partial_fit(model, X, y):
    model.partial_fit(X[:32], y[:32], classes=np.unique(y))
    return lambda: model.partial_fit(X[:32], y[:32])


def predict(rows):
    def prepare(model, X, y):
        model.fit(X, y)
        X = np.ascontiguousarray(np.tile(X, (-(-rows // len(X)), 1))[:rows])
        return lambda: model.predict(X)

    return prepare


def work(quick):
    fashion_rows = 10_000 if quick else 60_000
    fashion_name = "Fashion-MNIST" if FASHION.exists() else "random images (no Fashion-MNIST)"
    few = {"random_state": 1, "n_iter_no_change": 10_000}
    epochs = 10 if quick else 50
    return [
        Row(
            f"fit: digits 64-100-10, default MLPClassifier, {epochs} epochs",
            "MLPClassifier",
            {"max_iter": epochs, **few},
            digits,
            fit,
        ),
        Row(
            f"fit: {fashion_name} 784-100-10, {fashion_rows:,} rows in batches of 200, 1 epoch",
            "MLPClassifier",
            {"max_iter": 1, "batch_size": 200, **few},
            lambda: tuple(part[:fashion_rows] for part in fashion()),
            fit,
        ),
        Row("fit: iris 4-100-3, 100 epochs", "MLPClassifier", {"max_iter": 100, **few}, iris, fit),
        Row("fit: regression 8-100-1 of 20,640 rows, 3 epochs", "MLPRegressor", {"max_iter": 3, **few}, houses, fit),
        Row(
            "fit: digits 64-100-10, lbfgs, 20 iterations",
            "MLPClassifier",
            {"solver": "lbfgs", "max_iter": 20, "tol": 0, "random_state": 1},
            digits,
            fit,
        ),
        Row("partial_fit of 32 rows, 64-100-10", "MLPClassifier", few, digits, partial_fit),
        Row("predict of 1 row, 64-100-10", "MLPClassifier", {"max_iter": 5, **few}, digits, predict(1)),
        Row("predict of 10,000 rows, 64-100-10", "MLPClassifier", {"max_iter": 5, **few}, digits, predict(10_000)),
    ]


# Measuring


def side(module, row, dtype, threads):
    """The estimator, and its work as a function."""
    settings = dict(row.settings)
    if module is surefoot.sklearn:
        settings["n_threads"] = threads
    model = getattr(module, row.estimator)(**settings)
    X, y = row.data()
    X = np.ascontiguousarray(X, dtype=dtype)
    if row.estimator == "MLPRegressor":
        y = y.astype(dtype)
    return model, row.prepare(model, X, y)


def seconds(run, repeat):
    time.sleep(SETTLE)
    begin = time.perf_counter()
    for _ in range(repeat):
        run()
    return (time.perf_counter() - begin) / repeat


def repeats(run, least):
    """How often the work is done in a run, so that it takes at least so many seconds."""
    once = min(seconds(run, 1), seconds(run, 1))
    return max(1, round(least / once))


def measure(row, dtype, threads, rounds, least):
    """The pairs of times, and how many epochs or iterations each side made."""
    with threadpool_limits(threads), warnings.catch_warnings():
        # Few epochs do not converge; that is what both are asked for.
        warnings.simplefilter("ignore")
        sides = [side(module, row, dtype, threads) for module in (surefoot.sklearn, neural_network)]
        timed = [(run, repeats(run, least)) for _, run in sides]
        pairs = []
        gc.collect()
        gc.disable()
        try:
            for number in range(rounds):
                order = (0, 1) if number % 2 == 0 else (1, 0)
                found = {k: seconds(*timed[k]) for k in order}
                pairs.append((found[0], found[1]))
        finally:
            gc.enable()
    return np.array(pairs), [model.n_iter_ for model, _ in sides]


# The table


def human(duration):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if duration >= size:
            return f"{duration / size:.3g} {unit}"
    return f"{duration / 1e-9:.3g} ns"


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def introduction(rounds):
    return f"""\
Machine: {processor()}, {os.cpu_count()} processors, {platform.system()} {platform.machine()}.
Versions: surefoot {surefoot.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, \
scikit-learn {sklearn.__version__}.

A ratio is scikit-learn's time over Surefoot's for the same work, above 1 where Surefoot is faster: the median of
{rounds} alternating pairs, with the quartiles in brackets. `python python/benchmarks/run.py` repeats it.
"""


def line(row, dtype, threads, pairs, iterations):
    ours, theirs = np.median(pairs, axis=0)
    if iterations[0] == iterations[1]:
        low, middle, high = np.quantile(pairs[:, 1] / pairs[:, 0], (0.25, 0.5, 0.75))
        ratio = f"{middle:.2f} [{low:.2f}..{high:.2f}]"
    else:
        ratio = f"– (not the same work: {iterations[0]} and {iterations[1]} iterations)"
    name = np.dtype(dtype).name
    return f"| {row.name} | {name} | {threads} | {human(ours)} | {human(theirs)} | {ratio} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less work and 3 rounds: whether it runs, not how fast")
    parser.add_argument("--rounds", type=int, help="pairs for each figure [default: 11]")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads [default: 1 2]")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose name contains this")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table there, too")
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.quick else 11)
    rows = [row for row in work(options.quick) if options.only.lower() in row.name.lower()]
    if not rows or rounds < 1 or min(options.threads) < 1:
        parser.error("nothing to measure")

    lines = [
        introduction(rounds),
        "| work | precision | threads | Surefoot | scikit-learn | ratio |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    print(*lines, sep="\n", flush=True)
    for row in rows:
        for dtype in (np.float32, np.float64):
            for threads in options.threads:
                least = SECONDS / 10 if options.quick else SECONDS
                found = measure(row, dtype, threads, rounds, least)
                lines.append(line(row, dtype, threads, *found))
                print(lines[-1], flush=True)
    if options.write:
        options.write.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
