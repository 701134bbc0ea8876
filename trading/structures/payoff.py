"""What a position is worth at expiry: its bounds and breakevens, from straight lines alone."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64


class Legs(NamedTuple):
    """Options of one expiry held together, a share each.

    `strike` in USD, `sign` 1 for a call and -1 for a put, `side` 1 for bought and -1 for sold.
    """

    strike: Float64[np.ndarray, " n_legs"]
    sign: Float64[np.ndarray, " n_legs"]
    side: Float64[np.ndarray, " n_legs"]


class Bounds(NamedTuple):
    """The least and the most that a position can be worth at expiry, USD a share."""

    least: float
    most: float


def value_at_expiry(
    legs: Legs, spot: Float64[np.ndarray, " n_spots"]
) -> Float64[np.ndarray, " n_spots"]:
    """Return worth in USD a share at expiry, before what was paid, by price of the underlying."""
    intrinsic = np.maximum(legs.sign * (spot[:, None] - legs.strike), 0.0)
    return np.asarray(intrinsic @ legs.side)


def bounds(legs: Legs) -> Bounds:
    """Return the least and the most that a position can be worth at expiry, in USD a share.

    Its worth is straight between strikes, so its ends lie at them, at zero, or nowhere.
    """
    corners = value_at_expiry(legs, np.array([0.0, *legs.strike]))
    beyond = float(legs.side[legs.sign > 0].sum())
    least = -np.inf if beyond < 0 else float(corners.min())
    return Bounds(least, np.inf if beyond > 0 else float(corners.max()))


def breakevens(legs: Legs, paid: float) -> Float64[np.ndarray, " n_breakevens"]:
    """Return prices of the underlying in USD at which a position ends without profit, ascending.

    Parameters
    ----------
    legs
        The position.
    paid
        For a share, in USD; below 0 where it was received.
    """
    last = float(legs.strike.max())
    # Beyond the last strike nothing bends: a price as far away as all that was paid shows it.
    corners = np.unique([0.0, *legs.strike, 2.0 * last + abs(paid)])
    profit = value_at_expiry(legs, corners) - paid
    turns = np.flatnonzero(profit[:-1] * profit[1:] < 0)
    share = profit[turns] / (profit[turns] - profit[turns + 1])
    crossed = corners[turns] + share * (corners[turns + 1] - corners[turns])
    return np.unique([*crossed, *corners[profit == 0.0]])
