"""A key under audit: its stored rows, and the same rows computed again without their future."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from audit.cut import Moment, cut, landed_at, with_publications
from feature_repo.features.catalogue import OPTIONAL_GROUPS, names
from feature_repo.features.declare import Group
from home.manifest import read_rows
from ingestion.lake.versions import TICK
from ingestion.tables.catalogue import TABLES
from ingestion.tables.frames import CREATED, SESSION
from ingestion.views.catalogue import VIEW_OF
from ingestion.views.compute import changes, compute
from ingestion.views.feature_rows import created_at
from ingestion.views.raw import Raw
from ingestion.views.reader import RawReader

# The share of a value by which two computations of it may differ.
TOLERANCE: Final = 1e-9


@dataclass(frozen=True)
class Row:
    """One stored row of a view against what could be known; both of shape (n_features + 1,)."""

    view: str
    key: str
    session: date
    got: np.ndarray
    expected: np.ndarray

    @cached_property
    def differs(self) -> np.ndarray:
        """Which values differ; the last is the time it was known, which may be later."""
        got, expected = self.got, self.expected
        same = (got == expected) | (np.isnan(got) & np.isnan(expected))
        same |= np.abs(got - expected) <= TOLERANCE * np.abs(expected)
        same[-1] = not got[-1] < expected[-1]
        return np.asarray(~same)


@dataclass(frozen=True)
class Subject:
    """A key, its raw rows and its stored views, and the definitions these were built by."""

    reader: RawReader
    views: Sequence[str]
    raw: Raw
    definitions: Mapping[str, Group]

    @property
    def key(self) -> str:
        """The ticker, or the market."""
        return self.raw.key

    @cached_property
    def stored(self) -> dict[str, pl.DataFrame]:
        """All versions of the rows of the views that hold the key."""
        manifest, data_dir = self.reader.manifest, self.reader.data_dir
        held = [view for view in self.views if (view, self.key) in manifest.entries]
        return {view: read_rows(data_dir, view, [self.key], manifest) for view in held}

    @cached_property
    def changes(self) -> list[datetime]:
        """The times at which the past of an input changed."""
        return changes(self.raw)

    @cached_property
    def published(self) -> Raw:
        """The raw rows, those of macro series with when each was published."""
        return with_publications(self.raw)

    def compared(self, cuts: int, seed: int) -> Iterator[Row]:
        """Yield each view's row of the chosen sessions, stored and as it could be known."""
        for session in self.sessions(cuts, seed):
            moment = Moment.of(session)
            found = {
                view: first_known(rows, moment)
                for view, rows in self.stored.items()
                if session in rows[SESSION]
            }
            raw = cut(self.published, moment)
            times = {view: self.known_by(view, row, moment) for view, row in found.items()}
            for time in set(times.values()):
                wanted = [view for view in found if times[view] == time]
                again = self.rebuilt(raw, time, session)
                for view in wanted:
                    yield self.row(view, session, found[view], again.get(view))

    def sessions(self, cuts: int, seed: int) -> list[date]:
        """Return the sessions to cut at, ascending: the last one has no future to cut off."""
        held = {view: rows[SESSION].unique().sort()[:-1] for view, rows in self.stored.items()}
        longest = max((days.len() for days in held.values()), default=0)
        optional = [view for view in held if view in OPTIONAL_GROUPS]
        short = [view for view in optional if held[view].len() * 2 < longest]
        chosen: set[date] = set()
        for view in [next(iter(held)), *short]:
            chosen |= set(held[view].gather(spread(held[view].len(), cuts, seed)))
        return sorted(chosen)

    def known_by(self, view: str, row: pl.DataFrame, moment: Moment) -> datetime | None:
        """Return up to when raw rows had landed where a row was computed; None for all.

        What a later landing changed is not in the row: it is a version of its own.
        """
        created: datetime = row[CREATED][0]
        if row["version"][0] > 0:
            return created
        reached = landed_at(self.inputs(view), moment.session)
        if reached is None:
            return None
        later = [time for time in self.changes if time > max(reached, created)]
        return later[0] - TICK if later else None

    def inputs(self, view: str) -> list[pl.DataFrame]:
        """Return the tables that have to reach a session before a view has its row."""
        named = (TABLES[name] for name in VIEW_OF[view].tables)
        tables = [table for table in named if table.by_session]
        return [self.raw.sessions, *(rows for t in tables for rows in self.raw.of(t).values())]

    def rebuilt(self, raw: Raw, time: datetime | None, session: date) -> dict[str, np.ndarray]:
        """Return the views' values of a session, and when each row was known."""
        day, values = pd.DatetimeIndex([session]), {}
        for view, aligned, features in compute(raw, time, self.definitions):
            at = aligned.sessions.get_indexer(day)[0]
            if at >= 0:
                known = created_at(aligned, raw.first_live)[at].timestamp()
                values[view] = np.array([*(features[name][at] for name in names(view)), known])
        return values

    def row(self, view: str, session: date, stored: pl.DataFrame, again: np.ndarray | None) -> Row:
        """Return a stored row with what it is held against: nulls where nothing is rebuilt."""
        values = stored.select(pl.col(*names(view)).cast(pl.Float64)).to_numpy()[0]
        known = stored[CREATED][0].timestamp()
        expected = np.full(values.size + 1, np.nan) if again is None else again
        return Row(view, self.key, session, np.append(values, known), expected)


def first_known(rows: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """Return the newest version of a session known at its decision, else the first one."""
    versions = rows.filter(pl.col(SESSION) == moment.session).with_row_index("version")
    known = versions.filter(pl.col(CREATED) <= moment.decision)
    return versions.head(1) if known.is_empty() else known.tail(1)


def spread(count: int, cuts: int, seed: int) -> list[int]:
    """Return places below `count`, ascending, one drawn from each of `cuts` equal parts."""
    edges = np.linspace(0, count, min(cuts, count) + 1).astype(int)
    rng = np.random.default_rng(seed)
    return [int(rng.integers(a, b)) for a, b in pairwise(edges)]
