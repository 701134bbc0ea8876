"""What the fit that serves is made of: all rows, and what the folds said of their test parts."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64, Int64

from market.arrays import FloatArray
from training.fit.fit import Fit, Mixed, fit_rows
from training.fit.mixture import Forecaster
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.models.sample import Mixture, Model


def fit_all(rows: Rows, model: Model | Mixture, n_features: int) -> Fit | Mixed:
    """Fit a model on all rows."""
    return fit_rows(rows, np.arange(len(rows.sessions)), model, n_features)


def tested_values(
    rows: Rows,
    folds: Sequence[Fold],
    forecasters: Sequence[Forecaster],
    say: Callable[[Fit | Mixed, FloatArray], FloatArray],
) -> Float64[np.ndarray, "n_tested ..."]:
    """Return what each fold's fit says of its own test part, one after the other."""
    pairs = zip(folds, forecasters, strict=True)
    return np.concatenate([say(one.fit, rows.values[fold.test]) for fold, one in pairs])


def tested_labels(rows: Rows, folds: Sequence[Fold]) -> Int64[np.ndarray, " n_tested"]:
    """Return the class codes of the test parts, one after the other; shape (n_tested,)."""
    return np.concatenate([rows.labels[fold.test] for fold in folds])
