"""One training by another program, from the file to the model, in a process of its own: reading, encoding and fitting are timed, the
start of Python and the imports are not.

    python -m tables.end_to_end_peer PROGRAM TRAIN TEST TARGET TASK THREADS

prints one JSON object. Every model has its defaults, but for the number of threads, the seed, and the columns that are categories.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, r2_score

from .catalog import REGRESSION


def read(file: str, target: str, is_regression: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """Columns of numbers, and columns of text; the target apart."""
    table = pd.read_csv(file, dtype=None if is_regression else {target: str}, keep_default_na=False, na_values=[""])
    return table.drop(columns=target), table[target].to_numpy()


def text_columns(inputs: pd.DataFrame) -> list[str]:
    return [name for name, column in inputs.items() if not pd.api.types.is_numeric_dtype(column)]


def categories(text: list[str]) -> dict[str, str]:
    """The type of the columns of text, for programs that know pandas' categories."""
    return dict.fromkeys(text, "category")


def histogram_boosting(is_regression: bool, threads: int):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
    return lambda inputs, text: (model(random_state=0), categories(text))


def lightgbm(is_regression: bool, threads: int):
    from lightgbm import LGBMClassifier, LGBMRegressor

    model = LGBMRegressor if is_regression else LGBMClassifier
    return lambda inputs, text: (model(n_jobs=threads, random_state=0, verbose=-1), categories(text))


def xgboost(is_regression: bool, threads: int):
    from sklearn.preprocessing import LabelEncoder
    from xgboost import XGBClassifier, XGBRegressor

    class OfNames(XGBClassifier):
        """Classes by number, which is all that it takes."""

        def fit(self, inputs, target):
            self.names = LabelEncoder().fit(target)
            return super().fit(inputs, self.names.transform(target))

        def predict(self, inputs):
            return self.names.inverse_transform(super().predict(inputs))

    model = XGBRegressor if is_regression else OfNames
    return lambda inputs, text: (model(n_jobs=threads, random_state=0, enable_categorical=True), categories(text))


def catboost(is_regression: bool, threads: int):
    from catboost import CatBoostClassifier, CatBoostRegressor

    model = CatBoostRegressor if is_regression else CatBoostClassifier
    settings = {"thread_count": threads, "random_seed": 0, "verbose": False, "allow_writing_files": False}
    return lambda inputs, text: (model(cat_features=text, **settings), {})


def mlp(is_regression: bool, threads: int):
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from .peers import encoded

    def make(inputs, text):
        network = (MLPRegressor if is_regression else MLPClassifier)(random_state=0)
        model = make_pipeline(encoded(text, inputs), network)
        # a network needs a target of about this size
        return (TransformedTargetRegressor(regressor=model, transformer=StandardScaler()) if is_regression else model), {}

    return make


def realmlp(is_regression: bool, threads: int):
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    model = RealMLP_TD_Regressor if is_regression else RealMLP_TD_Classifier
    settings = {"device": "cpu", "n_threads": threads, "random_state": 0, "verbosity": 0}
    return lambda inputs, text: (model(**settings), categories(text))


PROGRAMS = {
    "HistGradientBoosting": histogram_boosting,
    "LightGBM": lightgbm,
    "XGBoost": xgboost,
    "CatBoost": catboost,
    "MLP": mlp,
    "RealMLP-TD": realmlp,
}


def fill(program: str, inputs: pd.DataFrame, text: list[str]) -> dict:
    """What takes the place of missing cells for the programs that take none."""
    if program == "CatBoost":
        return dict.fromkeys(text, "")
    return inputs.drop(columns=text).median().to_dict() if program == "RealMLP-TD" else {}


def main() -> None:
    program, train, test, target, task, threads = sys.argv[1:]
    is_regression = task == REGRESSION
    make = PROGRAMS[program](is_regression, int(threads))
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    inputs, targets = read(train, target, is_regression)
    text = text_columns(inputs)
    model, types = make(inputs, text)
    filled = fill(program, inputs, text)
    inputs = inputs.fillna(filled).astype(types)
    model.fit(inputs, targets)
    seconds = time.perf_counter() - began
    others, expected = read(test, target, is_regression)
    others = others.fillna(filled).astype({name: inputs[name].dtype for name in types})
    predicted = np.asarray(model.predict(others)).reshape(-1)
    score = r2_score(expected, predicted) if is_regression else accuracy_score(expected, predicted)
    print(json.dumps({"seconds": seconds, "score": float(score)}))


if __name__ == "__main__":
    main()
