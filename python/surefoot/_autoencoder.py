"""Features without a target."""

from __future__ import annotations

import json
import os

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _core
from ._data import row_by_row
from ._fitted import Fitted
from ._frames import frame_of
from ._threads import threads


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Fitted):
    """Features that are learned without a target: the sparse autoencoder of the notes, trained by L-BFGS.

    Parameters
    ----------
    hidden : sequence of int, default=(25,)
        The units of each layer; several layers are stacked: each learns from what the one before it gives.
    sparsity : float or None, default=0.05
        ρ, the mean activation that each unit should have; ``None``: no penalty.
    sparsity_weight : float, default=3.0
        β
    weight_decay : float, default=1e-4
        λ
    epochs : int, default=400
        Iterations for each layer, at most.
    random_state : int, RandomState or None, default=None
        ``None`` is 0: the same result each time.
    n_threads : int, default=None
        It changes no bit of the result.

    Attributes
    ----------
    model_files_ : list of bytes
        The model of each layer, as the command line keeps them.
    """

    _HELD = ()

    def __init__(
        self, hidden=(25,), sparsity=0.05, sparsity_weight=3.0, weight_decay=1e-4, epochs=400, random_state=None, n_threads=None
    ):
        self.hidden = hidden
        self.sparsity = sparsity
        self.sparsity_weight = sparsity_weight
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.random_state = random_state
        self.n_threads = n_threads

    def fit(self, X, y=None):
        """Learns features of X (n_samples, n_features)."""
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        seed, files = self._seed(), []
        for units in np.atleast_1d(self.hidden):
            options = {
                "autoencoder": True,
                "optimizer": "lbfgs",
                "hidden": [int(units)],
                "epochs": int(self.epochs),
                "weight_decay": float(self.weight_decay),
                "seed": seed,
                "precision": "f64",
                "no_check": False,
            }
            if self.sparsity is not None:
                options |= {"sparsity": float(self.sparsity), "sparsity_weight": float(self.sparsity_weight)}
            fitted = _core.fit(frame_of(X), None, "X", json.dumps(options), threads(self.n_threads), None)
            files.append(fitted.model_file())
            X = _core.Model(files[-1]).encode(frame_of(X), 1, threads(self.n_threads))
        self.model_files_ = files
        self._n_features_out = X.shape[1]
        return self

    def __sklearn_is_fitted__(self):
        return "model_files_" in vars(self)

    def transform(self, X):
        """The activations of the last hidden layer."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        for file in self.model_files_:
            X = _core.Model(file).encode(frame_of(X), 1, threads(self.n_threads))
        return X

    def inverse_transform(self, X):
        """The inputs that these features stand for."""
        check_is_fitted(self)
        X = row_by_row(X, np.float64)
        for file in reversed(self.model_files_):
            X = _core.Model(file).decode(X, 1, threads(self.n_threads))
        return X

    def save(self, path):
        """Writes the model file of a single layer."""
        self._single().save(os.fspath(path))

    def to_onnx(self):
        """The model of a single layer as ONNX, which gives the inputs back: the bytes of a file."""
        return self._single().to_onnx()

    def _single(self):
        """The model, if there is only one."""
        check_is_fitted(self)
        if len(self.model_files_) > 1:
            raise ValueError("a stack of autoencoders is no single model: write model_files_ one by one")
        return _core.Model(self.model_files_[0])
