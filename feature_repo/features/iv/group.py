"""Implied volatility: the ticker's volatility index against its past, and the term slope.

An index has holes. A window of n sessions needs today's value and 95 % of its n values, and
starts no earlier than the index's first value. Every window is computed on its own, so a hole
is felt only by the windows that hold it.
"""

from collections.abc import Callable
from typing import Final

import bottleneck as bn
import numpy as np
from jaxtyping import Float64
from numpy.lib.stride_tricks import sliding_window_view

from feature_repo.features.declare import (
    FLAG,
    INDEX,
    INDEX_POINTS,
    PERCENT,
    RATIO,
    VOL_POINTS,
    Z_SCORE,
    Feature,
    Group,
)
from feature_repo.features.maths.arithmetic import change_over, difference_over, flag, ratio, shift
from market.arrays import BySession, FloatArray
from market.iv_rank import BAND_CUTS

Windows = Float64[np.ndarray, "n_windows width"]

NEEDED_PERCENT: Final = 95
RANK_SESSIONS: Final = 252


def held_window(
    x: BySession, n: int, reduce: Callable[[FloatArray], FloatArray], *, past: bool = False
) -> BySession:
    """Reduce windows of n sessions of a series with holes; null where too little is known.

    Parameters
    ----------
    x
        Values, NaN in holes and before the first; shape (n_sessions,).
    n
        Sessions of a window.
    reduce
        Function of windows, shape (windows, width), to one value each.
    past
        False: the window is the last n sessions, today included. True: it is the n sessions
        before today, and `reduce` gets n + 1 columns, today's last.
    """
    width = n + past
    out = np.full(x.size, np.nan)
    known = ~np.isnan(x)
    if x.size < width or not known.any():
        return out
    counts = sliding_window_view(known, width)[:, :n].sum(axis=1)
    enough = (100 * counts >= NEEDED_PERCENT * n) & known[width - 1 :]
    enough[: int(np.argmax(known))] = False
    out[width - 1 :][enough] = reduce(sliding_window_view(x, width)[enough])
    return out


def vix_mean(n: int) -> Callable[..., BySession]:
    """Mean of the known values of the index in n sessions, in points."""
    return lambda vix_close: held_window(vix_close, n, lambda held: bn.nanmean(held, axis=1))


def _rank(windows: Windows) -> Float64[np.ndarray, " n_windows"]:
    low, high = bn.nanmin(windows, axis=1), bn.nanmax(windows, axis=1)
    return 100.0 * ratio(windows[:, -1] - low, high - low)


def _percentile(windows: Windows) -> Float64[np.ndarray, " n_windows"]:
    before = windows[:, :-1]
    below = (before < windows[:, -1:]).sum(axis=1)
    return np.asarray(100.0 * below / (~np.isnan(before)).sum(axis=1))


def _z_score(windows: Windows) -> Float64[np.ndarray, " n_windows"]:
    std = bn.nanstd(windows, axis=1, ddof=1)
    # The mean of equal values may round: equal is decided on the values.
    std[bn.nanmax(windows, axis=1) == bn.nanmin(windows, axis=1)] = np.nan
    return np.asarray((windows[:, -1] - bn.nanmean(windows, axis=1)) / std)


def iv_rank(vix_close: BySession) -> BySession:
    """Place of the index in its range of 252 sessions, 0 to 100; null if the range is zero."""
    return held_window(vix_close, RANK_SESSIONS, _rank)


def iv_percentile(vix_close: BySession) -> BySession:
    """Share of the known values of the 252 sessions before that are below today's, in percent."""
    return held_window(vix_close, RANK_SESSIONS, _percentile, past=True)


def vix_zscore(vix_close: BySession) -> BySession:
    """Distance of the index from its mean of 60 sessions in standard deviations."""
    return held_window(vix_close, 60, _z_score)


def vix_change(n: int) -> Callable[..., BySession]:
    """Relative change of the index over n sessions, in percent."""
    return lambda vix_close: 100.0 * change_over(vix_close, n)


def band(place: int) -> Callable[..., BySession]:
    """1 if iv_rank lies in the band of that place (0 LOW to 3 HIGH; Decision 3), else 0."""
    return lambda iv_rank: flag(np.searchsorted(BAND_CUTS, iv_rank, side="right") == place, iv_rank)


IV: Final = Group(
    name="iv",
    entity="ticker",
    sources=("vix_close", "vix3m_close", "spx_vix_close", "hv_20"),
    features=(
        Feature(
            "vix_close",
            lambda vix_close: vix_close,
            1,
            "vol points (annualised %)",
            "proxy volatility index close",
        ),
        Feature(
            "iv_rank",
            iv_rank,
            252,
            INDEX,
            "100*(vix_close - min(vix_close,252)) / (max(vix_close,252) - min(vix_close,252)); "
            "null before 252 sessions and when max == min",
        ),
        Feature(
            "iv_percentile",
            iv_percentile,
            253,
            "% 0-100",
            "100 * share of the previous 252 sessions (today excluded) with vix_close < today",
        ),
        Feature(
            "iv_hv_spread",
            lambda vix_close, hv_20: vix_close - hv_20,
            21,
            VOL_POINTS,
            "vix_close - hv_20",
        ),
        Feature(
            "iv_hv_ratio",
            lambda vix_close, hv_20: ratio(vix_close, hv_20),
            21,
            RATIO,
            "vix_close / hv_20",
        ),
        Feature(
            "iv_premium",
            lambda iv_hv_spread: flag(iv_hv_spread > 0, iv_hv_spread),
            21,
            FLAG,
            "1 if iv_hv_spread > 0 else 0",
        ),
        *(
            Feature(f"vix_sma_{n}", vix_mean(n), n, VOL_POINTS, f"mean(vix_close,{n})")
            for n in (10, 20)
        ),
        *(
            Feature(
                f"vix_change_{n}d",
                vix_change(n),
                n + 1,
                PERCENT,
                f"100*(vix_close / vix_close[t-{n}] - 1)",
            )
            for n in (1, 5)
        ),
        Feature(
            "vix_zscore",
            vix_zscore,
            60,
            Z_SCORE,
            "(vix_close - mean(vix_close,60)) / std(vix_close,60)",
        ),
        Feature(
            "vix_trend",
            lambda vix_sma_10, vix_sma_20: vix_sma_10 - vix_sma_20,
            20,
            VOL_POINTS,
            "vix_sma_10 - vix_sma_20",
        ),
        Feature(
            "vix_term_slope",
            lambda vix3m_close, spx_vix_close: vix3m_close - spx_vix_close,
            1,
            VOL_POINTS,
            "VIX3M close - VIX close (S&P term structure for every ticker)",
        ),
        Feature(
            "vix_contango",
            lambda vix_term_slope: flag(vix_term_slope > 0, vix_term_slope),
            1,
            FLAG,
            "1 if vix_term_slope > 0 else 0",
        ),
        Feature("iv_regime_low", band(0), RANK_SESSIONS, FLAG, "1 if iv_rank < 25"),
        Feature("iv_regime_normal", band(1), RANK_SESSIONS, FLAG, "1 if 25 <= iv_rank < 50"),
        Feature("iv_regime_elevated", band(2), RANK_SESSIONS, FLAG, "1 if 50 <= iv_rank < 75"),
        Feature("iv_regime_high", band(3), RANK_SESSIONS, FLAG, "1 if iv_rank >= 75"),
    ),
)


def rank_lag(n: int) -> Callable[..., BySession]:
    """Index rank (iv_rank) of n sessions earlier, 0 to 100."""
    return lambda iv_rank: shift(iv_rank, n)


def rank_change(n: int) -> Callable[..., BySession]:
    """Change of iv_rank over n sessions, in points."""
    return lambda iv_rank: difference_over(iv_rank, n)


IV_LAGS: Final = Group(
    name="iv_lags",
    entity="ticker",
    auxiliary=True,
    sources=("iv_rank",),
    features=(
        *(
            Feature(
                f"iv_rank_lag_{n}",
                rank_lag(n),
                RANK_SESSIONS + n,
                INDEX,
                f"iv_rank[t-{n} sessions]",
            )
            for n in (5, 10, 20)
        ),
        *(
            Feature(
                f"iv_rank_change_{n}d",
                rank_change(n),
                RANK_SESSIONS + n,
                INDEX_POINTS,
                f"iv_rank - iv_rank[t-{n} sessions]",
            )
            for n in (5, 10)
        ),
    ),
)
