"""The smile of one expiry from its quotes: forward by parity, our volatilities, what they allow."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64

from market.errors import InputError
from market.options.chain import ExpiryQuotes
from market.options.implied_volatility import implied_volatility
from market.options.parity import Parity, parity
from market.options.smile import Nodes, Smile

#: Strikes out of the money, on both sides together, that make a smile.
FEWEST: Final = 6
#: Deviations around the forward whose volatilities the level is read from, by a parabola.
NEAR: Final = 0.75


@dataclass(frozen=True)
class QuotedSmile:
    """The smile that an expiry's quotes imply.

    Attributes
    ----------
    smile
        Through the mids of the options out of the money.
    parity
        What calls and puts agree on.
    strike, volatility
        What it was made from: strikes in USD, ascending, and volatilities a year.
    arbitrage
        How many strikes lie so that a butterfly could be bought for less than nothing, both sides
        of the spread paid.
    """

    quotes: ExpiryQuotes
    smile: Smile
    parity: Parity
    strike: Float64[np.ndarray, " n_used"]
    volatility: Float64[np.ndarray, " n_used"]
    arbitrage: int


def quoted_smile(quotes: ExpiryQuotes, years: float, discount: float) -> QuotedSmile:
    """Return the smile of an expiry's quotes.

    Puts below the forward and calls above it, each with a bid, out to the first two strikes in a
    row that have none (as the VIX takes them).

    Parameters
    ----------
    quotes
        Of one root and expiry.
    years
        Calendar time to settlement, above 0.
    discount
        What a USD of then costs now.

    Raises
    ------
    InputError
        If the forward cannot be read or too few strikes are quoted.
    """
    if not years > 0.0:
        raise InputError(f"{_name(quotes)}: expired at the time of its quotes")
    agreed = parity(quotes, discount)
    forward = agreed.forward
    put = quotes.strike < forward
    mid = np.where(put, quotes.puts.mid, quotes.calls.mid)
    used = _out_to_no_bid(np.where(put, quotes.puts.two_sided, quotes.calls.two_sided), put)
    strike = quotes.strike[used]
    volatility = implied_volatility(
        mid[used], forward, strike, years, np.where(put, -1.0, 1.0)[used], discount
    ).volatility
    known = np.isfinite(volatility)
    strike, volatility = strike[known], volatility[known]
    if len(strike) < FEWEST or not strike[0] < forward < strike[-1]:
        raise InputError(
            f"{_name(quotes)}: got {len(strike)} strikes out of the money with bid and ask, needed "
            f"are {FEWEST} on both sides of the forward {forward:.2f}"
        )
    level = _at_the_money(np.log(strike / forward) / np.sqrt(years), volatility)
    if not level > 0.0:
        raise InputError(f"{_name(quotes)}: quotes near the money make a volatility of {level:.3f}")
    depth = np.log(strike / forward) / (level * np.sqrt(years))
    smile = Smile(forward, discount, years, level, Nodes(depth, volatility / level))
    return QuotedSmile(quotes, smile, agreed, strike, volatility, _butterflies(quotes))


def _out_to_no_bid(
    quoted: Bool[np.ndarray, " n"], put: Bool[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Whether a strike is quoted and lies nearer than two in a row that are not."""
    middle = int(put.sum())
    used = quoted.copy()
    for outward in (slice(middle, None), slice(None, middle)):
        run = used[outward] if outward.start is not None else used[outward][::-1]
        missing = ~run
        ends = np.flatnonzero(missing[:-1] & missing[1:])
        if len(ends):
            run[ends[0] :] = False
    return used


def _at_the_money(depth: Float64[np.ndarray, " n"], volatility: Float64[np.ndarray, " n"]) -> float:
    """Volatility at depth 0: of a parabola through those near the money, each strike alike."""
    first = float(np.interp(0.0, depth, volatility))
    near = np.abs(depth) <= NEAR * first
    if near.sum() < FEWEST:
        return first
    return float(np.polyfit(depth[near], volatility[near], 2)[-1])


def _butterflies(quotes: ExpiryQuotes) -> int:
    """How many butterflies of neighbouring strikes cost less than nothing across the spread."""
    found = 0
    for side in (quotes.calls, quotes.puts):
        quoted = side.two_sided
        strike, bid, ask = quotes.strike[quoted], side.bid[quoted], side.ask[quoted]
        if len(strike) < 3:
            continue
        # Of one body, the share of the wings that costs nothing to hold beyond it.
        lower = (strike[2:] - strike[1:-1]) / (strike[2:] - strike[:-2])
        cost = lower * ask[:-2] + (1.0 - lower) * ask[2:] - bid[1:-1]
        found += int((cost < 0.0).sum())
    return found


def _name(quotes: ExpiryQuotes) -> str:
    return f"{quotes.root} {quotes.expiration.date()}"
