"""What a smile says in three numbers, and those of a constant maturity between two expiries.

Deltas are those of the forward, undiscounted: N(d1) of a call, N(d1) - 1 of a put, at the
volatility of the strike itself.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtri

from market.options.expiries import DAYS_OF_YEAR
from market.options.smile import Smile

#: Delta of the wings, of the put without its sign.
WING: Final = 0.25
#: Calendar days of the constant maturity, as those of the volatility index.
MATURITY: Final = 30.0
#: Calendar days by which the one expiry that there is may miss a maturity and stand for it.
SLACK: Final = 7.0
#: Depths in deviations that a delta is looked for at, from the money outwards.
DEEPEST: Final = 4.0
DEPTHS: Final = np.linspace(0.0, DEEPEST, 401)


class SmileTerms(NamedTuple):
    """A smile in volatility points (0.01, a year); NaN where it does not tell.

    Attributes
    ----------
    at_the_money
        Volatility at the forward.
    skew
        That of the 25-delta put less that of the 25-delta call.
    curvature
        The mean of both less the one at the money.
    """

    at_the_money: float
    skew: float
    curvature: float


def smile_terms(smile: Smile) -> SmileTerms:
    """Return the level, the 25-delta skew and the curvature of a smile, in points.

    Skew and curvature are NaN where a wing lies beyond what the smile was made from.
    """
    level = 100.0 * smile.at_the_money
    put, call = (100.0 * volatility_at_delta(smile, WING, sign) for sign in (-1.0, 1.0))
    return SmileTerms(level, put - call, (put + call) / 2.0 - level)


def strike_at_delta(smile: Smile, delta: float, sign: float) -> float:
    """Return the strike in USD, out of the money, of a delta; NaN where there is none.

    The one nearest the money, bracketed on a grid of depths and drawn straight between its places.

    Parameters
    ----------
    delta
        Of the forward, undiscounted, without its sign: in (0, 0.5).
    sign
        1 for the call, -1 for the put.
    """
    depth = sign * DEPTHS
    ratio = smile.shape.ratio(depth)
    deviation = smile.at_the_money * float(np.sqrt(smile.years))
    # The quantile of the delta: sign x d1, falling away from the money.
    above = sign * (ratio * deviation / 2.0 - depth / ratio) - ndtri(delta)
    beyond = np.flatnonzero(above <= 0.0)
    if not beyond.size or beyond[0] == 0:
        return float("nan")
    place = beyond[0]
    inner, outer = above[place - 1], above[place]
    at = depth[place - 1] + (depth[place] - depth[place - 1]) * inner / (inner - outer)
    strike = np.array([smile.forward * np.exp(at * deviation)])
    return float("nan") if smile.extrapolated(strike)[0] else float(strike[0])


def volatility_at_delta(smile: Smile, delta: float, sign: float) -> float:
    """Return the volatility, a fraction, of the strike of a delta; see `strike_at_delta`."""
    strike = strike_at_delta(smile, delta, sign)
    return float(smile.volatility(np.array([strike]))[0]) if np.isfinite(strike) else strike


def at_maturity(
    years: Float64[np.ndarray, " n_expiries"],
    terms: Sequence[SmileTerms],
    days: float = MATURITY,
    slack: float = SLACK,
) -> SmileTerms:
    """Return the terms of a constant maturity, from the nearest expiry to each side of it.

    The level is linear in total variance by time, skew and curvature by time. Beyond the first
    or the last expiry that one stands for the maturity within a slack; all are NaN past it.

    Parameters
    ----------
    years
        Calendar time to the settlement of each expiry, ascending, above 0.
    terms
        Of each expiry.
    days
        Calendar days of the maturity.
    slack
        Calendar days.
    """
    maturity = days / DAYS_OF_YEAR
    after = int(np.searchsorted(years, maturity))
    if 0 < after < len(years):
        between = (years[after - 1], years[after])
        return _between(between, (terms[after - 1], terms[after]), maturity)
    nearest = min(after, len(years) - 1)
    if nearest < 0 or abs(years[nearest] - maturity) * DAYS_OF_YEAR > slack:
        return SmileTerms(*[float("nan")] * 3)
    return terms[nearest]


def _between(
    years: tuple[float, float], terms: tuple[SmileTerms, SmileTerms], maturity: float
) -> SmileTerms:
    share = (maturity - years[0]) / (years[1] - years[0])
    first, second = (np.array(each) for each in terms)
    linear = (1.0 - share) * first + share * second
    variances = (term.at_the_money**2 * time for term, time in zip(terms, years, strict=True))
    near, far = variances
    level = np.sqrt(((1.0 - share) * near + share * far) / maturity)
    return SmileTerms(float(level), float(linear[1]), float(linear[2]))
