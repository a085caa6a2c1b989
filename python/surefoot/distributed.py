"""Training on examples that lie in pieces, on other processes or machines.

``surefoot.dask`` stands on this, and so can an adapter to whatever calls functions elsewhere. There are three calls, with bytes between
them:

- :func:`leaf_sum` where a :class:`Piece` of the examples is: the sums over its rows that a request asks for;
- :func:`add_sums` anywhere, for sums in any grouping and order;
- :meth:`Minimizer.step` where the parameters are: an iteration of L-BFGS, which asks for sums. :func:`fit` makes all of them.

What is added to what follows from the number of rows alone. So the parameters have the bits of ``fit`` on one machine, whatever the
pieces are, wherever they lie, and however often a sum has to be computed again.

With joblib::

    import joblib, numpy as np
    from surefoot import distributed
    from surefoot.sklearn import MLPClassifier

    def fitted(model, X, y, processes):
        classes, rows = np.unique(y), len(X)
        Y = distributed.targets(y, X.dtype, classes)
        places = distributed.piece_rows(rows, processes)
        pieces = [distributed.Piece(X[a:b], Y[a:b], None, a, rows) for a, b in places]
        with joblib.Parallel(n_jobs=processes) as parallel:
            def total(request):
                sums = parallel(joblib.delayed(distributed.leaf_sum)(piece, request) for piece in pieces)
                return distributed.add_sums(sums)
            return distributed.fit(model, total, rows=rows, features=X.shape[1], dtype=X.dtype, classes=classes)
"""

from __future__ import annotations

import logging

import numpy as np
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state

from ._core import Minimizer, Piece, add_sums, digest_of_leaves, digest_of_parameters, piece_rows
from ._data import row_by_row

__all__ = ["Minimizer", "Piece", "add_sums", "data_digest", "fit", "leaf_sum", "parameters_digest", "piece_rows", "targets"]

log = logging.getLogger(__name__)

def leaf_sum(piece, request, threads=1):
    """The sums that a request asks for, over the rows of a piece."""
    return piece.leaf_sum(request, threads)


def targets(y, dtype, classes=None):
    """The targets of a piece as the network sees them: a column for each class, one for two classes; or the numbers."""
    if classes is not None:
        y = LabelBinarizer().fit(classes).transform(y).astype(bool)
    y = np.asarray(y)
    return row_by_row(y.reshape((-1, 1)) if y.ndim == 1 else y, dtype)


def data_digest(rows, leaf_digests):
    """The digest of examples, from the :meth:`Piece.leaf_digests` of all pieces in their order: two fits with the same digest have learned
    from the same numbers in the same order and precision."""
    return f"{digest_of_leaves(rows, [digest for of_piece in leaf_digests for digest in of_piece]):016x}"


def parameters_digest(estimator):
    """The digest of the parameters of a fitted ``MLPClassifier`` or ``MLPRegressor``, wherever it was fitted."""
    return f"{digest_of_parameters(estimator._theta()):016x}"


def check_solver(solver):
    """That a step of the solver is long enough to be shared."""
    if solver != "lbfgs":
        raise ValueError(
            f"solver={solver!r} takes a step every few hundred rows, which lasts microseconds, where a task on another process takes "
            "milliseconds: it would gain nothing. Use solver='lbfgs', which takes all rows a step."
        )


def fit(estimator, total, *, rows, features, dtype, classes=None, outputs=1, names=None):
    """Fits an ``MLPClassifier`` or ``MLPRegressor`` of ``surefoot.sklearn`` with ``solver='lbfgs'`` to examples that lie elsewhere.

    Parameters
    ----------
    estimator
        It is fitted in place, with the bits of its own ``fit`` on the same examples.
    total : callable
        Gets the bytes of a request and returns the :func:`add_sums` of every piece's :func:`leaf_sum` for it. What it raises ends the
        fit; the estimator keeps the parameters of the last whole iteration.
    rows, features : int
        The rows of all pieces, and the columns of each.
    dtype : float32 or float64
        Of the numbers of all pieces, and of the parameters.
    classes : array, default=None
        All classes, sorted, for a classifier.
    outputs : int, default=1
        The columns of the targets, for a regressor.
    names : array of str, default=None
        The names of the columns.

    Returns
    -------
    estimator
    """
    check_solver(estimator.solver)
    estimator._validate_params()
    hidden = estimator._hidden()
    estimator._activations(len(hidden))
    first_pass = not hasattr(estimator, "coefs_") or not estimator.warm_start
    if is_classifier(estimator):
        outputs = _know_classes(estimator, np.asarray(classes), first_pass)
    estimator.n_features_in_ = features
    if names is not None:
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    estimator._random_state = check_random_state(estimator.random_state)
    if first_pass:
        estimator._initialize([features, *hidden, outputs], np.dtype(dtype))
    estimator.stop_reason_ = None
    _minimize(estimator, total, rows)
    estimator._check_finite()
    return estimator


def _know_classes(estimator, classes, first_pass):
    """Keeps the classes; how many outputs they make."""
    if not first_pass and set(classes.tolist()) != set(estimator.classes_.tolist()):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
            f"Previously got {estimator.classes_}, `y` has {classes}"
        )
    estimator._label_binarizer = LabelBinarizer().fit(classes)
    estimator.classes_ = estimator._label_binarizer.classes_
    return 1 if len(classes) <= 2 else len(classes)


def _minimize(estimator, total, rows):
    """Iterations of L-BFGS until one of them, or a limit, ends it."""
    theta, problem = estimator._own_theta(), estimator._problem()
    minimizer = Minimizer(float(estimator.tol), 0.0 if estimator.tol == 0 else 1e-9)
    stop = None
    while stop is None and minimizer.iterations < estimator.max_iter and minimizer.evaluations < estimator.max_fun:
        try:
            stop = minimizer.step(problem, theta, rows, total)
        except KeyboardInterrupt:
            stop = "interrupted"
        log.info(
            "iteration %d, cost %.8g, digest of the parameters %016x",
            minimizer.iterations, minimizer.cost, digest_of_parameters(theta),
        )  # fmt: skip
    estimator._lbfgs_ends(minimizer.iterations, minimizer.cost, stop)
