"""A book that takes a policy's positions one after the other: sizes, caps, cash, daily equity.

Pure. One position an underlying at a time; what is at risk in all of them together is capped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

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
        found = np.empty(len(self.fills))
        kinds = {(fill.ticker, fill.strategy) for fill in self.fills}
        for ticker, strategy in kinds:
            one = entered[ticker][strategy]
            mine = [
                (at, fill.row)
                for at, fill in enumerate(self.fills)
                if (fill.ticker, fill.strategy) == (ticker, strategy)
            ]
            at, rows = np.array(mine).T
            found[at] = one.ends.profit[rows] / one.held.max_loss[rows]
        return found

    def skip(self, why: str, count: int = 1) -> None:
        """Count signals that were not taken."""
        if count:
            self.skipped[why] = self.skipped.get(why, 0) + count


def every(_ticker: str, _place: int) -> bool:
    """Take whatever can be taken."""
    return True


def run_book(
    days: pd.DatetimeIndex,
    entered: Mapping[str, Mapping[str, Entered]],
    choices: Mapping[str, Choices],
    capital: float = CAPITAL,
    cap: float = CAP,
    wanted: Callable[[str, int], bool] = every,
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
    wanted
        Whether the choice of an underlying after the session of a place is taken, where it can be.
    """
    book = Book(days, np.full(len(days), capital))
    flows = [0.0] * len(days)  # cash paid or received by each close
    held = np.zeros(len(days))  # what open positions are worth at each close
    offers = {}
    for ticker, chosen in choices.items():
        offers[ticker], skipped = offers_of(entered[ticker], chosen)
        for why, left_out in skipped.items():
            book.skip(why, left_out)
    open_: dict[str, tuple[Fill, float]] = {}
    cash = capital
    for place in range(len(days)):
        cash += flows[place]  # what is taken from here on ends later
        for ticker, offered in offers.items():
            if (offer := offered.get(place)) is None:
                continue
            open_ = {name: one for name, one in open_.items() if one[0].left > place}
            if ticker in open_:
                book.skip("a position of the underlying is open")
                continue
            if not wanted(ticker, place):
                book.skip("no edge is shown")
                continue
            equity = cash + held[place]
            room = min(
                equity * MAX_LOSS * offer.size,
                equity * cap - sum(at_risk for _, at_risk in open_.values()),
            )
            if (count := int(room // offer.risk)) < 1:
                book.skip("no room for a contract")
                continue
            fill = Fill(ticker, offer.strategy, offer.row, count, place, offer.left)
            open_[ticker] = fill, count * offer.risk
            book.fills.append(fill)
            _settle(entered[ticker][offer.strategy], fill, flows, held)
    book.equity[:] = capital + np.cumsum(flows) + held
    return book


class Offer(NamedTuple):
    """A position that can be taken: what a contract of it can lose, and the place of its end."""

    strategy: str
    row: int
    size: float
    risk: float
    left: int


def offers_of(
    structures: Mapping[str, Entered], chosen: Choices
) -> tuple[dict[int, Offer], dict[str, int]]:
    """Return what can be taken by place, and how many choices cannot, by why."""
    start = next(iter(structures.values())).lives.start
    rows = np.full(len(chosen.strategy), -1)
    rows[start] = np.arange(len(start))
    offers: dict[int, Offer] = {}
    unpriced = 0
    for number, strategy in enumerate(NAMES):
        places = np.flatnonzero((chosen.strategy == number) & (rows >= 0))
        one, of = structures[strategy], rows[places]
        priced = one.held.possible[of] & np.isfinite(one.ends.profit[of])
        unpriced += int((~priced).sum())
        places, of = places[priced], of[priced]
        left = one.lives.place[of, one.ends.column[of]]
        columns = (of, chosen.size[places], one.held.max_loss[of], left)
        for place, *found in zip(places.tolist(), *(one.tolist() for one in columns), strict=True):
            offers[place] = Offer(strategy, *found)
    beyond = int(((chosen.strategy >= 0) & (rows < 0)).sum())
    return offers, {
        "its expiry lies beyond the history": beyond, "no position could be priced": unpriced,
    }  # fmt: skip


def _settle(one: Entered, fill: Fill, flows: list[float], held: Float64[np.ndarray, " n"]) -> None:
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
    flows[fill.left] += fill.contracts * float(one.ends.profit[row])
