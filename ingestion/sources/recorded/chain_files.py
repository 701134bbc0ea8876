"""Option chains of many days: one parquet file in the shape that chains are passed on in.

Columns, one row a contract and moment: `quote_date`, `underlying`, `spot` (USD, null where it is
not of that moment), `expiry`, `right` (C or P), `strike` (USD), `bid`, `ask` (USD), `volume`,
`open_interest`, `iv` (a fraction), `delta`, `root`, `quote_time` (as `2023-02-23 21:18 ET`, seconds
allowed, New York; null is the close of the day) and, where it is known, `gamma`. Others, as `last`
and `source`, are not read. Dates are ISO texts or dates. What a vendor writes for none is null
here, see `without_marks`.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from home.verified import read_regular
from ingestion.sources.recorded.chain_times import FORMS, ZONE, days_of, times_of
from ingestion.sources.wire.option_quotes import without_marks
from market.calendar import NEW_YORK
from market.errors import SchemaViolation

#: The numbers of a row: ours to those of the file.
NUMBERS: Final = {
    "strike": "strike", "underlying_price": "spot", "bid": "bid", "ask": "ask", "volume": "volume",
    "open_interest": "open_interest", "implied_volatility": "iv", "delta": "delta",
}  # fmt: skip
DAYS: Final = ("quote_date", "expiry")
WORDS: Final = ("underlying", "right", "root", "quote_time")
TEXTS: Final = (*DAYS, *WORDS)
COLUMNS: Final = (*TEXTS, *NUMBERS.values())
#: Rows of a file that are read at a time.
CHUNK: Final = 131_072
#: A number that earlier files have not.
GAMMA: Final = "gamma"
RIGHTS: Final = {"C": "call", "P": "put"}


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
        If it is no parquet, a column is missing, a number, a date, a time or a right cannot be
        read, a row is of no underlying, or a time is of another day than its row.
    """
    parts = [_quotes(path, part) for part in _read(path, underlying)]
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _quotes(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    if wrong := set(frame["right"].cat.remove_unused_categories().cat.categories) - set(RIGHTS):
        raise SchemaViolation(
            f"{path.name}: right: got {sorted(map(str, wrong))[0]!r:.20}, allowed are C and P"
        )
    numbers = {ours: _numbers(path, frame[theirs]) for ours, theirs in NUMBERS.items()}
    gamma = _numbers(path, frame[GAMMA]) if GAMMA in frame else np.nan
    quotes = pd.DataFrame(
        {
            "underlying": frame["underlying"].astype(object),
            "root": frame["root"].astype(object),
            "quote_time": times_of(path, frame),
            "expiration": days_of(path, frame["expiry"]),
            "option_type": frame["right"].astype(object).map(RIGHTS),
            **numbers,
            "gamma": gamma,
        }
    )
    return without_marks(quotes)


def _read(path: Path, underlying: str | None) -> Iterator[pd.DataFrame]:
    """Yield the rows of an underlying, `CHUNK` rows of the file at a time; one frame at least.

    Texts and dates are categories: of the few there are each is read once.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(read_regular(path)))
        names = file.schema_arrow.names
        if missing := [name for name in COLUMNS if name not in names]:
            raise SchemaViolation(f"{path.name}: has no column {', '.join(missing)}")
        _check_types(path, file.schema_arrow)
        columns = [*COLUMNS, *([GAMMA] if GAMMA in names else [])]
        empty = pa.Table.from_batches([], file.schema_arrow).select(columns)
        found = False
        for batch in file.iter_batches(CHUNK, columns=columns):
            table = pa.Table.from_batches([batch])
            whose = table["underlying"].cast(pa.string())
            if whose.null_count:  # nobody's: no landing of an underlying would read them
                raise SchemaViolation(
                    f"{path.name}: underlying: got none in a row, allowed is a "
                    "name such as SPX in each"
                )
            if underlying is not None:
                table = table.filter(pc.equal(whose, underlying))
            if len(table):
                found = True
                yield _categorised(table)
        if not found:
            yield _categorised(empty)
    except pa.ArrowException as error:
        raise SchemaViolation(
            f"{path.name}: got a file that is no parquet ({error!s:.80}), allowed is a file in the "
            "shape that docs/chains.md names"
        ) from None


def _check_types(path: Path, schema: pa.Schema) -> None:
    for name in TEXTS:
        kind = schema.field(name).type
        of = kind.value_type if pa.types.is_dictionary(kind) else kind
        words = any(is_one(of) for is_one in _IS_TEXT)
        if not words and (name in WORDS or pa.types.is_nested(of)):
            allowed = "texts" if name in WORDS else "texts or dates"
            raise SchemaViolation(
                f"{path.name}: {name}: got values of type {kind}, allowed are {allowed}"
            )


_IS_TEXT: Final = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null,
)  # fmt: skip


def _categorised(table: pa.Table) -> pd.DataFrame:
    for name in TEXTS:
        at = table.column_names.index(name)
        column = table[name]
        if pa.types.is_null(column.type):
            column = column.cast(pa.string())
        table = table.set_column(at, name, column.dictionary_encode().unify_dictionaries())
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _numbers(path: Path, column: pd.Series) -> pd.Series:
    try:
        return column.astype("Float64").astype(float)
    except (ValueError, TypeError):
        raise SchemaViolation(
            f"{path.name}: {column.name}: got values of type {column.dtype}, allowed are numbers"
        ) from None


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
