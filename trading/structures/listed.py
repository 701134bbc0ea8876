"""Every expiry of a session, as quotes or the volatility index say it: for those who look."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import pandas as pd

from market.calendar import close
from market.errors import InputError
from market.options.chain import Chain, ExpiryQuotes
from market.options.expiries import expirations, expiry_time, years_left
from market.options.surface import QuotedSmile
from market.underlyings import Underlying
from trading.strategies.plans import EXPIRY_TARGET_DAYS
from trading.structures.board import Board
from trading.structures.quote import (
    Closing,
    check_closing,
    check_index,
    listing_of,
    moment_of,
    own_expiries,
    price_of,
    smile_at,
    synthetic_board,
)
from trading.structures.scaled_quote import (
    check_index_chain,
    index_expiries,
    index_smile,
    scaled_board,
)

#: Calendar days about which a position's expiry is looked for.
TARGET: Final = pd.Timedelta(days=EXPIRY_TARGET_DAYS)


#: From the quotes of an expiry's roots and the years left to a board and the smile that was read.
Read = Callable[[Sequence[ExpiryQuotes], float], tuple[Board, QuotedSmile]]


class Listed(NamedTuple):
    """An expiry.

    Attributes
    ----------
    root
        Of the contracts whose smile it is.
    board
        What could be traded; None where there is no smile.
    quoted
        The smile as it was read of quotes; None where there are none.
    why_none
        Why there is no smile.
    """

    root: str
    expiration: pd.Timestamp
    board: Board | None
    quoted: QuotedSmile | None = None
    why_none: str | None = None


def listed_on_chain(
    row: Underlying, session: pd.Timestamp, closing: Closing, chain: Chain
) -> list[Listed]:
    """Return every expiry of an underlying's own chain, at the price that a position's is of.

    Raises
    ------
    InputError
        If none has a smile, its contracts are no standard ones, or the chain is of another price.
    """
    check_closing(row, {"price": closing.spot}, closing.rate)
    moment = moment_of(chain)

    def read(roots: Sequence[ExpiryQuotes], _: float) -> tuple[Board, QuotedSmile]:
        found = smile_at(roots[0], chain, closing.rate)
        return Board(roots[0], found.smile, closing.spot, "chain", moment), found

    quotes = {day: [each] for day, each in own_expiries(row, chain).items()}
    found = list(_listed(row, session, quotes, read))
    smiles = {one.expiration: one.quoted for one in found if one.quoted is not None}
    _check_any(found)
    nearest = min(smiles, key=lambda day: abs(day - session - TARGET))
    spot = price_of(row, closing, smiles[nearest])
    return [
        one if one.board is None else one._replace(board=replace(one.board, spot=spot))
        for one in found
    ]


def listed_scaled(
    row: Underlying, session: pd.Timestamp, closing: Closing, chain: Chain
) -> list[Listed]:
    """Return the usual expiries by the smiles of an index's chain.

    Raises
    ------
    InputError
        If none has a smile, or the index may not price the underlying.
    """
    check_index_chain(row, chain)
    check_closing(row, {"price": closing.spot}, closing.rate)
    quotes = index_expiries(chain)
    usual = {day: quotes[day] for day in expirations(session) if day in quotes}

    def read(roots: Sequence[ExpiryQuotes], years: float) -> tuple[Board, QuotedSmile]:
        found = index_smile(roots, chain, closing.rate)
        return scaled_board(row, closing, chain, found, years), found

    found = list(_listed(row, session, usual, read))
    _check_any(found)
    return found


def listed_synthetic(row: Underlying, session: pd.Timestamp, closing: Closing) -> list[Listed]:
    """Return the usual expiries by the volatility index.

    Raises
    ------
    InputError
        If a number of the close is missing or no price.
    """
    check_index(row, closing)
    root = listing_of(row).root
    return [
        Listed(root, day, synthetic_board(row, closing, day, _years(session, root, day)))
        for day in expirations(session)
    ]


def _listed(
    row: Underlying,
    session: pd.Timestamp,
    quotes: Mapping[pd.Timestamp, Sequence[ExpiryQuotes]],
    read: Read,
) -> Iterator[Listed]:
    root = listing_of(row).root
    for day, roots in quotes.items():
        try:
            board, quoted = read(roots, _years(session, root, day))
        except InputError as error:
            yield Listed(roots[0].root, day, None, None, str(error))
        else:
            yield Listed(quoted.quotes.root, day, board, quoted)


def _years(session: pd.Timestamp, root: str, expiration: pd.Timestamp) -> float:
    """Return the time from a session's close to an expiry in years; 0 or less once it is over."""
    closed = close(pd.DatetimeIndex([session]))
    return float(years_left(closed, expiry_time(root, pd.DatetimeIndex([expiration])))[0])


def _check_any(found: list[Listed]) -> None:
    if all(one.board is None for one in found):
        first = next((one.why_none for one in found), "no expiry is listed")
        raise InputError(f"none of {len(found)} expiries has a smile: {first}")
