"""Models of the command line, the autoencoder, the gradient check of any function, and the package itself."""

import csv
import io
import subprocess
import sys
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import surefoot
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from table_cases import INPUTS, TARGETS, as_csv, as_pandas, fitted, needs_command, run, saved

# Some of the made-up columns are suspiciously good.
pytestmark = pytest.mark.filterwarnings("ignore:column .* alone predicts about as well as all columns together:UserWarning")


# Models of the command


def predictions(text):
    """The lines of a CSV file that `surefoot predict` wrote."""
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("target", TARGETS)
@needs_command
def test_a_model_of_the_command_predicts_its_numbers(target, tmp_path):
    as_csv(tmp_path / "table.csv", target)
    run("train", "table.csv", "--target", "target", "--hidden", "12", "--epochs", 20, folder=tmp_path)
    model = surefoot.load(tmp_path / "table.safetensors")
    assert isinstance(model, getattr(surefoot, target))
    assert list(model.feature_names_in_) == INPUTS
    lines = predictions(
        run("predict", "table.safetensors", "table.csv", *["--probabilities"][: target == "Classifier"], folder=tmp_path)
    )
    X = as_pandas()[INPUTS]
    if target == "Classifier":
        assert [line["prediction"] for line in lines] == list(model.predict(X))
        P = [[float(line[f"probability_{name}"]) for name in model.classes_] for line in lines]
        np.testing.assert_array_equal(model.predict_proba(X), P)
    else:
        np.testing.assert_array_equal(model.predict(X), [float(line["prediction"]) for line in lines])


@needs_command
@pytest.mark.parametrize("data", ["iris", "digits"])
def test_a_model_of_built_in_data_is_read(data, tmp_path):
    run("train", data, "--epochs", 3, "--report", "none", folder=tmp_path)
    model = surefoot.load(str(tmp_path / f"{data}.safetensors"))
    assert len(model.classes_) == (3 if data == "iris" else 10)
    X = pd.DataFrame(np.zeros((2, model.n_features_in_)), columns=model.feature_names_in_)
    assert model.predict_proba(X).shape == (2, len(model.classes_))
    np.testing.assert_array_equal(model.classes_[model.predict_proba(X).argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize("target", TARGETS)
@needs_command
def test_the_command_reads_what_save_wrote(target, tmp_path):
    fitted(target).save(tmp_path / "model.safetensors")
    as_csv(tmp_path / "table.csv", target)
    lines = predictions(run("predict", "model.safetensors", "table.csv", folder=tmp_path))
    found = fitted(target).predict(as_pandas()[INPUTS])
    assert [type(found[0])(line["prediction"]) for line in lines] == list(found)


@pytest.mark.parametrize("target", TARGETS)
def test_a_loaded_model_is_the_saved_one(target, tmp_path):
    before = saved(fitted(target), tmp_path)
    model = surefoot.load(tmp_path / "model.safetensors")
    X = as_pandas()[INPUTS]
    np.testing.assert_array_equal(model.predict(X), fitted(target).predict(X))
    assert saved(model, tmp_path) == before


@needs_command
def test_the_command_reads_a_model_of_mlpclassifier(tmp_path):
    from sklearn.datasets import load_iris
    from surefoot.sklearn import MLPClassifier

    X, y = load_iris(return_X_y=True)
    X = pd.DataFrame(X, columns=list("abcd"))
    model = MLPClassifier((12, 6), ["tanh", "selu"], max_iter=50, learning_rate_init=0.02, tol=0.1, random_state=1)
    model.fit(X, y).save(tmp_path / "iris.safetensors")
    X.to_csv(tmp_path / "iris.csv", index=False)
    lines = predictions(run("predict", "iris.safetensors", "iris.csv", "--probabilities", folder=tmp_path))
    P = [[float(line[f"probability_{name}"]) for name in model.classes_] for line in lines]
    np.testing.assert_allclose(P, model.predict_proba(X), rtol=1e-9, atol=1e-12)


def test_files_that_are_no_models_are_refused(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("not a model, but long enough to have a length in front")
    whole = saved(fitted("Classifier"), tmp_path)
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    for name in ("empty", "text", "half"):
        with pytest.raises(ValueError, match=name):
            surefoot.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        surefoot.load(tmp_path / "nowhere")


# The autoencoder


@lru_cache
def curves():
    """Rows of twelve numbers that three hidden quantities determine."""
    random = np.random.RandomState(0)
    hidden = random.uniform(-1, 1, (300, 3))
    return np.tanh(hidden @ random.normal(size=(3, 12)))


def test_an_autoencoder_reproduces_its_inputs():
    X = curves()
    model = surefoot.Autoencoder(hidden=(6,), sparsity_weight=0, weight_decay=1e-6, random_state=1).fit(X)
    Z = model.transform(X)
    assert Z.shape == (300, 6)
    again = model.inverse_transform(Z)
    assert again.shape == X.shape
    assert ((again - X) ** 2).mean() < 0.05 * X.var(axis=0).mean()
    np.testing.assert_array_equal(surefoot.Autoencoder(**model.get_params()).fit_transform(X), Z)


def test_sparsity_is_the_mean_activation():
    X = curves()
    means = [
        surefoot.Autoencoder(hidden=(20,), sparsity=sparsity, random_state=1).fit(X).transform(X).mean()
        for sparsity in (0.05, 0.3)
    ]
    np.testing.assert_allclose(means, (0.05, 0.3), rtol=0.3)


def test_stacked_autoencoders():
    X = curves()
    model = surefoot.Autoencoder(hidden=(8, 4), epochs=50, random_state=1).fit(X)
    assert model.transform(X).shape == (300, 4)
    assert model.inverse_transform(model.transform(X)).shape == X.shape


def test_the_bits_of_an_autoencoder_do_not_depend_on_threads():
    X = curves()
    found = {
        surefoot.Autoencoder(hidden=(6,), epochs=30, random_state=1, n_threads=n).fit(X).transform(X).tobytes() for n in (1, 2, 3)
    }
    assert len(found) == 1
    other = surefoot.Autoencoder(hidden=(6,), epochs=30, random_state=2).fit(X).transform(X)
    assert other.tobytes() not in found


def test_an_autoencoder_is_a_transformer():
    frame = pd.DataFrame(curves(), columns=[f"sensor {k}" for k in range(12)])
    model = surefoot.Autoencoder(hidden=(3,), epochs=20, random_state=1)
    names = list(model.fit(frame).get_feature_names_out())
    assert len(set(names)) == 3 and all(isinstance(name, str) for name in names)
    assert list(model.feature_names_in_) == list(frame.columns) and model.n_features_in_ == 12
    pipe = make_pipeline(MinMaxScaler(), clone(model)).set_output(transform="pandas")
    found = pipe.fit_transform(frame)
    assert list(found.columns) == names and list(found.index) == list(frame.index)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(ValueError, match="feature"):
        model.transform(frame.iloc[:, :5])


# The gradient check of any function


def bowl(theta):
    """Something with a known gradient that is not the same in each coordinate."""
    return float((np.sin(theta) * theta**2).sum()), np.cos(theta) * theta**2 + 2 * theta * np.sin(theta)


THETA = np.linspace(-2, 2.5, 40)


def test_a_right_gradient_passes():
    before = THETA.copy()
    report = surefoot.check_gradient(bowl, THETA)
    assert report.passed is True
    assert 0 <= report.difference < 1e-7
    assert bool(report) and "passed" in str(report)
    assert report._repr_html_().lstrip().startswith("<")
    np.testing.assert_array_equal(THETA, before)


def in_one_place(gradient):
    gradient[17] += 1e-3
    return gradient


WRONG = {
    "a factor": lambda gradient: 1.01 * gradient,
    "the sign": lambda gradient: -gradient,
    "one coordinate": in_one_place,
    "the order": lambda gradient: gradient[::-1].copy(),
    "zero": lambda gradient: 0 * gradient,
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_gradient_is_caught(fault):
    def wrong(theta):
        cost, gradient = bowl(theta)
        return cost, WRONG[fault](gradient)

    report = surefoot.check_gradient(wrong, THETA)
    assert report.passed is False
    assert report.difference > 1e-5 and report.wrong >= 1
    assert not report and "passed" not in str(report)
    if fault == "one coordinate":
        assert "17" in report.worst


def test_the_check_takes_what_functions_of_python_give():
    def line(theta):
        return theta[0] ** 2 + 3 * theta[1], [2 * theta[0], 3]

    assert surefoot.check_gradient(line, [1, 2]).passed
    assert surefoot.check_gradient(line, (1.5, -2.0), epsilon=1e-2).passed
    assert surefoot.check_gradient(bowl, THETA.astype(np.float32)).passed


def test_errors_of_the_function_come_out():
    def broken(theta):
        raise ZeroDivisionError("in the function")

    with pytest.raises(ZeroDivisionError, match="in the function"):
        surefoot.check_gradient(broken, THETA)
    with pytest.raises(ValueError, match="39|40"):
        surefoot.check_gradient(lambda theta: (0.0, theta[:-1]), THETA)
    with pytest.raises((TypeError, ValueError)):
        surefoot.check_gradient(lambda theta: theta.sum(), THETA)
    for epsilon in (0, -1e-4, float("nan")):
        with pytest.raises(ValueError, match="epsilon"):
            surefoot.check_gradient(bowl, THETA, epsilon=epsilon)


# The package


def test_the_package_alone_needs_numpy_only():
    program = (
        "import sys\n"
        "for name in ('sklearn', 'scipy', 'pandas', 'polars', 'pyarrow', 'joblib', 'tqdm'): sys.modules[name] = None\n"
        "import surefoot\n"
        "assert surefoot.check_gradient(lambda t: (float(t @ t), 2 * t), [1.0, 2.0]).passed\n"
        "print(surefoot.__version__)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
