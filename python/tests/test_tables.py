"""`surefoot.Classifier`, `Regressor`, `Autoencoder`, `load` and `check_gradient`: tables as they are, and the same
model as the command `surefoot train` makes of the same rows.

The command is that of the environment variable SUREFOOT, or the repository's release build; without one the tests that
need it are skipped.
"""

import os
import pickle
import signal
import time
import warnings

import numpy as np
import pandas as pd
import pytest
import surefoot
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import cross_val_score

from table_cases import (
    INPUTS,
    ROWS,
    SEED,
    TARGETS,
    as_csv,
    as_pandas,
    as_polars,
    as_pyarrow,
    columns,
    encoding,
    fitted,
    header,
    names_are_read,
    needs_command,
    new,
    numbers,
    run,
    saved,
    split,
)

# Some of the made-up columns are suspiciously good.
pytestmark = pytest.mark.filterwarnings("ignore:column .* alone predicts about as well as all columns together:UserWarning")


# The same rows, the same model


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("table", [as_polars, as_pyarrow])
def test_the_library_of_the_table_does_not_matter(table, target, tmp_path):
    X, y = split(table(), target)
    model = new(target).fit(X, y)
    assert saved(model, tmp_path) == saved(fitted(target), tmp_path)
    if names_are_read(X):
        assert list(model.feature_names_in_) == INPUTS
    np.testing.assert_array_equal(model.predict(X), fitted(target).predict(as_pandas()[INPUTS]))


@pytest.mark.parametrize("target", TARGETS)
@needs_command
def test_the_command_makes_the_same_file(target, tmp_path):
    ours = saved(fitted(target), tmp_path)
    as_csv(tmp_path / "table.csv", target)
    run("train", "table.csv", "--target", "target", "--seed", SEED, folder=tmp_path)
    theirs = (tmp_path / "table.safetensors").read_bytes()
    assert header(ours) == header(theirs)  # says more than the next line does
    assert ours == theirs


@pytest.mark.parametrize("target", TARGETS)
def test_a_numpy_array_of_objects_gives_the_same_numbers(target, tmp_path):
    X = np.array(list(zip(*(columns()[name] for name in INPUTS), strict=True)), dtype=object)
    y = np.array(columns()[TARGETS[target]])
    model = new(target).fit(X, y)
    assert numbers(saved(model, tmp_path)) == numbers(saved(fitted(target), tmp_path))
    assert not hasattr(model, "feature_names_in_")
    np.testing.assert_array_equal(model.predict(X), fitted(target).predict(as_pandas()[INPUTS]))


def test_a_numpy_array_of_numbers_is_as_a_table_of_numbers(tmp_path):
    X = np.random.RandomState(0).normal(size=(80, 4))
    y = X[:, 0] * X[:, 1] + X[:, 2]
    a = new("Regressor", epochs=5).fit(X, y)
    b = new("Regressor", epochs=5).fit(pd.DataFrame(X, columns=list("abcd")), y)
    assert numbers(saved(a, tmp_path)) == numbers(saved(b, tmp_path))


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_number_of_threads_does_not_matter(n_threads, tmp_path):
    X, y = split(as_pandas(), "Classifier")
    assert saved(new("Classifier", n_threads=n_threads).fit(X, y), tmp_path) == saved(fitted("Classifier"), tmp_path)


def test_another_seed_is_another_model(tmp_path):
    X, y = split(as_pandas(), "Classifier")
    other = surefoot.Classifier(random_state=SEED + 1).fit(X, y)
    assert numbers(saved(other, tmp_path)) != numbers(saved(fitted("Classifier"), tmp_path))


# Cells of all kinds


def test_it_learns():
    X, y = split(as_pandas(), "Classifier")
    model = fitted("Classifier")
    assert list(model.classes_) == ["cheap", "dear", "fair"]
    assert model.score(X, y) > 0.8
    P = model.predict_proba(X)
    assert P.shape == (ROWS, 3)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(model.classes_[P.argmax(axis=1)], model.predict(X))
    X, y = split(as_pandas(), "Regressor")
    assert fitted("Regressor").score(X, y) > 0.9


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_whatever_means_missing_is_missing(missing, tmp_path):
    X, y = split(as_pandas(), "Regressor")
    X = X.astype(object).where(X.notna(), missing)
    X["rooms"] = X["rooms"].astype(int)
    assert saved(new("Regressor").fit(X, y), tmp_path) == saved(fitted("Regressor"), tmp_path)


def test_a_row_with_no_cell_is_predicted():
    X = as_pandas()[INPUTS].head(3)
    X = X.astype({"rooms": float, "garden": object})
    X.iloc[1] = None
    P = fitted("Classifier").predict_proba(X)
    assert np.isfinite(P).all()
    np.testing.assert_array_equal(P[[0, 2]], fitted("Classifier").predict_proba(as_pandas()[INPUTS].head(3))[[0, 2]])


def test_types_of_pandas_say_the_same(tmp_path):
    X, y = split(as_pandas(), "Classifier")
    X = X.astype({"place": "category", "code": "category", "garden": "boolean", "rooms": "Int64", "size": "Float64"})
    assert saved(new("Classifier").fit(X, y), tmp_path) == saved(fitted("Classifier"), tmp_path)


def test_categories_keep_apart_what_was_not_in_the_rows(tmp_path):
    X, y = split(as_pandas(), "Classifier")
    X = X.assign(place=pd.Categorical(X["place"], categories=["west", "north", "old town", "south"]))
    model = new("Classifier").fit(X, y)
    assert saved(model, tmp_path) == saved(fitted("Classifier"), tmp_path)
    np.testing.assert_array_equal(model.predict_proba(X[:7]), fitted("Classifier").predict_proba(as_pandas()[:7][INPUTS]))


def test_days_are_text(tmp_path):
    kinds = encoding(saved(fitted("Classifier"), tmp_path))
    assert kinds["seen"]["category"]["categories"] == [f"2026-11-0{day}" for day in range(1, 5)]


@pytest.mark.parametrize("table", [as_pandas, as_polars, as_pyarrow])
def test_other_columns_are_refused_as_scikit_learn_does(table):
    """Its contract wants an error even where only the order is another; `feature_names_in_` puts it right."""
    X, _ = split(table(), "Classifier")
    if not names_are_read(X):
        pytest.skip("this scikit-learn does not read the names of such a table")
    model = fitted("Classifier")
    turned = X[INPUTS[::-1]] if isinstance(X, pd.DataFrame) else X.select(INPUTS[::-1])
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        model.predict(turned)
    if isinstance(X, pd.DataFrame):
        np.testing.assert_array_equal(model.predict(turned[model.feature_names_in_]), model.predict(X))
        with pytest.raises(ValueError, match="rooms"):
            model.predict(X.drop(columns="rooms"))
        with pytest.raises(ValueError, match="balcony"):
            model.predict(X.assign(balcony=1))


def test_an_array_is_read_by_position():
    X = as_pandas()[INPUTS]
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        found = fitted("Regressor").predict(X.to_numpy(dtype=object))
    np.testing.assert_array_equal(found, fitted("Regressor").predict(X))


def test_a_category_that_was_not_in_training():
    X = as_pandas()[INPUTS].head(4).copy()
    X["place"] = "the moon"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        P = fitted("Classifier").predict_proba(X)
    assert P.shape == (4, 3) and np.isfinite(P).all()


def test_text_among_numbers_is_an_error_with_its_place():
    X = as_pandas()[INPUTS].head(4).astype({"size": object})
    X.iloc[2, 0] = "12o"
    with pytest.raises(ValueError, match="12o"):
        fitted("Classifier").predict(X)


def test_columns_can_be_named_categorical_numeric_or_ignored(tmp_path):
    X, y = split(as_pandas(), "Regressor")
    model = new("Regressor", epochs=3, categorical=["rooms"], ignore=["seen", "height"], numeric=["code"]).fit(X, y)
    kinds = {name: next(iter(kind)) for name, kind in encoding(saved(model, tmp_path)).items()}
    assert kinds == {"size": "number", "rooms": "category", "place": "category", "code": "number", "garden": "yes-no"}
    for option in ("categorical", "numeric", "ignore"):
        with pytest.raises(ValueError, match="no such column|balcony"):
            new("Regressor", **{option: ["balcony"]}).fit(X, y)


@pytest.mark.parametrize("labels", [["no", "yes"], [-7, 3, 12], [False, True], [1.0, 2.0]], ids=["text", "int", "bool", "float"])
def test_labels_come_back_as_they_were(labels):
    X = np.random.RandomState(0).normal(size=(90, 3))
    y = np.array(labels)[np.digitize(X[:, 0], np.linspace(-0.5, 0.5, len(labels) + 1)[1:-1])]
    model = new("Classifier", members=2, epochs=60).fit(X, y)
    np.testing.assert_array_equal(model.classes_, labels)
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.8


def test_whole_numbers_are_numbers_for_a_regressor():
    X = np.random.RandomState(0).uniform(size=(90, 3))
    y = np.round(4 * X[:, 0]).astype(int)
    model = new("Regressor", members=2, epochs=50).fit(X, y)
    assert len(np.unique(model.predict(X))) > 10
    assert model.score(X, y) > 0.8


def test_class_weights():
    random = np.random.RandomState(0)
    X = random.normal(size=(300, 2))
    y = np.where(X[:, 0] + random.normal(size=300) > 1.6, "rare", "often")
    plain = new("Classifier", members=2, epochs=20).fit(X, y)
    balanced = new("Classifier", members=2, epochs=20, class_weight="balanced").fit(X, y)
    assert (balanced.predict(X) == "rare").sum() > 1.5 * (plain.predict(X) == "rare").sum()
    weights = {"rare": 1e-3, "often": 1.0}
    never = new("Classifier", members=2, epochs=20, class_weight=weights).fit(X, y)
    assert (never.predict(X) == "rare").sum() < (plain.predict(X) == "rare").sum()


def test_sample_weights():
    random = np.random.RandomState(0)
    X = random.normal(size=(300, 2))
    y = np.where(X[:, 0] + random.normal(size=300) > 1.6, "rare", "often")
    settings = dict(members=2, epochs=20)
    by_class = new("Classifier", **settings, class_weight={"rare": 4, "often": 1}).fit(X, y)
    by_row = new("Classifier", **settings).fit(X, y, sample_weight=np.where(y == "rare", 4, 1))
    assert by_row.model_file_ == by_class.model_file_
    both = new("Classifier", **settings, class_weight={"rare": 2, "often": 1}).fit(X, y, np.where(y == "rare", 2, 1))
    assert both.model_file_ == by_class.model_file_
    for table in (as_pandas, as_pyarrow):
        X, y = split(table(), "Regressor")
        few = new("Regressor", **settings).fit(X, y, sample_weight=np.arange(len(y)) < 100)
        assert few.predict(X).tolist() != new("Regressor", **settings).fit(X, y).predict(X).tolist()
    with pytest.raises(ValueError, match="sample_weight"):
        new("Regressor", **settings).fit(X, y, sample_weight=-np.ones(len(y)))


def test_wrong_tables_are_refused():
    X, y = split(as_pandas(), "Classifier")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        new("Classifier").fit(X, y[:-1])
    with pytest.raises(ValueError, match="y"):
        new("Classifier").fit(X, None)
    with pytest.raises(ValueError):
        new("Classifier").fit(X[:0], y[:0])
    with pytest.raises(ValueError):
        new("Regressor").fit(X, y)  # text is no number
    with pytest.raises(ValueError):
        new("Regressor").fit(X, [None] + [1.0] * (ROWS - 1))
    with pytest.raises(ValueError, match="members|ensemble"):
        new("Classifier", members=0).fit(X, y)
    with pytest.raises(ValueError, match="X has 2 features"):
        new("Classifier", epochs=1).fit(np.eye(60)[:, :3], np.arange(60) % 2).predict(np.zeros((1, 2)))


# As an estimator


@pytest.mark.parametrize("target", TARGETS)
def test_parameters_and_clones(target):
    model = new(target, members=3, hidden=(8, 4), ignore=["seen"])
    copy = clone(model)
    assert (
        copy.get_params()
        == model.get_params()
        == clone(fitted(target)).get_params()
        | {
            "members": 3,
            "hidden": (8, 4),
            "ignore": ["seen"],
        }
    )
    assert copy.set_params(members=1, epochs=2) is copy and copy.members == 1
    assert not hasattr(clone(fitted(target)), "feature_names_in_")


def test_members_epochs_and_hidden_layers(tmp_path):
    X, y = split(as_pandas(), "Regressor")
    metadata = header(saved(new("Regressor", members=3, epochs=2, hidden=(8, 4)).fit(X, y), tmp_path))
    assert metadata["members"] == 3
    assert [layer["outputs"] for layer in metadata["layers"]] == [8, 4, 1]
    alone = header(saved(new("Regressor", members=1, epochs=2).fit(X, y), tmp_path))
    assert alone["format"] == 1


def test_activations_of_all_hidden_layers_or_of_each(tmp_path):
    X, y = split(as_pandas(), "Regressor")

    def names(activation):
        model = clone(new("Regressor", members=1, epochs=1, hidden=(8, 4), activation=activation)).fit(X, y)
        return [layer["activation"] for layer in header(saved(model, tmp_path))["layers"]]

    assert names(None) == ["selu", "selu", "identity"]
    assert names("tanh") == ["tanh", "tanh", "identity"]
    assert names(["sigmoid", "leaky-relu"]) == names(np.array(["sigmoid", "leaky-relu"])) == ["sigmoid", "leaky-relu", "identity"]
    for wrong, told in [("swish", "one of sigmoid"), (["tanh"], "one for each hidden layer, of which there are 2, got 1 name")]:
        with pytest.raises(ValueError, match=told):
            names(wrong)


@pytest.mark.parametrize("target", TARGETS)
def test_pickles(target, tmp_path):
    X = as_pandas()[INPUTS]
    copy = pickle.loads(pickle.dumps(fitted(target)))
    assert saved(copy, tmp_path) == saved(fitted(target), tmp_path)
    np.testing.assert_array_equal(copy.predict(X), fitted(target).predict(X))


def test_cross_validation():
    X, y = split(as_pandas(), "Regressor")
    assert cross_val_score(new("Regressor", members=2, epochs=30), X, y, cv=3).mean() > 0.7


@pytest.mark.parametrize("target", TARGETS)
def test_out_of_fold_scores_are_lower_than_those_of_the_training_rows(target):
    X, y = split(as_pandas(), target)
    model = fitted(target)
    outputs = model.cv_["out_of_fold"]
    if target == "Classifier":
        assert outputs.shape == (ROWS, 3)
        expected = accuracy_score(y, model.classes_[outputs.argmax(axis=1)])
    else:
        expected = r2_score(y, outputs.ravel())
    assert model.cv_["score"] == pytest.approx(expected, rel=1e-6)
    assert 0.5 < expected < model.score(X, y)


def test_permutation_importance_finds_what_matters():
    X, y = split(as_pandas(), "Regressor")
    found = fitted("Regressor").permutation_importance(X, y)
    assert sorted(found) == sorted(INPUTS)
    means = {name: mean for name, (mean, deviation) in found.items()}
    assert list(found) == sorted(found, key=means.get, reverse=True)
    assert next(iter(found)) == "size"
    assert means["size"] > 10 * abs(means["code"])
    assert found == fitted("Regressor").permutation_importance(X, y)


def test_progress(capsys):
    X, y = split(as_pandas(), "Classifier")
    calls = []
    new("Classifier", epochs=4, progress=lambda *arguments, **named: calls.append(arguments)).fit(X, y)
    assert calls
    assert capsys.readouterr().out == ""
    new("Classifier", epochs=4, verbose=True, progress=False).fit(X, y)
    assert capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C there")
def test_ctrl_c_ends_a_fit_and_keeps_the_model():
    X, y = split(as_pandas(), "Regressor")
    sent = []

    def send(state):
        # in the middle of the training, however fast the machine is
        if state["epoch"] == 20 and not sent:
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
            model = new("Regressor", epochs=100_000, progress=send).fit(X, y)
        assert sent and time.perf_counter() - sent[0] < 5  # by itself it would end after minutes
    except KeyboardInterrupt:
        pytest.fail("KeyboardInterrupt came out of the fit")
    finally:
        signal.signal(signal.SIGINT, handler)
    assert 20 <= model.n_epochs_ < 100_000 and np.isfinite(model.predict(X)).all()


# Pages


def assert_is_page(text):
    assert text.lstrip().lower().startswith("<!doctype html") and text.rstrip().endswith("</html>")
    assert "<script" not in text


@pytest.mark.parametrize("target", TARGETS)
def test_the_report(target, tmp_path):
    fitted(target).report(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert_is_page(text)
    assert fitted(target).report() == text
    for name in ("size", "place", "seen"):
        assert name in text


def test_a_report_needs_the_table_of_the_fit(tmp_path):
    copy = pickle.loads(pickle.dumps(fitted("Classifier")))
    for model in (copy, new("Classifier")):
        with pytest.raises(NotFittedError):
            model.report(tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
    assert copy._repr_html_()


def shown(model):
    """What a notebook shows: it asks for a bundle first, which scikit-learn's estimators have."""
    bundle = getattr(model, "_repr_mimebundle_", dict)()
    return bundle.get("text/html") or model._repr_html_()


@pytest.mark.parametrize("target", TARGETS)
def test_models_show_themselves_in_a_notebook(target):
    assert "out-of-fold" in shown(fitted(target))  # the report
    assert "out-of-fold" not in shown(new(target)) and "random_state" in shown(new(target))
    assert repr(new(target)) == f"{target}(random_state=3)"


def test_a_row_is_explained():
    X = as_pandas()[INPUTS]
    page = fitted("Classifier").explain(X.iloc[[5]])
    assert_is_page(page.html)
    assert page._repr_html_().startswith("<")
    assert "layer 1" in str(page)
    assert str(page) == str(fitted("Classifier").explain(X, row=5)) != str(fitted("Classifier").explain(X, row=6))
    for table in (as_polars().select(INPUTS), as_pyarrow().select(INPUTS)):
        assert str(fitted("Classifier").explain(table, row=5)) == str(page)
    with pytest.raises((IndexError, ValueError)):
        fitted("Classifier").explain(X, row=ROWS)


def test_columns_without_names_of_text_are_found_by_their_places():
    X, y = np.random.RandomState(0).normal(size=(60, 3)), np.arange(60) % 3
    frame = pd.DataFrame(X)
    model = new("Classifier", members=1, epochs=2).fit(frame, y)
    expected = model.predict_proba(frame)
    for table in [X, pickle.loads(pickle.dumps(frame)), pd.DataFrame(X, columns=range(10, 10 + X.shape[1]))]:
        assert (model.predict_proba(table) == expected).all()
    assert (pickle.loads(pickle.dumps(model)).predict_proba(X) == expected).all()


def test_a_device_changes_no_bit():
    X, y = load_digits(return_X_y=True)
    fit = lambda device: surefoot.Classifier(members=1, epochs=2, hidden=(300, 300), device=device).fit(X, y).model_file_
    cpu = fit("cpu")
    assert fit("auto") == cpu
    try:
        assert fit("gpu") == cpu
    except ValueError as error:
        assert "no GPU" in str(error)
    with pytest.raises(ValueError, match="device: expected 'auto', 'cpu' or 'gpu', got \"tpu\""):
        fit("tpu")
