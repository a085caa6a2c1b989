"""The part that early stopping looks at."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring

from ._data import dense, row_by_row, targets


class Validation:
    """The part that early stopping looks at."""

    def __init__(self, estimator, X, y, weights):
        self.estimator, self.X, self.weights = estimator, X, weights
        self.targets = targets(y, estimator.coefs_[0].dtype)
        self.y = estimator._label_binarizer.inverse_transform(y) if is_classifier(estimator) else y
        self.dense = dense(X)
        scoring = estimator.scoring
        self.scorer = None if scoring in (None, "loss") else check_scoring(estimator, scoring=scoring)

    def loss(self, problem, theta, count):
        weights = None if self.weights is None else row_by_row(self.weights, theta.dtype)
        return problem.cost(theta, self.dense, self.targets, weights, count)

    def score(self, loss):
        estimator = self.estimator
        if estimator.scoring == "loss":
            return -loss
        if self.scorer is not None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="X does not have valid feature names")
                return float(self.scorer(estimator, self.X, self.y))
        outputs = estimator._outputs(self.X)
        if not np.isfinite(outputs).all():
            return np.nan
        predicted = estimator._decided(outputs)
        return estimator._score(self.y, predicted, sample_weight=self.weights)
