"""What positions were worth at every close that came, and how their plans ended them. Pure.

A close is marked by the smile of its own session's index. Marks are daily: a target or a stop is
seen at a close, and where both are, the stop counts (Decision 16).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from market.options.black import price_76
from market.options.costs import COMMISSION, MULTIPLIER, model_quotes
from market.options.synthetic_smile import BAND
from market.underlyings import OptionListing
from trading.backtest.entries import volatilities
from trading.backtest.lives import Market
from trading.backtest.positions import Positions, worth_at_expiry
from trading.structures.exits import EXPIRY, STOP, TARGET, proceeds


@dataclass(frozen=True)
class Ends:
    """How positions ended, a row a position; NaN and -1 where there was none.

    Attributes
    ----------
    reason
        `TARGET`, `STOP` or `EXPIRY`.
    column
        Of the close that ended it, in its life.
    worth
        USD a share that closing brought, across the spread; at expiry what was settled.
    profit
        USD a contract, after spreads and commissions.
    spread, commission
        USD a contract that entering and leaving cost, within `profit`.
    assigned
        USD a contract of it that a short call lost by early exercise for a dividend.
    lower, higher
        Profit had the level of volatility been a point lower, or higher, all along.
    marks
        USD a share at mid at every close; what comes after the end is not read.
    """

    reason: Int64[np.ndarray, " n"]
    column: Int64[np.ndarray, " n"]
    worth: Float64[np.ndarray, " n"]
    profit: Float64[np.ndarray, " n"]
    spread: Float64[np.ndarray, " n"]
    commission: Float64[np.ndarray, " n"]
    assigned: Float64[np.ndarray, " n"]
    lower: Float64[np.ndarray, " n"]
    higher: Float64[np.ndarray, " n"]
    marks: Float64[np.ndarray, "n n_closes"]


@dataclass(frozen=True)
class Scene:
    """Where positions live, a row a position.

    Attributes
    ----------
    entry, closes
        What prices them at their entries, (n,), and at the closes of their lives, (n, n_closes).
    last
        The column of the close at expiry.
    dividend
        USD a share paid on the session after each close.
    crossing
        How much of the half-spread is paid; see `positions`.
    """

    listing: OptionListing
    entry: Market
    closes: Market
    last: Int64[np.ndarray, " n"]
    dividend: Float64[np.ndarray, "n n_closes"]
    crossing: float


@dataclass(frozen=True)
class Quotes:
    """Bids and asks of every leg at every close, USD a share; NaN where nobody quotes both."""

    bid: Float64[np.ndarray, "n n_closes n_legs"]
    ask: Float64[np.ndarray, "n n_closes n_legs"]


def ends(held: Positions, scene: Scene, quotes: Quotes | None = None) -> Ends:
    """Return how positions ended by their plans, and what they came to.

    Parameters
    ----------
    quotes
        What marks a close in the place of its smile. A position entered on quotes has no band.
    """
    found = _ends_at(held, scene, 0.0, quotes)
    if quotes is not None:
        unknown = np.full(len(held.paid), np.nan)
        return replace(found, lower=unknown, higher=unknown)
    lower, higher = (_ends_at(held, scene, lift, None) for lift in (-BAND / 100, BAND / 100))
    return replace(found, lower=lower.profit, higher=higher.profit)


def _ends_at(held: Positions, scene: Scene, lift: float, quotes: Quotes | None) -> Ends:
    """Return how positions ended if the level of volatility was all along off by a lift."""
    listing, closes = scene.listing, scene.closes
    prices = leg_prices(held, _lifted(closes, lift), listing)
    if quotes is not None:
        mids = (quotes.bid + quotes.ask) / 2.0
        prices = np.where(np.isnan(mids), prices, mids)
    final = worth_at_expiry(held.strike, held.sign, held.side, closes.spot[:, -1])
    mid = _within(prices @ held.side, held)
    mid[closes.years <= 0.0] = np.repeat(final, (closes.years <= 0.0).sum(axis=1))
    reason, column = exits_of(held, closes.spot, mid, scene.last)
    rows = np.arange(len(column))
    at = prices[rows, column]
    bid, ask = model_quotes(at, listing)
    if quotes is not None:
        real = quotes.bid[rows, column], quotes.ask[rows, column]
        bid, ask = (np.where(np.isnan(a), b, a) for a, b in zip(real, (bid, ask), strict=True))
    crossed = at + scene.crossing * np.where(held.side > 0.0, bid - at, ask - at)
    worth = np.where(reason == EXPIRY, final, _within(crossed @ held.side, held))
    n_legs = len(held.side)
    brought = np.where(reason == EXPIRY, MULTIPLIER * final, proceeds(worth, held.least, n_legs))
    # What nobody would close is left to expire, for the least that it can bring.
    closed = (reason != EXPIRY) & (brought > MULTIPLIER * held.least)
    worth = np.where(closed | (reason == EXPIRY), worth, held.least)
    spread = MULTIPLIER * (held.crossed + mid[rows, column] - worth)  # at expiry mid is worth
    paid = held.paid + (_now(held, scene.entry, listing, lift) if lift else 0.0)
    commission = COMMISSION * n_legs * (1.0 + closed)
    lost = _assigned(held, closes, prices, scene.dividend, column)
    profit = brought - MULTIPLIER * (paid + lost) - COMMISSION * n_legs
    none = ~held.possible
    for values in (worth, profit, spread, commission, lost):
        values[none] = np.nan
    return Ends(np.where(none, -1, reason), np.where(none, -1, column), worth, profit,
                spread, commission, MULTIPLIER * lost, profit, profit, mid)  # fmt: skip


def exits_of(
    held: Positions, spot: Float64[np.ndarray, "n k"], worth: Float64[np.ndarray, "n k"],
    last: Int64[np.ndarray, " n"],
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:  # fmt: skip
    """Return why and at which close positions end; see `trading.structures.exits.exits`."""
    with np.errstate(invalid="ignore"):  # no target is seen at a close without a mark
        stopped = (spot <= held.below[:, None]) | (spot >= held.above[:, None])
        reached = worth >= held.target[:, None]
    over = stopped | reached | (np.arange(spot.shape[1]) >= last[:, None])
    column = over.argmax(axis=1)
    rows = np.arange(len(column))
    reason = np.where(stopped[rows, column], STOP, np.where(reached[rows, column], TARGET, EXPIRY))
    return np.where(column >= last, EXPIRY, reason), column


def leg_prices(
    held: Positions, market: Market, listing: OptionListing
) -> Float64[np.ndarray, "n k n_legs"]:
    """Return prices in USD a share of every leg at every close, NaN where no smile is known."""
    shape = (*market.spot.shape, len(held.side))
    flat = Market(*(column.reshape(-1) for column in vars(market).values()))
    strike = np.broadcast_to(held.strike[:, None, :], shape).reshape(-1, len(held.side))
    alive = np.where(flat.years > 0.0, flat.years, np.nan)
    flat = Market(flat.spot, alive, flat.forward, flat.discount, flat.level)
    price = price_76(
        flat.forward[:, None], strike, flat.years[:, None], volatilities(listing, flat, strike),
        held.sign, flat.discount[:, None],
    )  # fmt: skip
    return np.asarray(price).reshape(shape)


def _now(
    held: Positions, entry: Market, listing: OptionListing, lift: float
) -> Float64[np.ndarray, " n"]:
    """Return how much more positions were worth at the entry if the level was higher by a lift."""
    column = Market(*(values[:, None] for values in vars(entry).values()))
    moved = leg_prices(held, _lifted(column, lift), listing) - leg_prices(held, column, listing)
    return np.asarray((moved @ held.side)[:, 0])


def _lifted(market: Market, lift: float) -> Market:
    level = np.maximum(market.level + lift, 1e-3)
    return Market(market.spot, market.years, market.forward, market.discount, level)


def _within(worth: Float64[np.ndarray, "..."], held: Positions) -> Float64[np.ndarray, "..."]:
    """Return worth, by position and perhaps close, within what a position can come to."""
    shape = (-1,) + (1,) * (worth.ndim - 1)
    return np.asarray(np.clip(worth, held.least.reshape(shape), held.most.reshape(shape)))


def _assigned(
    held: Positions, closes: Market, prices: Float64[np.ndarray, "n k n_legs"],
    dividend: Float64[np.ndarray, "n k"], column: Int64[np.ndarray, " n"],
) -> Float64[np.ndarray, " n"]:  # fmt: skip
    """Return USD a share that short calls lose to holders who exercise on an eve of a dividend.

    A holder exercises where the dividend is worth more than the put of the strike and the interest
    on it. What is lost is the difference; the shares are bought back, and the position goes on.
    """
    short = (held.side < 0.0) & (held.sign > 0.0)
    if not short.any() or not dividend.any():
        return np.zeros(len(column))
    strike, call = held.strike[:, None, short], prices[:, :, short]
    discount, forward = closes.discount[:, :, None], closes.forward[:, :, None]
    put = call - discount * (forward - strike)
    gain = dividend[:, :, None] - put - strike * (1.0 - discount)
    open_: Bool[np.ndarray, "n k"] = np.arange(dividend.shape[1]) < column[:, None]
    exercised = (gain > 0.0) & open_[:, :, None] & (closes.spot[:, :, None] > strike)
    return np.asarray(np.where(exercised, gain, 0.0).sum(axis=(1, 2)))
