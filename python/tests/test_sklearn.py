"""How `surefoot.sklearn` behaves in use: what scikit-learn promises of every estimator, and what only Surefoot has.

That the numbers are scikit-learn's own is the subject of test_parity.py.
"""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import surefoot
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, get_scorer, log_loss, r2_score
from sklearn.utils.class_weight import compute_sample_weight
from surefoot.sklearn import MLPClassifier, MLPRegressor

from mlp_cases import SKLEARN, digest, digits, layers, numbers, parameters, same_bits, softmax, steps

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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


@pytest.mark.parametrize("labels", [["no", "yes", "maybe"], [-7, 3, 12], [False, True, True]], ids=["str", "int", "bool"])
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
    settings = dict(hidden_layer_sizes=(20,), early_stopping=True, n_iter_no_change=8, learning_rate_init=0.02, random_state=1)
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
