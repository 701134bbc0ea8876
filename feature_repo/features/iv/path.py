"""Where a volatility index stands for a simulation of its next sessions.

A stored auxiliary view, like iv_lags: what the path forecaster of the IV regime reads beside
`vix_close`. The rank five sessions ahead is taken over 252 sessions of which 247 are known
today, so their extremes are features; the rest says how far the index may travel.
"""

from collections.abc import Callable
from typing import Final

import bottleneck as bn
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from feature_repo.features.declare import VOL_POINTS, Feature, Group, Term
from feature_repo.features.iv.group import RANK_SESSIONS, held_window
from market.arrays import BySession, FloatArray
from market.targets import HORIZON

HELD: Final = RANK_SESSIONS - HORIZON  # sessions of that later window that are known today
#: Window of each half-life, in sessions: six half-lives, at most a year.
VOL_WINDOWS: Final = {3: 18, 8: 48, 20: 120, 60: 252}
DISTANCES: Final = (20, 60, 120, 250)
KNOWN_WEIGHT: Final = 0.75  # of a decayed mean: one hole in a short window leaves it known
LOG_CHANGE: Final = "log change per session"
LOG_RATIO: Final = "log ratio"


def decayed_deviation(half_life: int, window: int) -> Callable[..., BySession]:
    """Root mean square of the log changes of `window` sessions, weight halved every `half_life`.

    Null before `window` changes, without today's value, and where the known changes carry under
    three quarters of the weight.
    """
    weights = 0.5 ** (np.arange(window - 1, -1, -1) / half_life)
    weights /= weights.sum()

    def deviation(vix_log: BySession) -> BySession:
        out = np.full(vix_log.size, np.nan)
        if vix_log.size <= window or np.isnan(vix_log).all():
            return out
        changes = sliding_window_view(np.diff(vix_log), window)
        known = ~np.isnan(changes)
        # Summed window by window, each in one order: no value outlives its window.
        share = (known * weights).sum(axis=1)
        square = (np.where(known, changes, 0.0) ** 2 * weights).sum(axis=1)
        enough = (share >= KNOWN_WEIGHT) & ~np.isnan(vix_log[window:])
        enough[: int(np.argmin(np.isnan(vix_log)))] = False
        out[window:][enough] = np.sqrt(square[enough] / share[enough])
        return out

    return deviation


def distance(n: int) -> Callable[..., BySession]:
    """Log of the index over its geometric mean of n sessions."""
    return lambda vix_log: vix_log - held_window(vix_log, n, lambda held: bn.nanmean(held, axis=1))


def extreme(reduce: Callable[..., FloatArray]) -> Callable[..., BySession]:
    """Extreme of the index in the 247 sessions to today, in points."""
    return lambda vix_close: held_window(vix_close, HELD, lambda held: reduce(held, axis=1))


IV_PATH: Final = Group(
    name="iv_path",
    entity="ticker",
    auxiliary=True,
    sources=("vix_close",),
    terms=(Term("vix_log", lambda vix_close: np.log(np.where(vix_close > 0, vix_close, np.nan))),),
    features=(
        *(
            Feature(
                f"vix_{word}_{HELD}d",
                extreme(reduce),
                HELD,
                VOL_POINTS,
                f"{word}est vix_close of {HELD} sessions, today included",
            )
            for word, reduce in (("high", bn.nanmax), ("low", bn.nanmin))
        ),
        *(
            Feature(
                f"vix_log_vol_{half_life}",
                decayed_deviation(half_life, window),
                window + 1,
                LOG_CHANGE,
                f"sqrt(sum(w*dln(vix_close)^2) / sum(w)), w = 2^(-age/{half_life}), "
                f"{window} sessions",
            )
            for half_life, window in VOL_WINDOWS.items()
        ),
        *(
            Feature(
                f"vix_log_distance_{n}",
                distance(n),
                n,
                LOG_RATIO,
                f"ln(vix_close) - mean(ln(vix_close),{n})",
            )
            for n in DISTANCES
        ),
    ),
)
