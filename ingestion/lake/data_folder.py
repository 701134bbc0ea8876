"""A home's data folder held for writing: one lock, staged files, one switch of the manifest.

Files are named by their content and written before the manifest that names them, which is switched
last: whenever the process dies, every file that the manifest names is whole. Files that it no
longer names stay for readers under way; the next session that writes removes them.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import polars as pl
from filelock import FileLock, Timeout

from home.files import TEMPORARY, replace_file, sweep, sync_folder
from home.manifest import (
    MANIFEST,
    Answer,
    Entry,
    Manifest,
    TableState,
    day_of,
    read_manifest,
    read_rows,
)
from home.origin import ORIGINS
from ingestion.tables.frames import as_declared, manifest_bytes, parquet_bytes
from market.errors import InputError, UnknownName

LOCK: Final = ".lock"
FOLDERS: Final = ("raw", "features", "quarantine")


class DataFolder:
    """The data folder of a home, held for writing inside a `with` block.

    Parameters
    ----------
    data_dir
        The data folder; created when entered.

    Attributes
    ----------
    manifest
        The readable state, as of the last commit.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.manifest = Manifest()
        self._lock = FileLock(data_dir / LOCK, timeout=0)
        self._staged: dict[tuple[str, str], Entry] = {}
        self._opened: dict[str, TableState] = {}
        self._dropped: set[tuple[str, str]] = set()
        self._answers: dict[tuple[str, str], Answer] = {}
        self._swept = False

    def __enter__(self) -> Self:
        """Take the home's one lock and read its manifest.

        Raises
        ------
        InputError
            If another process holds the lock, or the manifest cannot be read.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise InputError(
                f"another process is writing to {self.data_dir}; wait for it to end, one at a time"
            ) from None
        try:
            self.manifest = read_manifest(self.data_dir)
        except InputError:
            self._lock.release()
            raise
        self._swept = False
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the lock; what was staged and not committed is forgotten."""
        self._forget()
        self._lock.release()

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Forget what the block staged and did not commit, so that no later commit names it."""
        try:
            yield
        finally:
            self._forget()

    def check_origin(self, origin: str) -> None:
        """Refuse data of another origin than the home's.

        Raises
        ------
        InputError
            If the home holds another origin, or there is no such origin.
        """
        if origin not in ORIGINS:
            raise UnknownName("origin", origin, ORIGINS)
        held = self.manifest.origin
        if held not in (None, origin):
            raise InputError(
                f"this home holds {held} data, got {origin} data; a home has one origin: "
                f"use another home (OPTRADE_HOME) for {origin} data"
            )

    def fault(self, table: str, key: str) -> str | None:
        """Return why the file of a key is not as it was written and what to do about it.

        None where it is, or where there is none.
        """
        entry = self.manifest.entries.get((table, key))
        return None if entry is None else self.manifest.fault(self.data_dir, entry)

    def stored(self, table: str, key: str) -> pl.DataFrame | None:
        """Return all versions of the rows of a key, None where its generation holds none yet."""
        state = self._opened.get(table, self.manifest.tables.get(table))
        return stored_rows(self.data_dir, self.manifest, state, table, key)

    def open_table(self, table: str, state: TableState) -> None:
        """Say what holds for the files of a table from the next commit on."""
        self._opened[table] = state

    def opened(self) -> dict[str, TableState]:
        """Return what was opened, by table."""
        return dict(self._opened)

    def generation(self, table: str) -> int:
        """Return the generation of a table that was opened."""
        return self._opened[table].generation

    def stage(
        self, table: str, key: str, folder: str, rows: pl.DataFrame, date: str, time: datetime
    ) -> None:
        """Write the rows of a key to their file; the next commit names it.

        Parameters
        ----------
        table, key
            What the rows are, as in the manifest; the table has been opened.
        folder
            Where the file lies, relative to the data folder.
        rows
            All versions, sorted by date and version.
        date
            The column whose range the manifest records.
        time
            The landing, in UTC.
        """
        self.clear_old_files()
        rows_of = Partition(table, key, self.generation(table), folder)
        self.stage_entry(write_partition(self.data_dir, rows_of, rows, date, time))

    def stage_entry(self, entry: Entry) -> None:
        """Name, from the next commit on, a file that another process wrote for this session.

        The table has been opened, and `clear_old_files` called before the file was written.
        """
        self._check_held()
        self._staged[entry.table, entry.key] = entry

    def drop(self, table: str, key: str) -> None:
        """Leave a key out of the new generation of an opened view: nothing makes it any more."""
        self._check_held()
        self._dropped.add((table, key))

    def answered(self, answers: Mapping[tuple[str, str], Answer]) -> None:
        """Record, with the next commit, how a source answered for (table, key)."""
        self._check_held()
        self._answers |= answers

    def clear_old_files(self) -> None:
        """Remove, once a session, the files that the manifest does not name."""
        self._check_held()
        if self._swept:
            return
        for part in self.data_dir.glob(f".{MANIFEST}.*{TEMPORARY}"):
            part.unlink()
        keep = {self.data_dir / entry.path for entry in self.manifest.entries.values()}
        for folder in FOLDERS:
            sweep(self.data_dir / folder, keep)
        self._swept = True

    def commit(self, origin: str | None = None, first_live: datetime | None = None) -> bool:
        """Switch the manifest to all that is staged; nothing that is new writes nothing.

        Parameters
        ----------
        origin
            Where the staged rows come from; the first one is the home's for good.
        first_live
            The time of a live landing; the first one is kept.

        Returns
        -------
        bool
            Whether the manifest was switched.

        Raises
        ------
        InputError
            If a new generation of a view lacks a key of the old one.
        """
        self._check_held()
        answers = {**self.manifest.answers, **self._answers}
        if not self._staged and not self._dropped and answers == self.manifest.answers:
            return False
        self._check_generations()
        folders = {(self.data_dir / entry.path).parent for entry in self._staged.values()}
        for folder in sorted({f for leaf in folders for f in (leaf, *leaf.parents)}):
            if folder.is_relative_to(self.data_dir):
                sync_folder(folder)
        changed = {table for table, _ in {*self._staged, *self._dropped}}
        kept = {name: e for name, e in self.manifest.entries.items() if name not in self._dropped}
        live = self.manifest.first_live_landing or (first_live and first_live.isoformat())
        manifest = replace(
            self.manifest,
            origin=self.manifest.origin or (origin if self._staged else None),
            first_live_landing=live,
            tables={**self.manifest.tables, **{name: self._opened[name] for name in changed}},
            entries={**kept, **self._staged},
            answers=answers,
        )
        replace_file(self.data_dir / MANIFEST, manifest_bytes(manifest))
        sync_folder(self.data_dir)
        self.manifest = manifest
        self._forget()
        return True

    def _forget(self) -> None:
        self._staged.clear()
        self._opened.clear()
        self._dropped.clear()
        self._answers.clear()

    def _check_held(self) -> None:
        if not self._lock.is_locked:
            raise InputError(f"{self.data_dir} is not held for writing; open it in a `with` block")

    def _check_generations(self) -> None:
        for (table, key), entry in self.manifest.entries.items():
            state = self._opened.get(table)
            moved = state is not None and state.generation != entry.generation
            if moved and (table, key) not in {*self._staged, *self._dropped}:
                raise InputError(
                    f"generation {state.generation} of {table} lacks {key}, which generation "
                    f"{entry.generation} has; build all keys of a view together"
                )


@dataclass(frozen=True)
class Partition:
    """The rows of one key of a table in one generation, and the folder of their file."""

    table: str
    key: str
    generation: int
    folder: str


def write_partition(
    data_dir: Path, partition: Partition, rows: pl.DataFrame, date: str, time: datetime
) -> Entry:
    """Write rows to a file named by their content, and return what the manifest says of it.

    Nothing reads the file before a manifest names it. Parameters as in `DataFolder.stage`.
    """
    content = parquet_bytes(rows)
    digest = hashlib.sha256(content).hexdigest()
    path = f"{partition.folder}/{partition.key}.{digest[:12]}.parquet"
    replace_file(data_dir / path, content)
    dates = rows.get_column(date)
    return Entry(
        table=partition.table,
        key=partition.key,
        generation=partition.generation,
        path=path,
        rows=rows.height,
        first=day_of(dates.min()),
        last=day_of(dates.max()),
        sha256=digest,
        landed_at=time.isoformat(),
    )


def stored_rows(
    data_dir: Path, manifest: Manifest, state: TableState | None, table: str, key: str
) -> pl.DataFrame | None:
    """Return all versions of the rows of a key, None where its generation holds none yet."""
    entry = manifest.entries.get((table, key))
    if entry is None or state is None or entry.generation != state.generation:
        return None
    return as_declared(table, read_rows(data_dir, table, [key], manifest))
