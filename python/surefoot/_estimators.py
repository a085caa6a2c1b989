"""What the command ``surefoot train`` does, as estimators of scikit-learn: a table as it is, and the defaults that win."""

from __future__ import annotations

import json
import os
import warnings
from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    RegressorMixin,
    TransformerMixin,
    is_classifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state, column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from . import _core
from ._frames import frame_of, is_frame, rows_of
from ._progress import progress_of
from ._threads import threads

__all__ = ["Autoencoder", "Classifier", "Regressor", "load"]

# What errors and reports call the target that a plain array is.
_TARGET = "target"
# The column of a table that says how much each row counts.
_WEIGHT = "sample_weight"


class _Fitted(BaseEstimator):
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


class _TableEstimator(_Fitted):
    """A model of a table."""

    def __init__(
        self,
        members=None,
        epochs=None,
        hidden=None,
        categorical=None,
        numeric=None,
        ignore=None,
        random_state=None,
        n_threads=None,
        verbose=False,
        progress=None,
    ):
        self.members = members
        self.epochs = epochs
        self.hidden = hidden
        self.categorical = categorical
        self.numeric = numeric
        self.ignore = ignore
        self.random_state = random_state
        self.n_threads = n_threads
        self.verbose = verbose
        self.progress = progress

    def _table(self, X, y=None, reset=False):
        """X as a table, checked; with y where there is one."""
        if is_frame(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if X.shape[0] == 0 or X.shape[1] == 0:
                raise ValueError(f"Found a table of shape {tuple(X.shape)}: at least one row and one column are needed.")
        else:
            X = validate_data(
                self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=2 if reset else 1
            )
        if y is None:
            return X, None
        name = getattr(y, "name", None)
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        return X, (str(name) if name is not None else _TARGET, y)

    def _options(self, target):
        def names(columns):
            return [] if columns is None else [str(column) for column in columns]

        options = {
            "target": target,
            "seed": self._seed(),
            "task": "classification" if is_classifier(self) else "regression",
            "numeric": names(self.numeric),
            "categorical": names(self.categorical),
            "ignore": names(self.ignore),
            "importance": True,
        }
        if self.members is not None:
            options["ensemble"] = int(self.members)
        if self.epochs is not None:
            options["epochs"] = int(self.epochs)
        if self.hidden is not None:
            options["hidden"] = [int(units) for units in np.atleast_1d(self.hidden)]
        return options

    def _fit(self, X, y):
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X, (target, y) = self._table(X, y, reset=True)
        y = self._checked_targets(y)
        options, beside = self._options(target), frame_of(y.reshape(-1, 1), [target])
        weights = self._weights(y)
        if weights is not None:
            options["sample_weight"] = _WEIGHT
            beside += frame_of(weights.reshape(-1, 1), [_WEIGHT])
        with progress_of(self) as epoch:
            fitted = _core.fit(frame_of(X), beside, "X", json.dumps(options), threads(self.n_threads), epoch)
        summary = fitted.summary()
        if not summary["is_finite"]:
            raise ValueError("The cost was not finite: are there numbers of extreme size in the table?")
        if summary["was_interrupted"]:
            warnings.warn("Training interrupted by user.", UserWarning, stacklevel=3)
        for text in summary["warnings"]:
            warnings.warn(text, UserWarning, stacklevel=3)
        self.target_name_ = target
        self.notes_ = summary["notes"]
        self.excluded_ = dict(summary["excluded"])
        self.n_networks_ = summary["networks"]
        self.n_epochs_ = summary["epochs"]
        held_out = summary["validation"]
        self.cv_ = {"score": None if held_out is None else held_out[0], "out_of_fold": summary["out_of_fold"]}
        self.importance_ = None if summary["importance"] is None else {n: (m, s) for n, m, s in summary["importance"]}
        self.model_file_ = fitted.model_file()
        self._model, self._fitted = _core.Model(self.model_file_), fitted
        return fitted, y

    def _predict(self, X):
        check_is_fitted(self)
        X, _ = self._table(X)
        outputs, unseen = self._read().predict(self._frame(X), threads(self.n_threads))
        for column, value, rows, read_as in unseen:
            count = "1 row" if rows == 1 else f"{rows} rows"
            what = "was not seen in fit" if read_as is None else f"is read as `{read_as}`, with zeros in front"
            warnings.warn(f"column `{column}`: the value `{value}` of {count} {what}", UserWarning, stacklevel=3)
        return outputs

    def _frame(self, X):
        """X with the names of the fit; where one of the two has none, columns are taken by their places."""
        names = getattr(self, "feature_names_in_", None)
        if is_frame(X) and names is None:
            X = np.asarray(X)
        return frame_of(X, names)

    def _command(self):
        return f"surefoot.{self!r}.fit(X, y)".replace("\n", " ")

    def report(self, path=None):
        """The report of the training, as the command line writes it: one page of HTML that needs nothing else.

        Parameters
        ----------
        path : path-like, default=None
            Where it is written to. Default: nowhere; the text is returned.
        """
        check_is_fitted(self)
        if "_fitted" not in vars(self):
            raise NotFittedError("the report needs the table of the fit, which is not kept with a saved model: fit again")
        page = self._fitted.report(self._command())
        if path is None:
            return page
        _core.write(os.fspath(path), page)
        return None

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "_fitted" in vars(self):
            bundle["text/html"] = self._repr_html_()
        return bundle

    def _repr_html_(self):
        """In a notebook: the report, where it is at hand."""
        if "_fitted" not in vars(self):
            return super()._repr_html_()
        import html

        page = html.escape(self.report(), quote=True)
        return f'<iframe srcdoc="{page}" title="training report" style="width:100%;height:40em;border:0"></iframe>'

    def explain(self, X, row=0):
        """One row explained by the formulas of the network, with its numbers in them.

        Parameters
        ----------
        X : table
        row : int, default=0
            Which row, from 0.

        Returns
        -------
        Explanation
            Prints as text; shows as a page in a notebook; ``html`` is the page.
        """
        check_is_fitted(self)
        X, _ = self._table(X)
        return Explanation(*self._read().explain(self._frame(rows_of(X, [row])), 0))

    def permutation_importance(self, X, y, *, n_repeats=5, random_state=0):
        """What the score on these rows loses when a column is shuffled: a dict of (mean, standard deviation) by column, the
        greatest first."""
        check_is_fitted(self)
        X, (_, y) = self._table(X, y)
        target = frame_of(y.reshape(-1, 1), [self.target_name_])
        found = self._read().permutation_importance(self._frame(X), target, n_repeats, random_state, threads(self.n_threads))
        return {name: (mean, spread) for name, mean, spread in sorted(found, key=lambda one: -one[1])}

    def _weights(self, y):
        """How much each row counts, where they do not count alike."""
        return None

    def _checked_targets(self, y):
        return y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


class Explanation:
    """One prediction, explained."""

    def __init__(self, text, page):
        self.text, self.html = text, page

    def __str__(self):
        return self.text

    __repr__ = __str__

    def _repr_html_(self):
        import html

        return f'<iframe srcdoc="{html.escape(self.html, quote=True)}" title="explanation" style="width:100%;height:40em;border:0"></iframe>'


_PARAMETERS = """
    Parameters
    ----------
    members : int, default=None
        Networks that are trained on different parts of the rows, and whose outputs are averaged. Default: 5 for 50 to 20,000 rows,
        else 1.
    epochs : int, default=None
        Passes over the rows, at most. Default: 100, or 50 for more than 2,000 rows.
    hidden : int or sequence of int, default=None
        Units of the hidden layers. Default: 64, 64, 64, with an ensemble.
    categorical, numeric, ignore : sequences of column names, default=None
        What columns are, where it is not to be found from their cells.
    random_state : int, RandomState or None, default=None
        ``None`` is 0: the same result each time.
    n_threads : int, default=None
        Default: the processors, at most ``OMP_NUM_THREADS``. It changes no bit of the result.
    verbose : bool, default=False
        Prints a line for each epoch.
    progress : bool or callable, default=None
        Whether a progress bar is shown (by tqdm, where it is installed), or a function that is called after each epoch with a dict.
        Default: a bar for a fit that takes longer than two seconds.

    Attributes
    ----------
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    cv_ : dict
        ``score``: each row by the one network that did not learn from it (which used it for early stopping); without an ensemble, on
        the validation part. ``out_of_fold``: these predictions, where there is an ensemble.
    importance_ : dict or None
        What the score loses without each column: mean and standard deviation, the greatest first.
    excluded_ : dict
        Columns that are no inputs, and why.
    notes_ : list of str
        What was settled of the table where it could have been otherwise.
    model_file_ : bytes
        The model, as :meth:`save` writes it.
"""


class Classifier(ClassifierMixin, _TableEstimator):
    __doc__ = f"""Classes from a table as it is: what the command ``surefoot train`` does without options.

    Text, categories, booleans and missing cells need no preprocessing. Tables are data frames of pandas, polars or pyarrow, or NumPy
    arrays.

    ``class_weight``: 'balanced', or a dict of how much the rows of each class count. Default: all alike.
{_PARAMETERS}
    classes_ : ndarray
        The classes.
    """

    def __init__(
        self,
        members=None,
        epochs=None,
        hidden=None,
        class_weight=None,
        categorical=None,
        numeric=None,
        ignore=None,
        random_state=None,
        n_threads=None,
        verbose=False,
        progress=None,
    ):
        super().__init__(members, epochs, hidden, categorical, numeric, ignore, random_state, n_threads, verbose, progress)
        self.class_weight = class_weight

    def fit(self, X, y):
        """Fits the model to a table and its classes."""
        fitted, y = self._fit(X, y)
        classes = fitted.classes()
        firsts = [np.flatnonzero(classes == place)[0] for place in range(len(self._model.classes))]
        self.classes_ = y[firsts]
        return self

    def _options(self, target):
        options = super()._options(target)
        if isinstance(self.class_weight, str):
            options["class_weight"] = self.class_weight
        elif not (self.class_weight is None or isinstance(self.class_weight, dict)):
            raise ValueError(f"class_weight must be 'balanced', a dict or None, got {self.class_weight!r}")
        return options

    def _weights(self, y):
        return compute_sample_weight(self.class_weight, y) if isinstance(self.class_weight, dict) else None

    def _checked_targets(self, y):
        _refuse_missing(y)
        check_classification_targets(y)
        if len(set(y.tolist())) < 2:
            raise ValueError("The target has one class only: at least two classes are needed.")
        return y

    def predict_proba(self, X):
        """The probability of each class, in the order of ``classes_``."""
        return self._predict(X)

    def predict(self, X):
        """The class of each row."""
        return self.classes_.take(self._predict(X).argmax(axis=1)) if hasattr(self, "classes_") else self._predict(X)


class Regressor(RegressorMixin, _TableEstimator):
    __doc__ = f"""Numbers from a table as it is: what the command ``surefoot train`` does without options.

    Text, categories, booleans and missing cells need no preprocessing. Tables are data frames of pandas, polars or pyarrow, or NumPy
    arrays.
{_PARAMETERS}
    """

    def fit(self, X, y):
        """Fits the model to a table and its numbers."""
        self._fit(X, y)
        return self

    def _checked_targets(self, y):
        _refuse_missing(y)
        if y.dtype.kind not in "iufb":
            try:
                y = y.astype(np.float64)
            except (TypeError, ValueError) as error:
                raise ValueError(f"The target has to be numbers: {error}") from None
        if not np.isfinite(y.astype(np.float64)).all():
            raise ValueError("Input y contains infinity or a value too large.")
        return y

    def predict(self, X):
        """The number of each row."""
        outputs = self._predict(X)
        return outputs.ravel() if outputs.shape[1] == 1 else outputs


def _refuse_missing(y):
    if y.dtype.kind == "c":
        raise ValueError("Complex data not supported: the target has complex numbers.")
    missing = np.isnan(y) if y.dtype.kind == "f" else np.array([cell is None or cell != cell for cell in y.tolist()])
    if missing.any():
        raise ValueError(f"Input y contains NaN: {int(missing.sum())} of {len(y)} targets are missing.")


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Fitted):
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
        X = np.ascontiguousarray(X, dtype=np.float64)
        for file in reversed(self.model_files_):
            X = _core.Model(file).decode(X, 1, threads(self.n_threads))
        return X

    def save(self, path):
        """Writes the model file of a single layer."""
        check_is_fitted(self)
        if len(self.model_files_) > 1:
            raise ValueError("a stack of autoencoders is no single model: write model_files_ one by one")
        _core.Model(self.model_files_[0]).save(os.fspath(path))


def load(path):
    """The model of a file, of this package or of the command line, as an estimator that is fitted.

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
        estimator.target_name_ = (model.target_columns or [_TARGET])[0]
        estimator.model_file_, estimator._model = file, model
    return estimator
