"""What a series of equity came to: the figures that a tearsheet opens with. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

#: Sessions of a year.
YEAR: Final = 252


@dataclass(frozen=True)
class Performance:
    """Figures of daily equity; fractions, and ratios of a year. None where nothing moved.

    Attributes
    ----------
    total, yearly
        Return of all, and a year of the same growth.
    deviation
        Of daily returns, a year.
    sharpe, sortino
        Mean over deviation, and over that of losses alone, without a rate.
    drawdown, longest
        Deepest fall from a height before, above 0, and the most sessions below one.
    calmar
        `yearly` over `drawdown`.
    """

    total: float
    yearly: float
    deviation: float
    sharpe: float | None
    sortino: float | None
    drawdown: float
    longest: int
    calmar: float | None


def daily_returns(equity: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n_less_1"]:
    """Return the returns from close to close."""
    return np.asarray(equity[1:] / equity[:-1] - 1.0)


def performance(equity: Float64[np.ndarray, " n"]) -> Performance:
    """Return the figures of equity in USD at closes, above 0."""
    moves = daily_returns(equity)
    total = float(equity[-1] / equity[0] - 1.0)
    yearly = float((1.0 + total) ** (YEAR / max(len(moves), 1)) - 1.0)
    deviation = float(moves.std(ddof=1)) if len(moves) > 1 else 0.0
    losses = float(np.sqrt(np.mean(np.minimum(moves, 0.0) ** 2))) if len(moves) else 0.0
    mean = float(moves.mean()) if len(moves) else 0.0
    fallen = falls(equity)
    deepest = float(fallen.max())
    return Performance(
        total=total,
        yearly=yearly,
        deviation=deviation * float(np.sqrt(YEAR)),
        sharpe=_ratio(mean * np.sqrt(YEAR), deviation),
        sortino=_ratio(mean * np.sqrt(YEAR), losses),
        drawdown=deepest,
        longest=_longest(fallen > 0.0),
        calmar=_ratio(yearly, deepest),
    )


def falls(equity: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return how far equity lies below its height before, a fraction from 0."""
    return np.asarray(1.0 - equity / np.maximum.accumulate(equity))


def _ratio(figure: float, over: float) -> float | None:
    return float(figure / over) if over > 0.0 else None


def _longest(below: np.ndarray) -> int:
    """Return the longest run of places that are below."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], below, [False]]).astype(int)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
