"""What a policy's positions are expected to come to, by distributions fitted before them. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecasters.returns import ReturnDistribution
from market.options.smile import Smile
from market.options.synthetic_smile import BAND, form_of, moves_of
from trading.backtest.entries import quoted_legs
from trading.backtest.history import History
from trading.backtest.lives import Lives, Market, market_at
from trading.backtest.portfolio import NAMES, Choices
from trading.backtest.positions import Positions, positions
from trading.structures.chances import Entry, path_profits
from trading.structures.exits import ExitPlan
from trading.structures.payoff import Legs
from trading.structures.price import Life
from trading.structures.quote import Closing, paths_of


@dataclass(frozen=True)
class Edges:
    """The edges of what is taken after each session of an underlying, found as they are asked for.

    Attributes
    ----------
    chosen
        What is taken.
    forecast
        A session's place to the distribution of its returns to come, by a model that had not seen
        it; None where there is none.
    """

    history: History
    chosen: Choices
    forecast: Callable[[int], ReturnDistribution | None]

    def at(self, place: int) -> float:
        """Return the lower end of a position's expected value, USD a contract; NaN where unknown.

        It is that of the signal: at the crossed side of the session's close. Where the expected
        value is not above 0 it stands itself: the lower end is no more, and takes three times as
        long.
        """
        lives, closed, rows, held = self._entries
        if (row := rows.get(place)) is None:
            return float("nan")
        of, distribution = held[int(self.chosen.strategy[place])], self.forecast(place)
        if distribution is None or not of.possible[row]:
            return float("nan")
        return _low(self.history, lives, closed, of, row, distribution)

    @cached_property
    def _entries(self) -> tuple[Lives, Market, dict[int, int], list[Positions]]:
        lives = Lives.usual(self.history, np.flatnonzero(self.chosen.strategy >= 0))
        closed = market_at(self.history, lives.start, lives.years, self.history.closed[lives.start])
        legs = quoted_legs(self.history.listing, closed)
        rows = {place: row for row, place in enumerate(lives.start.tolist())}
        return lives, closed, rows, [positions(name, legs, closed.spot) for name in NAMES]

    def along(self, ends: Mapping[int, int], places: range) -> dict[int, float]:
        """Return the edges that a book asks for which takes every position with one, by place.

        While it holds one it asks for none: those cost nothing.

        Parameters
        ----------
        ends
            Where a position that can be taken after a session ends, by the session's place.
        places
            The sessions to go along.
        """
        found: dict[int, float] = {}
        free = places.start
        for place in places:
            if place >= free and place in ends:
                found[place] = self.at(place)
                free = ends[place] if found[place] > 0.0 else place
        return found


def _low(
    history: History, lives: Lives, closed: Market, held: Positions, row: int,
    distribution: ReturnDistribution,
) -> float:  # fmt: skip
    """Return the least expected value of one position by the levels of its band."""
    at, last = int(lives.start[row]), int(lives.last[row]) + 1
    columns = (history.closed, history.index, history.long_index, history.rate)
    closing = Closing(*(float(column[at]) for column in columns))
    closes = history.days[lives.place[row, :last]]
    life = Life(history.days[at], closes, lives.left[row, :last])
    smile = Smile(
        float(closed.forward[row]),
        float(closed.discount[row]),
        float(closed.years[row]),
        float(closed.level[row]),
        form_of(history.listing).shape,
    )
    smiles = (smile, smile.lifted(-BAND), smile.lifted(BAND))
    legs = Legs(held.strike[row], held.sign, held.side)
    plan = ExitPlan(float(held.target[row]), float(held.below[row]), float(held.above[row]))
    entry = Entry(float(held.paid[row]), float(held.crossed[row]))
    paths = paths_of(distribution, closing, life, history.listing)
    moves = moves_of(form_of(history.listing), closing.index, closing.long_index)
    rest = closing.spot, life.years, paths, moves, entry, plan
    _, profits = path_profits(legs, smiles[:1], *rest)
    if profits.mean() > 0.0:
        _, profits = path_profits(legs, smiles, *rest)
    return float(profits.mean(axis=1).min())
