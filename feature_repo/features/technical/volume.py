"""Volume features, relative to the ticker's own volume (Decision 18)."""

from typing import Final

import numpy as np

from feature_repo.features.declare import FLAG, RATIO, Z_SCORE, Feature, Term
from feature_repo.features.maths.arithmetic import change, difference_over, direction, flag, ratio
from feature_repo.features.maths.windows import (
    deviation,
    widen_mean,
    widen_moments,
    window_mean,
    window_moments,
)
from market.arrays import BySession

RATIO_TO_YEAR: Final = "ratio to 252-day mean volume"


def windowed_obv(returns_1d: BySession, volume: BySession, volume_mean_20: BySession) -> BySession:
    """Volume of rising less that of falling sessions, as a share of all volume in 60, -1 to 1.

    Granville's on-balance volume over a window, so that it does not depend on the first date
    loaded (Decision 18).
    """
    signed = window_mean(direction(returns_1d) * volume, 60)
    return np.asarray(np.clip(ratio(signed, widen_mean(volume_mean_20, 20, 3)), -1.0, 1.0))


TERMS: Final = (
    Term("volume_moments_10", lambda volume: window_moments(volume, 10)),
    Term("volume_moments_20", lambda volume_moments_10: widen_moments(volume_moments_10, 10, 2)),
    Term("volume_mean_10", lambda volume_moments_10: volume_moments_10[0]),
    Term("volume_mean_20", lambda volume_moments_20: volume_moments_20[0]),
    Term("volume_mean_252", lambda volume: window_mean(volume, 252)),
)

FEATURES: Final = (
    Feature(
        "volume_sma_10",
        lambda volume_mean_10, volume_mean_252: ratio(volume_mean_10, volume_mean_252),
        252,
        RATIO_TO_YEAR,
        "mean(volume,10) / mean(volume,252)",
    ),
    Feature(
        "volume_sma_20",
        lambda volume_mean_20, volume_mean_252: ratio(volume_mean_20, volume_mean_252),
        252,
        RATIO_TO_YEAR,
        "mean(volume,20) / mean(volume,252)",
    ),
    Feature(
        "volume_ratio",
        lambda volume, volume_mean_20: ratio(volume, volume_mean_20),
        20,
        RATIO,
        "volume / mean(volume,20)",
    ),
    Feature(
        "volume_zscore_20",
        lambda volume, volume_moments_20: ratio(
            volume - volume_moments_20[0], deviation(volume_moments_20, 20)
        ),
        20,
        Z_SCORE,
        "(volume - mean(volume,20)) / std(volume,20)",
    ),
    Feature(
        "volume_trend_10_20",
        lambda volume_mean_10, volume_mean_20: change(volume_mean_10, volume_mean_20),
        20,
        RATIO,
        "mean(volume,10) / mean(volume,20) - 1",
    ),
    Feature(
        "obv",
        windowed_obv,
        61,
        "ratio -1..1",
        "sum(sign(returns_1d)*volume, 60) / sum(volume, 60)  (windowed OBV)",
    ),
    Feature("obv_slope_20", lambda obv: difference_over(obv, 20), 81, RATIO, "obv - obv[t-20]"),
    Feature(
        "volume_surge",
        lambda volume_ratio: flag(volume_ratio > 2.0, volume_ratio),
        20,
        FLAG,
        "1 if volume_ratio > 2.0 else 0",
    ),
)
