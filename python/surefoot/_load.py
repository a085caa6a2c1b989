"""Model files as estimators."""

from __future__ import annotations

import os

import numpy as np

from . import _core
from ._autoencoder import Autoencoder
from ._tables import TARGET, Classifier, Regressor


def load(path):
    """The model of a file, of this package or of the command line, as an estimator that is fitted.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    Classifier, Regressor or Autoencoder
    """
    model = _core.Model.load(os.fspath(path))
    file = model.to_bytes()
    if model.is_autoencoder:
        estimator = Autoencoder(hidden=tuple(model.hidden))
        estimator.model_files_ = [file]
        estimator._n_features_out = model.hidden[0]
    elif model.is_classifier:
        estimator = Classifier()
        names = model.classes
        are_numbers = all(name.lstrip("-").isdigit() and str(int(name)) == name for name in names)
        estimator.classes_ = np.array([int(name) for name in names] if are_numbers else names)
    else:
        estimator = Regressor()
    if model.columns:
        estimator.feature_names_in_ = np.array(model.columns, dtype=object)
    estimator.n_features_in_ = len(model.columns) or model.inputs
    if not model.is_autoencoder:
        estimator.target_name_ = (model.target_columns or [TARGET])[0]
        estimator._column_names = model.columns or None
        estimator.model_file_, estimator._model = file, model
    return estimator
