"""What a policy's positions are expected to come to, by distributions fitted before them. Pure."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from forecasters.returns import ReturnDistribution
from market.errors import InputError
from market.underlyings import underlying
from trading.backtest.history import History
from trading.backtest.portfolio import NAMES, Choices
from trading.structures.price import price_structure
from trading.structures.quote import Closing, outlook_of, synthetic_quote


def edges(
    history: History, chosen: Choices, forecast: Callable[[int], ReturnDistribution | None]
) -> Float64[np.ndarray, " n_sessions"]:
    """Return the lower end of each position's expected value, USD a contract; NaN where unknown.

    Parameters
    ----------
    chosen
        What is taken after each session.
    forecast
        A session's place to the distribution of its returns to come, by a model that had not seen
        it; None where there is none.
    """
    found = np.full(len(history.days), np.nan)
    for at in np.flatnonzero(chosen.strategy >= 0):
        distribution = forecast(int(at))
        if distribution is not None:
            found[at] = _low(history, int(at), NAMES[chosen.strategy[at]], distribution)
    return found


def _low(history: History, at: int, strategy: str, distribution: ReturnDistribution) -> float:
    columns = (history.closed, history.index, history.long_index, history.rate)
    closing = Closing(*(float(column[at]) for column in columns))
    try:
        board, life = synthetic_quote(underlying(history.ticker), history.days[at], closing)
        outlook = outlook_of(distribution, closing, life, history.listing)
        priced = price_structure(strategy, board, life, outlook)
    except InputError:
        return np.nan  # it cannot be priced, and so not entered
    return np.nan if priced.chances is None else priced.chances.low
