"""The point-in-time join: which stored row an entity row sees at its moment.

A stored row has an event time (when what it describes happened) and a known time (when it could
be read). A read at `t` sees, of the rows of its key with event <= t and known <= t, the one with
the latest event, then the latest known time. Both conditions hold exactly when
`max(event, known) <= t`, so a row *appears* at that maximum and a key's answer at `t` is the best
row that has appeared by then: a running maximum over the order of appearance. One as-of join on
the appearance finds it, late corrections and rows older than what is already known included.

Pure functions over frames; times are Datetime("ns", "UTC").
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from market.errors import InputError

AS_OF: Final = "__as_of"
EVENT: Final = "__event"
KNOWN: Final = "__known"
TIME: Final = pl.Datetime("ns", "UTC")

_POSITION: Final = "__position"
_RANK: Final = "__rank"
_ORDER: Final = "__order"
_NANOSECONDS: Final = 1_000
_LONGEST: Final = 2**63 - 1
_ALL: Final = "__all"


def seen_at(
    entities: pl.DataFrame,
    rows: pl.DataFrame,
    keys: Sequence[str],
    ttl: timedelta | None = None,
    *,
    known_at: bool = True,
) -> pl.Series:
    """Return the position in `rows` of what each entity row sees, null where it sees nothing.

    Parameters
    ----------
    entities
        The keys and `AS_OF`; any order, duplicates and nulls allowed.
    rows
        The keys, `EVENT` and `KNOWN`; any order. Of rows equal in all of them the last one
        counts. A row with a null among them is never seen.
    keys
        The join key columns of both; without any, all rows are of one key.
    ttl
        The longest time from the event to the read, itself included; None or 0 is unlimited.
    known_at
        False sees rows before they were known: the known time then only orders equal events.

    Returns
    -------
    pl.Series
        Row numbers, UInt32; shape (n_entities,).
    """
    if not keys:
        entities, rows = (one.with_columns(pl.lit(0).alias(_ALL)) for one in (entities, rows))
        keys = [_ALL]
    best = appearances(rows, keys, known_at=known_at)
    asked = entities.select(*keys, AS_OF).with_row_index(_ORDER).sort(AS_OF)
    found = asked.join_asof(
        best,
        left_on=AS_OF,
        right_on=KNOWN,
        by=list(keys),
        strategy="backward",
        check_sortedness=False,  # both sides were sorted above; by key it cannot be checked
    )
    fresh = within(pl.col(AS_OF) - pl.col(EVENT), ttl)
    position = pl.when(pl.col(AS_OF).is_not_null() & fresh).then(pl.col(_POSITION))
    return found.sort(_ORDER).select(position.alias(_POSITION)).to_series()


def appearances(rows: pl.DataFrame, keys: Sequence[str], *, known_at: bool) -> pl.DataFrame:
    """Return, per appearance of a row, the best row of its key from then on.

    Columns: the keys, `KNOWN` (the appearance, sorted), the position and `EVENT` of the best row.
    """
    ranked = ordered(rows, keys).with_row_index(_RANK)
    by_rank = ranked.select(_POSITION, EVENT)
    appears = pl.max_horizontal(EVENT, KNOWN) if known_at else pl.col(EVENT)
    shown = (
        (ranked.drop_nulls(KNOWN) if known_at else ranked)
        .select(*keys, appears.alias(KNOWN), _RANK)
        .sort(KNOWN, _RANK)
        .with_columns(pl.col(_RANK).cum_max().over(keys))
    )
    return shown.select(*keys, KNOWN).hstack(by_rank[shown.get_column(_RANK)])


def latest(rows: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """Return the position in `rows` of the row with the latest event, then known time, per key.

    Of equal rows the last one counts; a row without a key or an event is left out.
    """
    ranked = ordered(rows, keys)
    newest = ranked.unique(list(keys), keep="last") if keys else ranked.tail(1)
    return newest.get_column(_POSITION).sort()


def ordered(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return the rows and their positions, a better row after a worse one; no null keys, events."""
    return (
        rows.select(*keys, EVENT, KNOWN)
        .with_row_index(_POSITION)
        .drop_nulls([*keys, EVENT])
        .sort(EVENT, KNOWN, _POSITION)
    )


def within(age: pl.Expr, ttl: timedelta | None) -> pl.Expr:
    """Return whether an age (a Duration in ns) is at most `ttl`; None or 0 is unlimited."""
    if not ttl:
        return pl.lit(value=True)
    limit = ttl // timedelta(microseconds=1) * _NANOSECONDS
    return age.dt.total_nanoseconds() <= min(limit, _LONGEST)


def as_key(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Return an entity key in the type of the stored key; a value that type lacks is null.

    Raises
    ------
    InputError
        If the two types hold different kinds of values, text and numbers for example.
    """
    if column.dtype == dtype or column.dtype == pl.Null:
        return column.cast(dtype)
    if dtype == pl.String and isinstance(column.dtype, pl.Categorical | pl.Enum):
        return column.cast(dtype)
    if dtype.is_integer() and column.dtype.is_numeric():
        whole = column.to_frame().select(
            pl.when(pl.first() == pl.first().round(0)).then(pl.first())
        )
        return whole.to_series().cast(
            dtype, strict=False
        )  # pandas holds integers with gaps as floats
    raise InputError(
        f"entity key {column.name}: got {column.dtype}, stored is {dtype}; "
        "convert the column of the entity frame"
    )


def as_time(column: pl.Series, name: str) -> pl.Series:
    """Return a column of times as Datetime("ns", "UTC"); a time without a zone is in UTC.

    Raises
    ------
    InputError
        If the column holds no times, or times that nanoseconds cannot hold.
    """
    dtype = column.dtype
    if not isinstance(dtype, pl.Datetime):
        raise InputError(f"{name}: got {dtype}, allowed are timestamps")
    try:
        return in_utc(column).cast(TIME)
    except pl.exceptions.InvalidOperationError:
        years = column.dt.year()
        raise InputError(
            f"{name}: got a year of {years.min()} to {years.max()}, allowed are 1678 to 2261"
        ) from None


def in_utc(column: pl.Series) -> pl.Series:
    """Return timestamps in UTC, in their unit; without a zone they are taken for UTC."""
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is None:
        return column.dt.replace_time_zone("UTC")
    return column.dt.convert_time_zone("UTC")
