"""How a recorded signal is followed: at the next open, each leg across the spread. Pure."""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64

from home.records.signal import Signal
from home.records.structure import ExitRule, Structure
from market.calendar import opening
from market.options.costs import model_quotes
from market.options.expiries import DAYS_OF_YEAR, expiry_time
from trading.backtest.entries import Quoted
from trading.backtest.history import History
from trading.backtest.lives import Market, market_at
from trading.backtest.positions import CROSSED, Positions, of_legs
from trading.backtest.walk import leg_prices
from trading.paper.book import CENTS, Book
from trading.paper.walks import Held, positions_of
from trading.strategies.plans import MAX_LOSS
from trading.structures.sizing import SHARES

NO_PRICE: Final = "no price at the open"


@dataclass(frozen=True)
class Fill:
    """A position as it would be taken: contracts, USD a share, its plan, and cents at risk."""

    contracts: int
    paid: float
    exit: ExitRule
    risk: int


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
    return Fill(contracts, float(held.paid[0]), plan_of(held, structure), contracts * risk)


def at_open(history: History, entered: str, structure: Structure, session: str) -> Positions:
    """Return a signal's position at the prices of an open: one row, impossible without a price."""
    start, day = map(int, history.days.get_indexer(pd.DatetimeIndex([entered, session])))
    known = min(start, day) >= 0
    opened = np.array([history.opened[day] * history.split[day] if known else np.nan])
    at = pd.DatetimeIndex([session])
    ends = expiry_time(history.listing.root, pd.DatetimeIndex([structure.expiration]))
    years = (ends - opening(at)) / pd.Timedelta(days=DAYS_OF_YEAR)
    market = market_at(history, np.array([max(start, 0)]), years.to_numpy(np.float64), opened)
    column = Market(*(values[:, None] for values in vars(market).values()))
    recorded = positions_of(
        structure.strategy, [Held(entered, structure, structure.natural.net, structure.exit)]
    )
    bid, ask = model_quotes(leg_prices(recorded, column, history.listing)[0, 0], history.listing)
    legs = [
        Quoted(*(np.array([value]) for value in (leg.strike, bid[at], ask[at])))
        for at, leg in enumerate(structure.legs)
    ]
    # Nobody's bid is no price to sell at.
    legs = [leg._replace(bid=np.where(leg.bid > 0.0, leg.bid, np.nan)) for leg in legs]
    return of_legs(structure.strategy, legs, _spot(structure), CROSSED)


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
