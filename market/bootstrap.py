"""How sure a mean over dependent sessions is: the stationary block bootstrap.

Politis and Romano, "The stationary bootstrap" (1994), through `arch`. A resample is kept as
the number of times it draws each session, so that every score is a function of weights and
all scores of one training share the same resamples.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float64, UInt16

MEAN_BLOCK: Final = 20  # sessions, Decision 10
RESAMPLES: Final = 2_000
LEVEL: Final = 0.95  # Decision 11: the one-sided bound; intervals are two-sided at this level


@dataclass(frozen=True)
class Interval:
    """A two-sided 95 % interval of a difference, and its one-sided 95 % lower bound."""

    low: float
    high: float
    bound: float


def resample_weights(
    n_sessions: int, seed: int, resamples: int = RESAMPLES, mean_block: int = MEAN_BLOCK
) -> Float64[np.ndarray, "n_resamples n_sessions"]:
    """Return how often each resample draws each session; shape (resamples, n_sessions).

    Every row sums to `n_sessions`. Blocks run over sessions, whatever happened on them.
    """
    return _counts(n_sessions, seed, resamples, mean_block).astype(np.float64)


@lru_cache(maxsize=16)  # models of one window are judged on the same resamples
def _counts(
    n_sessions: int, seed: int, resamples: int, mean_block: int
) -> UInt16[np.ndarray, "n_resamples n_sessions"]:
    from arch.bootstrap import StationaryBootstrap

    source = StationaryBootstrap(mean_block, np.arange(n_sessions), seed=seed)
    counts = np.empty((resamples, n_sessions), np.uint16)
    for row, (drawn, _) in enumerate(source.bootstrap(resamples)):
        counts[row] = np.bincount(drawn[0], minlength=n_sessions)
    return counts


def interval(resampled: Float64[np.ndarray, " n_resamples"]) -> Interval | None:
    """Return the percentile interval of a resampled figure; None if it is not known.

    A figure undefined in a resample (no row of a class drawn) leaves that resample out; one
    undefined in more than 5 % of them has no interval.
    """
    known = resampled[np.isfinite(resampled)]
    if len(known) < LEVEL * len(resampled):
        return None
    tail = (1.0 - LEVEL) / 2.0
    low, bound, high = np.quantile(known, [tail, 1.0 - LEVEL, 1.0 - tail])
    return Interval(float(low), float(high), float(bound))
