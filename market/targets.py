"""Where an IV rank stands: today's band, the forecast's class, and the way from one to the other.

Decision 3 keeps two objects apart. *Bands* describe today's iv_rank in words. *Classes* are what
the volatility forecaster predicts for five sessions ahead, and what drives the strategy matrix.
Both are half-open intervals of the rank, [floor, next floor).
"""

from typing import Final, Literal

from market.errors import InputError

Band = Literal["LOW", "NORMAL", "ELEVATED", "HIGH"]
IvRegime = Literal["LOW", "NORMAL", "HIGH"]
IvDirection = Literal["EXPANDING", "CONTRACTING", "STABLE"]

# Decision 3: the lowest rank of each band and of each class, highest first.
BANDS: Final[tuple[tuple[Band, float], ...]] = (
    ("HIGH", 75.0),
    ("ELEVATED", 50.0),
    ("NORMAL", 25.0),
    ("LOW", 0.0),
)
FORECAST_CLASSES: Final[tuple[tuple[IvRegime, float], ...]] = (
    ("HIGH", 60.0),
    ("NORMAL", 30.0),
    ("LOW", 0.0),
)
# The classes from low to high: their order is what EXPANDING and CONTRACTING mean.
REGIMES: Final[tuple[IvRegime, ...]] = ("LOW", "NORMAL", "HIGH")


def band(iv_rank: float) -> Band:
    """Return the band of today's IV rank (index, 0 to 100).

    Raises
    ------
    InputError
        If the rank is not a number from 0 to 100.
    """
    rank = _checked(iv_rank)
    return next(name for name, floor in BANDS if rank >= floor)


def forecast_class(iv_rank: float) -> IvRegime:
    """Return the forecast class that an IV rank (index, 0 to 100) falls in.

    Raises
    ------
    InputError
        If the rank is not a number from 0 to 100.
    """
    rank = _checked(iv_rank)
    return next(name for name, floor in FORECAST_CLASSES if rank >= floor)


def expected_iv_direction(predicted: IvRegime, iv_rank: float) -> IvDirection:
    """Return where implied volatility is expected to go, from today's rank to a predicted class.

    Raises
    ------
    InputError
        If the class is unknown or the rank is not a number from 0 to 100.
    """
    if predicted not in REGIMES:
        raise InputError(
            f"unknown IV class: got {predicted!r:.40}, allowed are {', '.join(REGIMES)}"
        )
    step = REGIMES.index(predicted) - REGIMES.index(forecast_class(iv_rank))
    if step == 0:
        return "STABLE"
    return "EXPANDING" if step > 0 else "CONTRACTING"


def _checked(iv_rank: float) -> float:
    if not 0.0 <= iv_rank <= 100.0:
        raise InputError(f"iv_rank: got {iv_rank!r:.40}, allowed is a number from 0 to 100")
    return iv_rank
