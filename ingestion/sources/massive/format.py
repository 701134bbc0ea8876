"""Massive's snapshots of a chain as contracts: USD, volatilities as fractions.

Times are nanoseconds since 1970. A page holds a list of contracts; the snapshot of one contract
holds it alone, as an object. Greeks and the volatility are missing where they could not be
computed, and quotes where the plan has none.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from home.strict_json import Json
from ingestion.sources.wire.json_answer import (
    Row,
    as_object,
    as_rows,
    field,
    number,
    text,
    whole,
)
from ingestion.sources.wire.option_quotes import Sent

FIELDS: Final = ("details",)


class Page(NamedTuple):
    """Contracts of a page; NaN, NaT and None where it does not say.

    Attributes
    ----------
    quoted
        When the newest of the quotes stood, UTC.
    spot
        The price of the underlying in USD, or the level of the index.
    following
        The address of the next page.
    """

    sent: list[Sent]
    quoted: pd.Timestamp
    spot: float
    following: str | None


def page(what: str, document: Json) -> Page:
    """Return what a page of a snapshot says.

    Raises
    ------
    SchemaViolation
        If it cannot be read to the letter.
    """
    answer = as_object(what, document)
    results = answer.get("results")
    found = [results] if isinstance(results, dict) else [] if results is None else results
    rows = as_rows(what, found, FIELDS)
    quotes = [_part(what, row, "last_quote") for row in rows]
    moments = [whole(what, quote, "last_updated") for quote in quotes if quote.get("last_updated")]
    quoted = pd.Timestamp(max(moments), unit="ns", tz="UTC") if moments else pd.NaT
    spots = [_spot(what, _part(what, row, "underlying_asset")) for row in rows]
    spot = next((spot for spot in spots if not np.isnan(spot)), np.nan)
    sent = [_sent(what, row, quote) for row, quote in zip(rows, quotes, strict=True)]
    return Page(sent, quoted, spot, text(what, answer, "next_url"))


def _sent(what: str, row: Row, quote: Row) -> Sent:
    details = as_object(what, field(what, row, "details"))
    greeks = _part(what, row, "greeks")
    return Sent(
        symbol=text(what, details, "ticker") or "",
        bid=number(what, quote, "bid"),
        ask=number(what, quote, "ask"),
        volume=number(what, _part(what, row, "day"), "volume"),
        open_interest=number(what, row, "open_interest"),
        volatility=number(what, row, "implied_volatility"),
        delta=number(what, greeks, "delta"),
        gamma=number(what, greeks, "gamma"),
        shares=number(what, details, "shares_per_contract"),
    )


def _spot(what: str, asset: Row) -> float:
    # A share has a price, an index a value.
    price = number(what, asset, "price")
    return number(what, asset, "value") if np.isnan(price) else price


def _part(what: str, row: Row, name: str) -> Row:
    return as_object(f"{what}, field {name}", row.get(name) or {})
