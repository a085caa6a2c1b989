"""The system of the notes once more, in NumPy and float64: golden costs and gradients for the tests.

    pip install numpy
    python twin.py            # writes golden.json
    python twin.py --verify   # compares golden.json with what it would write

Written from the formulas in docs/math.md, without a look at the Rust code: a difference is a fault on one side.
"""
import json
import sys
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("golden.json")
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# name: f(z), and the product of an upstream derivative with f'(z)
ACTIVATIONS = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, d: d * np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z, d: d / np.cosh(z) ** 2),
    "identity": (lambda z: z, lambda z, d: d),
    "relu": (lambda z: np.maximum(z, 0), lambda z, d: d * (z > 0)),
    "leaky-relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z, d: d * np.where(z > 0, 1, 0.01)),
    "selu": (
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(z)),
        lambda z, d: d * SELU_SCALE * np.where(z > 0, 1, SELU_ALPHA * np.exp(z)),
    ),
    "softmax": (softmax, lambda z, d: softmax(z) * (d - (d * softmax(z)).sum(axis=1, keepdims=True))),
    "exp": (np.exp, lambda z, d: d * np.exp(z)),
}


def losses(loss, output, a, y):
    """J of each example, and its derivative by the outputs a."""
    if loss == "squared-error":
        return 0.5 * ((a - y) ** 2).sum(axis=1), a - y
    if loss == "poisson":
        return (y * np.log(y / a) - y + a).sum(axis=1), 1 - y / a
    if output == "softmax":
        return -(y * np.log(a)).sum(axis=1), -y / a
    return -(y * np.log(a) + (1 - y) * np.log1p(-a)).sum(axis=1), (1 - y) / (1 - a) - y / a


def cost_and_gradient(case):
    """J(theta) of equation (8) with a weighted mean, and its gradient, laid out as W1, b1, W2, b2, ..."""
    theta, x, y = (np.array(case[key], dtype=np.float64) for key in ("parameters", "inputs", "targets"))
    share = np.ones(len(x)) if case["weights"] is None else np.array(case["weights"])
    share = share / share.sum()
    weights, biases, start = [], [], 0
    for layer in case["layers"]:
        n, k = layer["inputs"], layer["outputs"]
        weights.append(theta[start : start + n * k].reshape(k, n))
        biases.append(theta[start + n * k : start + n * k + k])
        start += n * k + k
    activations, sums = [x], []
    for layer, w, b in zip(case["layers"], weights, biases):
        sums.append(activations[-1] @ w.T + b)
        activations.append(ACTIVATIONS[layer["activation"]][0](sums[-1]))
    decay = case["weight_decay"]
    values, upstream = losses(case["loss"], case["layers"][-1]["activation"], activations[-1], y)
    cost = (share * values).sum() + 0.5 * decay * sum((w**2).sum() for w in weights)
    upstream = upstream * share[:, None]
    parts = []
    for l in reversed(range(len(weights))):
        delta = ACTIVATIONS[case["layers"][l]["activation"]][1](sums[l], upstream)
        parts = [(delta.T @ activations[l] + decay * weights[l]).ravel(), delta.sum(axis=0)] + parts
        upstream = delta @ weights[l]
    return float(cost), np.concatenate(parts).tolist()


def random_case(rng, hidden, output, loss, rows, decay, weighted):
    units = [int(rng.integers(1, 7))] + [int(rng.integers(1, 7)) for _ in hidden] + [int(rng.integers(2, 5))]
    names = [*hidden, output]
    layers = [{"inputs": a, "outputs": b, "activation": n} for a, b, n in zip(units, units[1:], names)]
    count = sum(layer["outputs"] * (layer["inputs"] + 1) for layer in layers)
    targets = rng.uniform(0.05, 0.95, size=(rows, units[-1]))
    if (loss, output) == ("cross-entropy", "softmax"):
        targets /= targets.sum(axis=1, keepdims=True)
    return {
        "layers": layers, "loss": loss, "weight_decay": decay,
        "parameters": rng.normal(0, 0.6, size=count).tolist(),
        "inputs": rng.normal(size=(rows, units[0])).tolist(),
        "targets": targets.tolist(),
        "weights": rng.uniform(0.1, 3, size=rows).tolist() if weighted else None,
    }  # fmt: skip


def golden():
    rng = np.random.default_rng(20260101)
    settings = [
        (["sigmoid"], "sigmoid", "squared-error", 7, 0.0, False),
        (["tanh"], "identity", "squared-error", 9, 0.1, False),
        ([], "softmax", "cross-entropy", 11, 0.01, True),
        (["relu", "relu"], "softmax", "cross-entropy", 8, 0.0, False),
        (["leaky-relu"], "sigmoid", "cross-entropy", 6, 0.3, True),
        (["selu", "tanh"], "identity", "squared-error", 10, 0.02, True),
        (["sigmoid", "sigmoid", "sigmoid"], "sigmoid", "cross-entropy", 5, 0.1, False),
        (["tanh", "relu"], "softmax", "squared-error", 12, 0.05, False),
        ([], "identity", "squared-error", 300, 0.5, False),
        (["identity"], "tanh", "squared-error", 4, 0.0, True),
        (["relu"], "relu", "squared-error", 13, 0.2, False),
        (["tanh", "selu", "leaky-relu"], "selu", "squared-error", 270, 0.001, True),
        (["sigmoid"], "leaky-relu", "squared-error", 1, 0.0, False),
        (["tanh"], "exp", "poisson", 9, 0.05, True),
        ([], "exp", "squared-error", 6, 0.0, False),
    ]
    cases = [random_case(rng, *setting) for setting in settings]
    for case in cases:
        case["cost"], case["gradient"] = cost_and_gradient(case)
    return cases


if __name__ == "__main__":
    if sys.argv[1:] == ["--verify"]:
        for number, (old, new) in enumerate(zip(json.loads(GOLDEN.read_text()), golden(), strict=True)):
            for key in ("parameters", "inputs", "targets"):
                assert old[key] == new[key], f"case {number}: other {key}"
            np.testing.assert_allclose([old["cost"], *old["gradient"]], [new["cost"], *new["gradient"]], rtol=1e-12, atol=1e-15)
        print("golden.json is what the twin computes")
    else:
        GOLDEN.write_text(json.dumps(golden()) + "\n")
