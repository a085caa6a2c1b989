"""A table with everything, and models of it, for the tests of tables."""

import csv
import datetime
import json
import os
import struct
import subprocess
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import surefoot
from sklearn.utils.validation import _get_feature_names

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(os.environ.get("SUREFOOT") or ROOT / "target/release/surefoot")
needs_command = pytest.mark.skipif(
    not COMMAND.exists(), reason=f"no {COMMAND}: cargo build --release, or the environment variable SUREFOOT"
)
SEED = 3
ROWS = 120


def run(*arguments, folder):
    done = subprocess.run([COMMAND, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


# A table with everything that people have: numbers with gaps, whole numbers, text with gaps, codes that look like
# numbers, yes and no, days. `None` is a missing cell.


@lru_cache
def columns():
    random = np.random.RandomState(0)
    size = random.uniform(20, 200, ROWS)
    rooms = random.randint(1, 6, ROWS)
    place = random.choice(["north", "south", "old town"], ROWS)
    garden = random.uniform(size=ROWS) < 0.4
    price = 1000 * size + 9000 * rooms + 30_000 * (place == "north") + 20_000 * garden + random.normal(0, 5000, ROWS)
    gaps = random.uniform(size=(4, ROWS)) < 0.1
    return {
        "size": [None if gap else float(x) for x, gap in zip(size, gaps[0], strict=True)],
        "rooms": [int(n) for n in rooms],
        "place": [None if gap else str(name) for name, gap in zip(place, gaps[1], strict=True)],
        "code": [f"{n:03}" for n in random.randint(1, 5, ROWS)],
        "garden": [None if gap else bool(x) for x, gap in zip(garden, gaps[3], strict=True)],
        "seen": [datetime.date(2026, 11, int(n)) for n in random.randint(1, 5, ROWS)],
        "height": [None if gap else round(float(x), 2) for x, gap in zip(random.normal(3, 1, ROWS), gaps[2], strict=True)],
        "price": [float(x) for x in price],
        "class": [("cheap", "fair", "dear")[int(k)] for k in np.digitize(price, np.quantile(price, [0.4, 0.7]))],
    }


INPUTS = ["size", "rooms", "place", "code", "garden", "seen", "height"]
TARGETS = {"Classifier": "class", "Regressor": "price"}


def as_pandas():
    return pd.DataFrame(columns()).assign(seen=lambda table: pd.to_datetime(table["seen"]))


def as_polars():
    return pytest.importorskip("polars").DataFrame(columns())


def as_pyarrow():
    return pytest.importorskip("pyarrow").table(columns())


def as_csv(path, target):
    """The rows as a file, with the target as its last column; an empty cell where one is missing."""

    def text(cell):
        return "" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell)

    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*INPUTS, "target"])
        cells = [columns()[name] for name in [*INPUTS, TARGETS[target]]]
        writer.writerows([text(cell) for cell in row] for row in zip(*cells, strict=True))


def split(table, target):
    """X and y of a table, y called `target`, as a y without a name is."""
    name = TARGETS[target]
    if isinstance(table, pd.DataFrame):
        return table[INPUTS], table[name].rename("target")
    if hasattr(table, "get_column"):
        return table.select(INPUTS), table.get_column(name).alias("target")
    return table.select(INPUTS), table.column(name)


def names_are_read(table):
    """Whether this scikit-learn knows the names of the columns; 1.6 does not know those of polars 2."""
    return _get_feature_names(table) is not None


def new(target, **settings):
    return getattr(surefoot, target)(random_state=SEED, **settings)


@lru_cache
def fitted(target):
    """A model of the pandas table. Not to be changed."""
    return new(target).fit(*split(as_pandas(), target))


def saved(model, folder):
    model.save(folder / "model.safetensors")
    return (folder / "model.safetensors").read_bytes()


def header(file):
    """The metadata of a model file."""
    (length,) = struct.unpack("<Q", file[:8])
    return json.loads(json.loads(file[8 : 8 + length])["__metadata__"]["surefoot"])


def encoding(file):
    """The kind of each column of a model file."""
    found = header(file)["encoding"]
    return {column["name"]: column["kind"] for column in (found if isinstance(found, list) else found["columns"])}


def numbers(file):
    """The bytes of all parameters of a model file."""
    (length,) = struct.unpack("<Q", file[:8])
    return file[8 + length :]
