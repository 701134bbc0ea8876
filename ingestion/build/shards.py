"""A shard of a build: the features of some keys, from raw files to feature files.

It reads the files that its part of the manifest names and writes files that nothing names yet. It
takes no lock and switches nothing, so that it may run in any process; the one build that holds the
data folder stages what it returns.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
import structlog

from feature_repo.features.catalogue import GROUPS, names
from feature_repo.features.declare import Group
from feature_repo.features.planted import with_leak
from home.manifest import Entry, Manifest, TableState
from ingestion.build.carried import with_carried
from ingestion.lake.data_folder import Partition, stored_rows, write_partition
from ingestion.lake.lake import features_folder
from ingestion.lake.versions import TICK, append
from ingestion.tables.catalogue import PRICES
from ingestion.tables.frames import CARRIED, CREATED, SESSION
from ingestion.views.catalogue import VIEW_OF
from ingestion.views.compute import Computed, changes, compute
from ingestion.views.feature_rows import feature_rows
from ingestion.views.raw import Raw, no_rows
from ingestion.views.reader import RawReader
from market.errors import InputError

logger = structlog.get_logger(__name__)

# Enough keys to make a task of seconds, few enough that their shared raw rows stay small.
SHARD_KEYS: Final = 16
Rows = dict[str, pl.DataFrame | None]


@dataclass(frozen=True)
class BuildTask:
    """What all shards of a build share.

    Attributes
    ----------
    data_dir
        The data folder of the home, as every worker sees it.
    views
        The state of each view that was opened for writing.
    time
        The landing: when corrections become known, UTC.
    first_live
        The home's first live landing, None where there was none.
    plant_leak
        Compute one feature with tomorrow's close (`features.planted`).
    """

    data_dir: Path
    views: Mapping[str, TableState]
    time: datetime
    first_live: datetime | None = None
    plant_leak: bool = False

    def definitions(self) -> Mapping[str, Group]:
        """Return the groups to compute by."""
        return with_leak() if self.plant_leak else GROUPS

    def views_of(self, entity: str) -> list[str]:
        """Return the opened views of an entity."""
        return [view for view in self.views if GROUPS[view].entity == entity]


@dataclass(frozen=True)
class Shard:
    """Keys of one entity, and the part of the manifest that names all they need."""

    entity: str
    keys: tuple[str, ...]
    manifest: Manifest


@dataclass(frozen=True)
class KeyBuilt:
    """What became of one key.

    Attributes
    ----------
    key
        The ticker, or the market.
    entries
        The files written.
    counts
        By view, how many rows were new and how many corrected.
    skipped
        Versions of its prices that no adjustment can compute with, as stored.
    failed
        Why nothing was written of a view, by view; none where the key was built.
    """

    key: str
    entries: tuple[Entry, ...]
    counts: Mapping[str, Counter[str]]
    skipped: pl.DataFrame
    failed: Mapping[str, str] = field(default_factory=dict)


def shards_of(
    task: BuildTask, reader: RawReader, keys: Sequence[tuple[str, str]], size: int = SHARD_KEYS
) -> list[Shard]:
    """Return the keys in shards of one entity each, in their order.

    Parameters
    ----------
    task
        The build.
    reader
        Knows the raw rows that a key needs.
    keys
        The (entity, key) to build.
    size
        The most keys of a shard.
    """
    by_entity: dict[str, list[str]] = {}
    for entity, key in keys:
        by_entity.setdefault(entity, []).append(key)
    return [
        Shard(entity, part, _part_of(task, reader, entity, part))
        for entity, mine in by_entity.items()
        for part in (tuple(mine[at : at + size]) for at in range(0, len(mine), size))
    ]


def _part_of(task: BuildTask, reader: RawReader, entity: str, keys: Sequence[str]) -> Manifest:
    """Return a manifest of only what the keys are computed from and what they have."""
    wanted = dict.fromkeys(name for key in keys for name in reader.inputs(entity, key))
    wanted |= dict.fromkeys((view, key) for view in task.views_of(entity) for key in keys)
    stored = reader.manifest.entries
    entries = {name: stored[name] for name in wanted if name in stored}
    return replace(reader.manifest, entries=entries)


def build_shard(task: BuildTask, shard: Shard) -> Iterator[KeyBuilt]:
    """Yield each key of a shard, once its new and changed rows are on the disk.

    A key that has no prices, or whose raw rows make no features, is told with the reason and leaves
    the others alone (Decision 24).
    """
    reader = RawReader(task.data_dir, shard.manifest)
    for key in shard.keys:
        try:
            yield build_key(task, shard, reader.raw(shard.entity, key))
        except InputError as error:
            failed = dict.fromkeys(task.views_of(shard.entity), str(error))
            yield KeyBuilt(key, (), {}, no_rows(PRICES), failed)


def build_key(task: BuildTask, shard: Shard, raw: Raw) -> KeyBuilt:
    """Write what is new or changed in the views of one key.

    A view that has rows is brought to what is known now. One that has none, as in a new
    generation, is built as it would have been at each time its past changed, so that a correction
    stays one and is known from its landing on. One that needs a damaged file is left as it is.
    """
    needed = {view: VIEW_OF[view].name for view in task.views_of(raw.entity)}
    failed = {view: raw.damaged[name] for view, name in needed.items() if name in raw.damaged}
    held: Rows = {
        view: stored_rows(task.data_dir, shard.manifest, task.views[view], view, raw.key)
        for view in needed
        if view not in failed
    }
    stored = {view: _with_provenance(view, rows, raw) for view, rows in held.items()}
    rows, counts = _appended(task, raw, stored)
    entries = tuple(
        _write(task, view, raw.key, made)
        for view, made in rows.items()
        if made is not None and (counts[view].total() or made is not held[view])
    )
    return KeyBuilt(raw.key, entries, counts, raw.skipped, failed)


def _with_provenance(view: str, rows: pl.DataFrame | None, raw: Raw) -> pl.DataFrame | None:
    """Return stored rows with what they carry, which an earlier version did not write."""
    if rows is None or CARRIED in rows.columns:
        return rows
    return with_carried(view, rows, raw)


def _appended(task: BuildTask, raw: Raw, stored: Rows) -> tuple[Rows, dict[str, Counter[str]]]:
    """Return all versions of the rows of each view, and how many are new and how many corrected."""
    rows, counts = dict(stored), {view: Counter[str]() for view in stored}
    for known_by, corrected_at in _steps(raw, stored, task.time):
        for view, aligned, features in _computed(task, raw, known_by):
            if view not in stored or (known_by is not None and stored[view] is not None):
                continue
            incoming = feature_rows(raw.entity, raw.key, aligned, features, task.first_live)
            incoming = with_carried(view, incoming, raw.landed_by(known_by))
            known_from = corrected_at if stored[view] is None else task.time
            columns = (raw.entity, SESSION)
            result = append(rows[view], incoming, columns, names(view), CREATED, known_from)
            rows[view] = result.rows
            counts[view] += Counter(new=result.new, corrected=result.corrected)
    return rows, counts


def _write(task: BuildTask, view: str, key: str, rows: pl.DataFrame) -> Entry:
    generation = task.views[view].generation
    place = Partition(view, key, generation, features_folder(view, generation))
    return write_partition(task.data_dir, place, rows, SESSION, task.time)


def _steps(raw: Raw, stored: Rows, time: datetime) -> Iterator[tuple[datetime | None, datetime]]:
    """Yield up to when raw rows are seen (None: all), and from when their corrections are known."""
    past = changes(raw) if any(rows is None for rows in stored.values()) else []
    return zip([*(change - TICK for change in past), None], [time, *past], strict=True)


def _computed(task: BuildTask, raw: Raw, known_by: datetime | None) -> list[Computed]:
    """Return the features as known by a time; none of a past time that makes none."""
    try:
        return list(compute(raw, known_by, task.definitions()))
    except InputError as error:
        if known_by is None:
            raise InputError(f"{raw.key}: {error}") from error
        logger.warning("skipped as it makes no features", key=raw.key, known_by=known_by, why=error)
        return []
