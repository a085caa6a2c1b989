"""scikit-learn's multi-layer perceptrons, trained by Surefoot.

``MLPClassifier`` and ``MLPRegressor`` take scikit-learn's parameters, in its order and with its defaults, and have its attributes,
warnings and messages. With the same ``random_state`` they start from the same weights and learn from the same batches, so the loss
curve is scikit-learn's. What differs: the speed, the same bits on any number of threads and on any machine, and, for several
numeric outputs, a ``loss_`` that belongs to its gradient (the sum over outputs, where scikit-learn takes their mean).
"""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.metrics import accuracy_score, r2_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import validate_data

from ._callbacks import with_callbacks
from ._mlp import MLP

__all__ = ["MLPClassifier", "MLPRegressor"]


class MLPClassifier(ClassifierMixin, MLP):
    """Multi-layer perceptron classifier: scikit-learn's, trained by Surefoot.

    Parameters
    ----------
    hidden_layer_sizes, …, max_fun
        As scikit-learn's ``MLPClassifier``.
    activation : also {'leaky_relu', 'selu'}, or a list with one name for each hidden layer
    class_weight : dict or 'balanced', default=None
        How much the classes count: times ``sample_weight``.
    scoring : str, callable or None, default=None
        What early stopping looks at, by scikit-learn's names of scores; ``'loss'`` is the validation loss. Default: accuracy.
    weight_decay : float or None, default=None
        λ, in place of ``alpha``: the penalty λ/2·ΣW² is not divided by the number of rows.
    n_threads : int or None, default=None
        Default: the processors, at most ``OMP_NUM_THREADS``. It changes no bit of the result.

    Attributes
    ----------
    coefs_, intercepts_, loss_curve_, …
        As scikit-learn's. Whoever edits ``coefs_`` changes the next prediction.
    validation_loss_curve_ : list or None
        The loss on the validation part after each epoch, where there is one.
    best_iter_ : int
        The epoch of the best validation score, or of the lowest loss.
    stop_reason_ : str
        'no_improvement', 'max_iter', 'max_fun', 'converged', 'line-search', 'interrupted' or 'callback'.
    """

    loss = "log_loss"
    _parameter_constraints: dict = {**MLP._parameter_constraints, "class_weight": [dict, StrOptions({"balanced"}), None]}

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        class_weight=None,
        scoring=None,
        weight_decay=None,
        n_threads=None,
    ):
        self._keep(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fits the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
        X_val, y_val, sample_weight_val : default=None
            A validation part of your own, in place of ``validation_fraction`` where ``early_stopping``; else it is looked at, and
            decides nothing.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, validation=(X_val, y_val, sample_weight_val))

    @available_if(lambda estimator: estimator._check_solver())
    @_fit_context(prefer_skip_nested_validation=True)
    @with_callbacks
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Goes on with a single epoch over these rows.

        Parameters
        ----------
        X, y, sample_weight : as for ``fit``
        classes : array of shape (n_classes,), default=None
            All classes that will ever come: needed in the first call.

        Returns
        -------
        self
        """
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def _plain_targets(self, X, y):
        """The targets of plain arrays in a further ``partial_fit``, as the whole validation below would give them, or ``None``."""
        if not (type(y) is np.ndarray and y.ndim == 1 and len(y) == len(X) and y.dtype == self.classes_.dtype):
            return None
        if y.dtype.kind not in "iubU" or self._label_binarizer.y_type_ not in ("binary", "multiclass"):
            return None
        places = np.minimum(self.classes_.searchsorted(y), len(self.classes_) - 1)
        if not (self.classes_[places] == y).all():
            return None
        return places[:, np.newaxis] == (np.arange(len(self.classes_)) if self.n_outputs_ > 1 else [1])

    def _validate_input(self, X, y, incremental, reset, is_part=False):
        """X, the targets as the network sees them, and as they are; those of a part need not have all classes."""
        if incremental and not reset and not self.warm_start and self._is_plain(X):
            targets = self._plain_targets(X, y)
            if targets is not None:
                return X, targets, y
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=reset
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            classes = unique_labels(y)
            if self.warm_start and not is_part:
                if set(classes) != set(self.classes_):
                    raise ValueError(
                        "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                        f"Previously got {self.classes_}, `y` has {classes}"
                    )
            elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
                raise ValueError(
                    f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
                )
        return X, self._label_binarizer.transform(y).astype(bool), y

    def _class_weighted(self, weights, labels, incremental):
        if self.class_weight is None:
            return weights
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit: the classes of all rows are not known. "
                "Pass a dict, such as sklearn.utils.class_weight.compute_class_weight makes from all of y."
            )
        of_classes = compute_sample_weight(self.class_weight, labels)
        return of_classes if weights is None else weights * of_classes

    def _decided(self, outputs):
        """The classes for outputs."""
        if self.out_activation_ == "softmax":
            return self.classes_.take(outputs.argmax(axis=1))
        if self.n_outputs_ == 1 and len(self.classes_) == 2 and self._label_binarizer.y_type_ == "binary":
            return self.classes_.take(outputs.ravel() > 0.5)
        return self._label_binarizer.inverse_transform(outputs.ravel() if self.n_outputs_ == 1 else outputs)

    def _score(self, y, predicted, sample_weight):
        return accuracy_score(y, predicted, sample_weight=sample_weight)

    def predict(self, X):
        """The class of each row."""
        return self._decided(self._outputs(self._inputs(X)))

    def predict_proba(self, X):
        """The probability of each class, in the order of ``classes_``; of several labels, that of each label."""
        outputs = self._outputs(self._inputs(X))
        if self.n_outputs_ == 1:
            outputs = outputs.ravel()
            return np.vstack([1 - outputs, outputs]).T
        return outputs

    def predict_log_proba(self, X):
        """The logarithm of ``predict_proba``."""
        probabilities = self.predict_proba(X)
        return np.log(probabilities, out=probabilities)

    def _class_names(self):
        if self._label_binarizer.y_type_.startswith("multilabel") or len(self.classes_) < 2:
            return None
        return [str(name) for name in self.classes_]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, MLP):
    """Multi-layer perceptron regressor: scikit-learn's, trained by Surefoot.

    Parameters
    ----------
    loss : {'squared_error', 'poisson'}, default='squared_error'
        Half the squared error, or half the Poisson deviance of outputs exp(z), for counts and rates. Over several outputs it is their
        sum.
    hidden_layer_sizes, …, max_fun
        As scikit-learn's ``MLPRegressor``.
    activation, scoring, weight_decay, n_threads
        As in :class:`MLPClassifier`; early stopping looks at R².

    Attributes
    ----------
    coefs_, intercepts_, loss_curve_, validation_loss_curve_, best_iter_, stop_reason_, …
        As in :class:`MLPClassifier`.
    """

    _parameter_constraints: dict = {**MLP._parameter_constraints, "loss": [StrOptions({"squared_error", "poisson"})]}

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        scoring=None,
        weight_decay=None,
        n_threads=None,
    ):
        self._keep(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        return self._fit(X, y, sample_weight, validation=(X_val, y_val, sample_weight_val))

    fit.__doc__ = MLPClassifier.fit.__doc__

    @available_if(lambda estimator: estimator._check_solver())
    @_fit_context(prefer_skip_nested_validation=True)
    @with_callbacks
    def partial_fit(self, X, y, sample_weight=None):
        """Goes on with a single epoch over these rows."""
        return self._fit(X, y, sample_weight, incremental=True)

    def _validate_input(self, X, y, incremental, reset, is_part=False):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y, y

    def _decided(self, outputs):
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def _score(self, y, predicted, sample_weight):
        return r2_score(y, predicted, sample_weight=sample_weight)

    def predict(self, X):
        """The numbers of each row."""
        return self._decided(self._outputs(self._inputs(X)))
