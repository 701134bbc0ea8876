"""How a recorded signal is followed: at the next open, each leg across the spread. Pure.

No open is quoted. Each leg is priced at the volatility that the signal says of it where that is of
its own chain, else by the smile of the index; its spread is the cost model's.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64

from home.records.signal import Signal
from home.records.structure import ExitRule, Structure
from market.calendar import close, opening
from market.options.black import price_76
from market.options.costs import model_quotes
from market.options.expiries import DAYS_OF_YEAR, expiry_time
from trading.backtest.entries import Quoted, volatilities
from trading.backtest.history import History
from trading.backtest.lives import Market, market_at
from trading.backtest.positions import CROSSED, Positions, of_legs
from trading.paper.book import CENTS, Book
from trading.strategies.plans import MAX_LOSS
from trading.structures.sizing import SHARES

NO_PRICE: Final = "no price at the open"
#: A year, a fraction: no option is priced below.
LOWEST: Final = 1e-3


@dataclass(frozen=True)
class Fill:
    """A position as it would be taken: contracts, USD a share, its plan, and cents at risk.

    `on_quotes` says whether the price is of the signal's own chain, moved on to the open.
    """

    contracts: int
    paid: float
    exit: ExitRule
    risk: int
    on_quotes: bool


def fill_of(book: Book, signal: Signal, history: History, session: str) -> Fill | str:
    """Return how a signal is followed at the open of a session, or why it is not."""
    structure = signal.structure
    if structure is None:
        return "it takes no position"
    if book.stopped:
        return "the book is stopped"
    if any(one.opened.ticker == signal.ticker for one in book.open.values()):
        return f"a position of {signal.ticker} is open"
    held = at_open(history, signal.session, structure, session)
    if not held.possible[0]:
        return NO_PRICE
    risk = ceil(round(float(held.max_loss[0]) * CENTS, 6))
    sized = book.equity * MAX_LOSS * SHARES[signal.position_size]
    room = min(sized, book.equity * book.cap - book.risk)
    if (contracts := int(room // risk)) < 1:
        return (
            f"no room for a contract that can lose {risk / CENTS:,.2f} USD: "
            f"{max(room, 0.0) / CENTS:,.2f} USD may be lost"
        )
    return Fill(
        contracts, float(held.paid[0]), plan_of(held, structure), contracts * risk, own(structure)
    )


def own(structure: Structure) -> bool:
    """Return whether a position was priced on quotes of its own underlying."""
    return structure.pricing == "chain"


def at_open(history: History, entered: str, structure: Structure, session: str) -> Positions:
    """Return a signal's position at the prices of an open: one row, impossible without a price."""
    start, day = map(int, history.days.get_indexer(pd.DatetimeIndex([entered, session])))
    known = min(start, day) >= 0
    opened = np.array([history.opened[day] * history.split[day] if known else np.nan])
    at = pd.DatetimeIndex([session])
    place = np.array([max(start, 0)])
    later = market_at(history, place, _left(history, opening(at), structure), opened)
    then = _left(history, close(pd.DatetimeIndex([entered])), structure)
    quoted = market_at(history, place, then, np.array([structure.spot]))
    bid, ask = model_quotes(_mids(structure, history, quoted, later), history.listing)
    legs = [
        Quoted(*(np.array([value]) for value in (leg.strike, bid[at], ask[at])))
        for at, leg in enumerate(structure.legs)
    ]
    # Nobody's bid is no price to sell at.
    legs = [leg._replace(bid=np.where(leg.bid > 0.0, leg.bid, np.nan)) for leg in legs]
    return of_legs(structure.strategy, legs, _spot(structure), CROSSED)


def _left(
    history: History, moment: pd.DatetimeIndex, structure: Structure
) -> Float64[np.ndarray, " 1"]:
    """Return the years from a moment to a position's expiry."""
    ends = expiry_time(history.listing.root, pd.DatetimeIndex([structure.expiration]))
    return ((ends - moment) / pd.Timedelta(days=DAYS_OF_YEAR)).to_numpy(np.float64)


def _mids(
    structure: Structure, history: History, entered: Market, later: Market
) -> Float64[np.ndarray, " n_legs"]:
    """Return USD a share of legs at a later moment, by its smile; of one row each.

    What was priced on its own quotes keeps their distance from the smile: in the volatility of each
    leg, and in the carry of the forward.

    Parameters
    ----------
    entered
        What prices options at the close that the position was priced at.
    """
    strike = np.array([[leg.strike for leg in structure.legs]])
    sign = np.array([1.0 if leg.right == "call" else -1.0 for leg in structure.legs])
    volatility, forward = volatilities(history.listing, later, strike)[0], later.forward
    if own(structure):
        quoted = np.array([leg.implied_volatility for leg in structure.legs])
        above = quoted - volatilities(history.listing, entered, strike)[0]
        volatility = np.maximum(volatility + above, LOWEST)
        carry = structure.forward / structure.spot
        forward = later.spot * carry ** (later.years / entered.years)
    return np.asarray(price_76(forward, strike[0], later.years, volatility, sign, later.discount))


def _spot(structure: Structure) -> Float64[np.ndarray, " n"]:
    return np.array([structure.spot])


def plan_of(held: Positions, structure: Structure) -> ExitRule:
    """Return the exit plan of a position as it was taken."""
    below, above = float(held.below[0]), float(held.above[0])
    return ExitRule(
        target=float(held.target[0]),
        stop_below=below if np.isfinite(below) else None,
        stop_above=above if np.isfinite(above) else None,
        last_day=structure.exit.last_day,
    )
