"""What a position is worth before expiry, by the underlying's price and the sessions gone by."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float64, Int64

from market.options.black import price_76
from market.options.smile import Moves, Smile
from trading.structures.exits import ExitPlan, Exits, first_ends
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

    def at(
        self, smile: int, places: Places, close: Int64[np.ndarray, " n_paths"],
        last: Float64[np.ndarray, " n_paths"],
    ) -> Float64[np.ndarray, " n_paths"]:  # fmt: skip
        """Return worth by one smile at a close of each path; exact at expiry.

        Between prices of the grid by straight lines, beyond it that of its ends.

        Parameters
        ----------
        places
            Of the paths.
        last
            Worth at expiry.
        """
        paths = np.arange(len(close))
        place = places.below[paths, close] + SPOTS * (close + 1)
        worth = _between(self.worth[smile].reshape(-1), place, places.share[paths, close])
        return np.where(close == self.worth.shape[1] - 2, last, worth)

    def ends(
        self, plan: ExitPlan, spots: Float64[np.ndarray, "n_paths n_closes"], places: Places
    ) -> list[Exits]:
        """Return how paths end by a plan, a smile each.

        Parameters
        ----------
        places
            Of the paths, where they lie on the grid.
        """
        # A row a close: what is looked at together lies side by side, as paths come.
        by_close = np.ascontiguousarray(spots.T)
        stopped = (by_close <= plan.below) | (by_close >= plan.above)
        below, share = (np.ascontiguousarray(one.T) for one in places)
        place = below + SPOTS * np.arange(1, len(below) + 1)[:, None]
        found, last = [], value_at_expiry(self.legs, spots[:, -1])
        for smile, worth in enumerate(self.worth):
            reached = _at_least(plan.worth, worth.ravel(), place.ravel(), share.ravel())
            reason, close = first_ends(stopped, reached.reshape(stopped.shape))
            found.append(Exits(reason, close, self.at(smile, places, close, last)))
        return found


def _between(
    worth: Float64[np.ndarray, " n"], place: Int64[np.ndarray, " m"],
    share: Float64[np.ndarray, " m"],
) -> Float64[np.ndarray, " m"]:  # fmt: skip
    """Return worth a share of the way from places to the next."""
    low = worth.take(place)
    return np.asarray((worth.take(place + 1) - low) * share + low)


def _at_least(
    target: float, worth: Float64[np.ndarray, " n"], place: Int64[np.ndarray, " m"],
    share: Float64[np.ndarray, " m"],
) -> Bool[np.ndarray, " m"]:  # fmt: skip
    """Return where worth is at least a target.

    It is read only between a price where it is and one where it is not.
    """
    high = (worth >= target).view(np.int8)
    told = (high[:-1] + high[1:]).take(place)
    reached = np.asarray(told == 2)
    one = np.flatnonzero(told == 1)
    reached[one] = _between(worth, place.take(one), share.take(one)) >= target
    return reached


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
