"""Data and comparisons for the tests of the two perceptrons."""

import hashlib
from functools import lru_cache

import numpy as np
import sklearn
from sklearn.datasets import load_digits

SKLEARN = tuple(int(part) for part in sklearn.__version__.split(".")[:2])


@lru_cache
def digits(rows=500, dtype=np.float64):
    X, y = load_digits(return_X_y=True)
    X, y = (X[:rows] / 16).astype(dtype), y[:rows]
    X.flags.writeable = y.flags.writeable = False
    return X, y


@lru_cache
def numbers(rows=400, outputs=1):
    """A smooth function of five inputs, for regression."""
    X = np.random.RandomState(0).uniform(-1, 1, (rows, 5))
    y = np.column_stack([np.sin(2 * X[:, k]) + X[:, k + 1] * X[:, k + 2] for k in range(outputs)])
    return X, y[:, 0] if outputs == 1 else y


def parameters(model):
    return [*model.coefs_, *model.intercepts_]


def digest(model):
    """Equal only where every bit of every parameter is, and the types."""
    found = hashlib.sha256()
    for array in parameters(model):
        found.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return found.hexdigest()


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


LEAK, SELU_SCALE, SELU_ALPHA = 0.01, 1.0507009873554805, 1.6732632423543772


def softmax(z):
    exponentials = np.exp(z - z.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


FUNCTIONS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, LEAK * z),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(z)),
    "softmax": softmax,
}


def layers(model, X, hidden):
    """The activations of every layer by NumPy, from the model's attributes; `hidden` names the hidden ones."""
    found, a = [], np.asarray(X, dtype=np.float64)
    for W, b, name in zip(model.coefs_, model.intercepts_, [*hidden, model.out_activation_], strict=True):
        a = FUNCTIONS[name](a @ W + b)
        found.append(a)
    return found


def steps(model, n, X, y):
    """n epochs by partial_fit."""
    for _ in range(n):
        model.partial_fit(X, y, **({"classes": np.unique(y)} if hasattr(model, "predict_proba") else {}))
    return model
