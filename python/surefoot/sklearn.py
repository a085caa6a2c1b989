"""scikit-learn's multi-layer perceptrons, trained by Surefoot.

``MLPClassifier`` and ``MLPRegressor`` take scikit-learn's parameters, in its order and with its defaults, and have its attributes,
warnings and messages. With the same ``random_state`` they start from the same weights and learn from the same batches, so the loss
curve is scikit-learn's. What differs: the speed, the same bits on any number of threads and on any machine, and, for several
numeric outputs, a ``loss_`` that belongs to its gradient (the sum over outputs, where scikit-learn takes their mean).
"""

from __future__ import annotations

import os
import warnings
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state, column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _core
from ._callbacks import Callbacks, CallbackSupport, with_callbacks
from ._optimizers import optimizer_of
from ._parameters import Parameters
from ._threads import threads

__all__ = ["MLPClassifier", "MLPRegressor"]

_STOCHASTIC = ("sgd", "adam")
_ACTIVATIONS = ("identity", "logistic", "tanh", "relu", "leaky_relu", "selu")
_NAMES = {"logistic": "sigmoid", "leaky_relu": "leaky-relu"}
_LOSSES = {"squared_error": "squared-error", "poisson": "poisson", "log_loss": "cross-entropy"}
# Rows of a sparse matrix that are dense at a time.
_DENSE_ROWS = 4096


class _MLP(CallbackSupport, BaseEstimator):
    """What both estimators share: Python draws, decides and tells as scikit-learn does; the compiled half computes."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(_ACTIVATIONS)), "array-like"],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "scoring": [str, callable, None],
        "weight_decay": [Interval(Real, 0, None, closed="left"), None],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    # the network ---------------------------------------------------------------------------------------------------------------

    def _hidden(self):
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
        if np.any(np.array(sizes) <= 0):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        return sizes

    def _activations(self, layers):
        """The names of the hidden layers' activations."""
        if isinstance(self.activation, str):
            return [self.activation] * layers
        names = list(self.activation)
        unknown = [name for name in names if name not in _ACTIVATIONS]
        if unknown or len(names) != layers:
            got = f"{unknown[0]!r}" if unknown else f"{len(names)} names for {layers} hidden layers"
            raise ValueError(
                f"The 'activation' parameter must be one of {list(_ACTIVATIONS)}, or a list with one of them for each hidden layer, "
                f"got {got}."
            )
        return names

    def _problem(self):
        """The network as it is now, by the shapes of ``coefs_``."""
        units = [self.coefs_[0].shape[0]] + [coef.shape[1] for coef in self.coefs_]
        names = [*self._activations(len(units) - 2), self.out_activation_]
        layers = [(u, _NAMES.get(name, name)) for u, name in zip(units[1:], names, strict=True)]
        per_weight = self.weight_decay is None
        decay = self.alpha if per_weight else self.weight_decay
        return _core.Problem(units[0], layers, _LOSSES[self.loss], float(decay), per_weight)

    def _initialize(self, y, units, dtype):
        self.n_iter_ = 0
        self.t_ = 0
        self.n_outputs_ = y.shape[1]
        self.n_layers_ = len(units)
        if not is_classifier(self):
            self.out_activation_ = "exp" if self.loss == "poisson" else "identity"
        elif self._label_binarizer.y_type_ == "multiclass":
            self.out_activation_ = "softmax"
        else:
            self.out_activation_ = "logistic"
        names = self._activations(len(units) - 2)
        # scikit-learn's draws, in its order; the output layer goes by the activation of the last hidden one
        names.append(names[-1] if names else self.activation)
        coefs, intercepts = [], []
        for (inputs, outputs), name in zip(pairwise(units), names, strict=True):
            bound = np.sqrt((2.0 if name == "logistic" else 6.0) / (inputs + outputs))
            coefs.append(self._random_state.uniform(-bound, bound, (inputs, outputs)))
            intercepts.append(self._random_state.uniform(-bound, bound, outputs))
        self._parameters = Parameters.packed(coefs, intercepts, dtype)
        self.coefs_, self.intercepts_ = self._parameters.views()
        self.stop_reason_ = None
        if self.solver in _STOCHASTIC:
            self.loss_curve_ = []
            self.validation_loss_curve_ = None
            self._no_improvement_count = 0
            self.best_iter_ = 0
            if self.early_stopping:
                self.validation_scores_ = []
                self.best_validation_score_ = -np.inf
                self.best_loss_ = None
            else:
                self.best_loss_ = np.inf
                self.validation_scores_ = None
                self.best_validation_score_ = None

    def _theta(self):
        """The flat parameters that ``coefs_`` and ``intercepts_`` are, in the compiled half's order: they are what counts."""
        kept = self.__dict__.get("_parameters")
        if kept is not None and kept.are(self.coefs_, self.intercepts_):
            return kept.theta
        return Parameters.packed(self.coefs_, self.intercepts_, self.coefs_[0].dtype).theta

    def _own_theta(self):
        """The same, to be moved: ``coefs_`` and ``intercepts_`` see it."""
        kept = self.__dict__.get("_parameters")
        if kept is None or not kept.are(self.coefs_, self.intercepts_):
            self._parameters = Parameters.packed(self.coefs_, self.intercepts_, self.coefs_[0].dtype)
            self.coefs_, self.intercepts_ = self._parameters.views()
        return self._parameters.theta

    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_parameters", None)  # coefs_ and intercepts_ have the numbers
        return state

    # fitting -------------------------------------------------------------------------------------------------------------------

    def _fit(self, X, y, sample_weight=None, incremental=False, validation=(None, None, None)):
        hidden = self._hidden()
        self._activations(len(hidden))
        first_pass = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        X, y, labels = self._validate_input(X, y, incremental, reset=first_pass)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        weights = self._class_weighted(weights, labels, incremental)
        if weights is not None:
            weights = np.ascontiguousarray(weights, dtype=X.dtype)
            if not weights.any():
                raise ValueError("All sample weights are zero: there is nothing to learn from.")
        y = y.reshape((-1, 1)) if y.ndim == 1 else y
        self.n_outputs_ = y.shape[1]
        units = [X.shape[1], *hidden, self.n_outputs_]
        self._random_state = check_random_state(self.random_state)
        if first_pass:
            self._initialize(y, units, X.dtype)
        self.stop_reason_ = None
        validation = self._validated(validation)
        callbacks = Callbacks(self, X, labels, weights, self.max_iter)
        if self.solver in _STOCHASTIC:
            self._fit_stochastic(X, y, weights, incremental, validation, callbacks)
        else:
            self._fit_lbfgs(X, y, weights)
        callbacks.end()
        if not np.isfinite(self._theta()).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may"
                " contain large values and need to be preprocessed."
            )
        return self

    def _class_weighted(self, weights, labels, incremental):
        return weights

    def _validated(self, validation):
        """The validation part that the caller gives, as the training part is; ``None`` without one."""
        X, y, weights = validation
        if X is None and y is None and weights is None:
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val belong together: " + ("X_val" if X is None else "y_val") + " is None.")
        X, y, _ = self._validate_input(X, y, incremental=True, reset=False, is_part=True)
        weights = None if weights is None else _check_sample_weight(weights, X)
        return X, (y.reshape((-1, 1)) if y.ndim == 1 else y), weights

    def _fit_lbfgs(self, X, y, weights):
        theta, problem = self._own_theta(), self._problem()
        X, y = _dense(X), _targets(y, theta.dtype)
        n_iter, _, loss, stop = problem.minimize(
            theta, X, y, weights, float(self.tol), 0.0 if self.tol == 0 else 1e-9, self.max_iter, self.max_fun,
            threads(self.n_threads),
        )  # fmt: skip
        self.n_iter_, self.loss_ = n_iter, np.float64(loss)
        self.best_iter_ = n_iter
        self.stop_reason_ = stop or ("max_iter" if n_iter >= self.max_iter else "max_fun")
        if self.verbose:
            print(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}, stopped: {self.stop_reason_}")
        if stop is None:
            limit = "ITERATIONS" if n_iter >= self.max_iter else "EVALUATIONS"
            message = (
                f"lbfgs failed to converge after {n_iter} iteration(s) (status=1):\nSTOP: TOTAL NO. OF {limit} REACHED LIMIT\n"
            )
            if n_iter >= self.max_iter:
                message += f"\nIncrease the number of iterations to improve the convergence (max_iter={self.max_iter})."
            message += (
                "\nYou might also want to scale the data as shown in:\n"
                "    https://scikit-learn.org/stable/modules/preprocessing.html"
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=4)
        elif stop == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=4)

    def _fit_stochastic(self, X, y, weights, incremental, validation, callbacks):
        theta = self._own_theta()
        if not incremental or not hasattr(self, "_optimizer"):
            self._optimizer = optimizer_of(self, theta)
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.early_stopping and validation is None:
            X, y, weights, validation = self._split(X, y, weights)
        part = None if validation is None else _Validation(self, *validation)
        n = X.shape[0]
        if self.batch_size == "auto":
            batch_size = min(200, n)
        else:
            if self.batch_size > n:
                warnings.warn(
                    "Got `batch_size` less than 1 or larger than "
                    "sample size. It is going to be clipped"
                )  # fmt: skip
            batch_size = int(np.clip(self.batch_size, 1, n))
        problem, y = self._problem(), _targets(y, theta.dtype)
        if isinstance(X, np.ndarray):
            X = np.ascontiguousarray(X)
        order = np.arange(n, dtype=np.int64)
        count = threads(self.n_threads)
        best = theta.copy() if self.early_stopping else None
        try:
            self.n_iter_ = 0
            for _ in range(self.max_iter):
                if self.shuffle:
                    # what sklearn.utils.shuffle draws
                    places = np.arange(n)
                    self._random_state.shuffle(places)
                    order = order[places]
                with callbacks.epoch():
                    self.loss_ = np.float64(
                        _epoch(problem, theta, X, y, weights, order if self.shuffle else None, batch_size, self._optimizer, count)
                    )
                    self.n_iter_ += 1
                    self.t_ += n
                    self.loss_curve_.append(self.loss_)
                if self.verbose:
                    print("Iteration %d, loss = %.8f" % (self.n_iter_, self.loss_))
                if self._update_no_improvement_count(part, problem, theta, count):
                    best[:] = theta
                self._optimizer.iteration_ends(self.t_)
                if self._no_improvement_count > self.n_iter_no_change:
                    what = "Validation score" if self.early_stopping else "Training loss"
                    message = f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs."
                    if self._optimizer.trigger_stopping(message, self.verbose):
                        self.stop_reason_ = "no_improvement"
                        break
                    self._no_improvement_count = 0
                if incremental:
                    break
                if callbacks.want_to_stop:
                    self.stop_reason_ = "callback"
                    break
                if self.n_iter_ == self.max_iter:
                    self.stop_reason_ = "max_iter"
                    warnings.warn(
                        f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't converged yet.",
                        ConvergenceWarning,
                        stacklevel=4,
                    )
        except KeyboardInterrupt:
            self.stop_reason_ = "interrupted"
            warnings.warn("Training interrupted by user.", stacklevel=4)
        if self.early_stopping:
            theta[:] = best

    def _split(self, X, y, weights):
        """scikit-learn's split into a training and a validation part."""
        stratify = y if is_classifier(self) and self.n_outputs_ == 1 else None
        kept = dict(random_state=self._random_state, test_size=self.validation_fraction, stratify=stratify)
        if weights is None:
            X, X_val, y, y_val = train_test_split(X, y, **kept)
            weights = weights_val = None
        else:
            X, X_val, y, y_val, weights, weights_val = train_test_split(X, y, weights, **kept)
        if X_val.shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' "
                "or the size of your dataset."
            )  # fmt: skip
        return X, y, weights, (X_val, y_val, weights_val)

    def _update_no_improvement_count(self, part, problem, theta, count):
        """Whether these parameters are the best so far on the validation part."""
        if part is not None:
            if self.validation_loss_curve_ is None:
                self.validation_loss_curve_ = []
            self.validation_loss_curve_.append(part.loss(problem, theta, count))
        if not self.early_stopping:
            if self.loss_curve_[-1] > self.best_loss_ - self.tol:
                self._no_improvement_count += 1
            else:
                self._no_improvement_count = 0
            if self.loss_curve_[-1] < self.best_loss_:
                self.best_loss_ = self.loss_curve_[-1]
                self.best_iter_ = self.n_iter_
            return False
        score = part.score(self.validation_loss_curve_[-1])
        self.validation_scores_.append(score)
        if self.verbose:
            print("Validation score: %f" % score)
        if score < self.best_validation_score_ + self.tol:
            self._no_improvement_count += 1
        else:
            self._no_improvement_count = 0
        if score > self.best_validation_score_:
            self.best_validation_score_ = score
            self.best_iter_ = self.n_iter_
            return True
        return False

    def _loss_grad_lbfgs(self, packed, X, y, sample_weight, activations=None, deltas=None, coef_grads=None, intercept_grads=None):
        """The loss and its gradient at parameters that are packed as scikit-learn packs them: all coefs, then all intercepts."""
        if isinstance(sample_weight, list):
            sample_weight = None  # before scikit-learn 1.7 the activations had this place
        shapes = [coef.shape for coef in self.coefs_]
        ends = np.cumsum([rows * columns for rows, columns in shapes] + [columns for _, columns in shapes])
        parts = np.split(packed, ends[:-1])
        coefs = [part.reshape(shape) for part, shape in zip(parts, shapes)]
        theta = Parameters.packed(coefs, parts[len(shapes) :], packed.dtype)
        loss, gradient = self._problem().cost_and_gradient(
            theta.theta, _dense(X).astype(packed.dtype), _targets(y, packed.dtype), sample_weight, threads(self.n_threads)
        )
        coefs, intercepts = Parameters(gradient, shapes).views()
        return loss, np.hstack([part.ravel() for part in coefs + intercepts])

    def _check_solver(self):
        if self.solver not in _STOCHASTIC:
            raise AttributeError(f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic.")
        return True

    # using ---------------------------------------------------------------------------------------------------------------------

    def _is_plain(self, X):
        """Whether X is an array as the network reads it, so that scikit-learn's validation, which takes longer than the network does for
        a few rows, would change nothing and find nothing."""
        return (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype == self.coefs_[0].dtype
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            and not hasattr(self, "feature_names_in_")
            and X.flags.c_contiguous
            and np.isfinite(X.sum())
        )

    def _inputs(self, X):
        """X as the network reads it."""
        if "coefs_" not in vars(self):
            check_is_fitted(self)
        return X if self._is_plain(X) else validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)

    def _outputs(self, X, layer=None):
        theta, problem, count = self._theta(), self._problem(), threads(self.n_threads)
        dtype = theta.dtype
        if isinstance(X, np.ndarray):
            return problem.predict(theta, np.ascontiguousarray(X, dtype=dtype), count, layer)
        rows = range(0, X.shape[0], _DENSE_ROWS)
        X = X.tocsr()
        return np.vstack([problem.predict(theta, _dense(X[i : i + _DENSE_ROWS]).astype(dtype), count, layer) for i in rows])

    def encode(self, X, layer=-1):
        """The activations of a hidden layer for each row: what the network has learned to see.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        layer : int, default=-1
            Which hidden layer, counted from 0, or from the end: -1 is the last.

        Returns
        -------
        ndarray of shape (n_samples, units of the layer)
        """
        if "coefs_" not in vars(self):
            check_is_fitted(self)
        hidden = len(self.coefs_) - 1
        if not -hidden <= layer < hidden:
            raise ValueError(f"expected a hidden layer from {-hidden} to {hidden - 1}, got {layer}: the network has {hidden}")
        return self._outputs(self._inputs(X), layer % hidden + 1)

    def check_gradient(self, X, y, sample_weight=None, *, sample=200, epsilon=1e-4):
        """Compares the gradient of the loss with its numerical derivative, at the present parameters and in float64.

        Parameters
        ----------
        X, y, sample_weight : as for ``fit``
        sample : int or None, default=200
            How many derivatives are compared, drawn evenly from all layers; ``None``: all of them.
        epsilon : float, default=1e-4
            The step of the numerical derivative.

        Returns
        -------
        GradientReport
            ``passed``, ``difference`` (the norm of the difference by that of the sum), and more; prints as a sentence, and shows
            as a table in a notebook.
        """
        check_is_fitted(self)
        X, y, _ = self._validate_input(X, y, incremental=True, reset=False, is_part=True)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        y = y.reshape((-1, 1)) if y.ndim == 1 else y
        X, y, theta = _dense(X).astype(np.float64), _targets(y, np.float64), self._theta().astype(np.float64)
        return self._problem().check_gradient(theta, X, y, weights, sample, epsilon, threads(self.n_threads))

    def save(self, path):
        """Writes a model file: safetensors, which ``surefoot.load`` and the command ``surefoot`` read.

        Several labels of one row become numbers in the file, one probability each; all else stays what it is.
        """
        check_is_fitted(self)
        names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        _core.write(os.fspath(path), self._problem().model_file(self._theta(), self._class_names(), names))

    def _class_names(self):
        return None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class _Validation:
    """The part that early stopping looks at."""

    def __init__(self, estimator, X, y, weights):
        self.estimator, self.X, self.weights = estimator, X, weights
        self.targets = _targets(y, estimator.coefs_[0].dtype)
        self.y = estimator._label_binarizer.inverse_transform(y) if is_classifier(estimator) else y
        self.dense = _dense(X)
        scoring = estimator.scoring
        self.scorer = None if scoring in (None, "loss") else check_scoring(estimator, scoring=scoring)

    def loss(self, problem, theta, count):
        weights = None if self.weights is None else np.ascontiguousarray(self.weights, dtype=theta.dtype)
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


class MLPClassifier(ClassifierMixin, _MLP):
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
    _parameter_constraints: dict = {**_MLP._parameter_constraints, "class_weight": [dict, StrOptions({"balanced"}), None]}

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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.class_weight = class_weight
        self.scoring = scoring
        self.weight_decay = weight_decay
        self.n_threads = n_threads

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


class MLPRegressor(RegressorMixin, _MLP):
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

    _parameter_constraints: dict = {**_MLP._parameter_constraints, "loss": [StrOptions({"squared_error", "poisson"})]}

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
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.scoring = scoring
        self.weight_decay = weight_decay
        self.n_threads = n_threads

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


def _epoch(problem, theta, X, y, weights, order, batch_size, optimizer, count):
    """One epoch; of a sparse matrix some batches are dense at a time."""
    if isinstance(X, np.ndarray):
        return optimizer.epoch(problem, theta, X, y, weights, order, batch_size, count)
    order = np.arange(X.shape[0]) if order is None else order
    X = X.tocsr()
    rows_at_a_time = max(1, _DENSE_ROWS // batch_size) * batch_size
    total = 0.0
    for start in range(0, len(order), rows_at_a_time):
        rows = order[start : start + rows_at_a_time]
        some = None if weights is None else weights[rows]
        if some is not None and not some.any():
            continue
        total += len(rows) * optimizer.epoch(problem, theta, _dense(X[rows]), y[rows], some, None, batch_size, count)
    return total / len(order)


def _dense(X):
    return np.ascontiguousarray(X if isinstance(X, np.ndarray) else X.toarray())


def _targets(y, dtype):
    return np.ascontiguousarray(y, dtype=dtype)
