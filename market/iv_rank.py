"""Where an IV rank stands: today's band, and the class that is forecast of it.

Decision 3 keeps two objects apart: *bands* describe today's iv_rank in words, *forecast classes*
are what is predicted for five sessions ahead and what drives the strategy matrix. Both are
half-open intervals of the rank, [cut, next cut).
"""

from bisect import bisect_right
from typing import Final, Literal

import numpy as np
from jaxtyping import Float64, Int64

from market.errors import InputError, UnknownName
from market.targets import UNKNOWN

Band = Literal["LOW", "NORMAL", "ELEVATED", "HIGH"]
IvRegime = Literal["LOW", "NORMAL", "HIGH"]
IvDirection = Literal["EXPANDING", "CONTRACTING", "STABLE"]

# In the order of their codes 0, 1, 2, from low to high: what EXPANDING and CONTRACTING mean.
REGIMES: Final[tuple[IvRegime, ...]] = ("LOW", "NORMAL", "HIGH")
BANDS: Final[tuple[Band, ...]] = ("LOW", "NORMAL", "ELEVATED", "HIGH")
# The lowest rank of every class, and of every band, but the lowest.
REGIME_CUTS: Final = (30.0, 60.0)
BAND_CUTS: Final = (25.0, 50.0, 75.0)


def band(iv_rank: float) -> Band:
    """Band of today's IV rank (index, 0 to 100).

    Raises
    ------
    InputError
        If the rank is not a number from 0 to 100.
    """
    return BANDS[bisect_right(BAND_CUTS, _checked(iv_rank))]


def forecast_class(iv_rank: float) -> IvRegime:
    """Forecast class that an IV rank (index, 0 to 100) falls in.

    Raises
    ------
    InputError
        If the rank is not a number from 0 to 100.
    """
    return REGIMES[bisect_right(REGIME_CUTS, _checked(iv_rank))]


def regime_codes(iv_rank: Float64[np.ndarray, " n_rows"]) -> Int64[np.ndarray, " n_rows"]:
    """Code of the forecast class of IV ranks: 0 LOW, 1 NORMAL, 2 HIGH, -1 where null."""
    codes = np.searchsorted(REGIME_CUTS, iv_rank, side="right").astype(np.int64)
    return np.where(np.isfinite(iv_rank), codes, UNKNOWN)


def expected_iv_direction(predicted: IvRegime, iv_rank: float) -> IvDirection:
    """Where implied volatility is expected to go, from today's rank to a predicted class.

    Raises
    ------
    InputError
        If the class is unknown or the rank is not a number from 0 to 100.
    """
    if predicted not in REGIMES:
        raise UnknownName("unknown IV class", predicted, REGIMES)
    step = REGIMES.index(predicted) - REGIMES.index(forecast_class(iv_rank))
    if step == 0:
        return "STABLE"
    return "EXPANDING" if step > 0 else "CONTRACTING"


def _checked(iv_rank: float) -> float:
    if not 0.0 <= iv_rank <= 100.0:
        raise InputError(f"iv_rank: got {iv_rank!r:.40}, allowed is a number from 0 to 100")
    return iv_rank
