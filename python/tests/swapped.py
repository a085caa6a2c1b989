"""A plugin of pytest: Surefoot's two classes where scikit-learn's own tests import them from."""

import sklearn.neural_network
import surefoot.sklearn

for name in ("MLPClassifier", "MLPRegressor"):
    setattr(sklearn.neural_network, name, getattr(surefoot.sklearn, name))


def pytest_collection_modifyitems(items):
    for item in items:
        assert getattr(item.module, "MLPClassifier", surefoot.sklearn.MLPClassifier) is surefoot.sklearn.MLPClassifier
