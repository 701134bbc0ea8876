"""The ranges' variance over a ticker's last sessions, and its falls: what scales its returns.

A stored auxiliary view, like iv_lags: what the forecaster of the distribution at the horizon reads
beside `vix_close`. The variance of a session is its opening jump squared and the estimate of Rogers
and Satchell (1991) of the rest; the windows are those of a heterogeneous autoregression (Corsi
2009), in logs.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from feature_repo.features.declare import Feature, Group, Term
from feature_repo.features.maths.arithmetic import ROUNDING, ratio, ratio_over
from feature_repo.features.maths.windows import window_mean
from feature_repo.features.technical.volatility import log_jump, log_move
from market.arrays import BySession

VARIANCE_WINDOWS: Final = (2, 5, 22)
FALL_SESSIONS: Final = (1, 5)
LONGEST: Final = max(VARIANCE_WINDOWS)
LOG_VARIANCE: Final = "log variance per session"
DEVIATIONS: Final = "deviations"
SOURCES: Final = ("open", "high", "low", "close")


def session_variance(
    open: BySession,  # noqa: A002
    high: BySession,
    low: BySession,
    close: BySession,
) -> BySession:
    """Variance of each session's log return, by its jump and range; null in the first session."""
    up, down = np.log(ratio(high, open)), np.log(ratio(low, open))
    move = log_move(open, close)
    # Below 0 where a high or a low of rounded prices lies inside the body.
    within = np.maximum(up * (up - move) + down * (down - move), 0.0)
    return np.asarray(log_jump(open, close) ** 2 + within)


def log_variance(n: int) -> Callable[..., BySession]:
    """Log of the mean variance of n sessions; null where prices did not move but by rounding."""

    def log_of_mean(variance: BySession) -> BySession:
        mean = window_mean(variance, n)
        return np.asarray(np.log(np.where(mean > ROUNDING**2, mean, np.nan)))

    return log_of_mean


def fall(n: int) -> Callable[..., BySession]:
    """Loss over n sessions, 0 after a gain, in deviations of n sessions by the longest window."""

    def loss(close: BySession, longest: BySession) -> BySession:
        fallen = np.maximum(-np.log(ratio_over(close, n)), 0.0)
        return np.asarray(fallen / np.exp(longest / 2.0) / np.sqrt(n))

    return lambda close, log_variance_22: loss(close, log_variance_22)


VARIANCE: Final = Group(
    name="variance",
    entity="ticker",
    auxiliary=True,
    sources=SOURCES,
    terms=(Term("variance", session_variance),),
    features=(
        *(
            Feature(
                f"log_variance_{n}",
                log_variance(n),
                n + 1,
                LOG_VARIANCE,
                f"ln(mean(ln(open/close[t-1])^2 + max(rogers_satchell,0), {n}))",
            )
            for n in VARIANCE_WINDOWS
        ),
        *(
            Feature(
                f"fall_{n}d",
                fall(n),
                LONGEST + 1,
                DEVIATIONS,
                f"max(-ln(close / close[t-{n}]), 0) / sqrt({n} * exp(log_variance_{LONGEST}))",
            )
            for n in FALL_SESSIONS
        ),
    ),
)
