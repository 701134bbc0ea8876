"""A book that takes a policy's positions one after the other: sizes, caps, cash, daily equity.

Pure. One position an underlying at a time; what is at risk in all of them together is capped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from market.options.costs import MULTIPLIER
from trading.backtest.run import Entered
from trading.strategies.plans import MAX_LOSS
from trading.structures.legs import STRUCTURES

CAPITAL: Final = 100_000.0
#: Share of the equity that all open positions together may lose.
CAP: Final = 0.06
NAMES: Final = tuple(STRUCTURES)


@dataclass(frozen=True)
class Choices:
    """What a policy does after each session of an underlying.

    Attributes
    ----------
    strategy
        Place in `NAMES`; -1 takes no position.
    size
        Share of the largest loss allowed that it may take, 0 to 1.
    """

    strategy: Int64[np.ndarray, " n_sessions"]
    size: Float64[np.ndarray, " n_sessions"]


@dataclass(frozen=True)
class Fill:
    """A position that was taken: its underlying, where it stands, and how many contracts."""

    ticker: str
    strategy: str
    row: int
    contracts: int
    entered: int  # place of the session on whose signal it was taken
    left: int  # place of the session at whose close it ended


@dataclass
class Book:
    """What a policy's book did.

    Attributes
    ----------
    equity
        In USD at every close: cash, and open positions at mid.
    skipped
        Signals not taken, by why.
    """

    days: pd.DatetimeIndex
    equity: Float64[np.ndarray, " n_sessions"]
    fills: list[Fill] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def returns(
        self, entered: Mapping[str, Mapping[str, Entered]]
    ) -> Float64[np.ndarray, " n_fills"]:
        """Return the profit of each position that was taken, as a share of what it could lose."""
        ones = [(entered[fill.ticker][fill.strategy], fill.row) for fill in self.fills]
        return np.array([one.ends.profit[row] / one.held.max_loss[row] for one, row in ones])

    def skip(self, why: str) -> None:
        """Count a signal that was not taken."""
        self.skipped[why] = self.skipped.get(why, 0) + 1


def run_book(
    days: pd.DatetimeIndex,
    entered: Mapping[str, Mapping[str, Entered]],
    choices: Mapping[str, Choices],
    capital: float = CAPITAL,
    cap: float = CAP,
) -> Book:
    """Return what a book of a capital did by a policy's choices.

    Parameters
    ----------
    days
        The sessions that the places of all underlyings count in.
    entered
        Every structure of every underlying, entered after each of its sessions.
    choices
        By underlying.
    """
    book = Book(days, np.full(len(days), capital))
    flows = np.zeros(len(days))  # cash paid or received by each close
    held = np.zeros(len(days))  # what open positions are worth at each close
    rows = {ticker: _rows(structures, len(days)) for ticker, structures in entered.items()}
    open_: list[tuple[Fill, float]] = []
    cash = capital
    for place in range(len(days)):
        open_ = [(fill, risk) for fill, risk in open_ if fill.left > place]
        cash += flows[place]  # what is taken from here on ends later
        equity = cash + held[place]
        for ticker, chosen in choices.items():
            strategy, row = int(chosen.strategy[place]), int(rows[ticker][place])
            if strategy < 0:
                continue
            one = entered[ticker][NAMES[strategy]]
            why = _refused(ticker, row, one, open_)
            if why is not None:
                book.skip(why)
                continue
            risk = float(one.held.max_loss[row])
            room = min(
                equity * MAX_LOSS * float(chosen.size[place]),
                equity * cap - sum(at_risk for _, at_risk in open_),
            )
            if (count := int(room // risk)) < 1:
                book.skip("no room for a contract")
                continue
            left = int(one.lives.place[row, one.ends.column[row]])
            fill = Fill(ticker, NAMES[strategy], row, count, place, left)
            open_.append((fill, count * risk))
            book.fills.append(fill)
            _settle(one, fill, flows, held)
    book.equity[:] = capital + np.cumsum(flows) + held
    return book


def _rows(structures: Mapping[str, Entered], count: int) -> Int64[np.ndarray, " n_sessions"]:
    """Return the row of each session's positions, -1 where it has none."""
    rows = np.full(count, -1)
    start = next(iter(structures.values())).lives.start
    rows[start] = np.arange(len(start))
    return rows


def _refused(ticker: str, row: int, one: Entered, open_: list[tuple[Fill, float]]) -> str | None:
    """Return why a signal cannot be taken, None if it can."""
    if row < 0:
        return "its expiry lies beyond the history"
    if not (one.held.possible[row] and np.isfinite(one.ends.profit[row])):
        return "no position could be priced"
    if any(fill.ticker == ticker for fill, _ in open_):
        return "a position of the underlying is open"
    return None


def _settle(
    one: Entered, fill: Fill, flows: Float64[np.ndarray, " n"], held: Float64[np.ndarray, " n"]
) -> None:
    """Add what a position does to the cash and to what is held, close by close.

    It is there from the close after its signal on: profit since the entry until it ends, and then
    what it came to.
    """
    row, column = fill.row, int(one.ends.column[fill.row])
    shares = MULTIPLIER * fill.contracts
    marks = one.ends.marks[row, :column]
    known = np.where(np.isnan(marks), one.held.paid[row], marks)
    places = one.lives.place[row, :column]
    held[places] += shares * (known - one.held.paid[row])
    flows[fill.left] += fill.contracts * one.ends.profit[row]
