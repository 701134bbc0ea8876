"""What a forecast has to beat (Decision 10): one row each.

Every baseline sees what the model's training part holds of the tested ticker's window (class codes
and today's figure of each row; the pooled table sees all that is trained on) and today's figure of
the test rows: the last 5-session return for the direction, the IV rank for the regime.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from forecasters.linear import Linear
from market.iv_rank import REGIMES, regime_codes
from market.targets import DIRECTIONS, UP
from training.fit.forecast import Forecast
from training.models.transition_table import fit_table

Codes = Int64[np.ndarray, " n_train"]
Before = Float64[np.ndarray, " n_train"]
Today = Float64[np.ndarray, " n_rows"]
#: (class codes, today's figure) of the training rows, today's figure of the test rows.
Baseline = Callable[[Codes, Before, Today], Forecast]

#: The table of every row trained on, other underlyings and history included.
POOLED_TABLE: Final = "pooled_table"
COIN: Final = "coin"
_UP: Final = DIRECTIONS.index(UP)


def always_up(_labels: Codes, _before: Before, today: Today) -> Forecast:
    """Call UP on every session."""
    return Forecast(np.full(len(today), _UP), None)


def always_down(_labels: Codes, _before: Before, today: Today) -> Forecast:
    """Call DOWN on every session."""
    return Forecast(np.full(len(today), 1 - _UP), None)


def class_prior(labels: Codes, _before: Before, today: Today) -> Forecast:
    """Give every session the share of UP among the training part's decided sessions."""
    share = float((labels == _UP).mean())
    chance = np.tile([1.0 - share, share], (len(today), 1))
    calls, nothing = np.full(len(today), int(share > 0.5)), np.zeros(len(today))
    return Forecast(calls, chance, lift=nothing)


def fit_prior(labels: Codes, _before: Before) -> Linear:
    """Return the class prior as a model: the log-odds of the share of UP, whatever is known."""
    share = float((labels == _UP).mean())
    return _without_features(np.array([np.log(share / (1.0 - share))]))


def coin(n_classes: int) -> Baseline:
    """Return the baseline that gives every class the same chance, and calls them in turn."""

    def even(_labels: Codes, _before: Before, today: Today) -> Forecast:
        rows = len(today)
        chance = np.full((rows, n_classes), 1.0 / n_classes)
        return Forecast(np.arange(rows) % n_classes, chance, lift=np.zeros(rows))

    return even


def fit_coin(n_rows: int) -> Callable[[Codes, Before], Linear]:
    """Return the coin as a model: log-odds of 0, in as many rows as its task has."""

    def even(_labels: Codes, _before: Before) -> Linear:
        return _without_features(np.zeros(n_rows))

    return even


def return_sign(_labels: Codes, _before: Before, today: Today) -> Forecast:
    """Call UP after a positive 5-session return, DOWN otherwise."""
    return Forecast((today > 0.0).astype(np.int64), None)


def persistence(_labels: Codes, _before: Before, today: Today) -> Forecast:
    """Call today's regime."""
    return Forecast(regime_codes(today), None)


def majority(labels: Codes, _before: Before, today: Today) -> Forecast:
    """Call the regime most frequent in the training part."""
    most = int(np.bincount(labels, minlength=len(REGIMES)).argmax())
    return Forecast(np.full(len(today), most), None)


def transition_table(labels: Codes, before: Before, today: Today) -> Forecast:
    """Give the class frequencies that followed training sessions of a like IV rank."""
    chance = fit_table(labels, before).chances(today[:, None]).probabilities
    return Forecast(chance.argmax(axis=1), chance)


def _without_features(intercept: Float64[np.ndarray, " n_rows"]) -> Linear:
    nothing = np.empty(0)
    return Linear(
        features=[],
        mean=nothing,
        scale=nothing,
        coef=np.empty((len(intercept), 0)),
        intercept=intercept,
    )


DIRECTION_BASELINES: Final[dict[str, Baseline]] = {
    "class_prior": class_prior,
    COIN: coin(len(DIRECTIONS)),
    "always_up": always_up,
    "always_down": always_down,
    "return_sign": return_sign,
}
REGIME_BASELINES: Final[dict[str, Baseline]] = {
    "transition_table": transition_table,
    COIN: coin(len(REGIMES)),
    POOLED_TABLE: transition_table,
    "persistence": persistence,
    "majority": majority,
}
