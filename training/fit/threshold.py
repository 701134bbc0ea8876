"""The probability above which UP is called (Decision 9). Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64

from market.errors import InputError, UnknownName

GRID: Final[Float64[np.ndarray, " n_thresholds"]] = np.arange(30, 71) / 100.0  # Decision 9
DEFAULT: Final = 0.50
CRITERIA: Final = ("f1", "balanced_accuracy")


@dataclass(frozen=True)
class Threshold:
    """A threshold on P(UP); `score` is the criterion's value on the rows it was chosen on."""

    value: float
    criterion: str | None
    score: float | None

    @property
    def at_edge(self) -> bool:
        """Whether the choice lies at an end of the grid: the optimum may lie beyond it."""
        return self.criterion is not None and self.value in (GRID[0], GRID[-1])


def fixed() -> Threshold:
    """Return the threshold that nothing was fitted for."""
    return Threshold(DEFAULT, None, None)


def choose(
    probability: Float64[np.ndarray, " n_rows"],
    up: Bool[np.ndarray, " n_rows"],
    criterion: str = "f1",
) -> Threshold:
    """Return the grid threshold with the best score; of equals, the nearest to 0.50.

    Parameters
    ----------
    probability
        Out-of-fold P(UP); shape (n_rows,).
    up
        Whether the row was UP; shape (n_rows,).
    criterion
        `f1` of UP, or `balanced_accuracy`.

    Raises
    ------
    InputError
        If the criterion is unknown or there are no rows.
    """
    if criterion not in CRITERIA:
        raise UnknownName("unknown threshold criterion", criterion, CRITERIA)
    if not len(probability):
        raise InputError("no out-of-fold row to choose a threshold on; train on a longer period")
    score = scores(probability, up, criterion)
    best = np.flatnonzero(score >= score.max() - 1e-12)
    at = int(best[np.argmin(np.abs(GRID[best] - DEFAULT))])
    return Threshold(float(GRID[at]), criterion, float(score[at]))


def scores(
    probability: Float64[np.ndarray, " n_rows"], up: Bool[np.ndarray, " n_rows"], criterion: str
) -> Float64[np.ndarray, " n_thresholds"]:
    """Return the criterion at each grid threshold; UP is called above it; shape (41,)."""
    called = probability[None, :] > GRID[:, None]
    hit = (called & up).sum(axis=1)
    false_alarm = (called & ~up).sum(axis=1)
    ups, downs = int(up.sum()), int((~up).sum())
    if criterion == "f1":
        return np.asarray(2.0 * hit / np.maximum(ups + hit + false_alarm, 1), dtype=np.float64)
    recalls = [hit / ups] if ups else []
    recalls += [1.0 - false_alarm / downs] if downs else []
    return np.asarray(np.mean(recalls, axis=0), dtype=np.float64)
