"""Returns of the close, the opening gap, and the skewness of returns."""

from collections.abc import Callable
from typing import Final

import numpy as np

from feature_repo.features.declare import RATIO, Feature
from feature_repo.features.maths.arithmetic import change, change_over, ratio_over, shift
from feature_repo.features.maths.windows import window_skew
from market.arrays import BySession


def simple_return(n: int) -> Callable[..., BySession]:
    """Relative change of the close over n sessions."""
    return lambda close: change_over(close, n)


def log_return(n: int) -> Callable[..., BySession]:
    """Logarithm of the ratio of the close to that n sessions earlier."""
    return lambda close: np.log(ratio_over(close, n))


def opening_gap(open: BySession, close: BySession) -> BySession:  # noqa: A002
    """Relative change from the previous close to the open."""
    return change(open, shift(close, 1))


FEATURES: Final = (
    *(
        Feature(f"returns_{n}d", simple_return(n), n + 1, RATIO, f"close / close[t-{n}] - 1")
        for n in (1, 5, 10, 20, 60, 252)
    ),
    *(
        Feature(f"log_returns_{n}d", log_return(n), n + 1, "log ratio", f"ln(close / close[t-{n}])")
        for n in (1, 5, 20)
    ),
    Feature(
        "gap_pct",
        opening_gap,
        2,
        RATIO,
        "open / close[t-1] - 1",
    ),
    Feature(
        "return_skew_60",
        lambda returns_1d: window_skew(returns_1d, 60),
        61,
        "dimensionless",
        "skew(returns_1d, 60)",
    ),
)
