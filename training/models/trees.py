"""Gradient-boosted trees: Chen and Guestrin (2016), through xgboost, kept as its own JSON.

Small, slow-learning trees, as a training part holds a few hundred independent outcomes at most.
How many are grown is chosen inside the training part, on its last fifth.
"""

from typing import Any, Final

import numpy as np

from market.arrays import FloatArray, IntArray
from training.models.sample import Model, Sample

MAX_TREES: Final = 150
PATIENCE: Final = 15  # rounds without a better score
ABSENT: Final = "absent"  # attribute of a booster: codes of classes that its rows did not have
HELD_OUT: Final = 5  # the last fifth of the sessions chooses the number of trees
SETTINGS: Final = {
    "max_depth": 2,
    "eta": 0.1,
    "min_child_weight": 10.0,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "lambda": 5.0,
    "tree_method": "hist",
    "max_bin": 64,
    "seed": 0,
    # One thread: sums then do not depend on how many cores a machine has.
    "nthread": 1,
    "verbosity": 0,
}


def fit(sample: Sample) -> Any:  # noqa: ANN401 - xgboost is imported when a model is fitted
    """Return a booster of as many trees as did best on the sample's last sessions.

    Rows whose label reaches into those sessions take no part in the choice.
    """
    import xgboost

    early, late = _split(sample)
    known = _settings(sample)
    trees = 1
    if len(early) and len(late):
        record: dict[str, dict[str, list[float]]] = {}
        grown = xgboost.train(
            known,
            _matrix(sample, early),
            MAX_TREES,
            evals=[(_matrix(sample, late), "late")],
            early_stopping_rounds=PATIENCE,
            evals_result=record,
            verbose_eval=False,
        )
        trees = int(grown.best_iteration) + 1
    booster = xgboost.train(known, _matrix(sample, np.arange(len(sample.labels))), trees)
    absent = np.setdiff1d(np.arange(sample.n_classes), sample.labels)
    if len(absent):
        booster.set_attr(**{ABSENT: " ".join(map(str, absent))})
    return booster


def decision(booster: Any, values: FloatArray) -> FloatArray:  # noqa: ANN401
    """Return the log-odds of the second class; shape (n_rows,)."""
    return np.asarray(booster.inplace_predict(values, predict_type="margin"), dtype=np.float64)


def probabilities(
    booster: Any,  # noqa: ANN401
    values: FloatArray,
    n_classes: int,
    n_fitted: int,
) -> FloatArray:
    """Return the probability of every class; shape (n_rows, n_classes), rows sum to 1.

    A class that the training part did not hold gets the add-one probability, as in the logistic.
    """
    said = np.asarray(booster.inplace_predict(values), dtype=np.float64)
    if said.ndim == 1:
        return np.column_stack([1.0 - said, said])
    absent = [int(code) for code in (booster.attr(ABSENT) or "").split()]
    said[:, absent] = 0.0
    unseen = 1.0 / (n_fitted + n_classes)
    chance = (1.0 - unseen * len(absent)) * said / said.sum(axis=1, keepdims=True)
    chance[:, absent] = unseen
    return np.asarray(chance, dtype=np.float64)


def parameters(booster: Any, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401
    """Return the booster in the library's own JSON."""
    text = bytes(booster.save_raw("json")).decode()
    return {"kind": "trees", "features": list(names), "booster": text}


def _settings(sample: Sample) -> dict[str, Any]:
    if sample.n_classes == 2:
        return SETTINGS | {"objective": "binary:logistic", "eval_metric": "logloss"}
    many = {"objective": "multi:softprob", "eval_metric": "mlogloss"}
    return SETTINGS | many | {"num_class": sample.n_classes}


def _split(sample: Sample) -> tuple[IntArray, IntArray]:
    """Return rows before, and rows in, the last fifth of the sessions; purged by label end."""
    unique = np.unique(sample.sessions)
    first = unique[len(unique) - max(len(unique) // HELD_OUT, 1)]
    early = np.flatnonzero(sample.label_ends < first).astype(np.int64)
    return early, np.flatnonzero(sample.sessions >= first).astype(np.int64)


def _matrix(sample: Sample, rows: IntArray) -> Any:  # noqa: ANN401
    import xgboost

    return xgboost.DMatrix(sample.values[rows], label=sample.labels[rows], nthread=1)


TREES: Final = Model(
    "trees",
    ("direction", "regime"),
    fit=fit,
    probabilities=probabilities,
    parameters=parameters,
    decision=decision,
)
