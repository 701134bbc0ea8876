"""Versions of a row: what is new, what is a correction, and what is the same again.

Pure functions over polars frames. A row is named by its key columns, in which a null equals a
null; its versions are ordered by one column of times, the newest last. No version is ever changed
or removed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from home.manifest import latest
from market.errors import InputError

# A value that moved by no more than this share of itself is the same value.
CORRECTION: Final = 1e-9
TICK: Final = timedelta(microseconds=1)

_STORED: Final = "__stored_"
_ADDED: Final = "__added"


@dataclass(frozen=True)
class Appended:
    """All versions after an append, and how many rows were new and how many corrected."""

    rows: pl.DataFrame
    new: int
    corrected: int

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.new or self.corrected)


def append(
    stored: pl.DataFrame | None,
    incoming: pl.DataFrame,
    key: Sequence[str],
    values: Sequence[str],
    known: str,
    corrected_at: datetime,
) -> Appended:
    """Return the stored versions and the incoming rows that differ from the newest of them.

    Parameters
    ----------
    stored
        All versions so far, in the order of `read_rows`; None if there are none.
    incoming
        At most one row a key; its `known` column holds the time of a row that is new.
    key, values
        The columns that name a row, and those whose change makes a correction: by more than
        1e-9 of the stored value, or between null and a value.
    known
        The column that orders versions.
    corrected_at
        The time of a correction; where the newest version is not older, a microsecond after it.

    Returns
    -------
    Appended
        Rows sorted by key, then version.
    """
    if stored is None:
        return Appended(incoming.sort(*key, known), incoming.height, 0)
    newest = latest(stored, key)
    if newest.select(*key, *values).equals(incoming.select(*key, *values)):
        return Appended(stored, 0, 0)
    newest = newest.select(
        *key, pl.col(known, *values).name.prefix(_STORED), pl.lit(value=True).alias(_STORED)
    )
    both = incoming.join(newest, on=list(key), how="left", nulls_equal=True, maintain_order="left")
    is_new = pl.col(_STORED).is_null()
    fresh = both.filter(is_new)
    moved = both.filter(~is_new & _any_differs(values, stored.schema)).with_columns(
        pl.max_horizontal(
            pl.lit(corrected_at).cast(stored.schema[known]), pl.col(_STORED + known) + TICK
        ).alias(known)
    )
    added = [frame.select(stored.columns) for frame in (fresh, moved)]
    rows = pl.concat([stored, *added]).sort(*key, known) if fresh.height + moved.height else stored
    return Appended(rows, fresh.height, moved.height)


def insert(
    stored: pl.DataFrame | None,
    incoming: pl.DataFrame,
    key: Sequence[str],
    values: Sequence[str],
    known: str,
) -> Appended:
    """Return the stored versions and incoming ones that were known at times of their own.

    Parameters
    ----------
    stored, key, values, known
        As in `append`.
    incoming
        Any number of rows a key, each with the time from which it was known. One that says what
        the version known before it says changes nothing.

    Returns
    -------
    Appended
        Rows sorted by key, then version; a version later than the incoming one stays the newest.

    Raises
    ------
    InputError
        If two versions of one row that differ were known at the same time.
    """
    added = pl.lit(value=True).alias(_ADDED)
    parts = [] if stored is None else [stored.with_columns(~added)]
    parts.append(incoming.with_columns(added))
    both = pl.concat(parts, how="vertical").sort(*key, known, _ADDED)
    before = both.with_columns(pl.col(values).shift(1).over(list(key)).name.prefix(_STORED))
    is_first = pl.int_range(pl.len()).over(list(key)) == 0
    differs = _any_differs(values, both.schema)
    kept = before.filter(~pl.col(_ADDED) | is_first | differs).with_columns(first=is_first)
    clash = kept.filter(pl.struct(*key, known).is_duplicated())
    if clash.height:
        raise InputError(
            f"{', '.join(key)} = {clash.select(key).row(0)}: two rows that differ, both of "
            f"{clash[known][0]}, allowed is one; choose one of them"
        )
    found = kept.filter(_ADDED)
    new = found["first"].sum()
    return Appended(kept.select(incoming.columns), new, found.height - new)


def _any_differs(values: Sequence[str], schema: Mapping[str, pl.DataType]) -> pl.Expr:
    return reduce(or_, (_differs(name, schema[name]) for name in values), pl.lit(value=False))


def _differs(name: str, dtype: pl.DataType) -> pl.Expr:
    now, before = pl.col(name), pl.col(_STORED + name)
    if not dtype.is_numeric():
        return now.ne_missing(before)
    moved = (now - before).abs() > CORRECTION * before.abs()
    return moved.fill_null(value=False) | (now.is_null() != before.is_null())


def out_of_order(rows: pl.DataFrame, key: Sequence[str], date: str, known: str) -> list[datetime]:
    """Return the times at which the past changed: corrections, and rows that came late.

    A row is late if a row with a later date was known before it.

    Parameters
    ----------
    rows
        All versions of the rows of one partition.
    key, known
        As in `append`.
    date
        The column that dates a row.
    """
    first_of_key = pl.col(known) == pl.col(known).min().over(list(key))
    by_time = rows.with_columns(is_first=first_of_key).group_by(known, maintain_order=False).agg(
        corrects=(~pl.col("is_first")).any(), earliest=pl.col(date).min(), newest=pl.col(date).max()
    )  # fmt: skip
    ordered = by_time.sort(known).with_columns(before=pl.col("newest").cum_max().shift(1))
    late = pl.col("corrects") | (pl.col("earliest") < pl.col("before")).fill_null(value=False)
    return ordered.filter(late).get_column(known).to_list()
