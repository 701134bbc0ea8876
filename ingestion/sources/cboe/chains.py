"""Cboe's delayed quotes of a chain as rows: quotes in USD, volatilities as fractions.

`iv` of a contract is a fraction, `iv30` of the underlying (not read) a percent. The outer timestamp
is in UTC, `last_trade_time` (not read) in New York.
"""

from typing import Final

import pandas as pd

from home.strict_json import Json
from ingestion.sources.wire.json_answer import Row, as_object, as_rows, field, number, text
from ingestion.sources.wire.option_quotes import Sent, chain_rows
from market.errors import SchemaViolation

FIELDS: Final = ("option", "bid", "ask", "iv", "open_interest", "volume", "delta", "gamma")
FORM: Final = "%Y-%m-%d %H:%M:%S"


def delayed_chain(what: str, document: Json, underlying: str) -> pd.DataFrame:
    """Return the columns of `option_chains` of Cboe's answer for an underlying.

    Raises
    ------
    KeyUnavailable
        If it holds no contract.
    SchemaViolation
        If it cannot be read to the letter.
    """
    whole = as_object(what, document)
    data = as_object(f"{what}, data", field(what, whole, "data"))
    rows = as_rows(f"{what}, options", field(what, data, "options"), FIELDS)
    contracts = [_sent(f"{what}, option {at}", row) for at, row in enumerate(rows)]
    spot = number(f"{what}, data", data, "current_price")
    return chain_rows(what, underlying, _moment(what, whole), spot, contracts)


def _sent(what: str, row: Row) -> Sent:
    bid, ask, iv, interest, volume, delta, gamma = (number(what, row, f) for f in FIELDS[1:])
    return Sent(text(what, row, "option") or "", bid, ask, volume, interest, iv, delta, gamma)


def _moment(what: str, whole: Row) -> pd.Timestamp:
    said = text(what, whole, "timestamp")
    moment = pd.to_datetime(said, format=FORM, errors="coerce", utc=True)
    if pd.isna(moment):
        raise SchemaViolation(
            f"{what}, field timestamp: got {said!r:.40}, allowed is a time as 2026-07-22 22:51:31"
        )
    return moment
