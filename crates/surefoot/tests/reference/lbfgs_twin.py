"""SciPy's L-BFGS-B on two networks, in float64: what a test of our L-BFGS is compared with.

    pip install numpy scipy
    python lbfgs_twin.py            # writes lbfgs.json
    python lbfgs_twin.py --verify   # compares lbfgs.json with what it would write

Both networks learn the digits, inputs divided by 16: a classifier and a sparse autoencoder. Costs and gradients are
written from the formulas in docs/math.md, in NumPy.
"""
import json
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

HERE = Path(__file__).parent
GOLDEN = HERE / "lbfgs.json"
DIGITS = HERE.parents[2] / "surefoot-table" / "data" / "digits.csv"
ITERATIONS = 100
STARTS = 5


def uniform(count, seed):
    """Numbers in [0, 1) that any language draws alike: SplitMix64, 53 bits of each."""
    state, mask, numbers = seed, 2**64 - 1, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        numbers.append(((z ^ (z >> 31)) >> 11) / 2**53)
    return np.array(numbers)


def start(units, seed):
    """W uniform in +-sqrt(6 / (inputs + outputs + 1)), b = 0, as W1, b1, W2, b2."""
    parts = []
    for layer, (a, b) in enumerate(zip(units, units[1:])):
        r = np.sqrt(6 / (a + b + 1))
        parts += [r * (2 * uniform(a * b, 1000 * seed + layer) - 1), np.zeros(b)]
    return np.concatenate(parts)


def views(theta, units):
    a, h, k = units
    w1, theta = theta[: a * h].reshape(h, a), theta[a * h :]
    b1, theta = theta[:h], theta[h:]
    return w1, b1, theta[: h * k].reshape(k, h), theta[h * k :]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def classifier(theta, units, x, y, decay):
    """tanh, softmax, cross-entropy."""
    w1, b1, w2, b2 = views(theta, units)
    a = np.tanh(x @ w1.T + b1)
    z = a @ w2.T + b2
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    m = len(x)
    cost = -(y * log_p).sum() / m + decay / 2 * ((w1**2).sum() + (w2**2).sum())
    d2 = (np.exp(log_p) - y) / m
    d1 = (d2 @ w2) * (1 - a**2)
    return cost, np.concatenate(
        [(d1.T @ x + decay * w1).ravel(), d1.sum(axis=0), (d2.T @ a + decay * w2).ravel(), d2.sum(axis=0)]
    )


def sparse_autoencoder(theta, units, x, _, decay, rho=0.05, beta=3.0):
    """sigmoid, sigmoid, half the squared error, sparsity."""
    w1, b1, w2, b2 = views(theta, units)
    a = sigmoid(x @ w1.T + b1)
    h = sigmoid(a @ w2.T + b2)
    m = len(x)
    mean = a.mean(axis=0)
    divergence = rho * np.log(rho / mean) + (1 - rho) * np.log((1 - rho) / (1 - mean))
    cost = 0.5 * ((h - x) ** 2).sum() / m + decay / 2 * ((w1**2).sum() + (w2**2).sum()) + beta * divergence.sum()
    d2 = (h - x) * h * (1 - h) / m
    d1 = (d2 @ w2 + beta / m * (-rho / mean + (1 - rho) / (1 - mean))) * a * (1 - a)
    return cost, np.concatenate(
        [(d1.T @ x + decay * w1).ravel(), d1.sum(axis=0), (d2.T @ a + decay * w2).ravel(), d2.sum(axis=0)]
    )


def runs():
    table = np.loadtxt(DIGITS, delimiter=",", skiprows=1)
    x, labels = table[:, :64] / 16, table[:, 64].astype(int)
    y = np.eye(10)[labels]
    for name, objective, units in [
        ("classifier", classifier, (64, 16, 10)),
        ("sparse autoencoder", sparse_autoencoder, (64, 25, 64)),
    ]:
        for seed in range(1, STARTS + 1):
            first = start(units, seed)
            found = minimize(
                objective,
                first,
                args=(units, x, y, 1e-4),
                jac=True,
                method="L-BFGS-B",
                options={"maxcor": 10, "maxiter": ITERATIONS, "maxfun": 10**6, "ftol": 0.0, "gtol": 0.0},
            )
            yield {
                "network": name,
                "seed": seed,
                "cost_at_start": float(objective(first, units, x, y, 1e-4)[0]),
                "cost": float(found.fun),
                "evaluations": int(found.nfev),
            }


def main():
    found = list(runs())
    if "--verify" not in sys.argv:
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
        return
    for new, old in zip(found, json.loads(GOLDEN.read_text()), strict=True):
        # a hundred iterations make much of the last bits, which are those of the machine's exp and sums
        assert (new["network"], new["seed"]) == (old["network"], old["seed"])
        assert abs(new["cost_at_start"] / old["cost_at_start"] - 1) < 1e-12, (new, old)
        assert abs(new["cost"] / old["cost"] - 1) < 0.1, (new, old)
    print(f"lbfgs.json: {len(found)} runs agree")


if __name__ == "__main__":
    main()
