"""Tradier's answers as expirations, prices and contracts: USD, volatilities as fractions.

One thing comes as an object where several come as a list, and none as null. Times are milliseconds
since 1970.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from home.strict_json import Json
from ingestion.sources.wire.json_answer import Row, as_object, as_rows, field, number, text
from ingestion.sources.wire.option_quotes import Sent
from market.errors import KeyUnavailable, SchemaViolation

FIELDS: Final = ("symbol", "bid", "ask", "volume", "open_interest", "contract_size", "greeks")
TIMES: Final = ("bid_date", "ask_date")


class Contracts(NamedTuple):
    """The contracts of an expiration, and when the newest of their quotes stood, UTC; or NaT."""

    sent: list[Sent]
    quoted: pd.Timestamp


def expirations(what: str, document: Json) -> list[str]:
    """Return the expirations listed, as days YYYY-MM-DD.

    Raises
    ------
    KeyUnavailable
        If there is none.
    SchemaViolation
        If the answer cannot be read.
    """
    days = _listed(what, document, "expirations", "date")
    if not days:
        raise KeyUnavailable(f"{what}: got no expiration; try again later")
    return [_day(what, day) for day in days]


def price(what: str, document: Json, symbol: str) -> float:
    """Return the last price of a symbol in USD, NaN where there is none.

    Raises
    ------
    SchemaViolation
        If the answer cannot be read, or is of another symbol.
    """
    rows = as_rows(what, _listed(what, document, "quotes", "quote"), ("symbol", "last"))
    for row in rows:
        if text(what, row, "symbol") == symbol:
            return number(what, row, "last")
    raise SchemaViolation(f"{what}: got no quote of {symbol}, allowed is one")


def contracts(what: str, document: Json) -> Contracts:
    """Return the contracts of one expiration, none where there are none.

    Raises
    ------
    SchemaViolation
        If the answer cannot be read to the letter.
    """
    rows = as_rows(what, _listed(what, document, "options", "option"), FIELDS)
    moments = [number(what, row, name) for row in rows for name in TIMES]
    newest = max((moment for moment in moments if moment > 0.0), default=None)
    quoted = pd.NaT if newest is None else pd.Timestamp(int(newest), unit="ms", tz="UTC")
    return Contracts([_sent(what, row) for row in rows], quoted)


def _sent(what: str, row: Row) -> Sent:
    greeks = as_object(what, row.get("greeks") or {})
    bid = number(what, row, "bid")
    # Without a bid the middle volatility is that of the ask alone.
    one_sided = not bid > 0.0 or number(what, greeks, "bid_iv") == 0.0
    return Sent(
        symbol=text(what, row, "symbol") or "",
        bid=bid,
        ask=number(what, row, "ask"),
        volume=number(what, row, "volume"),
        open_interest=number(what, row, "open_interest"),
        volatility=np.nan if one_sided else number(what, greeks, "mid_iv"),
        delta=number(what, greeks, "delta"),
        gamma=number(what, greeks, "gamma"),
        shares=number(what, row, "contract_size"),
    )


def _listed(what: str, document: Json, outer: str, inner: str) -> list[Json]:
    """Return what is listed under two names: nothing, one thing alone, or several."""
    found = field(what, as_object(what, document), outer)
    if found is None or found == "null":
        return []
    value = field(what, as_object(what, found), inner)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _day(what: str, day: Json) -> str:
    if isinstance(day, str) and not pd.isna(
        pd.to_datetime(day, format="%Y-%m-%d", errors="coerce")
    ):
        return day
    raise SchemaViolation(f"{what}: got the expiration {day!r:.40}, allowed are days as 2026-06-18")
