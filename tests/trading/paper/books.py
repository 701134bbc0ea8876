"""Signals with positions, and histories that they live through."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from home.records.signal import Signal
from home.records.structure import Structure
from market.calendar import close
from market.options.chain import ExpiryQuotes, Side
from market.options.expiries import expiry_time, years_left
from market.underlyings import underlying
from serving.http.examples import SIGNAL_ANSWER
from tests.trading.backtest.histories import history
from trading.backtest.history import History
from trading.structures.price import price_structure
from trading.structures.quote import Closing, synthetic_board, synthetic_quote

HISTORY = history()
AT = 100
SESSION = str(HISTORY.days[AT].date())


@cache
def structure(strategy: str, at: int = AT, ticker: str = "SPY") -> Structure:
    """Return a position as a signal of a session says it."""
    columns = (HISTORY.closed, HISTORY.index, HISTORY.long_index, HISTORY.rate)
    closing = Closing(*(float(column[at]) for column in columns))
    board, life = synthetic_quote(underlying(ticker), HISTORY.days[at], closing)
    return price_structure(strategy, board, life, None)


def signal(
    strategy: str | None, at: int = AT, ticker: str = "SPY", version: int = 1, size: str = "full",
    pricing: str = "synthetic",
) -> Signal:  # fmt: skip
    """Return the signal of a session."""
    document = SIGNAL_ANSWER | {
        "ticker": ticker,
        "session": str(HISTORY.days[at].date()),
        "position_size": size,
        "structure": None
        if strategy is None
        else structure(strategy, at, ticker).model_dump(mode="json") | {"pricing": pricing},
        "structure_note": "no" if strategy is None else None,
    }
    provenance = document["provenance"]
    models = provenance["models"]
    direction = models["direction"] | {"version": version}
    document["provenance"] = provenance | {
        "models": models | {"direction": direction},
        "as_of": after(at).isoformat(),
    }
    return Signal.parse(document, "signal")


@cache
def quotes_at(at: int, expiration: str, dearer: float = 0.0) -> ExpiryQuotes:
    """Return what is quoted of an expiry at a close: the smile's board, or dearer by some USD."""
    columns = (HISTORY.closed, HISTORY.index, HISTORY.long_index, HISTORY.rate)
    closing = Closing(*(float(column[at]) for column in columns))
    day = pd.DatetimeIndex([expiration])
    years = years_left(close(HISTORY.days[[at]]), expiry_time("SPY", day))
    found = synthetic_board(underlying("SPY"), closing, day[0], float(years[0])).quotes
    sides = (
        Side(np.where(side.bid > 0.0, side.bid + dearer, 0.0), side.ask + dearer)
        for side in (found.calls, found.puts)
    )
    return ExpiryQuotes(found.root, found.expiration, found.strike, *sides)


def with_chains(history: History, sessions: range, dearer: float = 0.0) -> History:
    """Return a history some of whose closes are quoted, in all expiries of the signals of `AT`."""
    day = structure("Iron Condor").expiration
    found = {
        HISTORY.days[at]: {pd.Timestamp(day): quotes_at(at, day, dearer)}
        for at in sessions
        if str(HISTORY.days[at].date()) < day
    }
    return replace(history, quotes=found)


def changed(history: History, at: int, **values: float) -> History:
    """Return a history with other numbers at a place."""
    columns = {name: getattr(history, name).copy() for name in values}
    for name, value in values.items():
        columns[name][at] = value
    return replace(history, **columns)


def after(at: int, minutes: int = 30) -> pd.Timestamp:
    """Return a time after the close of a session."""
    return close(HISTORY.days[[at]])[0] + pd.Timedelta(minutes=minutes)


def without(history: History, at: int) -> History:
    """Return a history that lacks a session."""
    kept = np.arange(len(history.days)) != at
    columns = {
        name: values[kept]
        for name, values in vars(history).items()
        if isinstance(values, np.ndarray | pd.DatetimeIndex)
    }
    return replace(history, **columns)
