"""Volatility features: realised volatility, Bollinger bands, true range, range estimators.

Realised volatilities are annualised with 252 sessions and in percentage points.
"""

from typing import Final

import numpy as np
from jaxtyping import Float64

from feature_repo.features.declare import (
    ANNUALISED,
    FLAG,
    PERCENT_OF_PRICE,
    RATIO,
    USD,
    Z_SCORE,
    Feature,
    Term,
)
from feature_repo.features.maths.arithmetic import change, difference_over, flag, ratio, shift
from feature_repo.features.maths.recursive import SETTLED, settled
from feature_repo.features.maths.windows import (
    deviation,
    widen_moments,
    window_count_below,
    window_mean,
    window_moments,
)
from market.arrays import BySession

SESSIONS_A_YEAR: Final = 252
SQUEEZE_SESSIONS: Final = 252
SQUEEZE_SHARE: Final = 0.10


def annualised(variance: BySession) -> BySession:
    """Volatility in annualised percentage points, of a variance per session."""
    return np.asarray(np.sqrt(variance * (100.0**2 * SESSIONS_A_YEAR)))


def z_score_252(x: BySession) -> BySession:
    """Distance from the mean of 252 sessions in standard deviations; null if these are zero."""
    moments = window_moments(x, 252)
    return ratio(x - moments[0], deviation(moments, 252))


def squeeze(bb_width: BySession) -> BySession:
    """1 if the width is at or below its 10 % quantile of 252 sessions, else 0.

    The quantile lies between the order statistics 25 and 26 (from 0; linear interpolation at
    0.1 * 251 = 25.1). Today's width is one of the 252 values, so it is at or below the quantile
    just when it is at or below order statistic 25: when at most 25 values are smaller.
    """
    below = window_count_below(bb_width, SQUEEZE_SESSIONS)
    return flag(below <= int(SQUEEZE_SHARE * (SQUEEZE_SESSIONS - 1)), below)


def log_move(open: BySession, close: BySession) -> BySession:  # noqa: A002
    """Logarithm of close over open."""
    return np.asarray(np.log(ratio(close, open)))


def log_jump(open: BySession, close: BySession) -> BySession:  # noqa: A002
    """Logarithm of open over previous close."""
    return np.asarray(np.log(ratio(open, shift(close, 1))))


def parkinson(log_range: BySession) -> BySession:
    """Volatility of 20 sessions from their ranges, annualised points (Parkinson 1980)."""
    return annualised(window_mean(log_range**2, 20) / (4.0 * np.log(2.0)))


def garman_klass(log_range: BySession, log_move: BySession) -> BySession:
    """Volatility of 20 sessions from their four prices, annualised points.

    Garman and Klass (1980), without opening jumps.
    """
    within = 0.5 * log_range**2 - (2.0 * np.log(2.0) - 1.0) * log_move**2
    return annualised(window_mean(within, 20))


def yang_zhang(
    open: BySession,  # noqa: A002
    high: BySession,
    log_range: BySession,
    log_move: BySession,
    log_jump: BySession,
) -> BySession:
    """Volatility of 20 sessions and their opening jumps, annualised points.

    Yang and Zhang (2000): variance of the jumps, plus k times that of the moves from open to
    close, plus 1 - k times that of Rogers and Satchell (1991).
    """
    n = 20
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    up = np.log(ratio(high, open))
    down = up - log_range
    within = window_mean(up * (up - log_move) + down * (down - log_move), n)
    jumps, moves = window_moments(log_jump, n)[1], window_moments(log_move, n)[1]
    return annualised((jumps + k * moves) / (n - 1) + (1.0 - k) * within)


def realised(moments: Float64[np.ndarray, "2 n_sessions"], n: int) -> BySession:
    """Realised volatility, in annualised points, of n log returns by their moments."""
    return annualised(moments[1] / (n - 1))


TERMS: Final = (
    Term("return_moments_5", lambda log_returns_1d: window_moments(log_returns_1d, 5)),
    Term("return_moments_10", lambda return_moments_5: widen_moments(return_moments_5, 5, 2)),
    Term("return_moments_20", lambda return_moments_10: widen_moments(return_moments_10, 10, 2)),
    Term("return_moments_60", lambda return_moments_20: widen_moments(return_moments_20, 20, 3)),
    Term("return_moments_120", lambda return_moments_60: widen_moments(return_moments_60, 60, 2)),
    Term("log_range", lambda high, low: np.log(ratio(high, low))),
    Term("log_move", log_move),
    Term("log_jump", log_jump),
    Term("std_20", lambda moments_20: deviation(moments_20, 20, ddof=0)),
)

FEATURES: Final = (
    Feature(
        "hv_5",
        lambda return_moments_5: realised(return_moments_5, 5),
        6,
        ANNUALISED,
        "100 * sqrt(252) * std(log_returns_1d, 5, ddof=1)",
    ),
    Feature(
        "hv_10",
        lambda return_moments_10: realised(return_moments_10, 10),
        11,
        ANNUALISED,
        "100 * sqrt(252) * std(log_returns_1d, 10, ddof=1)",
    ),
    Feature(
        "hv_20",
        lambda return_moments_20: realised(return_moments_20, 20),
        21,
        ANNUALISED,
        "100 * sqrt(252) * std(log_returns_1d, 20, ddof=1)",
    ),
    Feature(
        "hv_60",
        lambda return_moments_60: realised(return_moments_60, 60),
        61,
        ANNUALISED,
        "100 * sqrt(252) * std(log_returns_1d, 60, ddof=1)",
    ),
    Feature(
        "hv_120",
        lambda return_moments_120: realised(return_moments_120, 120),
        121,
        ANNUALISED,
        "100 * sqrt(252) * std(log_returns_1d, 120, ddof=1)",
    ),
    Feature("hv_ratio_5_20", lambda hv_5, hv_20: ratio(hv_5, hv_20), 21, RATIO, "hv_5 / hv_20"),
    Feature("hv_ratio_20_60", lambda hv_20, hv_60: ratio(hv_20, hv_60), 61, RATIO, "hv_20 / hv_60"),
    Feature(
        "hv_trend", lambda hv_20: difference_over(hv_20, 10), 31, ANNUALISED, "hv_20 - hv_20[t-10]"
    ),
    Feature(
        "hv_zscore_252",
        lambda hv_20: z_score_252(hv_20),
        272,
        Z_SCORE,
        "(hv_20 - mean(hv_20,252)) / std(hv_20,252)",
    ),
    Feature(
        "bb_upper_dist",
        lambda mean_20, std_20, close: change(mean_20 + 2.0 * std_20, close),
        20,
        RATIO,
        "(sma_20 + 2*std(close,20)) / close - 1",
    ),
    Feature(
        "bb_lower_dist",
        lambda mean_20, std_20, close: -change(mean_20 - 2.0 * std_20, close),
        20,
        RATIO,
        "1 - (sma_20 - 2*std(close,20)) / close",
    ),
    Feature(
        "bb_width",
        lambda mean_20, std_20: ratio(4.0 * std_20, mean_20),
        20,
        RATIO,
        "4*std(close,20) / sma_20",
    ),
    Feature(
        "bb_position",
        lambda mean_20, std_20, close: ratio(close - mean_20 + 2.0 * std_20, 4.0 * std_20),
        20,
        "ratio (0=lower,1=upper)",
        "(close - lower) / (upper - lower)",
    ),
    Feature(
        "bb_squeeze", squeeze, 271, FLAG, "1 if bb_width <= quantile(bb_width,252,0.10) else 0"
    ),
    Feature(
        "atr_14",
        lambda atr, scale: settled(atr / scale),
        SETTLED,
        USD,
        "Wilder mean of true range (14)",
        safe=False,
    ),
    Feature(
        "atr_pct",
        lambda atr, close: settled(100.0 * ratio(atr, close)),
        SETTLED,
        PERCENT_OF_PRICE,
        "100 * atr_14 / close",
    ),
    Feature(
        "parkinson_hv_20",
        parkinson,
        20,
        ANNUALISED,
        "100*sqrt(252 * mean(ln(high/low)^2,20) / (4 ln 2))",
    ),
    Feature(
        "garman_klass_hv_20",
        garman_klass,
        20,
        ANNUALISED,
        "100*sqrt(252*mean(0.5 ln(h/l)^2 - (2ln2-1) ln(c/o)^2, 20))",
    ),
    Feature(
        "yang_zhang_hv_20",
        yang_zhang,
        21,
        ANNUALISED,
        "100*sqrt(252*(var_overnight + k var_open_close + (1-k) var_rogers_satchell)), n=20",
    ),
    Feature(
        "downside_vol_20",
        lambda log_returns_1d: annualised(window_mean(np.minimum(log_returns_1d, 0.0) ** 2, 20)),
        21,
        ANNUALISED,
        "100*sqrt(252*mean(min(log_returns_1d,0)^2,20))",
    ),
    Feature(
        "high_low_range_pct",
        lambda high, low, close: 100.0 * ratio(high - low, close),
        1,
        PERCENT_OF_PRICE,
        "100 * (high - low) / close",
    ),
)
