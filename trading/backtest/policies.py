"""What is traded after each session: the matrix, and what it has to be better than. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from market.iv_rank import REGIMES
from market.targets import DIRECTIONS
from trading.backtest.portfolio import NAMES, Choices
from trading.strategies.selector import Forecasts, cell, taken
from trading.structures.sizing import SHARES

MATRIX: Final = "matrix"
EDGE: Final = "matrix with an edge"
RANDOM: Final = "random"
HOLD: Final = "buy and hold"
HALF: Final = SHARES["half"]


@dataclass(frozen=True)
class Said:
    """What models that had not seen a session forecast of it; a row a session of an underlying.

    Attributes
    ----------
    direction, regime
        Places in `DIRECTIONS` and `REGIMES`; -1 where nothing was forecast.
    direction_confidence, regime_confidence
        See `Forecasts`.
    proven
        Whether both models were better than their baselines by what was known then.
    """

    direction: Int64[np.ndarray, " n_sessions"]
    direction_confidence: Float64[np.ndarray, " n_sessions"]
    regime: Int64[np.ndarray, " n_sessions"]
    regime_confidence: Float64[np.ndarray, " n_sessions"]
    proven: Bool[np.ndarray, " n_sessions"]

    @property
    def known(self) -> Bool[np.ndarray, " n_sessions"]:
        """Which sessions have both forecasts."""
        return (self.direction >= 0) & (self.regime >= 0)

    def cells(self) -> np.ndarray:
        """Return direction and regime of each session in words, empty where not known."""
        words = [
            f"{DIRECTIONS[one]}, {REGIMES[other]}" if known else ""
            for one, other, known in zip(self.direction, self.regime, self.known, strict=True)
        ]
        return np.array(words)


def by_matrix(said: Said, places: range | None = None) -> Choices:
    """Return what the matrix takes, in the size that it says.

    Parameters
    ----------
    places
        Of the sessions that are asked for, where not all are; at the others nothing is taken.
    """
    count = len(said.direction)
    strategy, size = np.full(count, -1), np.zeros(count)
    first, last = (0, count) if places is None else (places.start, places.stop)
    for at in first + np.flatnonzero(said.known[first:last]):
        name, share = taken(
            Forecasts(
                DIRECTIONS[said.direction[at]],
                float(said.direction_confidence[at]),
                REGIMES[said.regime[at]],
                float(said.regime_confidence[at]),
            ),
            proven=bool(said.proven[at]),
        )
        if name in NAMES:
            strategy[at] = NAMES.index(name)
            size[at] = SHARES[share]
    return Choices(strategy, size)


def of_matrix(state: str) -> frozenset[str]:
    """Return the structures that the matrix takes in a direction and regime, "UP, HIGH".

    One for a clear direction, and where there is one, that for an unclear one.
    """
    for direction in DIRECTIONS:
        for regime in REGIMES:
            if state == f"{direction}, {regime}":
                found = {cell(direction, regime).name, cell(None, regime).name}
                return frozenset(found & {*NAMES})
    return frozenset()


def always(strategy: str, known: Bool[np.ndarray, " n_sessions"]) -> Choices:
    """Return one structure at every session with forecasts, at half size."""
    return Choices(np.where(known, NAMES.index(strategy), -1), np.where(known, HALF, 0.0))


def at_random(chosen: Choices, known: Bool[np.ndarray, " n_sessions"], seed: int) -> Choices:
    """Return the same positions, as often and as clustered, at sessions of no meaning.

    They are turned around the sessions with forecasts by a random distance.
    """
    places = np.flatnonzero(known)
    strategy, size = np.full(len(known), -1), np.zeros(len(known))
    if len(places):
        turn = int(np.random.default_rng(seed).integers(1, max(len(places), 2)))
        strategy[places] = np.roll(chosen.strategy[places], turn)
        size[places] = np.roll(chosen.size[places], turn)
    return Choices(strategy, size)


def held_equity(
    days: pd.DatetimeIndex, adjusted: list[Float64[np.ndarray, " n_sessions"]], capital: float
) -> Float64[np.ndarray, " n_sessions"]:
    """Return the equity of equal parts of underlyings bought at the first close and kept.

    Parameters
    ----------
    adjusted
        Closes with dividends reinvested, a series an underlying; NaN before its first.
    """
    parts = np.full(len(days), capital)
    if adjusted:
        grown = [series / series[np.isfinite(series)][0] for series in adjusted]
        parts = capital * np.mean([np.nan_to_num(one, nan=1.0) for one in grown], axis=0)
    return parts
