"""The rows of the benchmark: networks, work, data and goals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


def adam(learning_rate: float = 0.001) -> dict[str, Any]:
    return {"name": "adam", "learning_rate": learning_rate, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


def descent(learning_rate: float) -> dict[str, Any]:
    return {"name": "gradient-descent", "learning_rate": learning_rate}


@dataclass(frozen=True)
class Setup:
    """One configuration, as workers get it, and where its data comes from."""

    id: str
    data: str
    layers: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    rows: int
    batch: int | str
    kind: str = "train"
    optimizer: dict[str, Any] | None = None
    weight_decay: float = 0.0
    # How far a peer's cost may be from ours after the checking steps, relative.
    tolerance: float = 1e-4
    precision: str = "f32"

    @property
    def examples(self) -> int:
        """Examples that one step goes through."""
        return self.rows if self.batch == "full" else int(self.batch)

    def for_workers(self, orders: int) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "layers": list(self.layers),
            "activations": list(self.activations),
            "loss": self.loss,
            "weight_decay": self.weight_decay,
            "optimizer": self.optimizer,
            "batch": self.batch,
            "rows": self.rows,
            "precision": self.precision,
            "orders": orders,
        }

    def in_double(self) -> Setup:
        return replace(self, id=f"{self.id}-f64", precision="f64", tolerance=1e-8)

    def flops(self, examples: int) -> float:
        """Floating-point operations in the matrix products of one step."""
        products = [m * n for m, n in zip(self.layers, self.layers[1:])]
        forward = sum(products)
        if self.kind == "predict":
            return 2.0 * examples * forward
        return 2.0 * examples * (3 * forward - products[0])


@dataclass(frozen=True)
class Row:
    """One line of the table: a setup, what is timed in it, and the goal."""

    id: str
    setup: Setup
    work: str
    goal: float
    peak_goal: float | None = None
    predict_rows: int | None = None
    milliseconds: bool = False
    # Peers that only come near this work; the reason is printed.
    similar: dict[str, str] = field(default_factory=dict)

    @property
    def examples(self) -> int:
        return self.predict_rows or self.setup.examples

    @property
    def flops(self) -> float:
        return self.setup.flops(self.examples)

    @property
    def network(self) -> str:
        return "-".join(map(str, self.setup.layers)) + " " + ", ".join(self.setup.activations)

    @property
    def share_of_peak(self) -> float:
        """Of the multiply-adds in single precision, which the calibration counts, those that there are in the row's own."""
        return 0.5 if self.setup.precision == "f64" else 1.0

    def in_double(self) -> Row:
        return replace(self, id=f"{self.id}-f64", setup=self.setup.in_double(), work=f"{self.work}, f64", goal=1.0, peak_goal=None)


_NO_SLOPE = {"sklearn": "its backward pass leaves out the slope of the output's sigmoid"}
_EPSILON = {"sklearn": "its Adam adds epsilon before the bias correction, which shows in this row's cost"}

_A = Setup("a", "quadrants", (2, 8, 1), ("sigmoid", "sigmoid"), "squared-error", 1024, 32, optimizer=descent(0.1))
_B = Setup("b", "digits", (64, 32, 10), ("relu", "softmax"), "cross-entropy", 1792, 32, optimizer=adam())
_C = Setup("c", "fashion", (784, 100, 10), ("relu", "softmax"), "cross-entropy", 60000, 200, optimizer=adam())
_D = Setup(
    "d", "fashion", (784, 256, 128, 10), ("relu", "relu", "softmax"), "cross-entropy", 59904, 128, optimizer=adam()
)
_E = Setup(
    "e", "fashion", (784, 256, 10), ("sigmoid", "sigmoid"), "squared-error", 60000, "full",
    kind="evaluate", weight_decay=1e-4, tolerance=2e-5,
)  # fmt: skip
_F = Setup(
    "f", "patches", (64, 25, 64), ("sigmoid", "sigmoid"), "squared-error", 10000, "full",
    kind="evaluate", tolerance=2e-5,
)  # fmt: skip
_G = Setup(
    "g", "waves", (1024, 2048, 2048, 1024), ("relu", "relu", "identity"), "squared-error", 2048, 512, optimizer=adam()
)
_H = Setup("h", "arm", (4, 32, 16, 4), ("tanh", "tanh", "identity"), "squared-error", 10000, "full", optimizer=adam())
_I = Setup(
    "i", "fashion", (784, 100, 10), ("relu", "softmax"), "cross-entropy", 10000, "full",
    kind="predict", tolerance=2e-5,
)  # fmt: skip

_SINGLE: tuple[Row, ...] = (
    Row("a", _A, "descent step, batch 32", 2.0, similar=_NO_SLOPE),
    Row("b", _B, "Adam step, batch 32", 2.0),
    Row("c", _C, "Adam step, batch 200", 1.25),
    Row("d", _D, "Adam step, batch 128", 1.25, similar=_EPSILON),
    Row("e", _E, "cost and gradient, 60,000 rows", 1.2, peak_goal=0.75, milliseconds=True, similar=_NO_SLOPE),
    Row("f", _F, "cost and gradient, 10,000 rows", 2.0, milliseconds=True, similar=_NO_SLOPE),
    Row("g", _G, "Adam step, batch 512", 1.1, milliseconds=True),
    Row("h", _H, "Adam step, all 10,000 rows", 2.0),
    Row("i1", _I, "prediction, one example", 2.0, predict_rows=1),
    Row("i10000", _I, "prediction, 10,000 examples", 1.3, predict_rows=10000),
)
# In double precision, which is what most Python users compute in.
ROWS: tuple[Row, ...] = (*_SINGLE, *(row.in_double() for row in _SINGLE if row.id in "bcef"))
