"""Recorded option chains of many days: one parquet file in the shape that chains are passed on in.

Columns, one row a contract and moment: `quote_date`, `underlying`, `spot` (USD, null where it is
not of that moment), `expiry`, `right` (C or P), `strike` (USD), `bid`, `ask` (USD), `last`,
`volume`, `open_interest`, `iv` (a fraction), `delta`, `source`, `root`, `quote_time` (as
`2023-02-23 21:18 ET`, New York; null is the close of the day). Dates are ISO texts or dates. What a
vendor writes for none is null here: an iv of 0, a bid and an ask that are both 0.
"""

import io
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from home.verified import read_regular
from ingestion.sources.recorded.chains import NOT_INVERTED
from market.calendar import NEW_YORK, close
from market.errors import SchemaViolation

COLUMNS: Final = (
    "quote_date", "underlying", "spot", "expiry", "right", "strike", "bid", "ask", "volume",
    "open_interest", "iv", "delta", "root", "quote_time",
)  # fmt: skip
RIGHTS: Final = {"C": "call", "P": "put"}


def chain_file(path: Path) -> pd.DataFrame:
    """Return the quotes of a file: root, times in UTC, prices in USD, volatilities as fractions.

    Raises
    ------
    SchemaViolation
        If a column is missing, or a date, a time or a right cannot be read.
    """
    table = pq.read_table(io.BytesIO(read_regular(path)))
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise SchemaViolation(f"{path.name}: has no column {', '.join(missing)}")
    frame = table.select(list(COLUMNS)).to_pandas()
    if wrong := set(frame["right"]) - set(RIGHTS):
        raise SchemaViolation(f"{path.name}: right: got {sorted(map(str, wrong))[0]!r:.20}, "
                              "allowed are C and P")  # fmt: skip
    none = (frame["bid"] == 0.0) & (frame["ask"] == 0.0)
    return pd.DataFrame(
        {
            "underlying": frame["underlying"],
            "root": frame["root"],
            "quote_time": _times(path, frame),
            "expiration": _days(path, frame["expiry"]),
            "strike": frame["strike"].astype(float),
            "option_type": frame["right"].map(RIGHTS),
            "underlying_price": frame["spot"].astype(float),
            "bid": frame["bid"].astype(float).mask(none),
            "ask": frame["ask"].astype(float).mask(none),
            "volume": frame["volume"].astype("Int64").astype(float),
            "open_interest": frame["open_interest"].astype("Int64").astype(float),
            "implied_volatility": frame["iv"].astype(float).mask(frame["iv"] <= NOT_INVERTED),
            "delta": frame["delta"].astype(float),
        }
    )


def _days(path: Path, column: pd.Series) -> pd.Series:
    """Return dates as midnights without a zone; of the few there are each is read once."""
    texts = column.astype(str)
    read = {text: pd.to_datetime(text, format="%Y-%m-%d", errors="coerce") for text in set(texts)}
    if unread := [text for text, day in read.items() if pd.isna(day)]:
        raise SchemaViolation(f"{path.name}: got the date {unread[0]!r:.40}, allowed is 2023-02-23")
    return texts.map(read).astype("datetime64[ns]")


def _times(path: Path, frame: pd.DataFrame) -> pd.Series:
    """Return the times of quotes in UTC: as written, else the close of their day."""
    days = _days(path, frame["quote_date"])
    known = pd.DatetimeIndex(days.unique())
    closes = pd.Series(close(known), index=known)
    texts = frame["quote_time"].astype(object)
    read = {text: _time(path, text) for text in texts.dropna().unique()}
    written = texts.map(read)
    found = np.where(written.isna(), days.map(closes), written)
    return pd.Series(pd.to_datetime(found, utc=True), index=frame.index)


def _time(path: Path, text: str) -> pd.Timestamp:
    try:
        naive = pd.to_datetime(str(text).removesuffix(" ET"), format="%Y-%m-%d %H:%M")
    except ValueError:
        raise SchemaViolation(
            f"{path.name}: quote_time: got {text!r:.40}, allowed is 2023-02-23 21:18 ET"
        ) from None
    return naive.tz_localize(NEW_YORK).tz_convert("UTC")
