"""From what a model says to a calibrated probability (Decision 6) and to the class called."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from forecasters.base import Strict
from market.targets import UNKNOWN


class Calibration(Strict):
    """Platt's curve: P(UP) = sigmoid(slope x decision value + intercept)."""

    slope: float
    intercept: float

    def log_odds(self, decision: Float64[np.ndarray, " n_rows"]) -> Float64[np.ndarray, " n_rows"]:
        """Return the calibrated log-odds of UP, not finite on overflow; same shape."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self.slope * decision + self.intercept)

    def probability(
        self, decision: Float64[np.ndarray, " n_rows"]
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return P(UP) in [0, 1] of decision values; same shape."""
        return sigmoid(self.log_odds(decision))

    def lift(
        self, decision: Float64[np.ndarray, " n_rows"], centre: float
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return the log-odds of UP less those of a decision value, the centre; same shape.

        Zero where the curve, or the decision, is a constant.
        """
        return np.asarray(self.slope * (decision - centre))


#: Log-odds as they are.
IDENTITY: Final = Calibration(slope=1.0, intercept=0.0)


def sigmoid(log_odds: Float64[np.ndarray, " n_rows"]) -> Float64[np.ndarray, " n_rows"]:
    """Return 1 / (1 + exp(-log_odds)), in two forms so that exp never overflows; same shape."""
    small = np.exp(-np.abs(log_odds))
    return np.asarray(np.where(log_odds >= 0, 1.0, small) / (1.0 + small))


def called_up(
    probability: Float64[np.ndarray, " n_rows"], threshold: float
) -> Int64[np.ndarray, " n_rows"]:
    """Return 1 where P(UP) lies above the threshold, else 0; -1 where unknown; shape (n_rows,)."""
    above = (probability > threshold).astype(np.int64)
    return np.where(np.isfinite(probability), above, UNKNOWN)


def called(
    probabilities: Float64[np.ndarray, "n_rows n_classes"], weights: Sequence[float]
) -> Int64[np.ndarray, " n_rows"]:
    """Return the class of the largest weighted probability, -1 where unknown; shape (n_rows,)."""
    calls = np.full(len(probabilities), UNKNOWN, dtype=np.int64)
    known = np.isfinite(probabilities).all(axis=1)
    calls[known] = (probabilities[known] * np.asarray(weights)).argmax(axis=1)
    return calls
