"""From probabilities to a pool and to calls: weights chosen on out-of-fold forecasts. Pure."""

from itertools import product
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import softmax

from forecasters.calls import called
from market.targets import HORIZON

#: Sessions that the labels of neighbours share: so many rows say what one independent row would.
OVERLAP: Final = HORIZON
#: What a class's probability may be multiplied by before the likeliest is called.
GRID: Final = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4)


def pool_weights(
    chance: Float64[np.ndarray, "n_rows n_members n_classes"], outcome: Int64[np.ndarray, " n_rows"]
) -> Float64[np.ndarray, " n_members"]:
    """Return the weights of a linear pool by out-of-fold log loss; shape (n_members,).

    Each member's likelihood with the rows counted by how many are independent, which is Bayesian
    model averaging with equal priors (Hoeting et al. 1999). They sum to 1.

    Parameters
    ----------
    chance
        Out-of-fold probabilities; shape (n_rows, n_members, n_classes).
    outcome
        Class codes; shape (n_rows,).
    """
    given = chance[np.arange(len(outcome)), :, outcome]
    evidence = np.log(np.maximum(given, np.finfo(np.float64).eps)).sum(axis=0) / OVERLAP
    return np.asarray(softmax(evidence), dtype=np.float64)


def call_weights(
    chance: Float64[np.ndarray, "n_rows 3"], outcome: Int64[np.ndarray, " n_rows"]
) -> tuple[float, ...]:
    """Return what to multiply the probabilities by before the likeliest class is called.

    The best macro F1 on out-of-fold rows; of equals the nearest to calling the likeliest class. The
    middle class keeps weight 1. The grid is narrow: what is gained beyond it is not found again.

    Parameters
    ----------
    chance
        Probabilities of three classes; shape (n_rows, 3).
    outcome
        Class codes; shape (n_rows,).
    """
    best, chosen = -np.inf, (1.0, 1.0, 1.0)
    if not len(outcome):
        return chosen
    for low, high in sorted(product(GRID, GRID), key=_departure):
        weights = (low, 1.0, high)
        score = _macro_f1(outcome, called(chance, weights))
        if score > best + 1e-12:
            best, chosen = score, weights
    return chosen


def _departure(pair: tuple[float, float]) -> float:
    return float(np.abs(np.log(pair)).sum())


def _macro_f1(outcome: Int64[np.ndarray, " n_rows"], calls: Int64[np.ndarray, " n_rows"]) -> float:
    counts = np.bincount(3 * outcome + calls, minlength=9).reshape(3, 3)
    hits, said, were = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    seen = (said + were) > 0
    f1 = 2.0 * hits[seen] / (said + were)[seen]
    return float(f1.mean())
