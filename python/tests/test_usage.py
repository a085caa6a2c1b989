"""What one notices in using the two perceptrons: copies, processes, interruption, threads, output, frames, and the same bits."""

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

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from surefoot.sklearn import MLPClassifier, MLPRegressor

from mlp_cases import digest, digits, numbers, parameters, same_bits, steps

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Copies and processes


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_arrays_may_begin_at_any_byte(solver):
    def shifted(array):
        return np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1).reshape(array.shape)

    X, y = digits()
    weights = np.ones(len(X))
    one, other = [MLPClassifier((5,), solver=solver, max_iter=2, random_state=1) for _ in range(2)]
    assert not shifted(X).flags.aligned
    one.fit(X, y, sample_weight=weights)
    other.fit(shifted(X), y, sample_weight=shifted(weights))
    assert digest(one) == digest(other)
    assert same_bits(one.predict_proba(X), other.predict_proba(shifted(X)))


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
    assert interrupted(lambda: model.fit(X, y)) < 2  # a tenth of a second where no other work takes the machine
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
    found = [GridSearchCV(MLPClassifier(max_iter=5, random_state=1), grid, cv=3, n_jobs=jobs).fit(X, y) for jobs in (1, 2)]
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
    run = subprocess.run([sys.executable, "-c", THREADS], env=environment, check=True, timeout=60, capture_output=True, text=True)
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
    expected = MLPClassifier(**settings).fit(scaler.transform(X[:400]), y[:400], X_val=scaler.transform(X[400:]), y_val=y[400:])
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
    found = [MLPClassifier((50, 30), max_iter=5, random_state=1, n_threads=n, **settings).fit(X, y) for n in (1, 2, 3, None)]
    assert len({digest(model) for model in found}) == 1
    assert len({model.predict_proba(X).tobytes() for model in found}) == 1
    assert len({model.loss_ for model in found}) == 1
