"""Whether a skewed target is better learned as its logarithm: the regression tables of `choose`, five folds.

    PYTHONPATH=benchmarks benchmarks/.data/tables/venv/bin/python -m tables.skewed --binary target/release/surefoot
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score

from .catalog import CHOOSE, chosen
from .folds import FOLDS, HOME, Prepared, prepare


def predicted(binary: Path, prepared: Prepared, fold: int, logarithm: bool) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets of a fold."""
    name = prepared.table.target
    train, test = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (prepared.train(fold), prepared.test(fold)))
    target = train[name].astype(float)
    # zero where the smallest is, and 1 a tenth of the middle distance from it
    lowest, unit = target.min(), (target.quantile(0.5) - target.min()) / 10 or 1.0
    if logarithm:
        train[name] = np.log1p((target - lowest) / unit)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / part for part in ("train.csv", "test.csv", "model", "predicted.csv")]
        train.to_csv(paths[0], index=False)
        test.drop(columns=name).to_csv(paths[1], index=False)
        subprocess.run([binary, "train", paths[0], "--target", name, "--task", "regression", "--quiet", "--report", "none",
                        "--out", paths[2]], check=True, capture_output=True)
        subprocess.run([binary, "predict", paths[2], paths[1], "--out", paths[3]], check=True, capture_output=True)
        outputs = pd.read_csv(paths[3]).iloc[:, -1].to_numpy(float)
    if logarithm:
        outputs = np.expm1(outputs) * unit + lowest
    return outputs, test[name].astype(float).to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tables.skewed", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    options = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    print("| table | skewness | R² | R² by logarithm | mean absolute error | by logarithm |\n|---|--:|--:|--:|--:|--:|")
    for table in chosen(CHOOSE):
        if not table.is_regression:
            continue
        prepared = prepare(table)
        target = prepared.target.astype(float)
        skewness = np.mean((target - target.mean()) ** 3) / target.std() ** 3
        plainly, logarithmically = (
            [predicted(options.binary, prepared, fold, logarithm) for fold in range(FOLDS)] for logarithm in (False, True)
        )
        cells = [
            f"{np.mean([score(true, outputs) for outputs, true in folds]):.4g}"
            for score in (r2_score, mean_absolute_error)
            for folds in (plainly, logarithmically)
        ]
        print(f"| {table.name} | {skewness:.1f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
