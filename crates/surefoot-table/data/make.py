"""Write the built-in data sets from the copies that scikit-learn ships.

    pip install scikit-learn && python make.py

Sources and licences: docs/datasets.md.
"""
import csv
from pathlib import Path

from sklearn.datasets import load_digits, load_iris

HERE = Path(__file__).parent


def write(name, header, rows):
    with open(HERE / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


write("xor", ["x1", "x2", "xor"], [(a, b, a ^ b) for a in (0, 1) for b in (0, 1)])

iris = load_iris()
write(
    "iris",
    [name.replace(" (cm)", "_cm").replace(" ", "_") for name in iris.feature_names] + ["species"],
    [[*map(float, x), iris.target_names[y]] for x, y in zip(iris.data, iris.target)],
)

digits = load_digits()
write(
    "digits",
    [f"pixel_{row}_{column}" for row in range(8) for column in range(8)] + ["digit"],
    [[*map(int, x), int(y)] for x, y in zip(digits.data, digits.target)],
)
