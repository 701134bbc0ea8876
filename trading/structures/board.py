"""What can be bought and sold of one expiry: quotes by strike, and the smile behind them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64

from home.records.structure import Pricing
from market.errors import InputError
from market.options.black import black_76, price_76
from market.options.chain import ExpiryQuotes, Side
from market.options.costs import model_quotes
from market.options.smile import Smile
from market.underlyings import OptionListing
from trading.structures.legs import LegPlan, StructurePlan
from trading.structures.payoff import Legs

#: Deviations from the forward that strikes of a modelled board reach to.
REACH: Final = 4.0
#: How far the delta of a listed strike may lie from the one that is planned.
DELTA_SLACK: Final = 0.10


@dataclass(frozen=True)
class Board:
    """One root and expiry.

    Attributes
    ----------
    quotes
        By strike, in USD a share.
    smile
        That the quotes, or an index where there are none, say.
    spot
        Price of the underlying in USD.
    pricing
        What stands behind it.
    quote_time
        Of the chain in UTC as an ISO time; None where there is none.
    """

    quotes: ExpiryQuotes
    smile: Smile
    spot: float
    pricing: Pricing
    quote_time: str | None = None

    def side(self, sign: float) -> Side:
        """Return the calls (1) or the puts (-1)."""
        return self.quotes.calls if sign > 0 else self.quotes.puts

    def deltas(self, sign: float) -> Float64[np.ndarray, " n_strikes"]:
        """Delta of every strike per USD of the underlying, of calls (1) or puts (-1)."""
        return np.asarray(self._deltas[0 if sign > 0 else 1])

    @cached_property
    def _deltas(self) -> Float64[np.ndarray, "2 n_strikes"]:
        strike, smile = self.quotes.strike, self.smile
        signs = np.array([[1.0], [-1.0]])
        volatility = smile.volatility(strike)
        valued = black_76(smile.forward, strike, smile.years, volatility, signs, smile.discount)
        return np.asarray(valued.delta * smile.forward / self.spot)


def modelled_board(
    expiration: pd.Timestamp,
    smile: Smile,
    spot: float,
    listing: OptionListing,
    pricing: Pricing = "synthetic",
    quote_time: str | None = None,
) -> Board:
    """Return what an expiry's board would look like where none is known: model prices and spreads.

    Strikes stand on the listing's grid, out to four deviations.
    """
    reach = REACH * smile.at_the_money * np.sqrt(smile.years)
    first, last = smile.forward * np.exp(-reach), smile.forward * np.exp(reach)
    step = listing.strike_step
    strike = np.arange(np.ceil(first / step), np.floor(last / step) + 1.0) * step
    sides = (_model_side(smile, strike, sign, listing) for sign in (1.0, -1.0))
    quotes = ExpiryQuotes(listing.root, expiration, strike, *sides)
    return Board(quotes, smile, spot, pricing, quote_time)


def _model_side(
    smile: Smile, strike: Float64[np.ndarray, " n"], sign: float, listing: OptionListing
) -> Side:
    mid = price_76(
        smile.forward, strike, smile.years, smile.volatility(strike), sign, smile.discount
    )
    return Side(*model_quotes(mid, listing))


def choose_legs(board: Board, plan: StructurePlan) -> Legs:
    """Return a strategy's legs at listed strikes, those whose deltas are nearest to the plan's.

    Raises
    ------
    InputError
        If no strike that can be traded is near enough, or two legs would share one.
    """
    strikes = np.array([_nearest(board, leg) for leg in plan.legs])
    sign, side = (np.array([getattr(leg, name) for leg in plan.legs]) for name in ("sign", "side"))
    if (np.diff(strikes) <= 0).any():
        shown = ", ".join(f"{strike:g}" for strike in strikes)
        raise InputError(
            f"{board.quotes.root} {board.quotes.expiration.date()}: the legs fall on the strikes "
            f"{shown}, they have to ascend; the strikes of this expiry are too far apart"
        )
    return Legs(strikes, sign, side)


def _nearest(board: Board, leg: LegPlan) -> float:
    quotes = board.side(leg.sign)
    traded = quotes.two_sided
    away = np.where(traded, np.abs(np.abs(board.deltas(leg.sign)) - leg.delta), np.inf)
    at = int(np.argmin(away)) if len(away) else -1
    if at < 0 or not away[at] <= DELTA_SLACK:
        kind = "call" if leg.sign > 0 else "put"
        raise InputError(
            f"{board.quotes.root} {board.quotes.expiration.date()}: no {kind} with bid and ask has "
            f"a delta within {DELTA_SLACK:.2f} of {leg.delta:.2f}"
        )
    return float(board.quotes.strike[at])
