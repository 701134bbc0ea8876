"""One view's part of a historical read, and the answer put together from all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
import polars as pl
import pyarrow as pa

from feature_repo.store.arrow_types import as_types
from feature_repo.store.entities import TIMESTAMP, Entities
from feature_repo.store.join import EVENT, KNOWN, TIME, seen_at
from feature_repo.store.source import Source, Stored
from market.errors import InputError


@dataclass(frozen=True)
class Sight:
    """What a read may see: rows known at each entity row's moment, or all known by one time.

    With `known_at` off a row is seen before it was known; `known_by` then bounds all rows alike.
    """

    known_at: bool = True
    known_by: datetime | None = None


@dataclass(frozen=True)
class ViewRead:
    """What is read from one view.

    `keys` maps the stored name of each join key to the entity frame's column, `features` the
    stored name of each feature to its name in the answer. A view without keys answers every row
    alike. An `optional` view in which nothing has landed is all null; any other is then refused.
    """

    name: str
    source: Source
    keys: Mapping[str, str]
    features: Mapping[str, str]
    ttl: timedelta | None
    optional: bool = False

    @property
    def absent(self) -> bool:
        """Whether this is a view that a home may lack, and this home does."""
        return self.optional and not self.source.landed()

    def answer(self, rows: Entities, sight: Sight) -> list[pa.Table]:
        """Return the features of every entity row, in blocks of columns; shape (n_entities, .)."""
        if self.absent:
            null = pa.nulls(rows.table.num_rows, pa.float64())
            return [pa.table(dict.fromkeys(self.features.values(), null))]

        def join(stored: Stored) -> list[pa.Table]:
            stamps = bounded(stored.stamps(list(self.keys)), sight.known_by)
            asked = rows.keyed(self.keys, stamps.schema)
            seen = seen_at(asked, stamps, list(self.keys), self.ttl, known_at=sight.known_at)
            types, blocks = stored.types(), stored.gather(list(self.features), seen)
            return [arrow(block, types).rename_columns(dict(self.features)) for block in blocks]

        return self.source.read(join, self._files(rows))

    def _files(self, rows: Entities) -> list[str] | None:
        """Return the keys whose files to read, None for all: a file holds one text key."""
        if len(self.keys) != 1:
            return None
        (column,) = self.keys.values()
        asked = rows.key(column).drop_nulls().unique()
        return None if asked.dtype.is_numeric() else asked.cast(pl.String).to_list()


def arrow(frame: pl.DataFrame, types: pa.Schema) -> pa.Table:
    """Return a frame as Arrow, in the types that its columns are stored in."""
    return as_types(frame.to_arrow(compat_level=pl.CompatLevel.oldest()), types)


def bounded(stamps: pl.DataFrame, known_by: datetime | None) -> pl.DataFrame:
    """Return stamps whose rows not known by a time have no event, and so are never seen."""
    if known_by is None:
        return stamps
    known = pl.col(KNOWN) <= pl.lit(known_by.astimezone(UTC)).cast(TIME)
    return stamps.with_columns(pl.when(known).then(pl.col(EVENT)))


def answer(rows: Entities, reads: Sequence[ViewRead], sight: Sight) -> pa.Table:
    """Return the entity rows in their order, with the features of all views added."""
    table = rows.table
    for read in reads:
        for block in read.answer(rows, sight):
            for name in block.column_names:
                table = table.append_column(name, block[name])
    return table


def events(
    reads: Sequence[ViewRead], start: datetime, end: datetime, known_by: datetime | None
) -> pd.DataFrame:
    """Return an entity frame of the distinct events of the views in [start, end].

    Parameters
    ----------
    known_by
        Events not known by this time are not there; None takes all.

    Raises
    ------
    InputError
        If the views have different join keys: their events cannot stand in one row.
    """
    reads = [read for read in reads if not read.absent] or list(reads)
    # A view without an entity says something of every row; the rows are those of the others.
    reads = [read for read in reads if read.keys] or reads
    keys = reads[0].keys
    for read in reads:
        if read.keys != keys:
            raise InputError(
                f"views {reads[0].name} and {read.name} have different join keys "
                f"({', '.join(keys)}; {', '.join(read.keys)}): pass an entity frame that has both"
            )
    stored = list(keys)
    found = [
        read.source.read(
            lambda rows: rows.timed(
                rows.between([*stored, *rows.times], start, end, known_by), stored
            )
        )
        for read in reads
    ]
    frame = pl.concat(found).select(*stored, EVENT).unique().sort(EVENT, *stored)
    return frame.rename({**keys, EVENT: TIMESTAMP}).to_pandas()
