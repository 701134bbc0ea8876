"""What a position is worth before expiry, by the underlying's price and the sessions gone by."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

import numpy as np
from jaxtyping import Float64, Int64

from market.options.black import price_76
from market.options.smile import Smile
from trading.structures.payoff import Legs, bounds, value_at_expiry

#: Prices of the underlying that a grid holds, and deviations at expiry that they reach to.
SPOTS: Final = 81
REACH: Final = 5.0


class Places(NamedTuple):
    """Where prices lie on a grid: the place below, and the share of the way to the next."""

    below: Int64[np.ndarray, "n_paths n_closes"]
    share: Float64[np.ndarray, "n_paths n_closes"]


@dataclass(frozen=True)
class SpotGrid:
    """Prices of the underlying in USD around one, evenly far apart in their logs.

    Attributes
    ----------
    spot
        The one in the middle.
    reach
        Log of the last over it.
    """

    spot: float
    reach: float

    @classmethod
    def of(cls, smile: Smile, spot: float) -> Self:
        """Return the grid that reaches five deviations of a smile's expiry to each side."""
        return cls(spot, REACH * smile.at_the_money * float(np.sqrt(smile.years)))

    @cached_property
    def prices(self) -> Float64[np.ndarray, " n_spots"]:
        """The prices, ascending."""
        return np.asarray(self.spot * np.exp(np.linspace(-self.reach, self.reach, SPOTS)))

    def places(self, spots: Float64[np.ndarray, "n_paths n_closes"]) -> Places:
        """Return where prices lie, those beyond the grid at its ends."""
        at = (np.log(spots / self.spot) + self.reach) * ((SPOTS - 1) / (2.0 * self.reach))
        at = np.clip(at, 0.0, SPOTS - 1.0)
        below = np.minimum(at.astype(np.int64), SPOTS - 2)
        return Places(below, at - below)


def worth_grid(
    legs: Legs, smile: Smile, grid: SpotGrid, years: Float64[np.ndarray, " n_closes"]
) -> Float64[np.ndarray, "n_closes n_spots"]:
    """Return a position's worth in USD a share by close and price of the underlying.

    The smile keeps its level and its shape in deviations while the underlying moves.

    Parameters
    ----------
    legs, smile
        The position, and what prices it now.
    grid
        The prices.
    years
        Time left at each close of its life, descending to 0 at the last.
    """
    before = worth_at(legs, smile, grid.spot, years[:-1], grid.prices)
    return np.vstack([before, value_at_expiry(legs, grid.prices)])


def along(
    legs: Legs,
    worth: Float64[np.ndarray, "n_closes n_spots"],
    places: Places,
    spots: Float64[np.ndarray, "n_paths n_closes"],
) -> Float64[np.ndarray, "n_paths n_closes"]:
    """Return worth along paths; exact at expiry, between prices of a grid by straight lines."""
    closes = np.arange(len(worth))
    low = worth[closes, places.below]
    found = low + places.share * (worth[closes, places.below + 1] - low)
    found[:, -1] = value_at_expiry(legs, spots[:, -1])
    return np.asarray(found)


def worth_at(
    legs: Legs,
    smile: Smile,
    spot: float,
    years: Float64[np.ndarray, " n_closes"],
    spots: Float64[np.ndarray, " n_spots"],
) -> Float64[np.ndarray, "n_closes n_spots"]:
    """Return worth in USD a share by time left, above 0, and price; within its bounds.

    Quotes and a smile can lie outside what a position can come to: a spread is never worth more
    than its width.
    """
    left = years[:, None, None]
    share = left / smile.years
    forward = spots[:, None] * (smile.forward / spot) ** share
    depth = np.log(legs.strike / forward) / (smile.at_the_money * np.sqrt(left))
    volatility = smile.at_the_money * smile.shape.ratio(depth)
    prices = price_76(forward, legs.strike, left, volatility, legs.sign, smile.discount**share)
    return np.asarray(np.clip(prices @ legs.side, *bounds(legs)))
