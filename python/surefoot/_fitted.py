"""What the estimators of models that are files have in common."""

from __future__ import annotations

import os
from numbers import Integral

from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from . import _core


class Fitted(BaseEstimator):
    """An estimator whose state is the bytes of a model file; what the compiled half holds beside is made of them anew."""

    # of the compiled half: the model, and what was fitted with its table
    _HELD: tuple[str, ...] = ("_model", "_fitted")

    def __getstate__(self):
        state = dict(super().__getstate__())
        for name in self._HELD:
            state.pop(name, None)
        return state

    def __sklearn_is_fitted__(self):
        return "model_file_" in vars(self)

    def _read(self):
        """The model."""
        held = vars(self).get("_model")
        return _core.Model(self.model_file_) if held is None else held

    def _seed(self):
        """A number for the seed of the compiled half: the same for ``None`` each time."""
        if self.random_state is None:
            return 0
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def save(self, path):
        """Writes a model file: safetensors, which :func:`surefoot.load` and the command ``surefoot`` read."""
        check_is_fitted(self)
        self._read().save(os.fspath(path))

    def to_onnx(self):
        """The model as ONNX, which takes the raw columns of a table: the bytes of a file, as ``onnxruntime.InferenceSession`` takes them.

        ``docs/export.md`` says how each column goes in, and what comes out.
        """
        check_is_fitted(self)
        return self._read().to_onnx()
