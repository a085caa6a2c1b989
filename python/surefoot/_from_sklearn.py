"""Fitted estimators of scikit-learn as those of ``surefoot.sklearn``."""

from __future__ import annotations

import copy

from sklearn import neural_network
from sklearn.utils.validation import check_is_fitted

from . import sklearn as ours

_CLASSES: dict = {neural_network.MLPClassifier: ours.MLPClassifier, neural_network.MLPRegressor: ours.MLPRegressor}


def from_sklearn(estimator):
    """A fitted multilayer perceptron of scikit-learn as one of ``surefoot.sklearn``, with the same weights to the bit.

    It predicts with Surefoot's bits, and can ``save`` a model file and make ``to_onnx``.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier or MLPRegressor
        It is fitted, and stays as it is.

    Returns
    -------
    surefoot.sklearn.MLPClassifier or MLPRegressor
    """
    made = next((ours for theirs, ours in _CLASSES.items() if isinstance(estimator, theirs)), None)
    if made is None:
        raise TypeError(f"expected scikit-learn's MLPClassifier or MLPRegressor, got {type(estimator).__name__}")
    check_is_fitted(estimator)
    model = made(**estimator.get_params(deep=False))
    # what fit leaves, but for the state of the optimizer, which is not the same here
    fitted = {name: copy.deepcopy(value) for name, value in vars(estimator).items() if name not in estimator.get_params(deep=False)}
    fitted.pop("_optimizer", None)
    vars(model).update(fitted)
    return model
