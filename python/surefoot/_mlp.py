"""What scikit-learn's two multi-layer perceptrons share: Python draws, decides and tells as scikit-learn does; the compiled half
computes."""

from __future__ import annotations

import os
import warnings
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _core
from ._callbacks import Callbacks, CallbackSupport
from ._data import DENSE_ROWS, dense, epoch, row_by_row, targets
from ._optimizers import optimizer_of
from ._parameters import Parameters
from ._threads import threads
from ._validation import Validation

_STOCHASTIC = ("sgd", "adam")
_ACTIVATIONS = ("identity", "logistic", "tanh", "relu", "leaky_relu", "selu")
_NAMES = {"logistic": "sigmoid", "leaky_relu": "leaky-relu"}
_LOSSES = {"squared_error": "squared-error", "poisson": "poisson", "log_loss": "cross-entropy"}


class MLP(CallbackSupport, BaseEstimator):
    """A network that is fitted, and what it is used for."""

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

    def _keep(self, given):
        """Keeps the parameters of a constructor, which are its local names."""
        vars(self).update((name, value) for name, value in given.items() if name not in ("self", "__class__"))

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

    def _initialize(self, units, dtype):
        self.n_iter_ = 0
        self.t_ = 0
        self.n_outputs_ = units[-1]
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
            weights = row_by_row(weights, X.dtype)
            if not weights.any():
                raise ValueError("All sample weights are zero: there is nothing to learn from.")
        y = y.reshape((-1, 1)) if y.ndim == 1 else y
        self.n_outputs_ = y.shape[1]
        units = [X.shape[1], *hidden, self.n_outputs_]
        self._random_state = check_random_state(self.random_state)
        if first_pass:
            self._initialize(units, X.dtype)
        self.stop_reason_ = None
        validation = self._validated(validation)
        callbacks = Callbacks(self, X, labels, weights, self.max_iter)
        if self.solver in _STOCHASTIC:
            self._fit_stochastic(X, y, weights, incremental, validation, callbacks)
        else:
            self._fit_lbfgs(X, y, weights)
        callbacks.end()
        self._check_finite()
        return self

    def _check_finite(self):
        if not np.isfinite(self._theta()).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may"
                " contain large values and need to be preprocessed."
            )

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
        X, y = dense(X), targets(y, theta.dtype)
        n_iter, _, loss, stop = problem.minimize(
            theta, X, y, weights, float(self.tol), 0.0 if self.tol == 0 else 1e-9, self.max_iter, self.max_fun,
            threads(self.n_threads),
        )  # fmt: skip
        self._lbfgs_ends(n_iter, loss, stop)

    def _lbfgs_ends(self, n_iter, loss, stop):
        """Keeps what L-BFGS came to after so many iterations, and says where it stopped; ``None``: at a limit."""
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
            warnings.warn(message, ConvergenceWarning, stacklevel=5)
        elif stop == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=5)

    def _fit_stochastic(self, X, y, weights, incremental, validation, callbacks):
        theta = self._own_theta()
        if not incremental or not hasattr(self, "_optimizer"):
            self._optimizer = optimizer_of(self, theta)
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.early_stopping and validation is None:
            X, y, weights, validation = self._split(X, y, weights)
        part = None if validation is None else Validation(self, *validation)
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
        problem, y = self._problem(), targets(y, theta.dtype)
        if isinstance(X, np.ndarray):
            X = row_by_row(X)
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
                        epoch(problem, theta, X, y, weights, order if self.shuffle else None, batch_size, self._optimizer, count)
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
            theta.theta, dense(X).astype(packed.dtype), targets(y, packed.dtype), sample_weight, threads(self.n_threads)
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
            and X.flags.aligned
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
            return problem.predict(theta, row_by_row(X, dtype), count, layer)
        rows = range(0, X.shape[0], DENSE_ROWS)
        X = X.tocsr()
        return np.vstack([problem.predict(theta, dense(X[i : i + DENSE_ROWS]).astype(dtype), count, layer) for i in rows])

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
        X, y, theta = dense(X).astype(np.float64), targets(y, np.float64), self._theta().astype(np.float64)
        return self._problem().check_gradient(theta, X, y, weights, sample, epsilon, threads(self.n_threads))

    def save(self, path):
        """Writes a model file: safetensors, which ``surefoot.load`` and the command ``surefoot`` read.

        Several labels of one row become numbers in the file, one probability each; all else stays what it is.
        """
        _core.write(os.fspath(path), self._model_file())

    def to_onnx(self):
        """The model as ONNX: the bytes of a file, as ``onnxruntime.InferenceSession`` takes them.

        Its input is ``X``, a matrix of float64; its outputs are ``label`` and ``probabilities``, or ``prediction``. A label is the text
        of the class.
        """
        return _core.Model(self._model_file()).to_onnx()

    def _model_file(self):
        check_is_fitted(self)
        names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        return self._problem().model_file(self._theta(), self._class_names(), names)

    def _class_names(self):
        return None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
