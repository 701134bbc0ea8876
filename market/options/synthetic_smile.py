"""The smile of an index option where no chain counts: a form of the volatility index alone.

The forms were fitted on chains of SPX (2018, 2019, 2023) and of QQQ; docs/options.md holds what
they err by, beside the command that measures it. How their levels move with the underlying was
fitted on the indices of 2011 to June 2023. A level drifts by 0.3 to 1.4 points from year to
year, so whatever is priced with one carries a band of a point to each side.
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float64

from market.errors import InputError
from market.options.expiries import DAYS_OF_YEAR
from market.options.smile import Cubic, Moves, Smile
from market.underlyings import OptionListing

#: Days to expiry of the index, and of the one of three months.
INDEX_DAYS: Final = 30.0
LONG_INDEX_DAYS: Final = 93.0
#: How far apart they lie, on the scale of logs that a level is straight on.
SCALE: Final = float(np.log(LONG_INDEX_DAYS / INDEX_DAYS))
#: What the log of VIX3M / VIX is cut to: the range that the forms were fitted on.
SLOPES: Final = (-0.038, 0.178)
#: Of a form's own level, what an anchor may be; a chain that says less or more is wrong.
ANCHORS: Final = (0.4, 2.5)
#: Volatility points to each side that a synthetic price carries.
BAND: Final = 1.0


class Form(NamedTuple):
    """The smile of an underlying from its index.

    Attributes
    ----------
    level
        Log of the volatility at the money over the index, both of 30 days.
    slope
        How far the term slope of the indices moves it; 0 takes none.
    shape
        Around the money.
    sway
        How far the log of the level falls while the underlying rises by a deviation, see `Moves`.
    """

    level: float
    slope: float
    shape: Cubic
    sway: float = 0.0


#: Of the S&P 500, whose index has a sister of three months.
INDEX_FORM: Final = Form(-0.15, 1.0, Cubic(-0.215, 0.044, 0.012), 0.28)
#: Of a fund with an index of its own and none of three months. Fitted on QQQ, untested on IWM.
FUND_FORM: Final = Form(-0.160, 0.0, Cubic(-0.219, 0.027, 0.006), 0.15)


class Terms(NamedTuple):
    """What of an expiry does not depend on volatility; see `Smile`."""

    forward: float
    discount: float
    years: float


def synthetic_smile(
    form: Form, index: float, long_index: float, terms: Terms, anchor: float | None = None
) -> Smile:
    """Return the smile of an expiry that an index stands for.

    Parameters
    ----------
    form
        Of the underlying.
    index
        Its own volatility index, in points.
    long_index
        The one of three months, in points; read where the form has a slope alone.
    terms
        Of the expiry.
    anchor
        Volatility at the money of 30 days as a chain gave it, a fraction: it takes the level's
        place. That of a session before is no better than none (docs/options.md).

    Raises
    ------
    InputError
        If an index or the anchor is no number above 0, or nothing of the expiry is left.
    """
    if not terms.years > 0.0:
        raise InputError(f"years to expiry: got {terms.years}, allowed is a number above 0")
    _positive("volatility index", index)
    if form.slope:
        _positive("volatility index of three months", long_index)
    years = np.array([terms.years])
    level = float(levels(form, np.array([index]), np.array([long_index]), years)[0])
    if anchor is not None:
        level *= _positive("volatility at the money", anchor) / level_of(form, index)
    return Smile(terms.forward, terms.discount, terms.years, level, form.shape)


def moves_of(form: Form, index: float, long_index: float) -> Moves:
    """Return how the level of a smile moves from today on; see `levels`.

    Where the form has a slope and an index is unknown, it does not move as time passes.
    """
    known = form.slope and np.isfinite(index) and np.isfinite(long_index)
    slope = float(np.clip(np.log(long_index / index), *SLOPES)) if known else 0.0
    return Moves(form.sway, form.slope * slope / SCALE)


def level_of(form: Form, index: float) -> float:
    """Return the volatility at the money of 30 days, a fraction, by an index in points."""
    return index / 100.0 * float(np.exp(form.level))


def levels(
    form: Form,
    index: Float64[np.ndarray, "*n"],
    long_index: Float64[np.ndarray, "*n"],
    years: Float64[np.ndarray, "*n"],
) -> Float64[np.ndarray, "*n"]:
    """Return volatilities at the money of expiries, a year, fractions; NaN without an index.

    Parameters
    ----------
    index, long_index
        Of each moment, in points; the long one is read where the form has a slope alone.
    years
        Calendar time left to each expiry, above 0.
    """
    at_30 = index / 100.0 * float(np.exp(form.level))
    if not form.slope:
        return np.asarray(at_30 + 0.0 * years)
    # Place between the two indices: 0 at 30 days, 1 at 93.
    place = np.log(years * (DAYS_OF_YEAR / INDEX_DAYS)) / SCALE
    slope = np.clip(np.log(long_index / index), *SLOPES)
    return np.asarray(at_30 * np.exp(form.slope * slope * place))


def form_of(listing: OptionListing) -> Form:
    """Return the form of an underlying, by how its options are listed."""
    return INDEX_FORM if listing.term_slope else FUND_FORM


def _positive(name: str, value: float) -> float:
    if not (np.isfinite(value) and value > 0.0):
        raise InputError(f"{name}: got {value}, allowed is a number above 0")
    return value
