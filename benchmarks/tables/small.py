"""Which network suits a small table: settings of `surefoot train` on 16 to 48 rows of the tables of `choose`, tested on 1,000 others.

    PYTHONPATH=benchmarks benchmarks/.data/tables/venv/bin/python -m tables.small --binary target/release/surefoot
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from .catalog import CHOOSE, chosen
from .folds import HOME, Prepared, prepare

ROWS = (16, 24, 32, 48)
TESTED = 1000
# What may be chosen for so few rows; the first is the default of today.
SETTINGS = ("", "--ensemble 3", "--ensemble 5", "--validation 0 --epochs 50", "--validation 0 --epochs 100")


def sample(prepared: Prepared, rows: int, draw: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Some rows to train on, with at least two of each of two classes, and others to test on."""
    target = prepared.table.target
    for attempt in range(100):
        order = np.random.RandomState([rows, draw, attempt]).permutation(len(prepared.frame))
        train = prepared.frame.iloc[order[:rows]]
        counts = train[target].value_counts()
        if (counts >= 2).sum() >= 2 or prepared.table.is_regression:
            break
    test = prepared.frame.iloc[order[rows : rows + TESTED]]
    if not prepared.table.is_regression:
        test = test[test[target].isin(counts.index)]
    return train, test


def scored(binary: Path, setting: str, prepared: Prepared, train: pd.DataFrame, test: pd.DataFrame) -> tuple[float, float] | None:
    """The score on the tested rows, and the one that the training reported."""
    with tempfile.TemporaryDirectory() as folder:
        names = [Path(folder) / name for name in ("train.csv", "test.csv", "model")]
        train.to_csv(names[0], index=False)
        test.to_csv(names[1], index=False)
        task = "regression" if prepared.table.is_regression else "classification"
        fit = [binary, "train", names[0], "--target", prepared.table.target, "--json", "--report", "none", "--threads", "1",
               "--task", task, "--out", names[2], *shlex.split(setting)]
        done = subprocess.run(fit, capture_output=True, text=True)
        if done.returncode != 0:
            return None
        last = json.loads(done.stdout.splitlines()[-1])
        tested = subprocess.run([binary, "evaluate", names[2], names[1], "--json"], capture_output=True, text=True)
        if tested.returncode != 0:
            return None
        said = last["train_score"] if last["validation_score"] is None else last["validation_score"]
        return json.loads(tested.stdout)["score"], said


def main() -> None:
    parser = argparse.ArgumentParser(prog="tables.small", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    print("| rows | setting | classes: score | said | numbers: R² (floored) | said | failed |\n|--:|---|--:|--:|--:|--:|--:|")
    for rows in ROWS:
        results: dict[str, list] = {setting: [] for setting in SETTINGS}
        for table in chosen(CHOOSE):
            prepared = prepare(table)
            for draw in range(options.draws):
                train, test = sample(prepared, rows, draw)
                for setting in SETTINGS:
                    results[setting].append((table.is_regression, scored(options.binary, setting, prepared, train, test)))
        for setting, found in results.items():
            cells = []
            for is_regression in (False, True):
                pairs = [pair for kind, pair in found if kind == is_regression and pair is not None]
                cells += [f"{np.mean([max(value, 0) for value in column]):.3f}" for column in zip(*pairs, strict=True)]
            failed = sum(pair is None for _, pair in found)
            print(f"| {rows} | `{setting or '(default)'}` | {' | '.join(cells)} | {failed} |", flush=True)


if __name__ == "__main__":
    main()
