"""Models of every kind, with rows that they have not seen, for the tests of exports."""

import csv
import gzip
import random
from dataclasses import dataclass

import numpy as np

from table_cases import ROOT, run

# words that mean that a cell is missing, in the case that nobody expects
MISSING = ["", "NA", "n/a", "NuLL", "#n/a", "-", "None"]


def made_up(rows, seed, unseen):
    """A table with numbers, yes and no, texts, codes, numbers that are categories, and dates; with unseen values where asked."""
    draw = random.Random(seed)
    lines = []
    for row in range(rows):
        size, rooms = round(draw.uniform(20, 200), 2), draw.randint(1, 6)
        cells = {
            "size": draw.choice(MISSING) if draw.random() < 0.15 else str(size),
            "rooms": str(rooms),
            "stamp": str(1_700_000_000 + 86_400 * draw.randint(0, 900)),
            "place": draw.choice(MISSING if draw.random() < 0.15 else ["north", "süd", "old town", "서울"]),
            "code": f"{draw.choice([1, 3, 7, 40]):03}",
            "garden": draw.choice(MISSING if draw.random() < 0.15 else ["yes", "no"]),
            "grade": draw.choice(["1", "2", "3"]) if draw.random() < 0.85 else "",
            "seen": f"2026-11-{draw.randint(1, 4):02}",
        }
        if draw.random() < 0.05:
            cells["place"] = f"hamlet {row % 9}"  # rare: an input for all others
        if unseen:
            cells["place"] = draw.choice([cells["place"], "Moon", "NORTH", "north"])
            cells["code"] = draw.choice([cells["code"], "7", "07", "7.0", "999", "n/a"])
            cells["garden"] = draw.choice([cells["garden"], "YES", "No", "T", "f", "sí", "SÍ", "NÃO", "1", "maybe"])
            cells["grade"] = draw.choice([cells["grade"], "2.0", "1e0", "9"])
        price = 1000 * size + 9000 * rooms + 30_000 * (cells["place"] == "north") + draw.gauss(0, 5000)
        lines.append(cells | {"price": f"{price:.1f}", "class": ["cheap", "fair", "dear"][(price > 90_000) + (price > 150_000)]})
    return lines


def write(path, lines):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)


TABLE = "t.csv --categorical grade,seen,code"
QUICK = "--epochs 5 --seed 3 --report none --quiet --no-check"

# how the model of each case is trained, and what it predicts
CASES = {
    "xor": (f"xor {QUICK}", "xor"),
    "iris": (f"iris {QUICK}", "iris"),
    "digits": (f"digits {QUICK} --rows 300", "digits"),
    "patches": (f"patches {QUICK} --autoencoder --rows 300 --hidden 25", "patches"),
    "all kinds, classes": (f"{TABLE} --target class --ignore price {QUICK}", "new.csv"),
    "all kinds, numbers": (f"{TABLE} --target price --ignore class {QUICK}", "new.csv"),
    "all kinds, an ensemble": (f"{TABLE} --target class --ignore price --ensemble 3 {QUICK}", "new.csv"),
    "all kinds, f64": (f"{TABLE} --target price --ignore class --precision f64 {QUICK}", "new.csv"),
    "leaky ReLU, sigmoid outputs": (f"iris --activation leaky-relu --output-activation sigmoid --hidden 40,20 {QUICK}", "iris"),
    "ReLU, two classes": (f"{TABLE} --target garden --ignore price,class --activation relu {QUICK}", "new.csv"),
    "sigmoid units, counts": (f"{TABLE} --target rooms --task regression --loss poisson --activation sigmoid --hidden 300,20 {QUICK}", "new.csv"),
    "tanh, f64": (f"iris --activation tanh --precision f64 {QUICK}", "iris"),
    "SELU, f64": (f"iris --activation selu --precision f64 --output-activation sigmoid {QUICK}", "iris"),
    "one sigmoid, f64": (f"xor --output-activation sigmoid --precision f64 {QUICK}", "xor"),
    "ten sigmoid outputs": (f"digits --output-activation sigmoid --precision f64 --hidden 8 {QUICK} --rows 300", "digits"),
    "twenty classes": (f"many.csv --target class {QUICK}", "many.csv"),
    "numbers that mean missing": ("codes.csv --target class --missing NA,-9,unknown --categorical grade " + QUICK, "codes.csv"),
}


@dataclass
class Case:
    folder: object
    header: list
    rows: list
    """What `surefoot predict --probabilities` gives, a list of texts a row."""
    cells: list
    """The cells of the rows, by the names of the columns."""

    def numbers(self):
        return np.array([[float(cell) for cell in row] for row in self.rows])


def model_of(name, folder):
    """Trains the model of a case, and predicts."""
    arguments, data = CASES[name]
    write(folder / "t.csv", made_up(300, 1, False))
    write(folder / "new.csv", made_up(200, 2, True))
    draw = random.Random(5)
    codes = [{"x": draw.choice(["-9", "1.5", "2", "NA"]), "grade": draw.choice(["1", "2", "-9"]), "kind": draw.choice(["a", "b", "UNKNOWN"]),
              "class": draw.choice("pq")} for _ in range(80)]  # fmt: skip
    write(folder / "codes.csv", codes)
    write(folder / "many.csv", [{"x": draw.gauss(k % 20, 1), "class": f"class {k % 20}"} for k in range(200)])
    run("train", *arguments.split(" "), "--out", "model.safetensors", folder=folder)
    classes = "price" not in arguments.split("--target ")[-1].split(" ")[0] and "poisson" not in arguments and "autoencoder" not in arguments
    out = run("predict", "model.safetensors", data, *(["--probabilities"] if classes else []), folder=folder)
    header, *rows = csv.reader(out.splitlines())
    return Case(folder, header, rows, cells_of(data, folder))


def cells_of(data, folder):
    """The rows of the table as texts, by column."""
    path = folder / data if data.endswith(".csv") else ROOT / f"crates/surefoot-table/data/{data}.csv"
    if path.exists():
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    # the pieces of photographs, in which a byte b is 0.1 + 0.8 b/255
    with gzip.open(ROOT / f"crates/surefoot-table/data/{data}.idx.gz") as file:
        pixels = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 64)
    names = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    return [dict(zip(names, map(repr, (0.1 + 0.8 * row / 255).tolist()), strict=True)) for row in pixels]
