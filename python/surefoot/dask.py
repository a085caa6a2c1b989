"""scikit-learn's multi-layer perceptrons on Dask: data that are larger than the memory of a machine, the bits of one machine.

``Classifier`` and ``Regressor`` are ``surefoot.sklearn``'s ``MLPClassifier`` and ``MLPRegressor`` with ``solver='lbfgs'``, fitted to
arrays and data frames of Dask::

    import dask.dataframe as dd
    from dask.distributed import Client
    from surefoot.dask import Classifier

    client = Client()
    rows = dd.read_parquet("big/")
    model = Classifier(hidden_layer_sizes=(64,), client=client).fit(rows[features], rows["y"])
    model.predict(rows[features])         # lazy
    model.to_local().save("y.safetensors")

The examples are cut into pieces, which lie in the memory of the workers. Each evaluation of the cost is a task for each piece, and some
that add what they give; the parameters are here. No worker waits for another, so one that dies costs what it had: its pieces are read
again elsewhere. Workers may join at any time. All of this changes no bit of the result, nor do the number of workers, their threads,
their kind of processor, or the partitions.
"""

from __future__ import annotations

import copy
import logging
from itertools import accumulate
from numbers import Integral

import dask
import dask.array as da
import numpy as np
from dask.distributed import get_client
from dask.sizeof import sizeof
from sklearn.base import clone, is_classifier
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from . import distributed
from ._data import row_by_row
from .sklearn import MLPClassifier, MLPRegressor

__all__ = ["Classifier", "Regressor"]

log = logging.getLogger(__name__)

# Leaves of a task, where nothing is said: up to 245,760 rows.
_LEAVES_PER_TASK = 64
# Tasks for each thread, so that fast workers can take more of them.
_TASKS_PER_THREAD = 4
# Sums that one task adds.
_ADDED_AT_A_TIME = 8

_PARAMETERS = """
    Parameters
    ----------
    hidden_layer_sizes, activation, alpha, max_iter, random_state, tol, verbose, warm_start, max_fun, {own}weight_decay
        As those of ``surefoot.sklearn.{local}``.
    solver : 'lbfgs'
        The one that takes all rows a step.
    leaves_per_task : int or None, default=None
        How many leaves of the sum a task computes; a leaf is up to 3,840 rows. Default: 64, or fewer so that each thread has four tasks.
        It changes no bit.
    client : dask.distributed.Client or None, default=None
        Default: the one that was made last, as Dask has it.

    Attributes
    ----------
    coefs_, intercepts_, loss_, n_iter_, n_features_in_, …
        As those of ``surefoot.sklearn.{local}``.
    data_digest_ : str
        The digest of the examples in their order and precision: two fits with the same digest have learned from the same numbers.
    parameters_digest_ : str
        The digest of the parameters.
"""


class _OnDask:
    """Fits to collections of Dask, and predicts for them."""

    _parameter_constraints: dict = {
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "leaves_per_task": [Interval(Integral, 1, None, closed="left"), None],
        "client": "no_validation",
    }
    # what the local estimator has beside
    n_threads = None

    def fit(self, X, y, sample_weight=None):
        """Fits the model.

        Parameters
        ----------
        X : array or data frame of Dask
            Its rows are examples, its columns numbers. Several partitions are the usual; their lengths need not be known.
        y : array, series or data frame of Dask
            The target of each row.
        sample_weight : array or series of Dask, default=None
            How much each row counts.

        Returns
        -------
        self
        """
        self._validate_params()
        distributed.check_solver(self.solver)
        client = self.client or get_client()
        parts = _Parts(client, X, y, sample_weight, is_classifier(self))
        balance = self._balance(parts)
        pieces = _Pieces(client, parts, balance, self.leaves_per_task)
        self.data_digest_ = pieces.digest()
        log.info(
            "%d rows of %d columns (%s) in %d pieces, digest of the data %s",
            parts.rows, parts.features, parts.dtype, len(pieces.futures), self.data_digest_,
        )  # fmt: skip
        distributed.fit(
            self, pieces.total, rows=parts.rows, features=parts.features, dtype=parts.dtype, classes=parts.classes,
            outputs=parts.outputs, names=parts.names,
        )  # fmt: skip
        self.parameters_digest_ = distributed.parameters_digest(self)
        log.info("%d iterations, loss %.8g, digest of the parameters %s", self.n_iter_, self.loss_, self.parameters_digest_)
        return self

    def to_local(self):
        """The estimator of ``surefoot.sklearn`` with the same parameters, fitted."""
        check_is_fitted(self)
        names = set(self._Local._get_param_names())
        local = self._Local(**{name: value for name, value in self.get_params(deep=False).items() if name in names})
        own = {"client", "leaves_per_task", "data_digest_", "parameters_digest_"}
        state = {name: value for name, value in self.__getstate__().items() if name not in own}
        vars(local).update(copy.deepcopy(state))
        return local

    def score(self, X, y, sample_weight=None):
        """Accuracy, or R², as ``surefoot.sklearn`` has it; of collections of Dask all predictions are computed."""
        X, y, sample_weight = dask.compute(self._scored(X), y, sample_weight)
        return self._score(y, X, sample_weight)

    def _scored(self, X):
        return self.predict(X)

    def _balance(self, parts):
        return None

    def _lazily(self, method, X, outputs, dtype):
        """The local model's method for each block of a collection of Dask; at once for other tables."""
        if not dask.is_dask_collection(X):
            return getattr(self.to_local(), method)(X)
        model = dask.delayed(self.to_local())
        if isinstance(X, da.Array):
            X = _whole_rows(X)
            shape = {"drop_axis": 1} if outputs is None else {"chunks": (X.chunks[0], (outputs,))}
            meta = np.empty((0,) if outputs is None else (0, 0), dtype)
            return X.map_blocks(_called, model=model, method=method, columns=None, dtype=dtype, meta=meta, **shape)
        import pandas as pd

        columns = None if outputs is None else self._columns(outputs)
        empty = np.empty((0,) if outputs is None else (0, outputs), dtype)
        meta = pd.Series(empty, name=method) if columns is None else pd.DataFrame(empty, columns=columns)
        return X.map_partitions(_called, model=model, method=method, columns=columns, meta=meta)

    def _columns(self, outputs):
        return list(range(outputs))

    def __sklearn_clone__(self):
        parameters = {name: value for name, value in self.get_params(deep=False).items() if name != "client"}
        return type(self)(**{name: clone(value, safe=False) for name, value in parameters.items()}, client=self.client)

    def __getstate__(self):
        return {**super().__getstate__(), "client": None}  # a connection stays where it is


class Classifier(_OnDask, MLPClassifier):
    __doc__ = f"""Multi-layer perceptron classifier on Dask.
{_PARAMETERS.format(own="class_weight, ", local="MLPClassifier").rstrip()}
    classes_ : ndarray
        The classes.
    """

    _Local = MLPClassifier
    _parameter_constraints: dict = {**MLPClassifier._parameter_constraints, **_OnDask._parameter_constraints}

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="lbfgs",
        alpha=0.0001,
        max_iter=200,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        max_fun=15000,
        class_weight=None,
        weight_decay=None,
        leaves_per_task=None,
        client=None,
    ):
        self._keep(locals())

    def predict(self, X):
        """The class of each row."""
        return self._lazily("predict", X, None, self.classes_.dtype)

    def predict_proba(self, X):
        """The probability of each class, in the order of ``classes_``."""
        return self._lazily("predict_proba", X, len(self.classes_), self._theta().dtype)

    def _columns(self, outputs):
        return list(self.classes_)

    def _balance(self, parts):
        """How much the rows of each class count."""
        if self.class_weight is None:
            return None
        if self.class_weight == "balanced":
            # scikit-learn's formula, by counts
            return parts.rows / (len(parts.classes) * parts.counts)
        return compute_class_weight(self.class_weight, classes=parts.classes, y=parts.classes)


class Regressor(_OnDask, MLPRegressor):
    __doc__ = f"""Multi-layer perceptron regressor on Dask.
{_PARAMETERS.format(own="", local="MLPRegressor").rstrip()}
    """

    _Local = MLPRegressor
    _parameter_constraints: dict = {**MLPRegressor._parameter_constraints, **_OnDask._parameter_constraints}

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="lbfgs",
        alpha=0.0001,
        max_iter=200,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        max_fun=15000,
        weight_decay=None,
        leaves_per_task=None,
        client=None,
    ):
        self._keep(locals())

    def predict(self, X):
        """The numbers of each row."""
        return self._lazily("predict", X, None if self.n_outputs_ == 1 else self.n_outputs_, self._theta().dtype)


class _Parts:
    """What is known of the partitions before the examples are cut into pieces."""

    def __init__(self, client, X, y, sample_weight, are_classes):
        for name, collection in [("X", X), ("y", y), ("sample_weight", sample_weight)]:
            if collection is not None and not dask.is_dask_collection(collection):
                raise TypeError(
                    f"{name} has to be an array or a data frame of Dask, got {type(collection).__name__}: what is in memory is fitted by "
                    "surefoot.sklearn, or becomes Dask's with dask.array.from_array"
                )
        if X.ndim != 2:
            raise ValueError(f"Expected 2D array, got {X.ndim}D array instead.")
        self.names, self.dtype = _names_of(X), _precision(X)
        self.X, self.y, self.weights = (_blocks(collection) for collection in (X, y, sample_weight))
        self.features = X.shape[1] if isinstance(X, da.Array) else len(X.columns)
        kinds = ["rows", "classes" if are_classes else "numbers", "weights"]
        asked = [client.compute([_seen(block, kind) for block in blocks]) for blocks, kind in zip([self.X, self.y, self.weights], kinds)]
        of_x, of_y, of_weights = client.gather(asked)
        self.lengths = [[seen[0] for seen in all_seen] for all_seen in (of_x, of_y, of_weights)]
        self.rows = sum(self.lengths[0])
        for name, lengths in zip(["y", "sample_weight"], self.lengths[1:]):
            if lengths and sum(lengths) != self.rows:
                raise ValueError(f"Found input variables with inconsistent numbers of samples: X has {self.rows}, {name} {sum(lengths)}")
        if self.rows == 0:
            raise ValueError("Found array with 0 sample(s): X has no rows")
        if of_weights and not any(seen[1] for seen in of_weights):
            raise ValueError("All sample weights are zero: there is nothing to learn from.")
        self.classes, self.counts, self.outputs = None, None, 1
        if are_classes:
            self.classes = np.unique(np.concatenate([seen[1] for seen in of_y]))
            self.counts = np.zeros(len(self.classes), dtype=np.int64)
            for _, classes, counts in of_y:
                np.add.at(self.counts, self.classes.searchsorted(classes), counts)
        else:
            (self.outputs,) = {seen[1] for seen in of_y if seen[0] > 0}


class _Pieces:
    """The examples in the memory of the workers."""

    def __init__(self, client, parts, balance, leaves_per_task):
        self.client, self.rows = client, parts.rows
        leaves = len(distributed.piece_rows(parts.rows, parts.rows))
        threads = max(1, sum(client.nthreads().values()))
        by_default = min(_LEAVES_PER_TASK, -(-leaves // (_TASKS_PER_THREAD * threads)))
        count = -(-leaves // (leaves_per_task or by_default))
        made = []
        for first, end in distributed.piece_rows(parts.rows, count):
            blocks = [
                _cut(blocks, lengths, first, end) for blocks, lengths in zip([parts.X, parts.y, parts.weights], parts.lengths)
            ]
            made.append(dask.delayed(_piece)(blocks, parts.dtype, parts.classes, balance, first, parts.rows))
        self.futures = client.compute(made)

    def digest(self):
        """The digest of all numbers."""
        return distributed.data_digest(self.rows, self.client.gather(self.client.map(_leaf_digests, self.futures, pure=False)))

    def total(self, request):
        """The sum of all pieces."""
        # a task, not scattered data, which would be lost with the worker that has it
        sent = self.client.submit(bytes, request, pure=False)
        sums = self.client.map(distributed.leaf_sum, self.futures, request=sent, pure=False)
        while len(sums) > 1:
            groups = [sums[i : i + _ADDED_AT_A_TIME] for i in range(0, len(sums), _ADDED_AT_A_TIME)]
            sums = self.client.map(distributed.add_sums, groups, pure=False)
        return sums[0].result()


def _blocks(collection):
    """The partitions of a collection, to be computed."""
    if collection is None:
        return []
    return list(np.ravel(_whole_rows(collection).to_delayed()))


def _whole_rows(collection):
    """The collection with all columns of a row in one block."""
    are_cut = isinstance(collection, da.Array) and collection.ndim == 2 and collection.numblocks[1] > 1
    return collection.rechunk({1: -1}) if are_cut else collection


def _names_of(X):
    """The names of its columns, if they are texts as scikit-learn keeps them."""
    if isinstance(X, da.Array) or not all(isinstance(name, str) for name in X.columns):
        return None
    return list(X.columns)


def _precision(X):
    """float32 where all of it is, else float64, as scikit-learn has it."""
    dtypes = [X.dtype] if isinstance(X, da.Array) else list(X.dtypes)
    texts = [] if isinstance(X, da.Array) else [name for name, dtype in zip(X.columns, dtypes) if dtype.kind not in "iufb"]
    if texts:
        raise ValueError(f"Column {texts[0]!r} has no numbers but {X.dtypes[texts[0]]}: encode it, or leave it out.")
    return np.dtype(np.float32 if all(dtype == np.float32 for dtype in dtypes) else np.float64)


@dask.delayed
def _seen(block, kind):
    """The rows of a partition, and what else has to be known of it."""
    if kind == "rows":
        return (len(block),)
    values = np.asarray(block)
    if kind == "classes":
        return (len(values), *np.unique(_column(values), return_counts=True))
    return len(values), bool(values.any()) if kind == "weights" else 1 if values.ndim == 1 else values.shape[1]


def _column(y):
    if y.ndim == 2 and y.shape[1] != 1:
        raise ValueError(f"expected one column of classes, got {y.shape[1]}: several labels of a row are not supported on Dask")
    return y.reshape(-1)


def _cut(blocks, lengths, first, end):
    """The parts of these partitions that have the rows from ``first`` to ``end``: each with its own first row and end."""
    ends = list(accumulate(lengths))
    return [
        (block, max(first, stop - length) - (stop - length), min(end, stop) - (stop - length))
        for block, length, stop in zip(blocks, lengths, ends)
        if stop > first and stop - length < end
    ]


def _piece(blocks, dtype, classes, balance, first, rows):
    """The piece that is made of these parts of partitions."""
    X, y, weights = ([np.asarray(block)[start:end] for block, start, end in parts] for parts in blocks)
    y = np.concatenate(y)
    if classes is not None:
        y = _column(y)
    counts = np.concatenate(weights).reshape(-1) if weights else None
    if balance is not None:
        of_classes = balance[classes.searchsorted(y)]
        counts = of_classes if counts is None else counts * of_classes
    counts = None if counts is None else row_by_row(counts, dtype)
    X = row_by_row(np.concatenate(X), dtype)
    return distributed.Piece(X, distributed.targets(y, dtype, classes), counts, first, rows)


def _leaf_digests(piece):
    return piece.leaf_digests()


def _called(X, model, method, columns):
    """A method of the local model for a block; of a data frame with its index."""
    result = getattr(model, method)(X)
    if not hasattr(X, "index"):
        return result
    import pandas as pd

    return pd.Series(result, X.index, name=method) if columns is None else pd.DataFrame(result, X.index, columns)


@sizeof.register(distributed.Piece)
def _size_of_piece(piece):
    return piece.nbytes
