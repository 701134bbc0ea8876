"""What a policy's positions are expected to come to, by distributions fitted before them. Pure."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

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


def edges(
    history: History, chosen: Choices, forecast: Callable[[int], ReturnDistribution | None]
) -> Float64[np.ndarray, " n_sessions"]:
    """Return the lower end of each position's expected value, USD a contract; NaN where unknown.

    It is that of the signal: at the crossed side of the session's close. Where the expected value
    is not above 0 it stands itself: the lower end is no more, and takes three times as long.

    Parameters
    ----------
    chosen
        What is taken after each session.
    forecast
        A session's place to the distribution of its returns to come, by a model that had not seen
        it; None where there is none.
    """
    found = np.full(len(history.days), np.nan)
    lives = Lives.usual(history, np.flatnonzero(chosen.strategy >= 0))
    closed = market_at(history, lives.start, lives.years, history.closed[lives.start])
    legs = quoted_legs(history.listing, closed)
    taken = chosen.strategy[lives.start]
    for place, name in enumerate(NAMES):
        held = positions(name, legs, closed.spot)
        for row in map(int, np.flatnonzero((taken == place) & held.possible)):
            distribution = forecast(int(lives.start[row]))
            if distribution is not None:
                found[lives.start[row]] = _low(history, lives, closed, held, row, distribution)
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
