"""The board of a position's expiry by the quotes of the index that its underlying follows.

What carries over is the smile, in deviations from the forward: the index has no price that could
be compared with the fund's, and its quotes of an evening stand beside an index of the afternoon.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from market.errors import InputError
from market.options.chain import Chain, ExpiryQuotes, by_expiry
from market.options.expiries import MORNING_ROOTS, expirations
from market.options.roots import chain_roots
from market.options.smile import Smile
from market.options.surface import QuotedSmile
from market.underlyings import Underlying
from trading.structures.board import Board, modelled_board
from trading.structures.expiry import Offer, boards_of, first_of, life_of, nearest_first
from trading.structures.price import Life
from trading.structures.quote import (
    Closing,
    check_closing,
    listing_of,
    moment_of,
    smile_at,
    terms_of,
)


def scaled_quotes(
    row: Underlying, session: pd.Timestamp, closing: Closing, chain: Chain
) -> Iterator[Offer | InputError]:
    """Yield the boards of usual expiries by an index's smiles, each with the life of a position.

    The nearest to the target first; of one whose quotes make no smile, why. Forward, strikes, ticks
    and spreads are the underlying's own. An expiry that only the index lists is none of its
    options, so the usual ones are asked alone.

    Parameters
    ----------
    session
        Whose close it is, midnight without a zone.
    chain
        Of the index, of that session.

    Raises
    ------
    InputError
        If the index may not price the underlying, no usual expiry suits, or a number of the close
        is missing or no price.
    """
    check_index_chain(row, chain)
    check_closing(row, {"price": closing.spot}, closing.rate)
    quotes = index_expiries(chain)
    usual = pd.DatetimeIndex([day for day in expirations(session) if day in quotes])

    def made(expiration: pd.Timestamp) -> Offer:
        life, years = life_of(session, listing_of(row).root, expiration)
        found = index_smile(quotes[expiration], chain, closing.rate)
        return scaled_board(row, closing, chain, found, years), life

    yield from boards_of(nearest_first(session, usual), made)


def scaled_quote(
    row: Underlying, session: pd.Timestamp, closing: Closing, chain: Chain
) -> tuple[Board, Life]:
    """Return the first board of `scaled_quotes`, or raise why the first expiry has none."""
    return first_of(scaled_quotes(row, session, closing, chain))


def scaled_board(
    row: Underlying, closing: Closing, chain: Chain, found: QuotedSmile, years: float
) -> Board:
    """Return the board of an expiry by the index's smile; see `scaled_quote`."""
    listing, quoted = listing_of(row), found.smile
    smile = Smile(*terms_of(closing, listing, years), quoted.at_the_money, quoted.shape)
    day, moment = found.quotes.expiration, moment_of(chain)
    return modelled_board(day, smile, closing.spot, listing, "scaled chain", moment)


def check_index_chain(row: Underlying, chain: Chain) -> None:
    """Check that a chain is of the index that may price an underlying.

    Raises
    ------
    InputError
        If it is not.
    """
    index = listing_of(row).scaled_from
    if chain.underlying != index:
        raise InputError(
            f"{row.ticker}: got a chain of {chain.underlying}, allowed is one of "
            f"{index or 'its own alone'}"
        )


def index_expiries(chain: Chain) -> dict[pd.Timestamp, list[ExpiryQuotes]]:
    """Return an index's quotes by the day in the symbol, each with those of its roots.

    A fund settles at the close: the root that does comes before the one of the morning; of two
    such, the one of more strikes.
    """
    allowed = chain_roots(chain.underlying)
    found: dict[pd.Timestamp, list[ExpiryQuotes]] = {}
    for quotes in by_expiry(chain):
        if quotes.root in allowed:
            found.setdefault(quotes.expiration, []).append(quotes)
    for roots in found.values():
        roots.sort(key=lambda quotes: (quotes.root in MORNING_ROOTS, -len(quotes.strike)))
    return found


def index_smile(roots: Sequence[ExpiryQuotes], chain: Chain, rate: float) -> QuotedSmile:
    """Return the smile of the first root of an index's expiry whose quotes make one.

    Raises
    ------
    InputError
        Why the first makes none, if none does; see `smile_at`.
    """
    refused: list[InputError] = []
    for quotes in roots:
        try:
            return smile_at(quotes, chain, rate)
        except InputError as error:
            refused.append(error)
    raise refused[0]
