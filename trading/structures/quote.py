"""The board of a position's expiry and our distribution to it, from what a session closed with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64

from forecasters.returns import ReturnDistribution
from market.errors import InputError
from market.options.chain import Chain, ExpiryQuotes, by_expiry
from market.options.expiries import expiry_time, years_left
from market.options.surface import QuotedSmile, quoted_smile
from market.options.synthetic_smile import Terms, form_of, moves_of, synthetic_smile
from market.underlyings import OptionListing, Underlying
from trading.structures.board import Board, modelled_board
from trading.structures.chances import Outlook
from trading.structures.expiry import (
    Offer,
    boards_of,
    first_of,
    life_of,
    nearest_first,
    usual_expiry,
)
from trading.structures.price import Life

#: Paths that chances are counted on, and the seed of all: the same row gives the same structure.
PATHS: Final = 1000
SEED: Final = 20_160
#: How far the price that quotes imply may lie from the close: half an hour's move, and dividends.
APART: Final = 0.02
#: How far, beside their spread, it is still taken for the close: a dividend of the three weeks.
CLOSE: Final = 0.0025


@dataclass(frozen=True)
class Closing:
    """What a session closed with.

    Attributes
    ----------
    spot
        Price of the underlying in USD.
    index, long_index
        Its own volatility index and VIX3M, in points; NaN where there is none.
    rate
        Of three months, a year, a fraction.
    """

    spot: float
    index: float
    long_index: float
    rate: float


def listing_of(row: Underlying) -> OptionListing:
    """Return how the options of an underlying are listed.

    Raises
    ------
    InputError
        If its row does not say.
    """
    if row.options is None:
        raise InputError(
            f"{row.ticker}: its row in market/underlyings.py does not say how its options are "
            "listed, so no structure is priced"
        )
    return row.options


def synthetic_quote(
    row: Underlying, session: pd.Timestamp, closing: Closing, anchor: float | None = None
) -> tuple[Board, Life]:
    """Return the board of the usual expiry by the volatility index, and the position's life.

    Parameters
    ----------
    session
        Whose close it is, midnight without a zone.
    anchor
        See `synthetic_smile`.

    Raises
    ------
    InputError
        If the underlying's options are unknown, or a number is missing or no price.
    """
    listing = listing_of(row)
    check_index(row, closing)
    expiration = usual_expiry(session)
    life, years = life_of(session, listing.root, expiration)
    return synthetic_board(row, closing, expiration, years, anchor), life


def synthetic_board(
    row: Underlying,
    closing: Closing,
    expiration: pd.Timestamp,
    years: float,
    anchor: float | None = None,
) -> Board:
    """Return the board of an expiry by the volatility index; see `synthetic_quote`."""
    listing = listing_of(row)
    terms = terms_of(closing, listing, years)
    smile = synthetic_smile(form_of(listing), closing.index, closing.long_index, terms, anchor)
    return modelled_board(expiration, smile, closing.spot, listing)


def chain_quotes(
    row: Underlying, session: pd.Timestamp, closing: Closing, chain: Chain
) -> Iterator[Offer | InputError]:
    """Yield the boards of expiries by their own quotes, each with the life of a position.

    The nearest to the target first; of one whose quotes make no smile, or are of another price of
    the underlying than the close, why. Their spot is that of `price_of`.

    Parameters
    ----------
    session
        Whose close it is, midnight without a zone.
    chain
        Of that session.

    Raises
    ------
    InputError
        If no expiry suits, or the chain is none of the underlying's.
    """
    listing = listing_of(row)
    check_closing(row, {"price": closing.spot}, closing.rate)
    quotes = own_expiries(row, chain)

    def made(expiration: pd.Timestamp) -> Offer:
        life, _ = life_of(session, listing.root, expiration)
        found = smile_at(quotes[expiration], chain, closing.rate)
        spot = price_of(row, closing, found)
        return Board(quotes[expiration], found.smile, spot, "chain", moment_of(chain)), life

    yield from boards_of(nearest_first(session, pd.DatetimeIndex(list(quotes))), made)


def chain_quote(
    row: Underlying, session: pd.Timestamp, closing: Closing, chain: Chain
) -> tuple[Board, Life]:
    """Return the first board of `chain_quotes`, or raise why the first expiry has none."""
    return first_of(chain_quotes(row, session, closing, chain))


def smile_at(quotes: ExpiryQuotes, chain: Chain, rate: float) -> QuotedSmile:
    """Return the smile of an expiry of a chain, its time counted from the written time of quotes.

    A position's life counts from the close: quotes of a morning had more time left, those of an
    evening less.

    Parameters
    ----------
    rate
        Of three months, a year, a fraction.

    Raises
    ------
    InputError
        If the forward cannot be read, too few strikes are quoted, or it had settled.
    """
    settled = expiry_time(quotes.root, pd.DatetimeIndex([quotes.expiration]))
    years = float(years_left(pd.DatetimeIndex([chain.quote_time]), settled)[0])
    return quoted_smile(quotes, years, float(np.exp(-rate * years)))


def own_expiries(row: Underlying, chain: Chain) -> dict[pd.Timestamp, ExpiryQuotes]:
    """Return the quotes of an underlying's standard contracts by expiry.

    Raises
    ------
    InputError
        If there are none.
    """
    root = listing_of(row).root
    quotes = {one.expiration: one for one in by_expiry(chain) if one.root == root}
    if not quotes:
        roots = ", ".join(np.unique(chain.root)) or "none"
        raise InputError(
            f"{row.ticker}: got contracts of the roots {roots}, standard ones are {root}"
        )
    return quotes


def price_of(row: Underlying, closing: Closing, found: QuotedSmile) -> float:
    """Return the price of the underlying in USD that quotes go with.

    The close, or where the forward that they agree on, carried back, is of another price by more
    than their spread and `CLOSE`, that price: an outlook from a close that they do not know would
    find an edge in the difference.

    Raises
    ------
    InputError
        If it lies too far from the close.
    """
    smile, quotes = found.smile, found.quotes
    carry = (listing_of(row).dividend_yield - closing.rate) * smile.years
    implied = smile.forward * float(np.exp(carry))
    apart = abs(implied / closing.spot - 1.0)
    if apart > APART:
        raise InputError(
            f"{row.ticker}: its quotes are of a price of {implied:.2f}, the session closed at "
            f"{closing.spot:.2f}"
        )
    both = quotes.calls.two_sided & quotes.puts.two_sided
    at = np.argmin(np.where(both, np.abs(quotes.strike - smile.forward), np.inf))
    spread = float(quotes.calls.half_spread[at] + quotes.puts.half_spread[at])
    return implied if apart > CLOSE + spread / closing.spot else closing.spot


def price_words(board: Board, closing: Closing) -> list[str]:
    """Return what is to be known of a board whose price is not the close."""
    if board.spot == closing.spot:
        return []
    return [
        f"its quotes imply a price of {board.spot:.2f}, the session closed at {closing.spot:.2f}: "
        "what lies ahead starts from the price of the quotes"
    ]


def moment_of(chain: Chain) -> str:
    """Return when a chain's quotes stood, in UTC as an ISO time."""
    return chain.quote_time.tz_convert("UTC").isoformat()


def terms_of(closing: Closing, listing: OptionListing, years: float) -> Terms:
    """Return forward and discount of an expiry from a close: the rate, less the dividends."""
    carry = (closing.rate - listing.dividend_yield) * years
    forward = closing.spot * float(np.exp(carry))
    return Terms(forward, float(np.exp(-closing.rate * years)), years)


def outlook_of(
    distribution: ReturnDistribution, closing: Closing, life: Life, listing: OptionListing
) -> Outlook:
    """Return our distribution of the underlying's price to a position's expiry, its smile's moves.

    Returns of the adjusted close hold the dividends, which its price loses.
    """
    paid = _paid(life, listing)[-1]
    ends = closing.spot * np.exp(distribution.quantiles(len(life.closes)) - paid)
    paths = paths_of(distribution, closing, life, listing)
    moves = moves_of(form_of(listing), closing.index, closing.long_index)
    return Outlook(ends, paths, moves)


def paths_of(
    distribution: ReturnDistribution, closing: Closing, life: Life, listing: OptionListing
) -> Float64[np.ndarray, "n_paths n_closes"]:
    """Return the paths of `outlook_of`."""
    moved = distribution.paths(len(life.closes), PATHS, SEED) - _paid(life, listing)
    return np.asarray(closing.spot * np.exp(moved))


def _paid(life: Life, listing: OptionListing) -> Float64[np.ndarray, " n_closes"]:
    """Return the log of what dividends take of the price by each close."""
    days = life.closes.to_numpy("datetime64[D]") - life.entered.to_datetime64()
    return np.asarray(listing.dividend_yield * (days / np.timedelta64(1, "D")) / 365.0)


def check_index(row: Underlying, closing: Closing) -> None:
    """Check that a smile can be made of the volatility index; see `check_closing`."""
    named = {"price": closing.spot, f"index {row.volatility_index}": closing.index}
    if listing_of(row).term_slope:
        named["volatility index of three months"] = closing.long_index
    check_closing(row, named, closing.rate)


def check_closing(row: Underlying, named: Mapping[str, float], rate: float) -> None:
    """Check that named numbers of a close are prices, and that the rate is known.

    Raises
    ------
    InputError
        Names the first that is not.
    """
    for name, value in named.items():
        if not (np.isfinite(value) and value > 0.0):
            raise InputError(f"{row.ticker}: its {name} is {value}, so no structure is priced")
    if not np.isfinite(rate):
        raise InputError(f"{row.ticker}: the rate of three months is unknown")
