"""Rows for the compiled half: dense, in C order, in the precision of the parameters."""

from __future__ import annotations

import numpy as np

# Rows of a sparse matrix that are dense at a time.
DENSE_ROWS = 4096


def epoch(problem, theta, X, y, weights, order, batch_size, optimizer, count):
    """One epoch; of a sparse matrix some batches are dense at a time."""
    if isinstance(X, np.ndarray):
        return optimizer.epoch(problem, theta, X, y, weights, order, batch_size, count)
    order = np.arange(X.shape[0]) if order is None else order
    X = X.tocsr()
    rows_at_a_time = max(1, DENSE_ROWS // batch_size) * batch_size
    total = 0.0
    for start in range(0, len(order), rows_at_a_time):
        rows = order[start : start + rows_at_a_time]
        some = None if weights is None else weights[rows]
        if some is not None and not some.any():
            continue
        total += len(rows) * optimizer.epoch(problem, theta, dense(X[rows]), y[rows], some, None, batch_size, count)
    return total / len(order)


def row_by_row(X, dtype=None):
    """The array in C order where the processor can read it: what was pickled, or lies in a file, may begin at any byte."""
    return np.require(X, dtype, ["C", "A"])


def dense(X):
    return row_by_row(X if isinstance(X, np.ndarray) else X.toarray())


def targets(y, dtype):
    return row_by_row(y, dtype)
