"""What a position is worth before expiry, by the underlying's price and the sessions gone by."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float64, Int64

from market.options.black import price_76
from market.options.smile import Moves, Smile
from trading.structures.payoff import Legs, bounds, value_at_expiry

#: Prices of the underlying that a grid holds, and deviations at expiry that they reach to.
SPOTS: Final = 81
REACH: Final = 5.0
#: A level that stays as it is.
HELD: Final = Moves()


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

    def around(self, places: Places) -> Bool[np.ndarray, "n_days n_spots"]:
        """Return which prices lie around some, by close; of the entry, before them, the middle."""
        low, high = places.below.min(axis=0), places.below.max(axis=0) + 1
        at = np.arange(SPOTS)
        middle = at == SPOTS // 2
        return np.vstack([middle, (at >= low[:, None]) & (at <= high[:, None])])


@dataclass(frozen=True)
class WorthGrid:
    """A position's worth in USD a share by level of its smile, close and price of the underlying.

    Attributes
    ----------
    prices
        Of the underlying.
    worth
        By smile, by close from that of the entry to expiry, and by price; shape (n_smiles,
        1 + n_closes, n_spots).
    """

    legs: Legs
    prices: SpotGrid
    worth: Float64[np.ndarray, "n_smiles n_days n_spots"]

    @classmethod
    def of(
        cls,
        legs: Legs,
        smiles: Sequence[Smile],
        spot: float,
        years: Float64[np.ndarray, " n_closes"],
        moves: Moves = HELD,
        places: Places | None = None,
    ) -> Self:
        """Return a position's worth through its life, by each of its smiles.

        A smile keeps its shape in deviations while the underlying moves.

        Parameters
        ----------
        smiles
            What prices it now, and what may; they differ in their levels alone.
        spot
            Price of the underlying in USD.
        years
            Time left at each close of its life, descending to 0 at the last.
        moves
            Of the level.
        places
            Where alone it is asked for; elsewhere it is NaN. Pricing is what takes the time.
        """
        grid = SpotGrid.of(smiles[0], spot)
        left = np.array([smiles[0].years, *years[:-1]])
        levels = np.array([smile.at_the_money for smile in smiles])
        asked = None if places is None else grid.around(places)[:-1]
        before = worth_at(legs, smiles[0], spot, left, grid.prices, levels, moves, asked)
        ends = np.broadcast_to(
            value_at_expiry(legs, grid.prices), (len(levels), 1, len(grid.prices))
        )
        return cls(legs, grid, np.concatenate([before, ends], axis=1))

    @property
    def now(self) -> Float64[np.ndarray, " n_smiles"]:
        """Worth at the entry's close, by smile."""
        return self.worth[:, 0, SPOTS // 2]

    def along(
        self, spots: Float64[np.ndarray, "n_paths n_closes"], places: Places | None = None
    ) -> Float64[np.ndarray, "n_smiles n_paths n_closes"]:
        """Return worth along paths after the entry; exact at expiry.

        Between prices of the grid by straight lines, beyond it that of its ends. `places` are those
        of the paths, where they are known.
        """
        below, share = self.prices.places(spots) if places is None else places
        count, days, _ = self.worth.shape
        flat = self.worth.reshape(count, -1)
        place = below + SPOTS * np.arange(1, days)
        low = flat.take(place, axis=1)
        found = flat.take(place + 1, axis=1)
        found -= low
        found *= share
        found += low
        found[..., -1] = value_at_expiry(self.legs, spots[:, -1])
        return np.asarray(found)


def worth_at(
    legs: Legs,
    smile: Smile,
    spot: float,
    years: Float64[np.ndarray, " n_days"],
    spots: Float64[np.ndarray, " n_spots"],
    levels: Float64[np.ndarray, " n_levels"],
    moves: Moves = HELD,
    asked: Bool[np.ndarray, "n_days n_spots"] | None = None,
) -> Float64[np.ndarray, "n_levels n_days n_spots"]:
    """Return worth in USD a share by level, time left and price of the underlying.

    Quotes and a smile can lie outside what a position can come to: it is never worth more than its
    bounds.

    Parameters
    ----------
    legs, smile
        The position, and what prices it now.
    spot
        Price of the underlying now, in USD.
    years
        Time left, above 0.
    spots
        Prices of the underlying in USD.
    levels
        Volatilities at the money in place of the smile's own, now.
    moves
        Of the level.
    asked
        Where it is asked for; elsewhere it is NaN.
    """
    shape = (len(years), len(spots))
    day, at = np.nonzero(np.ones(shape, np.bool_) if asked is None else asked)
    rise = np.log(spots / spot) / (smile.at_the_money * np.sqrt(smile.years))
    share = years / smile.years
    level = levels[:, None, None] * moves.ratio(rise, share)[day, at][:, None]
    forward = (spots[at] * ((smile.forward / spot) ** share)[day])[:, None]
    depth = np.log(legs.strike / forward) / (level * np.sqrt(years)[day][:, None])
    volatility = level * smile.shape.ratio(depth)
    prices = price_76(forward, legs.strike, years[day][:, None], volatility, legs.sign,
                      (smile.discount**share)[day][:, None])  # fmt: skip
    worth = np.full((len(levels), *shape), np.nan)
    worth[:, day, at] = np.clip(prices @ legs.side, *bounds(legs))
    return worth
