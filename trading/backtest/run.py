"""Every structure entered at every session of an underlying: what each came to. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64

from market.calendar import opening
from market.options.black import price_76
from market.options.costs import model_quotes
from market.options.expiries import DAYS_OF_YEAR, expiry_time
from trading.backtest.entries import LEGS, Quoted, quoted_legs, volatilities
from trading.backtest.history import History
from trading.backtest.lives import Lives, Market, market_at
from trading.backtest.positions import CROSSED, Positions, positions
from trading.backtest.walk import Ends, Scene, ends
from trading.structures.legs import STRUCTURES

Fill = Literal["open", "close"]
#: A signal of a session is given after its close.
FILL: Final[Fill] = "open"


@dataclass(frozen=True)
class Entered:
    """One strategy entered after many sessions of an underlying, and how each position ended.

    Attributes
    ----------
    quoted
        Which positions were entered on a chain's own quotes.
    """

    lives: Lives
    held: Positions
    ends: Ends
    quoted: Bool[np.ndarray, " n"]


def every_structure(
    history: History, at: Int64[np.ndarray, " n"], fill: Fill = FILL, crossing: float = CROSSED
) -> dict[str, Entered]:
    """Return what every structure came to, by strategy.

    Strikes are those of the session's close. A fill at the next open is at the prices of that
    moment: the underlying's open, and the level of the indices' last close.

    Parameters
    ----------
    at
        Places in the history of the sessions whose signals are taken; those whose expiry lies
        beyond its end are left out.
    fill
        When a position is entered.
    crossing
        How much of the half-spread is paid, entering and leaving; see `positions`.
    """
    return structures_of(history, Lives.usual(history, at), fill, crossing)


def structures_of(
    history: History, lives: Lives, fill: Fill = FILL, crossing: float = CROSSED
) -> dict[str, Entered]:
    """Return what every structure came to over lives; see `every_structure`."""
    closed = market_at(history, lives.start, lives.years, history.closed[lives.start])
    legs = quoted_legs(history.listing, closed)
    entry = closed
    if fill == "open":
        entry = _at_open(history, lives)
        legs = _requoted(history, legs, entry)
    scene = Scene(
        history.listing, entry, closes_of(history, lives), lives.last,
        dividends_of(history, lives), crossing,
    )  # fmt: skip
    found = {}
    for strategy in STRUCTURES:
        held = positions(strategy, legs, closed.spot, crossing)
        found[strategy] = Entered(
            lives, held, ends(held, scene), np.zeros(len(lives.start), np.bool_)
        )
    return found


def dividends_of(history: History, lives: Lives) -> Float64[np.ndarray, "n n_closes"]:
    """Return what a share is paid on the session after each close, in USD."""
    after = np.minimum(lives.place + 1, len(history.days) - 1)
    return np.asarray(history.dividend[after])


def closes_of(history: History, lives: Lives) -> Market:
    """Return what prices options at the closes of lives, in shares of the entry."""
    split = history.shares[lives.place] / history.shares[lives.start][:, None]
    return market_at(history, lives.place, lives.left, history.closed[lives.place] * split)


def _at_open(history: History, lives: Lives) -> Market:
    """Return what prices options at the open after each session."""
    day = history.days[lives.start + 1]
    end = expiry_time(history.listing.root, lives.expiration)
    year = np.timedelta64(int(DAYS_OF_YEAR), "D")
    years = (end.to_numpy("datetime64[ns]") - opening(day).to_numpy("datetime64[ns]")) / year
    after = lives.start + 1
    return market_at(history, lives.start, years, (history.opened * history.split)[after])


def _requoted(history: History, legs: list[Quoted], entry: Market) -> list[Quoted]:
    """Return the bids and asks of strikes at another moment."""
    found = []
    for (sign, _), leg in zip(LEGS, legs, strict=True):
        strike = leg.strike[:, None]
        mid: Float64[np.ndarray, " n"] = price_76(
            entry.forward[:, None], strike, entry.years[:, None],
            volatilities(history.listing, entry, strike), sign, entry.discount[:, None],
        )[:, 0]  # fmt: skip
        bid, ask = model_quotes(mid, history.listing)
        found.append(leg._replace(bid=np.where(bid > 0.0, bid, np.nan), ask=ask))
    return found
