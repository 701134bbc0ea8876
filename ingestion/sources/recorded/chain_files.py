"""Option chains of many days: one parquet file in the shape that chains are passed on in.

Columns, one row a contract and moment: `quote_date`, `underlying`, `spot` (USD, null where it is
not of that moment), `expiry`, `right` (C or P), `strike` (USD), `bid`, `ask` (USD), `volume`,
`open_interest`, `iv` (a fraction), `delta`, `root`, `quote_time` (as `2023-02-23 21:18 ET`, seconds
allowed, New York; null is the close of the day) and, where it is known, `gamma`. Others, as `last`
and `source`, are not read. Dates are ISO texts or dates. What a vendor writes for none is null
here, see `without_marks`.
"""

import io
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from home.verified import read_regular
from ingestion.sources.wire.option_quotes import without_marks
from market.calendar import NEW_YORK, close
from market.errors import InputError, SchemaViolation

#: The numbers of a row: ours to those of the file.
NUMBERS: Final = {
    "strike": "strike", "underlying_price": "spot", "bid": "bid", "ask": "ask", "volume": "volume",
    "open_interest": "open_interest", "implied_volatility": "iv", "delta": "delta",
}  # fmt: skip
COLUMNS: Final = (
    "quote_date", "underlying", "expiry", "right", "root", "quote_time", *NUMBERS.values(),
)  # fmt: skip
#: A number that earlier files have not.
GAMMA: Final = "gamma"
RIGHTS: Final = {"C": "call", "P": "put"}
FORMS: Final = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
ZONE: Final = " ET"


def chain_file(path: Path, underlying: str | None = None) -> pd.DataFrame:
    """Return the quotes of a file in the columns of `option_chains`, times in UTC.

    Parameters
    ----------
    path
        A parquet file.
    underlying
        Whose quotes; None for all.

    Raises
    ------
    SchemaViolation
        If it is no parquet, a column is missing, or a number, a date, a time or a right cannot be
        read.
    """
    frame = _read(path)
    if underlying is not None:
        frame = frame[frame["underlying"] == underlying].reset_index(drop=True)
    if wrong := set(frame["right"]) - set(RIGHTS):
        raise SchemaViolation(
            f"{path.name}: right: got {sorted(map(str, wrong))[0]!r:.20}, allowed are C and P"
        )
    numbers = {ours: _numbers(path, frame[theirs]) for ours, theirs in NUMBERS.items()}
    gamma = _numbers(path, frame[GAMMA]) if GAMMA in frame else np.nan
    quotes = pd.DataFrame(
        {
            "underlying": frame["underlying"],
            "root": frame["root"],
            "quote_time": _times(path, frame),
            "expiration": _days(path, "expiry", frame["expiry"]),
            "option_type": frame["right"].map(RIGHTS),
            **numbers,
            "gamma": gamma,
        }
    )
    return without_marks(quotes)


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(io.BytesIO(read_regular(path)))
    except pa.ArrowException as error:
        raise SchemaViolation(
            f"{path.name}: got a file that is no parquet ({error!s:.80}), allowed is a file in the "
            "shape that docs/chains.md names"
        ) from None
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise SchemaViolation(f"{path.name}: has no column {', '.join(missing)}")
    gamma = [GAMMA] if GAMMA in table.column_names else []
    frame: pd.DataFrame = table.select([*COLUMNS, *gamma]).to_pandas()
    return frame


def _numbers(path: Path, column: pd.Series) -> pd.Series:
    try:
        return column.astype("Float64").astype(float)
    except (ValueError, TypeError):
        raise SchemaViolation(
            f"{path.name}: {column.name}: got values of type {column.dtype}, allowed are numbers"
        ) from None


def _days(path: Path, name: str, column: pd.Series) -> pd.Series:
    """Return dates as midnights without a zone; of the few there are each is read once."""
    texts = column.astype(str)
    read = {text: pd.to_datetime(text, format="%Y-%m-%d", errors="coerce") for text in set(texts)}
    if unread := sorted(text for text, day in read.items() if pd.isna(day)):
        raise SchemaViolation(
            f"{path.name}: {name}: got the date {unread[0]!r:.40}, allowed is 2023-02-23"
        )
    return texts.map(read).astype("datetime64[ns]")


def _times(path: Path, frame: pd.DataFrame) -> pd.Series:
    """Return the times of quotes in UTC: as written, else the close of their day."""
    texts = frame["quote_time"].astype(object)
    read = {text: _time(path, str(text)) for text in texts.dropna().unique()}
    days = _days(path, "quote_date", frame["quote_date"])
    known = pd.DatetimeIndex(days[texts.isna()].unique())
    try:
        closes = dict(zip(known, close(known), strict=True))
    except InputError as error:
        raise SchemaViolation(f"{path.name}: quote_date, without a time: {error}") from None
    written = texts.map(read)
    found = written.where(texts.notna(), days.map(closes))
    return pd.Series(pd.to_datetime(found, utc=True), index=frame.index).dt.as_unit("ns")


def _time(path: Path, text: str) -> pd.Timestamp:
    for form in FORMS:
        naive = pd.to_datetime(text.removesuffix(ZONE), format=form, errors="coerce")
        if not pd.isna(naive):
            local = naive.tz_localize(NEW_YORK, ambiguous="NaT", nonexistent="NaT")
            if not pd.isna(local):
                return local.tz_convert("UTC").as_unit("ns")
    raise SchemaViolation(
        f"{path.name}: quote_time: got {text!r:.40}, allowed is 2023-02-23 21:18 ET"
    )


def as_file(quotes: pd.DataFrame) -> bytes:
    """Return rows of `option_chains` as a file that `chain_file` reads as the same rows."""
    local = quotes["quote_time"].dt.tz_convert(NEW_YORK)
    kinds = {kind: right for right, kind in RIGHTS.items()}
    frame = pd.DataFrame(
        {
            "quote_date": local.dt.strftime("%Y-%m-%d"),
            "underlying": quotes["underlying"],
            "expiry": quotes["expiration"].dt.strftime("%Y-%m-%d"),
            "right": quotes["option_type"].map(kinds),
            "root": quotes["root"],
            "quote_time": local.dt.strftime(FORMS[1]) + ZONE,
            **{theirs: quotes[ours] for ours, theirs in NUMBERS.items()},
            GAMMA: quotes["gamma"],
        }
    )
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), buffer, compression="zstd")
    return buffer.getvalue()
