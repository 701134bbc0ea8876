"""Extremes: the 52-week range, and the drawdown."""

from typing import Final

from feature_repo.features.declare import FLAG, USD, Feature, Term
from feature_repo.features.maths.arithmetic import change, flag, ratio
from feature_repo.features.maths.windows import window_max, window_min

NOT_ABOVE_ZERO: Final = "ratio (<=0)"
NOT_BELOW_ZERO: Final = "ratio (>=0)"

TERMS: Final = (
    Term("top", lambda high: window_max(high, 252)),
    Term("bottom", lambda low: window_min(low, 252)),
)

FEATURES: Final = (
    Feature("high_52w", lambda top, scale: top / scale, 252, USD, "max(high, 252)", safe=False),
    Feature("low_52w", lambda bottom, scale: bottom / scale, 252, USD, "min(low, 252)", safe=False),
    Feature(
        "dist_from_52w_high",
        lambda close, top: change(close, top),
        252,
        NOT_ABOVE_ZERO,
        "close / high_52w - 1",
    ),
    Feature(
        "dist_from_52w_low",
        lambda close, bottom: change(close, bottom),
        252,
        NOT_BELOW_ZERO,
        "close / low_52w - 1",
    ),
    Feature(
        "near_52w_high",
        lambda dist_from_52w_high: flag(dist_from_52w_high > -0.05, dist_from_52w_high),
        252,
        FLAG,
        "1 if dist_from_52w_high > -0.05 else 0",
    ),
    Feature(
        "near_52w_low",
        lambda dist_from_52w_low: flag(dist_from_52w_low < 0.05, dist_from_52w_low),
        252,
        FLAG,
        "1 if dist_from_52w_low < 0.05 else 0",
    ),
    Feature(
        "range_position_52w",
        lambda close, top, bottom: ratio(close - bottom, top - bottom),
        252,
        "ratio 0-1",
        "(close - low_52w) / (high_52w - low_52w)",
    ),
    Feature(
        "drawdown_60d",
        lambda close: change(close, window_max(close, 60)),
        60,
        NOT_ABOVE_ZERO,
        "close / max(close,60) - 1",
    ),
)
