"""Fully-connected neural networks: every gradient checked, the same bits everywhere, fast.

- :class:`Classifier` and :class:`Regressor` take a table as it is: text, categories and missing cells included.
- :class:`Autoencoder` learns features.
- ``surefoot.sklearn`` has scikit-learn's ``MLPClassifier`` and ``MLPRegressor``, trained by Surefoot.
- :func:`check_gradient` compares any gradient with its numerical derivative; :func:`load` reads a model file.
"""

from __future__ import annotations

from ._core import GradientReport, __version__
from ._check import check_gradient

__all__ = ["Autoencoder", "Classifier", "GradientReport", "Regressor", "__version__", "check_gradient", "load"]

# These need scikit-learn, which ``import surefoot`` does not.
_ESTIMATORS = ("Autoencoder", "Classifier", "Regressor", "load")


def __getattr__(name):
    if name in _ESTIMATORS:
        from . import _estimators

        return getattr(_estimators, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
