"""The same `random_state` gives what scikit-learn's MLPClassifier and MLPRegressor give: start, split, batches, the
curve of the loss and the model at the end. Only rounding differs.

Left out on purpose: squared error of several outputs, whose loss scikit-learn divides by the number of outputs while
its gradient is that of the sum (scikit-learn's issue 8349). Ours is the sum; one test shows that the rest is equal.
L-BFGS is Surefoot's own, so it is compared where there is only one minimum.
"""

import inspect
import warnings
from functools import lru_cache

import numpy as np
import pytest
import sklearn
import surefoot.sklearn
from sklearn import datasets, neural_network
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

SKLEARN = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
EPOCHS = 20


@lru_cache
def data(name):
    """X, y, and the weights of the rows."""
    random = np.random.RandomState(0)
    if name == "digits":
        X, y = datasets.load_digits(return_X_y=True)
        X, y = X[:650] / 16, y[:650]
    elif name == "cancer":
        X, y = datasets.load_breast_cancer(return_X_y=True)
        X, y = (X - X.mean(0)) / X.std(0), np.where(y, "benign", "malignant")
    elif name == "iris":
        X, y = datasets.load_iris(return_X_y=True)
    elif name == "labels":
        X, y = datasets.make_multilabel_classification(300, 12, n_classes=4, random_state=0)
    elif name == "diabetes":
        X, y = datasets.load_diabetes(return_X_y=True)
        X, y = X * 20, y / 100
    elif name == "counts":
        X = random.uniform(-1, 1, (500, 6))
        y = random.poisson(np.exp(X[:, 0] - X[:, 1] * X[:, 2]))
    return X, y, random.uniform(0.1, 3, len(y))


CLASSES, NUMBERS = "MLPClassifier", "MLPRegressor"

# estimator, data, settings; "weights" and "float32" are ours
SETTINGS = {
    "defaults": (CLASSES, "digits", {}),
    "default regression": (NUMBERS, "diabetes", {}),
    "short last batch": (CLASSES, "digits", {"batch_size": 64, "hidden_layer_sizes": (30, 20)}),
    "batch of one row left": (CLASSES, "iris", {"batch_size": 149, "activation": "tanh"}),
    "full batch": (CLASSES, "digits", {"batch_size": 650, "learning_rate_init": 0.01}),
    "alpha 0": (CLASSES, "digits", {"alpha": 0, "activation": "tanh"}),
    "alpha 1": (CLASSES, "digits", {"alpha": 1, "batch_size": 100}),
    "alpha 1, weights": (CLASSES, "digits", {"alpha": 1, "batch_size": 100, "weights": True}),
    "logistic units": (CLASSES, "digits", {"activation": "logistic", "learning_rate_init": 0.01}),
    "identity units": (NUMBERS, "diabetes", {"activation": "identity", "hidden_layer_sizes": (10, 5)}),
    "no hidden layer": (CLASSES, "digits", {"hidden_layer_sizes": ()}),
    "one size as a number": (NUMBERS, "diabetes", {"hidden_layer_sizes": 17}),
    "two classes": (CLASSES, "cancer", {"hidden_layer_sizes": (20,)}),
    "two classes, tanh, sgd": (CLASSES, "cancer", {"activation": "tanh", "solver": "sgd"}),
    "multilabel": (CLASSES, "labels", {"hidden_layer_sizes": (25,)}),
    "multilabel, early stopping": (CLASSES, "labels", {"early_stopping": True, "solver": "sgd"}),
    "poisson": (NUMBERS, "counts", {"loss": "poisson", "hidden_layer_sizes": (20,)}),
    "poisson, weights": (NUMBERS, "counts", {"loss": "poisson", "activation": "tanh", "weights": True}),
    "sgd": (CLASSES, "digits", {"solver": "sgd", "learning_rate_init": 0.1}),
    "sgd, momentum": (CLASSES, "digits", {"solver": "sgd", "learning_rate_init": 0.05, "nesterovs_momentum": False}),
    "sgd, no momentum": (NUMBERS, "diabetes", {"solver": "sgd", "momentum": 0, "batch_size": 32}),
    "sgd, momentum 0.5": (NUMBERS, "diabetes", {"solver": "sgd", "momentum": 0.5, "batch_size": 50}),
    "invscaling": (CLASSES, "digits", {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5}),
    "invscaling, power": (NUMBERS, "diabetes", {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.1}),
    "adaptive": (
        CLASSES,
        "digits",
        {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.2, "tol": 0.1, "n_iter_no_change": 2},
    ),
    "early stopping": (CLASSES, "digits", {"early_stopping": True, "validation_fraction": 0.2}),
    "early stopping, weights": (NUMBERS, "diabetes", {"early_stopping": True, "weights": True, "batch_size": 64}),
    "shuffle off": (CLASSES, "digits", {"shuffle": False, "batch_size": 90}),
    "Adam's own settings": (CLASSES, "digits", {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}),
    "float32": (CLASSES, "digits", {"float32": True}),
    "float32, sgd": (NUMBERS, "diabetes", {"float32": True, "solver": "sgd", "learning_rate_init": 0.01}),
}


def case(name):
    """Both estimators, not fitted, with the arguments of fit."""
    estimator, table, settings = SETTINGS[name]
    settings = {"random_state": 3, "max_iter": EPOCHS, **settings}
    X, y, weights = data(table)
    arguments = {"sample_weight": weights} if settings.pop("weights", False) else {}
    if settings.pop("float32", False):
        X = X.astype(np.float32)
    if (arguments or "loss" in settings) and SKLEARN < (1, 7):
        pytest.skip("scikit-learn has sample weights and the Poisson loss since 1.7")
    pair = [getattr(module, estimator)(**settings) for module in (surefoot.sklearn, neural_network)]
    return pair, X, y, arguments


def fit(model, *arguments, **named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*arguments, **named)


def assert_same_parameters(ours, theirs, rtol=0.0):
    """Equal, or within this relative difference of all parameters together."""
    for a, b in zip([*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_], strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        if rtol == 0:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=0, atol=rtol * max(1, np.abs(b).max()))


def assert_same_fit(ours, theirs, X, y, tolerance):
    """Curves, scores, counters, parameters and predictions."""
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=tolerance)
    assert ours.n_iter_ == theirs.n_iter_ and ours.t_ == theirs.t_
    assert ours.loss_ == ours.loss_curve_[-1]
    for attribute in ("best_loss_", "best_validation_score_", "validation_scores_"):
        a, b = getattr(ours, attribute), getattr(theirs, attribute)
        assert (a is None) == (b is None)
        if b is not None:
            np.testing.assert_allclose(a, b, rtol=tolerance)
    # Adam divides rounding errors of small gradients by gradients as small, so parameters may differ a little more.
    assert_same_parameters(ours, theirs, 100 * tolerance)
    if hasattr(theirs, "predict_proba"):
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=100 * tolerance)
    else:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0, atol=100 * tolerance * np.abs(y).max())
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=100 * tolerance)


def tolerance_of(X):
    return 1e-4 if X.dtype == np.float32 else 1e-6


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_start(name):
    pair, X, y, arguments = case(name)
    # A rate too small to change any number: what is left after an epoch is the start.
    ours, theirs = (fit(model.set_params(learning_rate_init=1e-300, max_iter=1), X, y, **arguments) for model in pair)
    assert_same_parameters(ours, theirs)
    assert len({tuple(W.ravel()) for W in ours.coefs_}) == len(ours.coefs_)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_curve_and_end(name):
    pair, X, y, arguments = case(name)
    ours, theirs = (fit(model, X, y, **arguments) for model in pair)
    assert_same_fit(ours, theirs, X, y, tolerance_of(X))
    # The curve says something: the batches and their order are in it.
    assert abs(theirs.loss_curve_[-1] / theirs.loss_curve_[0] - 1) > 1e-3


def test_another_seed_is_another_curve():
    """What the comparisons above would see if a draw were missing or came too early."""
    (ours, theirs), X, y, _ = case("defaults")
    fit(ours.set_params(random_state=4), X, y)
    fit(theirs, X, y)
    assert np.abs(np.array(ours.loss_curve_) / theirs.loss_curve_ - 1).min() > 1e-5


@pytest.mark.parametrize("name", ["two classes", "adaptive", "early stopping"])
def test_the_same_number_of_epochs_to_convergence(name):
    pair, X, y, arguments = case(name)
    ours, theirs = (fit(model.set_params(max_iter=300, tol=2e-3), X, y, **arguments) for model in pair)
    assert EPOCHS < theirs.n_iter_ < 300
    assert_same_fit(ours, theirs, X, y, 1e-5)


def test_a_random_state_is_used_up_alike():
    pair, X, y, _ = case("early stopping")
    states = [np.random.RandomState(7), np.random.RandomState(7)]
    for model, state in zip(pair, states, strict=True):
        fit(fit(model.set_params(random_state=state, max_iter=3), X, y), X, y)
    assert_same_fit(*pair, X, y, 1e-6)
    assert states[0].randint(2**31) == states[1].randint(2**31)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_start_goes_on_alike(solver):
    pair, X, y, _ = case("defaults")
    for model in pair:
        model.set_params(warm_start=True, solver=solver, max_iter=7)
        for _ in range(3):
            fit(model, X, y)
    assert len(pair[0].loss_curve_) == 21
    assert_same_fit(*pair, X, y, 1e-6)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_goes_on_alike(solver):
    pair, X, y, _ = case("defaults")
    for model in pair:
        model.set_params(solver=solver)
        for k in range(12):
            rows = slice(50 * k, 50 * k + 50)
            model.partial_fit(X[rows], y[rows], classes=np.unique(y))
    assert pair[0].t_ == 600 and pair[0].n_iter_ == 1
    assert_same_fit(*pair, X, y, 1e-6)


def test_partial_fit_after_fit_goes_on_alike():
    pair, X, y, _ = case("default regression")
    for model in pair:
        fit(model, X, y)
        model.partial_fit(X[:40], y[:40])
        model.partial_fit(X[40:300], y[40:300])
    assert_same_fit(*pair, X, y, 1e-6)


def test_the_loss_of_several_outputs_is_their_sum():
    """scikit-learn's issue 8349: there it is the mean, while the gradient of both is that of the sum."""
    X, y, _ = data("diabetes")
    Y = np.column_stack([y, np.sin(y), X[:, 2] * X[:, 3]])
    settings = {"hidden_layer_sizes": (20,), "alpha": 0, "max_iter": 5, "n_iter_no_change": 100, "random_state": 3}
    ours = fit(surefoot.sklearn.MLPRegressor(**settings), X, Y)
    theirs = fit(neural_network.MLPRegressor(**settings), X, Y)
    np.testing.assert_allclose(np.array(ours.loss_curve_) / theirs.loss_curve_, Y.shape[1], rtol=1e-6)
    assert_same_parameters(ours, theirs, 1e-4)

    start = fit(clone(ours).set_params(max_iter=1, learning_rate_init=1e-300), X, Y)
    assert start.loss_ == pytest.approx(((start.predict(X) - Y) ** 2).sum(axis=1).mean() / 2, rel=1e-9)


@pytest.mark.parametrize("table", ["digits", "cancer", "diabetes"])
def test_lbfgs_finds_the_same_minimum(table):
    """Without hidden layers and with weight decay the cost has one minimum."""
    X, y, _ = data(table)
    settings = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 10, "tol": 1e-8, "max_iter": 2000}
    estimator = NUMBERS if table == "diabetes" else CLASSES
    ours, theirs = (
        fit(getattr(module, estimator)(**settings, random_state=seed), X, y)
        for module, seed in ((surefoot.sklearn, 1), (neural_network, 2))
    )
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)
    for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3 * np.abs(b).max())


@pytest.mark.parametrize("estimator", [CLASSES, NUMBERS])
def test_the_same_parameters_in_the_same_order(estimator):
    ours, theirs = (
        inspect.signature(getattr(module, estimator).__init__).parameters for module in (surefoot.sklearn, neural_network)
    )
    if "loss" not in theirs and estimator == NUMBERS:  # scikit-learn before 1.7
        ours = {name: parameter for name, parameter in ours.items() if name != "loss"}
    first = list(ours.values())[: len(theirs)]
    for a, b in zip(first, theirs.values(), strict=True):
        assert (a.name, a.default, a.kind) == (b.name, b.default, b.kind)
    new = list(ours.values())[len(theirs) :]
    assert new and all(parameter.kind == parameter.KEYWORD_ONLY and parameter.default is None for parameter in new)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_same_attributes(solver, early_stopping):
    X, y, _ = data("iris")
    settings = {"solver": solver, "early_stopping": early_stopping, "max_iter": 3, "random_state": 3}
    ours, theirs = (fit(module.MLPClassifier(**settings), X, y) for module in (surefoot.sklearn, neural_network))
    for name, value in vars(theirs).items():
        if name.endswith("_") and not name.startswith("_"):
            assert type(getattr(ours, name)) is type(value), name
    # What scikit-learn does not have after this solver is not there.
    for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
        assert hasattr(ours, name) == hasattr(theirs, name), name
    assert [type(each) for each in getattr(ours, "loss_curve_", [])] == [
        type(each) for each in getattr(theirs, "loss_curve_", [])
    ]
