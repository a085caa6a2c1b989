"""What the command ``surefoot train`` does, as estimators of scikit-learn: a table as it is, and the defaults that win."""

from __future__ import annotations

import json
import os
import warnings

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted, validate_data

from . import _core
from ._fitted import Fitted
from ._frames import frame_of, is_frame, names_of, rows_of
from ._pages import Explanation, framed
from ._progress import progress_of
from ._threads import threads

# What errors and reports call the target that a plain array is.
TARGET = "target"


class _TableEstimator(Fitted):
    """A model of a table."""

    def __init__(
        self,
        members=None,
        epochs=None,
        hidden=None,
        activation=None,
        categorical=None,
        numeric=None,
        ignore=None,
        random_state=None,
        n_threads=None,
        verbose=False,
        progress=None,
        device="cpu",
    ):
        self.members = members
        self.epochs = epochs
        self.hidden = hidden
        self.activation = activation
        self.categorical = categorical
        self.numeric = numeric
        self.ignore = ignore
        self.random_state = random_state
        self.n_threads = n_threads
        self.verbose = verbose
        self.progress = progress
        self.device = device

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
        return X, (str(name) if name is not None else _free_name(TARGET, X), y)

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
        if self.activation is not None:
            options["activation"] = self.activation if isinstance(self.activation, str) else [str(name) for name in self.activation]
        return options

    def _fit(self, X, y, sample_weight):
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X, (target, y) = self._table(X, y, reset=True)
        y = self._checked_targets(y)
        options, beside = self._options(target), frame_of(y.reshape(-1, 1), [target])
        weights = self._class_weights(y)
        if sample_weight is not None:
            given = _check_sample_weight(sample_weight, X, dtype=np.float64)
            weights = given if weights is None else weights * given
        if weights is not None:
            options["sample_weight"] = _free_name("sample_weight", X)
            beside += frame_of(weights.reshape(-1, 1), [options["sample_weight"]])
        with progress_of(self) as epoch:
            fitted = _core.fit(frame_of(X), beside, "X", json.dumps(options), threads(self.n_threads), epoch, self.device)
        summary = fitted.summary()
        if not summary["is_finite"]:
            raise ValueError("The cost was not finite: are there numbers of extreme size in the table?")
        if summary["was_interrupted"]:
            warnings.warn("Training interrupted by user.", UserWarning, stacklevel=3)
        for text in summary["warnings"]:
            warnings.warn(text, UserWarning, stacklevel=3)
        self._column_names = names_of(X)
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
        """X with the names of the fit; where one of the two has none that are text, columns are taken by their places."""
        has_names = is_frame(X) and hasattr(self, "feature_names_in_")
        return frame_of(X, None if has_names else self._column_names)

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
        return framed(self.report(), "training report")

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

    def _class_weights(self, y):
        """How much each row counts for its class, where classes have weights of their own."""
        return None

    def _checked_targets(self, y):
        return y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _free_name(name, X):
    """The name, longer where X has a column that is called so."""
    while name in names_of(X):
        name += "_"
    return name


_CLASS_WEIGHT = """
    class_weight : 'balanced' or dict, default=None
        How much the rows of each class count. Default: all alike."""

_PARAMETERS = """
    Parameters
    ----------
    members : int, default=None
        Networks that are trained on different parts of the rows, and whose outputs are averaged. Default: 5 from 15 rows on,
        else 1.
    epochs : int, default=None
        Passes over the rows, at most. Default: 100, for more than 2,000 rows 30 to 10
        (1,000,000 / rows), or 50 with a single network.
    hidden : int or sequence of int, default=None
        Units of the hidden layers. Default: 64, 64, 64, with an ensemble.
    activation : str or sequence of str, default=None
        Of the hidden layers: ``'sigmoid'``, ``'tanh'``, ``'identity'``, ``'relu'``, ``'leaky-relu'`` or ``'selu'`` for all of them, or
        one for each. Default: ``'selu'``, with an ensemble.{class_weight}
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
    device : {{"cpu", "auto", "gpu"}}, default="cpu"
        What fits: the CPU, the first NVIDIA GPU, or with "auto" that GPU where a network and its batches are large. It changes no bit of the
        result, so predictions and pickles do not depend on it.

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
{_PARAMETERS.format(class_weight=_CLASS_WEIGHT).rstrip()}
    classes_ : ndarray
        The classes.
    """

    def __init__(
        self,
        members=None,
        epochs=None,
        hidden=None,
        activation=None,
        class_weight=None,
        categorical=None,
        numeric=None,
        ignore=None,
        random_state=None,
        n_threads=None,
        verbose=False,
        progress=None,
        device="cpu",
    ):
        super().__init__(
            members, epochs, hidden, activation, categorical, numeric, ignore, random_state, n_threads, verbose, progress, device
        )
        self.class_weight = class_weight

    def fit(self, X, y, sample_weight=None):
        """Fits the model to a table and its classes.

        Parameters
        ----------
        X : table
            Its rows are examples.
        y : array of shape (n_samples,)
            The target of each row.
        sample_weight : array of shape (n_samples,), default=None
            How much each row counts in the cost, at least 0; scores are unweighted. Default: all alike.
        """
        fitted, y = self._fit(X, y, sample_weight)
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

    def _class_weights(self, y):
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
        best = self._predict(X).argmax(axis=1)
        return self.classes_.take(best)


class Regressor(RegressorMixin, _TableEstimator):
    __doc__ = f"""Numbers from a table as it is: what the command ``surefoot train`` does without options.

    Text, categories, booleans and missing cells need no preprocessing. Tables are data frames of pandas, polars or pyarrow, or NumPy
    arrays.
{_PARAMETERS.format(class_weight="").rstrip()}
    """

    def fit(self, X, y, sample_weight=None):
        """Fits the model to a table and its numbers.

        Parameters
        ----------
        X : table
            Its rows are examples.
        y : array of shape (n_samples,)
            The target of each row.
        sample_weight : array of shape (n_samples,), default=None
            How much each row counts in the cost, at least 0; scores are unweighted. Default: all alike.
        """
        self._fit(X, y, sample_weight)
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
