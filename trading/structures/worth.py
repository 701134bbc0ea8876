"""What a position is worth before expiry, by the underlying's price and the sessions gone by."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

from market.options.black import price_76
from market.options.smile import Smile
from trading.structures.payoff import Legs, bounds, value_at_expiry

#: Prices of the underlying that a grid holds, and deviations at expiry that they reach to.
SPOTS: Final = 81
REACH: Final = 5.0


@dataclass(frozen=True)
class WorthGrid:
    """Worth of a position in USD a share at the close of every session of its life.

    The smile keeps its level and its shape in deviations while the underlying moves; its last row
    is the payoff at expiry.

    Attributes
    ----------
    spot
        Prices of the underlying in USD, ascending.
    years
        Time left at each close, 0 at the last.
    worth
        By close and price.
    """

    legs: Legs
    spot: Float64[np.ndarray, " n_spots"]
    years: Float64[np.ndarray, " n_closes"]
    worth: Float64[np.ndarray, "n_closes n_spots"]

    def along(
        self, spots: Float64[np.ndarray, "n_paths n_closes"]
    ) -> Float64[np.ndarray, "n_paths n_closes"]:
        """Return worth along paths; exact at expiry, between prices by straight lines."""
        found = np.empty_like(spots)
        for close, row in enumerate(self.worth[:-1]):
            found[:, close] = np.interp(spots[:, close], self.spot, row)
        found[:, -1] = value_at_expiry(self.legs, spots[:, -1])
        return found


def worth_grid(
    legs: Legs, smile: Smile, spot: float, years: Float64[np.ndarray, " n_closes"]
) -> WorthGrid:
    """Return a position's worth by close and price of the underlying.

    Parameters
    ----------
    legs, smile
        The position, and what prices it now.
    spot
        The underlying's price in USD now.
    years
        Time left at each close of its life, descending to 0 at the last.
    """
    reach = REACH * smile.at_the_money * np.sqrt(smile.years)
    spots = spot * np.exp(np.linspace(-reach, reach, SPOTS))
    before = worth_at(legs, smile, spot, years[:-1], spots)
    return WorthGrid(legs, spots, years, np.vstack([before, value_at_expiry(legs, spots)]))


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
