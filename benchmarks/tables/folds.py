"""A table as files: table.csv whole, and train.csv and test.csv of each of the five folds, the same for everybody."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

from .catalog import Table

HOME = Path(__file__).parent.parent / ".data" / "tables"
FOLDS = 5


@dataclass(frozen=True)
class Shape:
    """What TABLES.md says of a table."""

    rows: int
    inputs: int
    text: int
    missing: float


@dataclass(frozen=True)
class Prepared:
    """A table whose files are there."""

    table: Table
    folder: Path
    # Changes with any cell of the table, so that no score of other data is taken for one of these.
    digest: str

    def train(self, fold: int) -> Path:
        return self.folder / f"fold{fold}" / "train.csv"

    def test(self, fold: int) -> Path:
        return self.folder / f"fold{fold}" / "test.csv"

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The table as pandas reads it: columns of numbers, and columns of text."""
        types = None if self.table.is_regression else {self.table.target: str}
        return pd.read_csv(self.folder / "table.csv", dtype=types, keep_default_na=False, na_values=[""])

    @property
    def inputs(self) -> pd.DataFrame:
        return self.frame.drop(columns=self.table.target)

    @property
    def target(self) -> np.ndarray:
        return self.frame[self.table.target].to_numpy()

    @property
    def text_columns(self) -> list[str]:
        return [name for name, column in self.inputs.items() if not pd.api.types.is_numeric_dtype(column)]

    def shape(self) -> Shape:
        inputs = self.inputs
        missing = float(inputs.isna().to_numpy().mean())
        return Shape(len(inputs), len(inputs.columns), len(self.text_columns), missing)

    def splits(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return splits(self.table, self.target)


def splits(table: Table, target: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The rows to train on and the rows to test on, of each fold."""
    kind = KFold if table.is_regression else StratifiedKFold
    return list(kind(FOLDS, shuffle=True, random_state=0).split(np.zeros(len(target)), target))


@cache
def code() -> str:
    """Changes with the code that decides what is in the files."""
    here = Path(__file__).parent
    names = ("catalog.py", "sources.py", "folds.py", "requirements.txt")
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in names)).hexdigest()


def prepare(table: Table) -> Prepared:
    """Writes what is not there yet."""
    folder = HOME / "data" / table.name
    whole = folder / "table.csv"
    done = folder / "done"
    if not done.exists() or done.read_text() != code():
        folder.mkdir(parents=True, exist_ok=True)
        text = table.load()
        text.to_csv(whole, index=False, lineterminator="\n")
        check(table, text)
        for fold, (train, test) in enumerate(splits(table, text[table.target].to_numpy())):
            (folder / f"fold{fold}").mkdir(exist_ok=True)
            for name, rows in (("train", train), ("test", test)):
                text.iloc[rows].to_csv(folder / f"fold{fold}" / f"{name}.csv", index=False, lineterminator="\n")
        done.write_text(code())
    return Prepared(table, folder, hashlib.sha256(whole.read_bytes()).hexdigest()[:16])


def check(table: Table, text: pd.DataFrame) -> None:
    """What a user's task would be in doubt with has no place here."""
    target = text[table.target]
    if (target == "").any():
        raise ValueError(f"{table.name}: a row has no target")
    if table.is_regression and target.nunique() <= 10:
        raise ValueError(f"{table.name}: so few different numbers may be classes")
