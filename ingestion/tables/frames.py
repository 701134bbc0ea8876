"""Raw frames as the lake stores them: polars, one partition at a time, and their bytes."""

import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import pandas as pd
import polars as pl

from home.manifest import FORMAT, Manifest
from home.strict_json import Json, signature
from ingestion.tables.catalogue import TABLES
from ingestion.tables.declare import Table
from market.errors import InputError, SchemaViolation

# What may name a file: no separator, no leading dot, on any file system.
KEY_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._=-]{0,31}$"
UNNAMEABLE: Final = "_"
SESSION: Final = "session"
LANDED: Final = "landed_at"
EVENT: Final = "event_timestamp"
CREATED: Final = "created_timestamp"
# The months without a release of their own that a row reads, as text; null where there is none.
CARRIED: Final = "carried"
SEPARATOR: Final = ", "
TIME: Final = pl.Datetime("us", "UTC")
TYPES: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "string": pl.String,
    "date": pl.Date,
    "timestamp": TIME,
    "float": pl.Float64,
    "int": pl.Int64,
}


def typed(table: Table, frame: pd.DataFrame) -> pl.DataFrame:
    """Return a frame of the declared columns in the types of the lake, NaN as null."""
    columns = []
    for column in table.columns:
        values = frame[column.name]
        if column.dtype == "string":
            # A value that is no string is shown as what it is: it can only be in quarantine.
            values = values.map(lambda value: value if isinstance(value, str) else repr(value),
                                na_action="ignore").astype(object)  # fmt: skip
            values = values.where(values.notna(), None)
            columns.append(pl.Series(column.name, values.to_list(), dtype=pl.String))
        else:
            columns.append(pl.from_pandas(values, nan_to_null=True).cast(TYPES[column.dtype]))
    return pl.DataFrame(columns)


def as_declared(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return stored rows with what was declared after they landed.

    Parameters
    ----------
    name
        A raw table, its quarantine or a view; of the last nothing is added.
    rows
        As its files hold them.
    """
    table = TABLES.get(name.rpartition("/")[2])
    columns = [] if table is None else [c for c in table.columns if c.name not in rows.columns]
    return rows.with_columns(pl.col(c.formerly).alias(c.name) for c in columns if c.formerly)


def partitions(table: Table, frame: pd.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of each partition of a table, by name.

    Raises
    ------
    InputError
        If a partition's name cannot be the name of a file.
    SchemaViolation
        If the frame is not as declared, or holds a key twice.
    """
    rows = typed(table, table.check(frame))
    # By a hash first: comparing the keys of a million rows takes more memory than they do.
    alike = rows.filter(rows.select(table.key).hash_rows().is_duplicated())
    twice = alike.filter(pl.struct(table.key).is_duplicated())
    if twice.height:
        raise SchemaViolation(
            f"table {table.name}: {', '.join(table.key)} = {twice.select(table.key).row(0)} "
            "more than once, allowed is once; pass the frame through the gate"
        )
    parts: Iterable[tuple[tuple[Any, ...], pl.DataFrame]]
    if rows[table.partition].n_unique() == 1:
        parts = [(rows.select(table.partition).row(0), rows)]  # without a copy of them
    else:
        parts = rows.group_by(table.partition, maintain_order=True)
    for (name,), part in parts:
        if name is None or not re.fullmatch(KEY_PATTERN, name):
            raise InputError(
                f"table {table.name}, {table.partition}: got {name!r:.40}, allowed is a name "
                f"like {KEY_PATTERN}; pass the frame through the gate"
            )
        yield name, part


def identity(table: Table) -> tuple[str, ...]:
    """Return the columns by which a rejected row is known again: all that no vendor restates."""
    return tuple(column.name for column in table.columns if not column.restated)


def quarantined(
    table: Table, rejected: pd.DataFrame, reason: str
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield rejected rows and their reason by partition; those that name no file are under `_`."""
    reasons = pl.Series(reason, rejected[reason].to_list(), dtype=pl.String)
    rows = typed(table, rejected).with_columns(reasons)
    rows = rows.unique((*identity(table), reason), keep="first", maintain_order=True)
    name = pl.col(table.partition)
    # Rust's regular expressions know no look-around; none is needed for a file name.
    nameable = name.str.contains(KEY_PATTERN).fill_null(value=False)
    label = pl.when(nameable).then(name).otherwise(pl.lit(UNNAMEABLE)).alias("__file")
    for (key,), part in rows.group_by(label, maintain_order=True):
        yield key, part.select(rows.columns)


def utc(moment: pd.Timestamp) -> datetime:
    """Return a moment in UTC, to the microsecond.

    Raises
    ------
    InputError
        If it has no zone.
    """
    if moment.tzinfo is None:
        raise InputError(f"landed_at: got {moment} without a zone, allowed is a time with one")
    return pd.Timestamp(moment).tz_convert("UTC").floor("us").to_pydatetime()


def parquet_bytes(rows: pl.DataFrame) -> bytes:
    """Return rows as a parquet file: zstd, with statistics; equal rows give equal bytes."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return a manifest as JSON, one line an entry, in the order of tables and keys."""
    entries = [asdict(manifest.entries[key]) for key in sorted(manifest.entries)]
    answers: dict[str, dict[str, tuple[str | None, bool]]] = {}
    for (table, key), answer in sorted(manifest.answers.items()):
        answers.setdefault(table, {})[key] = (answer.through, answer.refused)
    head: dict[str, Json] = {
        "format": FORMAT,
        "origin": manifest.origin,
        "first_live_landing": manifest.first_live_landing,
        "tables": {name: asdict(state) for name, state in sorted(manifest.tables.items())},
        "answers": answers,
    }
    head["sha256"] = signature({**head, "entries": entries})
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    return f'{json.dumps(head)[:-1]}, "entries": [\n{lines}\n]}}\n'.encode()
