"""How `surefoot.sklearn` behaves in use: what scikit-learn promises of every estimator, and what only Surefoot has.

That the numbers are scikit-learn's own is the subject of test_parity.py.
"""

import hashlib
import io
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, get_scorer, log_loss, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

import surefoot
from surefoot.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SKLEARN = tuple(int(part) for part in sklearn.__version__.split(".")[:2])


@lru_cache
def digits(rows=500, dtype=np.float64):
    X, y = load_digits(return_X_y=True)
    X, y = (X[:rows] / 16).astype(dtype), y[:rows]
    X.flags.writeable = y.flags.writeable = False
    return X, y


@lru_cache
def numbers(rows=400, outputs=1):
    """A smooth function of five inputs, for regression."""
    X = np.random.RandomState(0).uniform(-1, 1, (rows, 5))
    y = np.column_stack([np.sin(2 * X[:, k]) + X[:, k + 1] * X[:, k + 2] for k in range(outputs)])
    return X, y[:, 0] if outputs == 1 else y


def parameters(model):
    return [*model.coefs_, *model.intercepts_]


def digest(model):
    """Equal only where every bit of every parameter is, and the types."""
    found = hashlib.sha256()
    for array in parameters(model):
        found.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return found.hexdigest()


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


LEAK, SELU_SCALE, SELU_ALPHA = 0.01, 1.0507009873554805, 1.6732632423543772


def softmax(z):
    exponentials = np.exp(z - z.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


FUNCTIONS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, LEAK * z),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(z)),
    "softmax": softmax,
}


def layers(model, X, hidden):
    """The activations of every layer by NumPy, from the model's attributes; `hidden` names the hidden ones."""
    found, a = [], np.asarray(X, dtype=np.float64)
    for W, b, name in zip(model.coefs_, model.intercepts_, [*hidden, model.out_activation_], strict=True):
        a = FUNCTIONS[name](a @ W + b)
        found.append(a)
    return found


def steps(model, n, X, y):
    """n epochs by partial_fit."""
    for _ in range(n):
        model.partial_fit(X, y, **({"classes": np.unique(y)} if hasattr(model, "predict_proba") else {}))
    return model


# Copies and processes


def through(module, model):
    """A copy of the model by one of the modules that people save models with."""
    if module == "joblib":
        joblib, file = pytest.importorskip("joblib"), io.BytesIO()
        joblib.dump(model, file)
        return joblib.load(file)
    if module == "skops":
        skops = pytest.importorskip("skops.io")
        data = skops.dumps(model)
        unknown = skops.get_untrusted_types(data=data)
        # Only our own estimators have to be trusted: all of their state is NumPy arrays and Python's own types.
        assert all(name.startswith("surefoot.") for name in unknown)
        return skops.loads(data, trusted=unknown)
    module = pytest.importorskip(module)
    return module.loads(module.dumps(model))


@pytest.mark.parametrize("module", ["pickle", "joblib", "cloudpickle", "skops"])
@pytest.mark.parametrize("settings", [{}, {"solver": "sgd", "learning_rate": "adaptive"}], ids=["adam", "sgd"])
def test_training_goes_on_exactly_after_loading(module, settings):
    X, y = digits()
    model = steps(MLPClassifier((20,), random_state=1, **settings), 3, X, y)
    before = digest(model)
    copy = through(module, model)
    assert digest(copy) == before
    assert same_bits(copy.predict_proba(X), model.predict_proba(X))
    assert copy.loss_curve_ == model.loss_curve_
    steps(model, 3, X, y)
    steps(copy, 3, X, y)
    assert digest(model) != before
    assert digest(copy) == digest(model)
    assert copy.loss_curve_ == model.loss_curve_ and len(copy.loss_curve_) == 6


def test_a_pickle_is_read_by_a_new_process(tmp_path):
    X, y = digits()
    model = MLPClassifier((20,), random_state=1, max_iter=5).fit(X, y)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "X.npy", X)
    program = (
        "import pickle, numpy as np; model = pickle.load(open('model.pkl', 'rb'));"
        "np.save('found.npy', model.predict_proba(np.load('X.npy')))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, timeout=60)
    assert same_bits(np.load(tmp_path / "found.npy"), model.predict_proba(X))


def test_a_clone_is_not_fitted():
    X, y = digits()
    model = MLPClassifier((20,), activation="tanh", weight_decay=1e-3, n_threads=2, max_iter=2).fit(X, y)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "coefs_")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_forked_child_trains_to_the_same_bits(solver):
    X, y = digits(1797)

    def train():
        model = MLPClassifier((60,), solver=solver, random_state=1, max_iter=3, n_threads=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return digest(model.fit(X, y)).encode()

    expected = train()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, train())
        finally:
            os._exit(0)
    os.close(writer)
    try:
        answered, _, _ = select.select([reader], [], [], 20)
        assert answered, "the child was still training after 20 seconds"
        assert os.read(reader, 100) == expected
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert train() == expected


# Interruption, the GIL and threads


def interrupted(fit, after=0.3):
    """Seconds between a Ctrl-C and the end of `fit`."""
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    # A shell may start background jobs with this signal ignored.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(after, send)
    try:
        timer.start()
        with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
            fit()
        ended = time.perf_counter()
        assert sent, "the fit had ended before it was interrupted"
    except KeyboardInterrupt:
        pytest.fail("KeyboardInterrupt came out of the fit")
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGINT, handler)
    return ended - sent[0]


# One fit of many short epochs, one of few long ones, and one of L-BFGS. Uninterrupted each takes several seconds.
ENDLESS = {
    "many epochs": (dict(hidden_layer_sizes=(30,), max_iter=5_000), 500),
    "long epochs": (dict(hidden_layer_sizes=(1200, 1200), solver="sgd", max_iter=4), 8_000),
    "lbfgs": (dict(hidden_layer_sizes=(400, 400), solver="lbfgs", max_iter=100), 2_000),
}


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C there")
@pytest.mark.parametrize("case", ENDLESS)
def test_ctrl_c_ends_a_fit_and_keeps_the_model(case):
    settings, rows = ENDLESS[case]
    random = np.random.RandomState(0)
    # Targets without any relation to the inputs, so that nothing converges soon.
    X, y = random.normal(size=(rows, 60)), random.normal(size=rows)
    model = MLPRegressor(**settings, tol=0, n_iter_no_change=np.inf, random_state=1, n_threads=2)
    assert interrupted(lambda: model.fit(X, y)) < 0.5
    assert all(np.isfinite(array).all() for array in parameters(model))
    assert model.predict(X[:10]).shape == (10,)
    # The model can be trained again, and one that ended by itself says something else.
    done = clone(model).set_params(hidden_layer_sizes=(5,), max_iter=2).fit(X[:50], y[:50])
    assert model.stop_reason_ != done.stop_reason_


def test_other_threads_of_python_run_during_a_fit():
    random = np.random.RandomState(0)
    X, y = random.normal(size=(6_000, 100)), random.normal(size=6_000)
    model = MLPRegressor(hidden_layer_sizes=(500, 500), batch_size=1_000, max_iter=4, random_state=1, n_threads=1)
    stamps, over = [], threading.Event()

    def tick():
        while not over.wait(0.002):
            stamps.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        begin = time.perf_counter()
        model.fit(X, y)
        end = time.perf_counter()
    finally:
        over.set()
        thread.join()
    during = [begin, *(stamp for stamp in stamps if begin < stamp < end), end]
    # With the GIL held the thread would run between epochs alone, five times.
    assert len(during) > 30
    assert np.diff(during).max() < (end - begin) / 4


def test_fits_in_several_threads_give_the_bits_of_each_alone():
    X, y = digits()

    def train(seed):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return digest(MLPClassifier((30,), random_state=seed, max_iter=5, n_threads=2).fit(X, y))

    alone = [train(seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(train, range(6))) == alone
    assert len(set(alone)) == 6


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_search_with_n_jobs_finds_what_one_job_finds():
    X, y = digits()
    grid = {"hidden_layer_sizes": [(5,), (20,)], "alpha": [1e-4, 1]}
    found = [
        GridSearchCV(MLPClassifier(max_iter=5, random_state=1), grid, cv=3, n_jobs=jobs).fit(X, y) for jobs in (1, 2)
    ]
    scores = [search.cv_results_["mean_test_score"] for search in found]
    assert len(set(scores[0])) > 1
    np.testing.assert_array_equal(scores[0], scores[1])
    assert digest(found[0].best_estimator_) == digest(found[1].best_estimator_)


THREADS = """
import os, threading, time, numpy as np, warnings
from surefoot.sklearn import MLPRegressor
warnings.simplefilter("ignore")
random = np.random.RandomState(0)
X, y = random.normal(size=(4000, 50)), random.normal(size=4000)

def most(n_threads):
    "The most threads that the process has during a fit."
    seen, over = [0], threading.Event()
    def look():
        while not over.wait(0.001):
            seen.append(len(os.listdir("/proc/self/task")))
    watch = threading.Thread(target=look)
    watch.start()
    try:
        MLPRegressor(hidden_layer_sizes=(200,), batch_size=4000, max_iter=20, n_threads=n_threads).fit(X, y)
    finally:
        over.set()
        watch.join()
    return max(seen)

print(most(1), most(None), most(2))
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor")
def test_the_default_number_of_threads_heeds_omp_num_threads():
    """joblib gives its workers OMP_NUM_THREADS, so that n_jobs times threads is no more than the processors."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", THREADS], env=environment, check=True, timeout=60, capture_output=True, text=True
    )
    one, default, two = map(int, run.stdout.split())
    assert default == one
    assert two > one


# What is printed, and what goes in


def test_verbose_prints_through_sys_stdout(capsys):
    X, y = digits()
    model = MLPClassifier((10,), max_iter=3, verbose=True, random_state=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"Iteration {k}, loss = {loss:.8f}" for k, loss in enumerate(model.loss_curve_, 1)]
    model.set_params(early_stopping=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1::2] == [f"Validation score: {score:f}" for score in model.validation_scores_]
    model.set_params(verbose=False).fit(X, y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_data_frames_keep_their_names(library):
    module = pytest.importorskip(library)
    X, y = numbers()
    names = list("abcde")
    columns = {name: X[:, k].copy() for k, name in enumerate(names)}
    frame = module.table(columns) if library == "pyarrow" else module.DataFrame(columns)
    if not hasattr(StandardScaler().fit(frame), "feature_names_in_"):
        pytest.skip(f"scikit-learn {sklearn.__version__} does not read the names of {library} {module.__version__}")
    settings = dict(hidden_layer_sizes=(10,), max_iter=5, random_state=1)
    model = MLPRegressor(**settings).fit(frame, y)
    assert list(model.feature_names_in_) == names
    assert digest(model) == digest(MLPRegressor(**settings).fit(X, y))
    turned = {name: columns[name] for name in reversed(names)}
    turned = module.table(turned) if library == "pyarrow" else module.DataFrame(turned)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(turned)


def test_sample_weights_are_routed():
    X, y = digits()
    weights = np.linspace(0.1, 3, len(y))
    settings = dict(hidden_layer_sizes=(10,), max_iter=3, random_state=1)
    expected = MLPClassifier(**settings).fit(StandardScaler().fit_transform(X), y, sample_weight=weights)
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(**settings).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        found = pipe.fit(X, y, sample_weight=weights)
        assert digest(found[-1]) == digest(expected)
        assert digest(found[-1]) != digest(clone(pipe).fit(X, y)[-1])
        once = cross_val_score(model, X, y, cv=3, params={"sample_weight": weights})
        weights[: len(y) // 2] = 1e-6
        assert not np.array_equal(once, cross_val_score(model, X, y, cv=3, params={"sample_weight": weights}))


def test_a_validation_set_is_routed_and_transformed_by_a_pipeline():
    X, y = digits()
    settings = dict(hidden_layer_sizes=(10,), max_iter=5, random_state=1)
    scaler = StandardScaler().fit(X[:400])
    expected = MLPClassifier(**settings).fit(
        scaler.transform(X[:400]), y[:400], X_val=scaler.transform(X[400:]), y_val=y[400:]
    )
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(**settings).set_fit_request(X_val=True, y_val=True)
        pipe = Pipeline([("scale", StandardScaler()), ("net", model)], transform_input=["X_val"])
        pipe.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    assert pipe["net"].validation_loss_curve_ == expected.validation_loss_curve_


# The same


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_s_bits_do_not_depend_on_its_neighbours(dtype):
    X, y = digits(dtype=dtype)
    classifier = MLPClassifier((33, 17), max_iter=3, random_state=1).fit(X, y)
    regressor = MLPRegressor(hidden_layer_sizes=(33, 17), max_iter=3, random_state=1).fit(X, y)
    for method in (classifier.predict_proba, classifier.encode, regressor.predict):
        together = method(X)
        for rows in (slice(0, 1), slice(3, 20), slice(100, 101), slice(40, 400), slice(None, None, -1)):
            assert same_bits(method(X[rows]), together[rows].copy())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "settings",
    [{}, {"solver": "sgd", "batch_size": 1000}, {"solver": "lbfgs"}, {"early_stopping": True}],
    ids=["adam", "sgd", "lbfgs", "early stopping"],
)
def test_the_bits_do_not_depend_on_the_number_of_threads(settings, dtype):
    X, y = digits(1797, dtype)
    found = [
        MLPClassifier((50, 30), max_iter=5, random_state=1, n_threads=n, **settings).fit(X, y) for n in (1, 2, 3, None)
    ]
    assert len({digest(model) for model in found}) == 1
    assert len({model.predict_proba(X).tobytes() for model in found}) == 1
    assert len({model.loss_ for model in found}) == 1


# Attributes are the truth


def test_edited_and_assigned_coefs_change_the_next_prediction():
    X, y = digits()
    model = MLPClassifier((20, 10), max_iter=3, random_state=1).fit(X, y)
    first = model.predict_proba(X)

    model.coefs_[0] *= 2  # in place
    model.intercepts_[1][:] += 0.1
    second = model.predict_proba(X)
    np.testing.assert_allclose(second, layers(model, X, ["relu", "relu"])[-1], rtol=1e-10, atol=1e-14)
    assert np.abs(second - first).max() > 0.01

    model.coefs_[2] = -model.coefs_[2]  # one of the list
    np.testing.assert_allclose(model.predict_proba(X), layers(model, X, ["relu", "relu"])[-1], rtol=1e-10, atol=1e-14)

    model.coefs_ = [np.zeros_like(W) for W in model.coefs_]  # the list
    model.intercepts_[2][:] = np.arange(10)
    np.testing.assert_allclose(model.predict_proba(X[:1]), softmax(np.arange(10.0)[None]), rtol=1e-12)


def test_training_goes_on_from_edited_coefs():
    X, y = digits()
    model = steps(MLPClassifier((20,), random_state=1), 2, X, y)
    edited, assigned = pickle.loads(pickle.dumps(model)), pickle.loads(pickle.dumps(model))
    edited.coefs_[0][:5] = 0.25
    W = assigned.coefs_[0].copy()
    W[:5] = 0.25
    assigned.coefs_ = [W, *assigned.coefs_[1:]]
    for each in (model, edited, assigned):
        steps(each, 1, X, y)
    assert digest(edited) == digest(assigned) != digest(model)


def test_coefs_in_the_order_of_fortran_are_read_as_they_are():
    X, y = digits()
    model = MLPClassifier((20,), max_iter=3, random_state=1).fit(X, y)
    expected = model.predict_proba(X)
    model.coefs_ = [np.asfortranarray(W) for W in model.coefs_]
    assert same_bits(model.predict_proba(X), expected)


# Types and shapes


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_float32_stays_float32(solver):
    X, y = numbers()
    X = X.astype(np.float32)
    model = MLPRegressor(hidden_layer_sizes=(10,), solver=solver, max_iter=5, random_state=1).fit(X, y)
    assert {array.dtype for array in parameters(model)} == {np.dtype(np.float32)}
    assert model.predict(X).dtype == np.float32
    classifier = MLPClassifier((10,), solver=solver, max_iter=5).fit(X, y > 0)
    assert classifier.predict_proba(X).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint8, bool])
def test_other_types_become_float64(dtype):
    X = (digits()[0] * 16).astype(dtype)
    model = MLPClassifier((10,), max_iter=2, random_state=1).fit(X, digits()[1])
    assert {array.dtype for array in parameters(model)} == {np.dtype(np.float64)}
    assert digest(model) == digest(clone(model).fit(X.astype(float), digits()[1]))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.csc_array])
def test_sparse_input_is_as_dense_input(kind, solver):
    X, y = digits()
    settings = dict(hidden_layer_sizes=(10,), solver=solver, max_iter=10, random_state=1)
    dense = MLPClassifier(**settings).fit(X, y)
    sparse = MLPClassifier(**settings).fit(kind(X), y)
    for a, b in zip(parameters(sparse), parameters(dense), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    np.testing.assert_allclose(sparse.predict_proba(kind(X)), dense.predict_proba(X), atol=1e-7)


def test_inputs_are_read_wherever_they_lie_and_not_changed():
    X, y = digits()
    expected = MLPClassifier((10,), max_iter=3, random_state=1).fit(X, y)
    wide = np.zeros((len(X), 2 * X.shape[1]))
    wide[:, ::2] = X
    for other in (np.asfortranarray(X), wide[:, ::2], X[::-1].copy()[::-1], X.tolist()):
        assert digest(MLPClassifier((10,), max_iter=3, random_state=1).fit(other, y)) == digest(expected)
    assert (wide[:, 1::2] == 0).all() and (wide[:, ::2] == X).all()


def test_multilabel_targets():
    X, Y = make_multilabel_classification(400, 10, n_classes=4, random_state=0)
    model = MLPClassifier((50,), max_iter=200, learning_rate_init=0.01, random_state=1).fit(X, Y)
    assert model.out_activation_ == "logistic" and model.n_outputs_ == 4
    P = model.predict_proba(X)
    assert P.shape == (400, 4)
    np.testing.assert_array_equal(model.predict(X), (P > 0.5).astype(int))
    assert (model.predict(X) == Y).mean() > 0.85
    np.testing.assert_array_equal(model.predict_log_proba(X), np.log(P))


def test_several_outputs():
    X, Y = numbers(outputs=3)
    model = MLPRegressor(hidden_layer_sizes=(40,), solver="lbfgs", max_iter=300, random_state=1).fit(X, Y)
    assert model.predict(X).shape == Y.shape and model.n_outputs_ == 3
    assert r2_score(Y, model.predict(X)) > 0.98


@pytest.mark.parametrize(
    "labels", [["no", "yes", "maybe"], [-7, 3, 12], [False, True, True]], ids=["str", "int", "bool"]
)
def test_labels_come_back_as_they_were(labels):
    X, y = digits()
    y = np.array(labels)[y % 3]
    model = MLPClassifier((20,), solver="lbfgs", max_iter=100, random_state=1).fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.unique(labels))
    assert model.predict(X).dtype == y.dtype
    assert accuracy_score(y, model.predict(X)) > 0.95
    assert model.predict_proba(X).shape == (len(X), len(model.classes_))


# What scikit-learn's MLP does not have: weights


def rare(rows=400):
    X, y = digits(rows)
    return X, np.where(y == 3, "three", np.where(y > 5, "large", "small"))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("weights", ["balanced", {"three": 5.0, "large": 0.5, "small": 1.0}], ids=["balanced", "dict"])
def test_class_weights_are_sample_weights_by_class(weights, solver):
    X, y = rare()
    settings = dict(hidden_layer_sizes=(10,), solver=solver, max_iter=5, random_state=1)
    own = np.linspace(0.5, 1.5, len(y))
    for sample_weight in (None, own):
        found = MLPClassifier(class_weight=weights, **settings).fit(X, y, sample_weight=sample_weight)
        by_class = compute_sample_weight(weights, y)
        expected = MLPClassifier(**settings).fit(X, y, by_class if sample_weight is None else by_class * own)
        for a, b in zip(parameters(found), parameters(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        plain = MLPClassifier(**settings).fit(X, y, sample_weight=sample_weight)
        assert np.abs(found.coefs_[0] - plain.coefs_[0]).max() > 1e-4


def test_class_weights_in_partial_fit():
    X, y = rare()
    weights = {"three": 5.0, "large": 0.5, "small": 1.0}
    found = steps(MLPClassifier((10,), class_weight=weights, random_state=1), 2, X, y)
    expected = MLPClassifier((10,), random_state=1)
    for _ in range(2):
        expected.partial_fit(X, y, compute_sample_weight(weights, y), classes=np.unique(y))
    np.testing.assert_allclose(found.coefs_[0], expected.coefs_[0], rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="balanced"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=np.unique(y))


def test_weight_decay_is_alpha_over_the_rows_of_a_full_batch():
    X, y = digits()
    settings = dict(hidden_layer_sizes=(20,), batch_size=len(X), max_iter=20, random_state=1)
    for solver in ("adam", "sgd", "lbfgs"):
        ours = MLPClassifier(solver=solver, weight_decay=0.01, **settings).fit(X, y)
        theirs = MLPClassifier(solver=solver, alpha=0.01 * len(X), **settings).fit(X, y)
        np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-10)
        np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-7, atol=1e-10)
        without = MLPClassifier(solver=solver, **settings).fit(X, y)
        assert np.abs(ours.coefs_[0] - without.coefs_[0]).max() > 1e-4


def first_loss(model, X, y):
    """The loss of an epoch that changes nothing, and the sum of the squared weights."""
    model.set_params(max_iter=1, learning_rate_init=1e-300).fit(X, y)
    return model.loss_, sum((W**2).sum() for W in model.coefs_)


def test_weight_decay_is_not_divided_by_the_rows_of_a_batch():
    X, y = digits(500)
    settings = dict(hidden_layer_sizes=(20,), batch_size=200, random_state=1)  # 200, 200 and 100 rows
    data, squares = first_loss(MLPClassifier(alpha=0, **settings), X, y)
    decayed, _ = first_loss(MLPClassifier(weight_decay=0.1, **settings), X, y)
    assert decayed == pytest.approx(data + 0.1 / 2 * squares, rel=1e-10)
    # alpha is: each of the three batches adds alpha / 2 times the squares to the sum over rows.
    divided, _ = first_loss(MLPClassifier(alpha=0.1, **settings), X, y)
    assert divided == pytest.approx(data + 3 * 0.1 / 2 * squares / 500, rel=1e-10)


# … a validation set of one's own


def halves():
    X, y = digits()
    return X[:300], y[:300], X[300:], y[300:]


def test_the_validation_loss_is_that_of_the_model_after_each_epoch():
    X, y, X_val, y_val = halves()
    weights = np.linspace(0, 2, len(y_val))
    for sample_weight in (None, weights):
        model = MLPClassifier((20,), alpha=0, max_iter=4, random_state=1)
        model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=sample_weight)
        assert len(model.validation_loss_curve_) == 4
        for epochs, loss in enumerate(model.validation_loss_curve_, 1):
            then = clone(model).set_params(max_iter=epochs).fit(X, y)
            expected = log_loss(y_val, then.predict_proba(X_val), sample_weight=sample_weight)
            assert loss == pytest.approx(expected, rel=1e-9)
        # To look does not change what is trained.
        assert digest(model) == digest(clone(model).fit(X, y))


def test_the_validation_loss_of_a_regression():
    X, y = numbers()
    model = MLPRegressor(hidden_layer_sizes=(20,), alpha=0, max_iter=3, random_state=1)
    model.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    expected = ((model.predict(X[300:]) - y[300:]) ** 2).mean() / 2
    assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-9)


def test_early_stopping_on_a_validation_set_of_one_s_own():
    X, y, X_val, y_val = halves()
    model = MLPClassifier((20,), early_stopping=True, n_iter_no_change=5, learning_rate_init=0.02, random_state=1)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ < 200
    assert model.t_ == model.n_iter_ * len(X)  # nothing is set aside
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == model.n_iter_
    assert max(model.validation_scores_) == model.best_validation_score_ == accuracy_score(y_val, model.predict(X_val))
    # best_iter_ counts epochs as n_iter_ does: so many epochs give the model that was kept.
    assert model.validation_scores_[model.best_iter_ - 1] == model.best_validation_score_
    assert model.best_iter_ < model.n_iter_
    short = clone(model).set_params(early_stopping=False, max_iter=model.best_iter_)
    assert digest(short.fit(X, y)) == digest(model)


def test_early_stopping_has_a_validation_loss_without_a_set_of_one_s_own():
    X, y = digits()
    model = MLPClassifier((20,), early_stopping=True, max_iter=5, random_state=1).fit(X, y)
    assert len(model.validation_loss_curve_) == 5
    assert 0 < model.validation_loss_curve_[-1] < model.validation_loss_curve_[0] < 4


def test_without_validation_there_is_no_validation_curve():
    X, y = digits()
    model = MLPClassifier((5,), max_iter=2, random_state=1).fit(X, y)
    assert getattr(model, "validation_loss_curve_", None) is None
    # Nor is one left from a fit before.
    model.fit(X, y, X_val=X, y_val=y)
    assert len(model.validation_loss_curve_) == 2
    assert getattr(model.fit(X, y), "validation_loss_curve_", None) is None


def test_scoring_chooses_what_early_stopping_watches():
    X, y, X_val, y_val = halves()
    y, y_val = (np.where(part == 3, "three", "other") for part in (y, y_val))
    settings = dict(
        hidden_layer_sizes=(20,), early_stopping=True, n_iter_no_change=8, learning_rate_init=0.02, random_state=1
    )
    kept = {}
    for scoring in ("balanced_accuracy", "neg_log_loss", "roc_auc"):
        model = MLPClassifier(scoring=scoring, **settings).fit(X, y, X_val=X_val, y_val=y_val)
        assert model.best_validation_score_ == pytest.approx(get_scorer(scoring)(model, X_val, y_val), rel=1e-9)
        assert model.best_validation_score_ == max(model.validation_scores_)
        kept[scoring] = model.best_iter_
    assert len(set(kept.values())) > 1

    by_loss = MLPClassifier(scoring="loss", **settings).fit(X, y, X_val=X_val, y_val=y_val)
    assert by_loss.best_iter_ == np.argmin(by_loss.validation_loss_curve_) + 1
    assert by_loss.n_iter_ < 200


def test_scoring_may_be_a_function():
    X, y, X_val, y_val = halves()
    asked = []

    def score(model, X, y):
        asked.append((model.predict_proba(X).shape, len(y)))
        return -len(asked)  # the first epoch is the best

    model = MLPClassifier((5,), scoring=score, early_stopping=True, n_iter_no_change=3, random_state=1)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert asked == [((200, 10), 200)] * model.n_iter_
    assert model.best_iter_ == 1 and model.validation_scores_[:2] == [-1, -2]


def test_stop_reasons_differ():
    X, y = digits()
    settings = dict(hidden_layer_sizes=(10,), random_state=1)
    reasons = [
        MLPClassifier(max_iter=2, **settings).fit(X, y).stop_reason_,
        MLPClassifier(tol=10, n_iter_no_change=2, **settings).fit(X, y).stop_reason_,
        MLPClassifier(solver="lbfgs", tol=0.1, **settings).fit(X, y).stop_reason_,
    ]
    assert all(isinstance(reason, str) and reason for reason in reasons)
    assert reasons[0] not in reasons[1:]
    assert MLPClassifier(solver="lbfgs", max_iter=2, **settings).fit(X, y).stop_reason_ != reasons[2]


def test_a_fit_that_did_not_converge_warns():
    X, y = digits()
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        MLPClassifier((5,), max_iter=2).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        MLPClassifier((5,), max_iter=2, solver="lbfgs").fit(X, y)


@pytest.mark.skipif(SKLEARN < (1, 9), reason="scikit-learn has callbacks since 1.9")
def test_callbacks_see_each_epoch_and_can_end_the_training():
    X, y = digits()

    class Watch:
        def __init__(self):
            self.calls, self.scores = [], []

        def setup(self, estimator, context):
            self.calls.append("setup")

        def teardown(self, estimator, context):
            self.calls.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
            if context.parent is None:
                return False
            self.calls.append(context.task_id)
            self.scores.append(fitted_estimator.score(X, y))
            return len(self.scores) == 4

    watch = Watch()
    model = MLPClassifier((20,), learning_rate_init=0.01, random_state=1)
    assert model.set_callbacks(watch) is model
    model.fit(X, y)
    assert watch.calls == ["setup", 0, 1, 2, 3, "teardown"]
    assert model.n_iter_ == 4
    assert watch.scores[0] < watch.scores[-1] == model.score(X, y)
    assert digest(model) == digest(clone(model).set_params(max_iter=4).fit(X, y))


# … activations


@pytest.mark.parametrize("name", ["leaky_relu", "selu"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_more_activations(name, solver):
    X, y = digits()
    model = MLPClassifier((20, 10), name, solver=solver, max_iter=60, learning_rate_init=0.01, random_state=1).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), layers(model, X, [name] * 2)[-1], rtol=1e-9, atol=1e-12)
    assert model.score(X, y) > 0.95
    assert model.check_gradient(X, y).passed


def test_an_activation_for_each_layer():
    X, y = digits()
    names = ["tanh", "leaky_relu", "logistic"]
    model = MLPClassifier((20, 15, 10), names, max_iter=100, learning_rate_init=0.02, random_state=1).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), layers(model, X, names)[-1], rtol=1e-9, atol=1e-12)
    assert model.score(X, y) > 0.95
    assert model.check_gradient(X, y).passed
    # The same name for each layer is the name alone, the start of the output layer included.
    settings = dict(hidden_layer_sizes=(20, 10), max_iter=3, random_state=1)
    for name in ("relu", "logistic"):
        alone = MLPClassifier(activation=name, **settings).fit(X, y)
        assert digest(MLPClassifier(activation=[name, name], **settings).fit(X, y)) == digest(alone)


# … hidden layers, the check and the file


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_encode_gives_the_activations_of_hidden_layers(dtype):
    X, y = digits(dtype=dtype)
    model = MLPClassifier((20, 10), "tanh", max_iter=3, random_state=1).fit(X, y)
    first, last, _ = layers(model, X, ["tanh"] * 2)
    close = dict(rtol=1e-9, atol=1e-12) if dtype == np.float64 else dict(rtol=1e-4, atol=1e-5)
    assert model.encode(X).dtype == dtype
    np.testing.assert_allclose(model.encode(X), last, **close)
    np.testing.assert_allclose(model.encode(X, layer=-1), last, **close)
    np.testing.assert_allclose(model.encode(X, layer=-2), first, **close)
    np.testing.assert_allclose(model.encode(X, layer=0), first, **close)
    np.testing.assert_allclose(model.encode(X, layer=1), last, **close)
    for layer in (2, -3):
        with pytest.raises(ValueError, match="hidden layer"):
            model.encode(X, layer=layer)
    # The name `transform` would make scikit-learn take the classifier for a transformer.
    assert not hasattr(model, "transform")


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_the_gradient_is_right(activation):
    X, y = digits(60)
    for model, target in (
        (MLPClassifier, y),
        (MLPClassifier, y > 4),
        (MLPClassifier, np.column_stack([y > 2, y > 5]).astype(int)),
        (MLPRegressor, y / 10),
        (MLPRegressor, np.column_stack([y, y**2]) / 10),
    ):
        fitted = model(hidden_layer_sizes=(7, 5), activation=activation, max_iter=2, random_state=1).fit(X, target)
        for weights in (None, np.linspace(0.5, 2, len(X))):
            report = fitted.check_gradient(X, target, sample_weight=weights)
            assert report.passed is True
            assert 0 < report.difference < 1e-6
            assert "passed" in str(report)
            assert "<" in report._repr_html_()


def test_the_gradient_is_checked_at_the_model_as_it_is():
    X, y = digits(60)
    model = MLPRegressor(hidden_layer_sizes=(5,), max_iter=2, random_state=1).fit(X, y)
    before = model.check_gradient(X, y).cost
    digest_before = digest(model)
    model.check_gradient(X, y)
    assert digest(model) == digest_before
    model.coefs_[0][:] = 0.01
    assert model.check_gradient(X, y).cost != before


def test_a_saved_model_predicts_the_same(tmp_path):
    X, y = digits()
    model = MLPClassifier((20,), max_iter=10, random_state=1).fit(X, y)
    model.save(tmp_path / "digits.safetensors")
    loaded = surefoot.load(tmp_path / "digits.safetensors")
    np.testing.assert_allclose(loaded.predict_proba(X), model.predict_proba(X), rtol=1e-9, atol=1e-12)


# Errors


BAD_SETTINGS = [
    (dict(hidden_layer_sizes=(10, 0)), r"hidden_layer_sizes must be > 0, got \[10, 0\]\."),
    (dict(hidden_layer_sizes=(-1,)), r"hidden_layer_sizes must be > 0, got \[-1\]\."),
    (dict(alpha=-1), "alpha"),
    (dict(solver="newton"), "solver"),
    (dict(activation="sine"), "activation"),
    (dict(activation=["relu", "sine"]), "activation"),
    (dict(activation=["relu"]), "activation"),
    (dict(activation=["relu", "relu", "relu"]), "activation"),
    (dict(max_iter=0), "max_iter"),
    (dict(learning_rate_init=0), "learning_rate_init"),
    (dict(momentum=1.5), "momentum"),
    (dict(weight_decay=-0.1), "weight_decay"),
    (dict(n_threads=0), "n_threads"),
    (dict(scoring="no such score", early_stopping=True), "scoring|no such score"),
    (dict(class_weight="heavy"), "class_weight"),
]


@pytest.mark.parametrize(("settings", "message"), BAD_SETTINGS)
def test_wrong_settings_are_refused_by_fit(settings, message):
    X, y = digits()
    model = MLPClassifier(**{"hidden_layer_sizes": (5, 5), "max_iter": 2, **settings})  # __init__ takes anything
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


def test_wrong_data_are_refused():
    X, y = digits()
    model = MLPClassifier((5,), max_iter=2, random_state=1)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 64 features as input"):
        model.predict(X[:, :3])
    for bad in (np.nan, np.inf):
        wrong = X.copy()
        wrong[7, 3] = bad
        with pytest.raises(ValueError, match="NaN|infinity"):
            clone(model).fit(wrong, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clone(model).fit(X, y[:-1])
    with pytest.raises(ValueError, match="sample_weight"):
        clone(model).fit(X, y, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        clone(model).partial_fit(X, y)
    with pytest.raises(ValueError, match="y. has classes not in"):
        clone(model).partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        clone(model).set_params(early_stopping=True).partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="The validation set is too small"):
        clone(model).set_params(early_stopping=True, validation_fraction=0.01).fit(X[:30], y[:30] > 20)
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")


def test_a_wrong_validation_set_is_refused():
    X, y = digits()
    model = MLPClassifier((5,), max_iter=2)
    with pytest.raises(ValueError, match="y_val"):
        model.fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="X_val"):
        model.fit(X, y, y_val=y)
    with pytest.raises(ValueError, match="features"):
        model.fit(X, y, X_val=X[:, :5], y_val=y)
    with pytest.raises(ValueError):
        model.fit(X, y, X_val=X, y_val=np.full(len(y), 11))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_weights_that_are_not_finite_are_an_error():
    X, y = numbers()
    model = MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", learning_rate_init=1e3, max_iter=50, random_state=1)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        model.fit(X * 1e6, y * 1e6)


def test_an_error_leaves_the_process_able_to_train():
    X, y = digits()
    model = MLPClassifier((5,), max_iter=2, random_state=1)
    expected = digest(model.fit(X, y))
    with pytest.raises(ValueError):
        model.fit(X, y, sample_weight=np.zeros(len(y)))
    with pytest.raises(ValueError):
        model.set_params(n_threads=-1).fit(X, y)
    assert digest(model.set_params(n_threads=None).fit(X, y)) == expected
