"""Fully-connected neural networks: every gradient checked, the same bits everywhere, fast.

- :class:`Classifier` and :class:`Regressor` take a table as it is: text, categories and missing cells included.
- :class:`Autoencoder` learns features.
- ``surefoot.sklearn`` has scikit-learn's ``MLPClassifier`` and ``MLPRegressor``, trained by Surefoot.
- :func:`check_gradient` compares any gradient with its numerical derivative; :func:`load` reads a model file; :func:`from_sklearn` takes
  a fitted multilayer perceptron of scikit-learn.
"""

from __future__ import annotations

from importlib import import_module

from ._core import GradientReport, __version__
from ._check import check_gradient

__all__ = ["Autoencoder", "Classifier", "GradientReport", "Regressor", "__version__", "check_gradient", "from_sklearn", "load"]

# Where the names are that need scikit-learn, which ``import surefoot`` does not.
_WITH_SKLEARN = {"Autoencoder": "_autoencoder", "Classifier": "_tables", "Regressor": "_tables", "from_sklearn": "_from_sklearn", "load": "_load"}


def __getattr__(name):
    if name in _WITH_SKLEARN:
        return getattr(import_module(f".{_WITH_SKLEARN[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
