"""Larger tables than the public ones: numbers, categories and missing cells of a rule that is known, drawn with a seed.

The rule has what tables have: a few columns that matter much, thresholds, products of columns, categories that shift the target, and
noise, which leaves an R² of 0.9 at most, and less where cells are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .catalog import CHOOSE, MULTICLASS, REGRESSION, Table

ROWS = (20_000, 100_000, 1_000_000)
TESTED = 20_000
NUMBERS, MISSING = 16, 0.05
CATEGORIES = (3, 8, 20, 50)


@dataclass(frozen=True)
class Generated:
    """A table with its two files, as `Prepared` has them of a public one."""

    table: Table
    folder: Path

    def train(self, fold: int) -> Path:
        return self.folder / "train.csv"

    def test(self, fold: int) -> Path:
        return self.folder / "test.csv"


def draw(rows: int, task: str) -> pd.DataFrame:
    random = np.random.RandomState(0)
    numbers = random.standard_normal((rows, NUMBERS))
    numbers[:, 8:12] = np.exp(numbers[:, 8:12])
    codes = [random.randint(0, count, rows) for count in CATEGORIES]
    effects = [np.random.RandomState(count).standard_normal(count) for count in CATEGORIES]
    x = numbers.T
    signal = (
        2 * np.sin(x[0] * x[1])
        + x[2] ** 2 / 2
        + np.where(x[3] > 0.5, 1.5, 0) * np.sign(x[4])
        + x[5]
        + np.log(x[8]) * x[6]
        + sum(effect[code] for effect, code in zip(effects, codes, strict=True))
    )
    signal = (signal - signal.mean()) / signal.std() + random.standard_normal(rows) / 3
    table = pd.DataFrame({f"x{j}": numbers[:, j].round(5) for j in range(NUMBERS)})
    for j, code in enumerate(codes):
        table[f"group{j}"] = np.char.add("g", code.astype(str))
    table = table.mask(random.random_sample(table.shape) < MISSING)
    if task == REGRESSION:
        return table.assign(y=signal.round(5))
    return table.assign(y=np.array(["low", "medium", "high"])[np.digitize(signal, [-0.5, 0.5])])


def generated(home: Path, rows: int, task: str) -> Generated:
    name = f"generated {'numbers' if task == REGRESSION else 'classes'}, {rows:,} rows"
    folder = home / "generated" / f"{task}-{rows}"
    if not (folder / "test.csv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        table = draw(rows + TESTED, task)
        table[:rows].to_csv(folder / "train.csv", index=False)
        table[rows:].to_csv(folder / "test.csv", index=False)
    return Generated(Table(name, task, CHOOSE, "y", lambda: draw(rows, task)), folder)


def all_generated(home: Path, most: int) -> list[Generated]:
    return [generated(home, rows, task) for rows in ROWS if rows <= most for task in (MULTICLASS, REGRESSION)]
