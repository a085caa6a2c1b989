"""Fits on a cluster of Dask: the bits of one process, whatever the workers, the partitions, and whoever dies."""

import importlib.util
import os
import pickle
import random
import re
import signal
import threading
from contextlib import suppress

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from surefoot.distributed import parameters_digest
from surefoot.sklearn import MLPClassifier, MLPRegressor

dask = pytest.importorskip("dask", reason="Dask is not installed")
distributed = pytest.importorskip("distributed", reason="Dask's workers are not installed")
import dask.array as da  # noqa: E402
import dask.dataframe as dd  # noqa: E402
import pandas as pd  # noqa: E402
import surefoot  # noqa: E402
import surefoot.dask  # noqa: E402
from surefoot.dask import Classifier, Regressor  # noqa: E402

from test_docs import ROOT, blocks  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS = dict(hidden_layer_sizes=(8,), random_state=1, max_iter=5)


@pytest.fixture(autouse=True)
def no_fit_hangs():
    def ring(*_):
        raise TimeoutError("a fit has not ended within three minutes")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(180)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def cluster():
    # a cluster of this machine closes a worker that is not there 15 s after it was lost: on a slow machine it may just have been killed again
    options = {
        "distributed.logging.distributed": "critical",
        "distributed.worker.memory.terminate": False,
        "distributed.deploy.lost-worker-timeout": "5 minutes",
    }
    with dask.config.set(options):
        cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50)
        yield cluster
        # a worker that was killed may be gone from the scheduler before the cluster looks it up there
        with suppress(KeyError):
            cluster.close()


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as client:
        yield client


def of_size(cluster, client, workers):
    cluster.scale(workers)
    client.wait_for_workers(workers, timeout=60)
    while len(client.scheduler_info(n_workers=-1)["workers"]) > workers:
        threading.Event().wait(0.1)


def table(rows, classes=3):
    X, y = make_classification(rows, 9, n_informative=6, n_classes=classes, random_state=0)
    return X.astype(np.float32), np.array(["blue", "green", "red"])[y]


def frame(X):
    return pd.DataFrame(X, columns=[f"c{column}" for column in range(X.shape[1])])


def alone(X, y, *weights, model=MLPClassifier, **settings):
    return model(solver="lbfgs", **{**SETTINGS, **settings}).fit(X, y, *weights)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_partitions_on_any_number_of_workers_fit_to_the_bits_of_one_process(cluster, client, workers):
    of_size(cluster, client, workers)
    # more than 512 rows are several leaves; partitions of a row cost Dask a task for each
    for chunks in [(1,) * 60 + (460,), (7,) * 75, (1000,) * 6, (6000,)]:
        partition, rows = chunks[0], sum(chunks)
        X, y = table(rows)
        expected = parameters_digest(alone(X, y))
        columns = 9 if partition == 1 else 4
        parts = da.from_array(X, chunks=(chunks, columns)), da.from_array(y, chunks=max(13, partition - 1))
        model = Classifier(client=client, **SETTINGS).fit(*parts)
        assert model.parameters_digest_ == expected, f"{rows} rows in partitions of {partition}"
        digest = model.data_digest_
        if partition > 1:
            rows = dd.from_pandas(frame(X), chunksize=partition), dd.from_pandas(pd.Series(y), chunksize=partition)
            model = Classifier(client=client, leaves_per_task=2, **SETTINGS).fit(*rows)
            assert (model.parameters_digest_, model.data_digest_) == (expected, digest)


def test_weights_classes_and_numbers_fit_to_the_same_bits(cluster, client):
    of_size(cluster, client, 2)
    X, y = table(2500, classes=2)
    weights = np.arange(2500) % 4 * 0.5
    parts = da.from_array(X, chunks=(700, 9)), da.from_array(y, chunks=700), da.from_array(weights, chunks=600)
    for class_weight in [None, "balanced", {"blue": 1, "green": 3.5}]:
        expected = parameters_digest(alone(X, y, weights, class_weight=class_weight))
        assert Classifier(class_weight=class_weight, **SETTINGS).fit(*parts).parameters_digest_ == expected
    X = X.astype(np.float64)
    y = np.stack([np.exp(X[:, 0] / 3), X[:, 1] ** 2], axis=1)
    for loss, y in [("squared_error", y), ("poisson", y), ("squared_error", y[:, 0])]:
        chunks = (500, 1) if y.ndim == 2 else 500
        expected = alone(X, y, model=MLPRegressor, loss=loss, weight_decay=1e-3)
        model = Regressor(loss, weight_decay=1e-3, **SETTINGS)
        model.fit(da.from_array(X, chunks=(400, 9)), da.from_array(y, chunks=chunks))
        assert model.parameters_digest_ == parameters_digest(expected)
        assert np.array_equal(model.predict(da.from_array(X, chunks=(333, 4))).compute(), expected.predict(X))


def disturbed(monkeypatch, disturb):
    """Has a fit disturbed in each evaluation."""
    total, count = surefoot.dask._Pieces.total, iter(range(10**6))

    def during(pieces, request):
        disturb(next(count))
        return total(pieces, request)

    monkeypatch.setattr(surefoot.dask._Pieces, "total", during)


def test_a_worker_killed_in_each_of_ten_steps_changes_no_bit(cluster, client, monkeypatch):
    of_size(cluster, client, 2)
    X, y = table(6000)
    expected = parameters_digest(alone(X, y, max_iter=10))
    killed = []

    def kill():
        pids = [worker.pid for worker in cluster.workers.values() if worker.pid]
        if pids:
            pid = random.choice(pids)
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    def disturb(step):
        if 1 <= step <= 10:
            client.wait_for_workers(1, timeout=60)
            threading.Timer(random.uniform(0, 0.05), kill).start()

    disturbed(monkeypatch, disturb)
    parts = da.from_array(X, chunks=(1000, 9)), da.from_array(y, chunks=1000)
    model = Classifier(client=client, leaves_per_task=3, **{**SETTINGS, "max_iter": 10}).fit(*parts)
    assert model.parameters_digest_ == expected
    assert len(killed) >= 8, f"{len(killed)} workers were killed"


def test_workers_that_join_and_leave_in_the_midst_change_no_bit(cluster, client, monkeypatch):
    of_size(cluster, client, 1)
    X, y = table(6000)
    sizes = {2: 3, 5: 1, 8: 2}

    def disturb(step):
        if step in sizes:
            of_size(cluster, client, sizes[step])

    disturbed(monkeypatch, disturb)
    parts = da.from_array(X, chunks=(1000, 9)), da.from_array(y, chunks=1000)
    model = Classifier(client=client, leaves_per_task=3, **{**SETTINGS, "max_iter": 10}).fit(*parts)
    assert model.parameters_digest_ == parameters_digest(alone(X, y, max_iter=10))


def test_predictions_are_lazy_and_those_of_the_local_model(cluster, client, tmp_path):
    X, y = table(2000)
    names = frame(X)
    parts, classes = dd.from_pandas(names, npartitions=3), dd.from_pandas(pd.Series(y), npartitions=3)
    model = Classifier(client=client, **SETTINGS).fit(parts, classes)
    local = model.to_local()
    assert type(local) is MLPClassifier and list(local.feature_names_in_) == list(names.columns)
    assert dask.is_dask_collection(model.predict(parts)) and dask.is_dask_collection(model.predict_proba(da.from_array(X)))
    predicted = parts.assign(y=classes, predicted=model.predict(parts)).compute()
    assert list(predicted["predicted"]) == list(local.predict(names))
    probabilities = model.predict_proba(parts).compute()
    assert list(probabilities.columns) == ["blue", "green", "red"] and probabilities.index.equals(names.index)
    assert np.array_equal(probabilities.to_numpy(), local.predict_proba(names))
    assert model.score(parts, classes) == local.score(names, y) > 0.6
    assert list(model.predict(names)) == list(local.predict(names)), "what is in memory is predicted at once"

    model.save(tmp_path / "y.safetensors")
    local.save(tmp_path / "local.safetensors")
    assert (tmp_path / "y.safetensors").read_bytes() == (tmp_path / "local.safetensors").read_bytes()
    copy = pickle.loads(pickle.dumps(model))
    assert copy.client is None and np.array_equal(copy.predict(names), model.predict(names))
    assert clone(model).get_params() == model.get_params()


@pytest.mark.skipif(not importlib.util.find_spec("pyarrow"), reason="pyarrow is not installed")
def test_the_example_of_the_documentation_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    houses = pd.DataFrame({"area": random.normal(size=1000), "rooms": random.integers(1, 6, 1000), "year": random.normal(size=1000)})
    houses["price"] = houses["area"] * houses["rooms"] + houses["year"]
    dd.from_pandas(houses, npartitions=3).to_parquet("houses")
    (example,) = blocks(ROOT / "docs/scale.md")
    names = {"__name__": "__main__"}
    exec(compile(example, "docs/scale.md", "exec"), names)
    settings = dict(hidden_layer_sizes=(64,), max_iter=30, random_state=0, solver="lbfgs")
    inputs = houses[["area", "rooms", "year"]]
    expected = MLPRegressor(**settings).fit(inputs, houses["price"])
    assert names["model"].parameters_digest_ == parameters_digest(expected)
    assert list(surefoot.load("houses.safetensors").predict(inputs)) == list(expected.predict(inputs))


def test_what_cannot_be_fitted_is_refused_with_its_place(client):
    X, y = table(1200)
    parts, classes = da.from_array(X, chunks=(500, 9)), da.from_array(y, chunks=500)
    model = Classifier(client=client, **SETTINGS)

    def refused(message, X, y, *weights, model=model):
        with pytest.raises((ValueError, TypeError), match=re.escape(message)):
            model.fit(X, y, *weights)

    refused("X has to be an array or a data frame of Dask, got ndarray", X, classes)
    refused("X has 1200, y 500", parts, classes[:500])
    refused("All sample weights are zero", parts, classes, da.zeros(1200, chunks=100))
    refused("expected one column of classes, got 2", parts, da.zeros((1200, 2), chunks=100))
    refused("Use solver='lbfgs'", parts, classes, model=clone(model).set_params(solver="adam"))
    texts = dd.from_pandas(frame(X).assign(city="Ulm"), npartitions=2)
    refused("Column 'city' has no numbers", texts, classes)
    X[1100, 3] = np.inf
    refused("inputs, row 1100, column 3: expected a finite number, got inf", da.from_array(X, chunks=(500, 9)), classes)
