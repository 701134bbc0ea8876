"""Quotes of options as vendors send them: by the contract's symbol, with marks for unknown."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from market.calendar import NEW_YORK
from market.errors import InputError, KeyUnavailable, SchemaViolation
from market.options.contract_symbols import standard_root, written_contract

# Where a vendor could invert no volatility it writes 0, Yahoo 1e-05 and numbers just beside it.
NOT_INVERTED: Final = 1.001e-5
SHARES: Final = 100.0
KINDS: Final = {1: "call", -1: "put"}


class Sent(NamedTuple):
    """What a vendor sends of one contract; NaN where it sends none.

    Attributes
    ----------
    symbol
        In any of the forms of `market.options.contract_symbols`.
    volatility
        A year, as a fraction.
    shares
        That it delivers.
    """

    symbol: str
    bid: float
    ask: float
    volume: float
    open_interest: float
    volatility: float
    delta: float = np.nan
    gamma: float = np.nan
    shares: float = SHARES


def chain_rows(
    what: str, underlying: str, quoted: pd.Timestamp, spot: float, contracts: Sequence[Sent]
) -> pd.DataFrame:
    """Return the columns of `option_chains` of one snapshot, in the order that it was sent.

    Parameters
    ----------
    what
        The vendor and what it was asked for, for messages.
    quoted
        The time of the quotes, with a zone.
    spot
        The price of the underlying in USD; NaN, and 0, where there is none.

    Raises
    ------
    KeyUnavailable
        If there is no contract.
    SchemaViolation
        If a symbol cannot be read, or one of a standard contract delivers another number of shares.
    """
    if not contracts:
        raise KeyUnavailable(f"{what}: got a chain without a contract; try again later")
    try:
        named = [written_contract(sent.symbol) for sent in contracts]
    except InputError as error:
        raise SchemaViolation(f"{what}: {error}") from None
    _check_shares(what, contracts)
    sent = pd.DataFrame(contracts)
    quotes = pd.DataFrame(
        {
            "underlying": underlying,
            "root": [contract.root for contract in named],
            "quote_time": quoted.tz_convert("UTC").as_unit("ns"),
            "expiration": pd.to_datetime([contract.expiration for contract in named]).as_unit("ns"),
            "strike": [contract.strike for contract in named],
            "option_type": [KINDS[contract.sign] for contract in named],
            "underlying_price": np.nan if spot == 0.0 else spot,
            "implied_volatility": sent["volatility"],
            **{name: sent[name] for name in _SAME},
        }
    )
    return without_marks(quotes)


_SAME: Final = ("bid", "ask", "volume", "open_interest", "delta", "gamma")


def without_marks(quotes: pd.DataFrame) -> pd.DataFrame:
    """Return quotes with null for the numbers that stand for none.

    Nobody sells for 0: such an ask is none. A bid of 0 beside an ask is that nobody bids, and
    stays; beside no ask it is no quote at all. A volatility of 0, or of Yahoo's 1e-05, was not
    inverted, and a delta of 0 beside it was not computed, nor was the gamma.

    Parameters
    ----------
    quotes
        With `bid`, `ask`, `implied_volatility`, `delta` and `gamma`, and others.
    """
    bid, ask, volatility = (quotes[name] for name in ("bid", "ask", "implied_volatility"))
    ask = ask.mask(ask == 0.0)
    unknown = (volatility >= 0.0) & (volatility <= NOT_INVERTED)
    uncomputed = (unknown | volatility.isna()) & (quotes["delta"] == 0.0)
    return quotes.assign(
        bid=bid.mask((bid == 0.0) & ask.isna()),
        ask=ask,
        implied_volatility=volatility.mask(unknown),
        delta=quotes["delta"].mask(uncomputed),
        gamma=quotes["gamma"].mask(uncomputed),
    )


def refuse_stale(what: str, quoted: pd.Timestamp, start: pd.Timestamp | None) -> None:
    """Refuse a chain that is older than what is asked for.

    Parameters
    ----------
    start
        The first day asked for, without a zone; None for any.

    Raises
    ------
    KeyUnavailable
        If its quotes are of an earlier day in New York.
    """
    local = quoted.tz_convert(NEW_YORK)
    if start is not None and local.tz_localize(None).normalize() < start:
        raise KeyUnavailable(
            f"{what}: got a stale chain, its quotes are of {local:%Y-%m-%d %H:%M} in New York, "
            f"allowed are those of {start.date()} or later; try again later"
        )


def _check_shares(what: str, contracts: Sequence[Sent]) -> None:
    for sent in contracts:
        if np.isnan(sent.shares) or sent.shares == SHARES:
            continue
        try:
            root = standard_root(written_contract(sent.symbol).root)
        except InputError:
            continue  # the gate refuses its root by name
        raise SchemaViolation(
            f"{what}: got {sent.symbol} of {sent.shares:g} shares, allowed are {SHARES:g} where "
            f"the root is {root}"
        )
