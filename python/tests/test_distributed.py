"""Examples in pieces on other processes: an adapter of a few lines for joblib, to the bits of one process."""

import pickle
import re
import textwrap

import numpy as np
import pytest
from sklearn.datasets import make_classification
from surefoot import distributed
from surefoot.distributed import Piece, add_sums, data_digest, leaf_sum, parameters_digest, piece_rows, targets
from surefoot.sklearn import MLPClassifier, MLPRegressor

from mlp_cases import same_bits

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def table(rows, dtype=np.float32, classes=3):
    X, y = make_classification(rows, 9, n_informative=6, n_classes=classes, random_state=0)
    return X.astype(dtype), np.array(["blue", "green", "red"])[y]


def joblib_adapter():
    """The one in the module's documentation."""
    code = distributed.__doc__.split("With joblib::\n")[1]
    names = {}
    exec(textwrap.dedent(code), names)
    return names["fitted"]


@pytest.mark.parametrize("processes", [1, 3])
def test_joblib_fits_to_the_bits_of_one_process(processes):
    fitted = joblib_adapter()
    for classes in (2, 3):
        X, y = table(3000, classes=classes)
        settings = dict(hidden_layer_sizes=(11,), solver="lbfgs", max_iter=8, random_state=1)
        alone = MLPClassifier(**settings).fit(X, y)
        model = fitted(MLPClassifier(**settings), X, y, processes)
        assert parameters_digest(model) == parameters_digest(alone)
        assert (model.n_iter_, model.loss_, model.stop_reason_) == (alone.n_iter_, alone.loss_, alone.stop_reason_)
        assert same_bits(model.predict_proba(X), alone.predict_proba(X))


def pieces_of(X, y, count, weights=None):
    Y = targets(y, X.dtype)
    part = lambda numbers, a, b: None if numbers is None else numbers[a:b]
    return [Piece(X[a:b], Y[a:b], part(weights, a, b), a, len(X)) for a, b in piece_rows(len(X), count)]


def over(pieces, fails_at=None):
    """The sum over pieces, which fails once, or not at all."""
    requests = []

    def total(request):
        requests.append(request)
        if len(requests) == fails_at:
            raise OSError("the cluster is gone")
        sums = [leaf_sum(pickle.loads(pickle.dumps(piece, protocol=5)), request) for piece in pieces]
        return add_sums([add_sums(sums[len(sums) // 2 :]), *sums[: len(sums) // 2]])

    return total


def fit(model, X, total):
    return distributed.fit(model, total, rows=len(X), features=X.shape[1], dtype=X.dtype, outputs=2)


def numbers(rows, dtype=np.float64):
    random = np.random.default_rng(5)
    X = random.normal(size=(rows, 6)).astype(dtype)
    return X, np.stack([np.sin(X[:, 0]), X[:, 1] * X[:, 2]], axis=1).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pieces_that_weigh_nothing_and_several_numbers_fit_to_the_same_bits(dtype):
    X, y = numbers(2500, dtype)
    weights = np.where(np.arange(2500) < 900, 0, np.arange(2500) % 3 + 0.5).astype(dtype)
    settings = dict(hidden_layer_sizes=(7, 5), activation="tanh", solver="lbfgs", max_iter=6, random_state=1, weight_decay=1e-3)
    alone = MLPRegressor(**settings).fit(X, y, sample_weight=weights)
    for count in (1, 4, 11):
        model = fit(MLPRegressor(**settings), X, over(pieces_of(X, y, count, weights)))
        assert parameters_digest(model) == parameters_digest(alone)


def test_a_fit_whose_sum_fails_keeps_the_last_iteration_and_goes_on_from_there():
    X, y = numbers(1500)
    settings = dict(hidden_layer_sizes=(7,), solver="lbfgs", random_state=1, warm_start=True)
    model, pieces = MLPRegressor(max_iter=9, **settings), pieces_of(X, y, 3)
    with pytest.raises(OSError, match="the cluster is gone"):
        fit(model, X, over(pieces, fails_at=6))
    iterations = [MLPRegressor(max_iter=count, **settings).fit(X, y) for count in range(1, 6)]
    (kept,) = [local for local in iterations if parameters_digest(local) == parameters_digest(model)]
    # L-BFGS begins anew there, as warm_start does on one process
    assert parameters_digest(fit(model, X, over(pieces))) == parameters_digest(kept.set_params(max_iter=9).fit(X, y))


def test_the_digest_of_the_data_does_not_depend_on_the_pieces():
    X, y = numbers(2500)
    digests = {data_digest(2500, [piece.leaf_digests() for piece in pieces_of(X, y, count)]) for count in (1, 2, 5)}
    assert len(digests) == 1
    X[2400, 3] += 1e-9
    assert data_digest(2500, [piece.leaf_digests() for piece in pieces_of(X, y, 2)]) not in digests


def test_pickled_pieces_are_the_same_wherever_their_bytes_lie():
    X, y = numbers(1000)
    (piece,) = pieces_of(X, y, 1, np.ones(1000))
    buffers = []
    data = pickle.dumps(piece, protocol=5, buffer_callback=buffers.append)
    shifted = [memoryview(b"x" + bytes(buffer.raw()))[1:] for buffer in buffers]
    assert buffers and pickle.loads(data, buffers=shifted).leaf_digests() == piece.leaf_digests()
    assert piece.nbytes == 1000 * 9 * 8


def test_what_is_wrong_is_told_with_its_row_in_all_pieces():
    X, y = numbers(1500)
    X[1300, 2] = np.nan
    with pytest.raises(ValueError, match=re.escape("inputs, row 1300, column 2: expected a finite number, got NaN")):
        pieces_of(X, y, 3)
    X, y = numbers(1500)
    with pytest.raises(ValueError, match=re.escape("got rows 1 to 1001 of 1500")):
        Piece(X[:1000], y[:1000], None, 1, 1500)
    with pytest.raises(ValueError, match="weights, row 240, column 0: expected a finite number, at least 0, got -1"):
        Piece(X[240:480], y[240:480], np.full(240, -1.0), 240, 1500)
    pieces = pieces_of(X, y, 3)
    with pytest.raises(ValueError, match="the sums of some rows have not come"):
        fit(MLPRegressor(solver="lbfgs"), X, over(pieces[1:]))
    with pytest.raises(ValueError, match="solver='adam' takes a step every few hundred rows.*Use solver='lbfgs'"):
        fit(MLPRegressor(), X, over(pieces))
