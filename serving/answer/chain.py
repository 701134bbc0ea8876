"""What a position on a ticker would be priced on: every expiry, and the strikes of one. Pure."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from home.records.chain import ChainView, Contract, Expiry
from market.errors import InputError, UnknownName
from market.options.chain import Chain
from market.options.implied_volatility import implied_volatility
from market.options.smile_terms import smile_terms
from market.options.surface import QuotedSmile
from market.options.synthetic_smile import BAND
from market.underlyings import Underlying, underlying
from serving.answer.boards import closing_of, named
from serving.reading.row import FeatureRow
from trading.structures.board import Board
from trading.structures.listed import Listed, listed_on_chain, listed_scaled, listed_synthetic
from trading.structures.quote import Closing, price_words

ListedBy = Callable[[Underlying, pd.Timestamp, Closing, Chain], list[Listed]]


def build_chain(row: FeatureRow, as_of: pd.Timestamp, expiry: str | None = None) -> ChainView:
    """Return the first chain of a row that gives a smile, without any what the index says.

    Parameters
    ----------
    row
        As a signal's; `beside` holds `CLOSING_FEATURES`, `quoted` the chains.
    as_of
        The clock, with a zone.
    expiry
        The day whose strikes are wanted, such as 2025-07-18; None for no strikes.

    Raises
    ------
    InputError
        If a number of the close is missing, or the expiry is none there is or has no smile.
    """
    closing = closing_of(row.beside)
    listed, chain, notes = _listed(row, closing)
    board = next(one.board for one in listed if one.board is not None)
    synthetic = chain is None
    return ChainView(
        ticker=row.ticker,
        session=_day(row.session),
        as_of=as_of.tz_convert("UTC").isoformat(),
        pricing=board.pricing,
        quoted_on=None if chain is None else chain.underlying,
        quote_time=board.quote_time,
        age_hours=None if chain is None else (as_of - chain.quote_time) / pd.Timedelta(hours=1),
        spot=float(board.spot),
        band=BAND / 100.0 if synthetic else None,
        expiries=[_expiry(row.session, one) for one in listed],
        expiration=expiry,
        contracts=None if expiry is None else _contracts(row, expiry, listed, chain),
        notes=[*notes, *price_words(board, closing)],
    )


def _listed(row: FeatureRow, closing: Closing) -> tuple[list[Listed], Chain | None, list[str]]:
    of, told = underlying(row.ticker), []
    for chain in () if row.quoted is None else row.quoted.candidates():
        if isinstance(chain, str):
            told.append(chain)
            continue
        own = chain.underlying == row.ticker
        by: ListedBy = listed_on_chain if own else listed_scaled
        try:
            found = by(of, row.session, closing, chain)
        except InputError as error:
            told.append(f"{named(chain)} does not count: {error}")
        else:
            return found, chain, told
    return listed_synthetic(of, row.session, closing), None, told


def _expiry(session: pd.Timestamp, listed: Listed) -> Expiry:
    days = max((listed.expiration - session).days, 0)
    day, board = _day(listed.expiration), listed.board
    if board is None:
        return Expiry(
            expiration=day, days_to_expiry=days, root=listed.root, why_none=listed.why_none
        )
    terms = smile_terms(board.smile)
    found = Expiry(
        expiration=day,
        days_to_expiry=days,
        root=listed.root,
        forward=float(board.smile.forward),
        at_the_money=float(board.smile.at_the_money),
        skew=_known(terms.skew / 100.0),
        curvature=_known(terms.curvature / 100.0),
    )
    return found if listed.quoted is None else _with_quality(found, listed.quoted)


def _with_quality(expiry: Expiry, found: QuotedSmile) -> Expiry:
    """Return an expiry with what its quotes are worth."""
    quotes = found.quotes
    put = quotes.strike < found.smile.forward
    mid, half = (
        np.where(put, getattr(quotes.puts, name), getattr(quotes.calls, name))
        for name in ("mid", "half_spread")
    )
    used = np.isin(quotes.strike, found.strike)
    read = {
        "strikes": int((quotes.calls.two_sided | quotes.puts.two_sided).sum()),
        "spread": float(np.median(2.0 * half[used] / mid[used])),
        "parity": float(found.parity.inside),
        "butterflies": found.arbitrage,
    }
    return expiry.model_copy(update=read)


def _contracts(
    row: FeatureRow, expiry: str, listed: list[Listed], chain: Chain | None
) -> list[Contract]:
    days = {_day(one.expiration): one for one in listed}
    if expiry not in days:
        raise UnknownName(f"expiry of {row.ticker}", expiry, days)
    board = days[expiry].board
    if board is None:
        raise InputError(f"{row.ticker}: {days[expiry].why_none}, so {expiry} has no smile")
    theirs = chain if board.pricing == "chain" else None
    return [one for sign in (-1.0, 1.0) for one in _side(board, sign, theirs)]


def _side(board: Board, sign: float, chain: Chain | None) -> list[Contract]:
    side, smile, strike = board.side(sign), board.smile, board.quotes.strike
    mid = np.where(side.two_sided, side.mid, np.nan)
    if chain is None:
        ours, vendor = smile.volatility(strike), np.full(len(strike), np.nan)
    else:
        ours = implied_volatility(
            mid, smile.forward, strike, smile.years, sign, smile.discount
        ).volatility
        vendor = _vendor(chain, board, sign)
    # Quotes and the close are minutes apart: what that adds to a delta of 1 is no delta.
    deltas, outside = np.clip(board.deltas(sign), -1.0, 1.0), smile.extrapolated(strike)
    return [
        Contract(
            strike=float(strike[n]),
            right="call" if sign > 0 else "put",
            bid=_known(side.bid[n]),
            ask=_known(side.ask[n]),
            mid=_known(mid[n]),
            implied_volatility=_known(ours[n]),
            vendor_volatility=_known(vendor[n]),
            delta=float(deltas[n]),
            extrapolated=bool(outside[n]),
        )
        for n in range(len(strike))
        if np.isfinite(side.bid[n]) or np.isfinite(side.ask[n])
    ]


def _vendor(chain: Chain, board: Board, sign: float) -> np.ndarray:
    """Return the vendor's volatilities of a side of an expiry by its strikes; NaN where none."""
    found = np.full(len(board.quotes.strike), np.nan)
    if chain.vendor_volatility is None:
        return found
    of = (
        (chain.root == board.quotes.root)
        & (chain.expiration == np.datetime64(board.quotes.expiration, "D"))
        & (chain.sign == sign)
    )
    found[np.searchsorted(board.quotes.strike, chain.strike[of])] = chain.vendor_volatility[of]
    return found


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _day(moment: pd.Timestamp) -> str:
    return str(moment.date())
