"""Gradient-boosted trees: Chen and Guestrin (2016), through xgboost, kept as its own JSON.

Small, slow-learning trees, as a training part holds a few hundred independent outcomes at most.
How many are grown is chosen inside the training part, on its last fifth.
"""

from typing import Any, Final

import numpy as np
from jaxtyping import Int64

from forecasters.trees import Trees
from forecasters.unseen import with_unseen
from training.models.sample import Estimate, Model, Sample

MAX_TREES: Final = 150
PATIENCE: Final = 15  # rounds without a better score
HELD_OUT: Final = 5  # the last fifth of the sessions chooses the number of trees
Parameters = dict[str, float | str]

SETTINGS: Final[Parameters] = {
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


def fit(sample: Sample) -> Estimate:
    """Return the model and its booster, of as many trees as did best on the last sessions."""
    import xgboost

    everything = _matrix(sample, np.arange(len(sample.labels)))
    booster = xgboost.train(_settings(sample), everything, _best_count(sample))
    text = bytes(booster.save_raw("json")).decode()
    model = Trees(features=list(sample.names), booster=text)
    return Estimate(with_unseen(model, sample.absent, len(sample.labels)), booster)


def _best_count(sample: Sample) -> int:
    """Return how many trees did best on the sample's last sessions.

    Rows whose label reaches into those sessions take no part in the choice.
    """
    import xgboost

    early, late = _split(sample)
    if not (len(early) and len(late)):
        return 1
    grown = xgboost.train(
        _settings(sample),
        _matrix(sample, early),
        MAX_TREES,
        evals=[(_matrix(sample, late), "late")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
    return int(grown.best_iteration) + 1


def _settings(sample: Sample) -> Parameters:
    if sample.n_classes == 2:
        return {**SETTINGS, "objective": "binary:logistic", "eval_metric": "logloss"}
    return {
        **SETTINGS,
        "objective": "multi:softprob",
        "eval_metric": "mlogloss",
        "num_class": sample.n_classes,
    }


def _split(sample: Sample) -> tuple[Int64[np.ndarray, " n_early"], Int64[np.ndarray, " n_late"]]:
    """Return rows before, and rows in, the last fifth of the sessions; purged by label end."""
    unique = np.unique(sample.sessions)
    first = unique[len(unique) - max(len(unique) // HELD_OUT, 1)]
    early = np.flatnonzero(sample.label_ends < first).astype(np.int64)
    return early, np.flatnonzero(sample.sessions >= first).astype(np.int64)


def _matrix(sample: Sample, rows: Int64[np.ndarray, " n_rows"]) -> Any:  # noqa: ANN401
    import xgboost

    return xgboost.DMatrix(sample.values[rows], label=sample.labels[rows], nthread=1)


TREES: Final = Model("trees", ("direction", "regime"), fit)
