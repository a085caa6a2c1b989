"""The compiled half of the package. Arrays of parameters, inputs and targets are all float32 or all float64, in C order."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

Array = NDArray[np.float32] | NDArray[np.float64]
Frame = Any

class GradientReport:
    """What a gradient check found. It is true where the check passed."""

    @property
    def passed(self) -> bool:
        """Whether no derivative is wrong, and something was there to compare."""
    @property
    def cost(self) -> float:
        """J(θ)"""
    @property
    def epsilon(self) -> float: ...
    @property
    def difference(self) -> float:
        """‖n − g‖ / ‖n + g‖, n the numerical derivative and g the gradient."""
    @property
    def max_difference(self) -> float:
        """The largest |nᵢ − gᵢ|."""
    @property
    def checked(self) -> int: ...
    @property
    def wrong(self) -> int: ...
    @property
    def kinks(self) -> int:
        """Derivatives that were skipped at non-differentiable points."""
    @property
    def worst(self) -> str | None:
        """The coordinate to look at."""
    def __bool__(self) -> bool: ...
    def _repr_html_(self) -> str: ...

class Optimizer:
    @staticmethod
    def adam(beta1: float, beta2: float, epsilon: float) -> Optimizer: ...
    @staticmethod
    def sgd(momentum: float, nesterov: bool) -> Optimizer: ...

class Problem:
    def __init__(
        self, inputs: int, layers: Sequence[tuple[int, str]], loss: str, weight_decay: float, per_weight: bool
    ) -> None: ...
    @property
    def parameter_count(self) -> int: ...
    def epoch(
        self,
        theta: Array,
        x: Array,
        y: Array,
        weights: Array | None,
        order: NDArray[np.int64] | None,
        batch_size: int,
        optimizer: Optimizer,
        first: Array | None,
        second: Array | None,
        steps: int,
        learning_rate: float,
        threads: int,
    ) -> float: ...
    def minimize(
        self,
        theta: Array,
        x: Array,
        y: Array,
        weights: Array | None,
        gradient_tolerance: float,
        cost_tolerance: float,
        iterations: int,
        evaluations: int,
        threads: int,
    ) -> tuple[int, int, float, str | None]: ...
    def cost(self, theta: Array, x: Array, y: Array, weights: Array | None, threads: int) -> float: ...
    def cost_and_gradient(
        self, theta: Array, x: Array, y: Array, weights: Array | None, threads: int
    ) -> tuple[float, Array]: ...
    def predict(self, theta: Array, x: Array, threads: int, layer: int | None = None) -> Array: ...
    def check_gradient(
        self,
        theta: NDArray[np.float64],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        weights: NDArray[np.float64] | None,
        sample: int | None,
        epsilon: float,
        threads: int,
    ) -> GradientReport: ...
    def model_file(self, theta: Array, classes: list[str] | None, input_columns: list[str]) -> bytes: ...

class Fitted:
    def model_file(self) -> bytes: ...
    def classes(self) -> NDArray[np.int64] | None: ...
    def summary(self) -> dict[str, Any]: ...
    def report(self, command: str) -> str: ...

class Model:
    def __init__(self, bytes: bytes) -> None: ...
    @staticmethod
    def load(path: str) -> Model: ...
    def to_bytes(self) -> bytes: ...
    def save(self, path: str) -> None: ...
    @property
    def is_classifier(self) -> bool: ...
    @property
    def is_autoencoder(self) -> bool: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def target_columns(self) -> list[str]: ...
    @property
    def inputs(self) -> int: ...
    @property
    def hidden(self) -> list[int]: ...
    @property
    def network(self) -> str: ...
    def predict(
        self, frame: Frame, threads: int
    ) -> tuple[NDArray[np.float64], list[tuple[str, str, int, str | None]]]: ...
    def encode(self, frame: Frame, layer: int, threads: int) -> NDArray[np.float64]: ...
    def decode(self, codes: NDArray[np.float64], layer: int, threads: int) -> NDArray[np.float64]: ...
    def explain(self, frame: Frame, row: int) -> tuple[str, str]: ...
    def permutation_importance(
        self, frame: Frame, target: Frame, repeats: int, seed: int, threads: int
    ) -> list[tuple[str, float, float]]: ...

def fit(
    frame: Frame, target: Frame | None, name: str, options: str, threads: int, epoch: Callable[..., Any] | None = None
) -> Fitted: ...
def check_gradient(
    fun: Callable[[NDArray[np.float64]], tuple[float, Any]], theta: NDArray[np.float64], epsilon: float = 1e-4
) -> GradientReport: ...
def default_threads() -> int: ...
def write(path: str, text: str | bytes) -> None: ...
