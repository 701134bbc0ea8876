"""What the lake holds: the manifest and the files it names, read only.

The manifest (`manifest.json` below the data folder) is the one list of readable files; a parquet
file that it does not name does not exist. `ingestion/lake` alone writes it, after the files.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Final, Literal

import polars as pl
from pydantic import Field, ValidationError

from home.origin import Origin
from home.records.record import Record, first_fault
from home.strict_json import signature
from home.verified import read_regular, sha256_of, verified
from market.errors import DamagedFile, InputError

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
# What of a file is read: some of its rows and columns.
Part = Callable[[pl.LazyFrame], pl.LazyFrame]
# The column that orders the versions of one row: raw rows land, feature rows are created.
KNOWN_COLUMNS: Final = ("landed_at", "created_timestamp")


@dataclass(frozen=True)
class Entry:
    """One parquet file: the rows of one key of one table, and the sessions it spans.

    `first` and `last` are ISO dates, in UTC where rows are dated by a time, empty without rows;
    `landed_at` is an ISO time in UTC, `path` is relative to the data folder, `sha256` is that of
    the file's bytes.
    """

    table: str
    key: str
    generation: int
    path: str
    rows: int
    first: str
    last: str
    sha256: str
    landed_at: str


@dataclass(frozen=True)
class TableState:
    """What holds for all files of a table: its key columns and its current generation.

    `definition_hash` is that of the feature definitions for a view, None for a raw table.
    """

    key: tuple[str, ...]
    generation: int = 1
    definition_hash: str | None = None


@dataclass(frozen=True)
class Answer:
    """How a source last answered for a key of a raw table whose values are carried forward.

    `through` is the ISO date of the last session at which it answered, None for never; no later
    session knows what the rows say. `refused`: since then the plan does not include the key.
    """

    through: str | None
    refused: bool = False


@dataclass(frozen=True)
class Manifest:
    """The readable state of a home: its origin and one entry for each (table, key).

    `answers` tells of the (table, key) that a source was asked for; rows that landed otherwise
    count as complete.
    """

    origin: Origin | None = None
    first_live_landing: str | None = None
    tables: Mapping[str, TableState] = field(default_factory=dict)
    entries: Mapping[tuple[str, str], Entry] = field(default_factory=dict)
    answers: Mapping[tuple[str, str], Answer] = field(default_factory=dict)

    def keys(self, table: str) -> tuple[str, ...]:
        """Return the keys of a table, sorted; empty where nothing has landed."""
        return tuple(sorted(key for name, key in self.entries if name == table))

    def paths(
        self,
        data_dir: Path,
        table: str,
        keys: Iterable[str] | None = None,
        start: str | date | None = None,
        end: str | date | None = None,
    ) -> list[Path]:
        """Return the files of a table that may hold rows of [start, end], both included.

        Each is checked: its bytes are those that landed. Keys without a file are left out; see
        `read_rows` for a reading that refuses them.

        Raises
        ------
        DamagedFile
            If a file is not as it landed.
        FileNotFoundError
            If one is missing: a landing may have replaced it since the manifest was read.
        """
        wanted = self.keys(table) if keys is None else dict.fromkeys(keys)
        found = (self.entries[table, key] for key in wanted if (table, key) in self.entries)
        return [
            self.path(data_dir, entry)
            for entry in found
            if (start is None or entry.last >= str(start)[:10])
            and (end is None or entry.first <= str(end)[:10])
        ]

    def path(self, data_dir: Path, entry: Entry) -> Path:
        """Return the checked file of one entry; see `paths`."""
        return verified(data_dir / entry.path, entry.sha256, self.cure(entry.table))

    def fault(self, data_dir: Path, entry: Entry) -> str | None:
        """Return why the file of an entry is not as it landed and what to do, None where it is."""
        try:
            self.path(data_dir, entry)
        except FileNotFoundError:
            return f"{data_dir / entry.path} is missing; {self.cure(entry.table)}"
        except DamagedFile as error:
            return str(error)
        return None

    def cure(self, table: str) -> str:
        """Return what to do about a file of a table that is damaged or missing."""
        state = self.tables.get(table)
        if state is not None and state.definition_hash is not None:
            return "run `optrade repair`, which computes it again from the raw rows"
        return "restore it from a copy, or run `optrade repair`, which says how to fetch it again"


def read_manifest(data_dir: Path) -> Manifest:
    """Return the manifest of a data folder; no file is an empty manifest.

    Raises
    ------
    InputError
        If the file is not a manifest of this format.
    """
    path = data_dir / MANIFEST
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return Manifest()
    try:
        written = _Written.model_validate_json(content)
        _check_signature(written, content)
        return _manifest(written)
    except ValueError as error:
        fault = first_fault(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"{path} is no manifest of format {FORMAT}: {fault:.80}; "
            "restore it from a copy, or land into a new home"
        ) from error


class _Written(Record):
    """A manifest as its file holds it."""

    format: Literal[1]
    origin: Origin | None
    first_live_landing: str | None
    tables: dict[str, TableState]
    entries: list[Entry]
    answers: dict[str, dict[str, tuple[str | None, bool]]] = Field(default_factory=dict)
    sha256: str | None = None  # an earlier version wrote none


def _check_signature(written: _Written, content: bytes) -> None:
    if written.sha256 not in (None, signature(json.loads(content))):
        raise ValueError("its content has another SHA-256 than it says")


def _manifest(written: _Written) -> Manifest:
    """Return the manifest in a document, what its types do not say checked."""
    by_key = {(entry.table, entry.key): _dated(entry) for entry in written.entries}
    if len(by_key) != len(written.entries):
        raise ValueError("one key twice")
    if not {entry.table for entry in written.entries} <= set(written.tables):
        raise ValueError("a file of a table that is not listed")
    for entry in written.entries:
        path = PurePosixPath(entry.path)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"path {entry.path!r:.40} leaves the data folder")
    return Manifest(
        written.origin,
        written.first_live_landing,
        written.tables,
        by_key,
        _answers(written.answers),
    )


def _dated(entry: Entry) -> Entry:
    # An earlier version wrote the times of what is dated by one, which compare with no date.
    return replace(entry, first=day_of(entry.first), last=day_of(entry.last))


def day_of(moment: object) -> str:
    """Return the ISO date of a date or time, an empty text for None."""
    return str(moment or "")[:10]


def _answers(
    written: Mapping[str, Mapping[str, tuple[str | None, bool]]],
) -> dict[tuple[str, str], Answer]:
    found = {}
    for table, rows in written.items():
        for key, (through, refused) in rows.items():
            if through is not None:
                date.fromisoformat(through)
            found[table, key] = Answer(through, refused)
    return found


def read_rows(
    data_dir: Path,
    table: str,
    keys: Sequence[str] | None = None,
    manifest: Manifest | None = None,
    columns: Sequence[str] | None = None,
    part: Part | None = None,
) -> pl.DataFrame:
    """Return all rows of a table or view, corrections included, key after key.

    Within a key, rows are sorted by date and then by `landed_at` (raw tables) or
    `created_timestamp` (views), the newest version last.

    Parameters
    ----------
    data_dir
        The data folder of a home.
    table
        A raw table or a view.
    keys
        Tickers, symbols, series or the market; None for all.
    manifest
        One already read, for a caller with many keys.
    columns
        The columns to read; None for all.
    part
        What is read of each file instead, so that the rest takes no memory.

    Raises
    ------
    InputError
        If a key asked for (or the whole table) has never landed, or a named file is missing
        or damaged.
    """
    try:
        return _read(manifest or read_manifest(data_dir), data_dir, table, keys, columns, part)
    except FileNotFoundError:
        # A landing has replaced the file since the manifest was read: its successor is named.
        return _read_again(data_dir, table, keys, columns, part)


def _read_again(
    data_dir: Path,
    table: str,
    keys: Sequence[str] | None,
    columns: Sequence[str] | None,
    part: Part | None,
) -> pl.DataFrame:
    manifest = read_manifest(data_dir)
    try:
        return _read(manifest, data_dir, table, keys, columns, part)
    except FileNotFoundError as error:
        cure = manifest.cure(table)
        raise DamagedFile(f"{error.filename} is missing; {cure}") from error


def _read(
    manifest: Manifest,
    data_dir: Path,
    table: str,
    keys: Sequence[str] | None,
    columns: Sequence[str] | None,
    part: Part | None,
) -> pl.DataFrame:
    wanted = manifest.keys(table) if keys is None else tuple(dict.fromkeys(keys))
    missing = [key for key in wanted if (table, key) not in manifest.entries]
    if missing or not wanted:
        landed = manifest.keys(table)
        raise InputError(
            f"nothing has landed in {table} for {', '.join(missing[:10]) or 'any key'}, "
            f"there is {', '.join(landed[:10]) or 'nothing'}; fetch and build it first"
        )
    paths = manifest.paths(data_dir, table, wanted)
    return pl.concat([_read_file(path, columns, part) for path in paths], rechunk=False)


def _read_file(path: Path, columns: Sequence[str] | None, part: Part | None) -> pl.DataFrame:
    if part is not None:
        return part(pl.scan_parquet(path, glob=False, hive_partitioning=False)).collect()
    with path.open("rb") as file:  # a handle: the path may hold characters of a glob
        return pl.read_parquet(
            file, columns=None if columns is None else list(columns), hive_partitioning=False
        )


def current_rows(
    data_dir: Path,
    table: str,
    keys: Sequence[str] | None = None,
    manifest: Manifest | None = None,
    known_by: datetime | None = None,
) -> pl.DataFrame:
    """Return the latest version of every row of a table or view.

    Parameters
    ----------
    data_dir, table, keys, manifest
        As in `read_rows`.
    known_by
        A time with a zone: versions that landed (views: were created) later are not seen.

    Raises
    ------
    InputError
        As `read_rows`.
    """
    manifest = manifest or read_manifest(data_dir)
    rows = read_rows(data_dir, table, keys, manifest)
    return latest(rows, manifest.tables[table].key, known_by)


def latest(
    rows: pl.DataFrame, key: Sequence[str], known_by: datetime | None = None
) -> pl.DataFrame:
    """Return the newest version of every row, of rows in the order of `read_rows`."""
    if known_by is not None:
        known = next(name for name in KNOWN_COLUMNS if name in rows.columns)
        rows = rows.filter(pl.col(known) <= known_by)
    return rows.unique(subset=list(key), keep="last", maintain_order=True)


def damaged(data_dir: Path) -> list[str]:
    """Return the paths that the manifest names and whose bytes are missing or not as landed."""
    entries = damaged_entries(data_dir, read_manifest(data_dir))
    return [entry.path for entry in entries]


def damaged_entries(data_dir: Path, manifest: Manifest) -> list[Entry]:
    """Return the entries whose file is missing, cannot be read or is not as landed.

    The bytes are read, whatever was checked before.
    """
    return [
        entry
        for entry in manifest.entries.values()
        if sha256_of(data_dir / entry.path) != entry.sha256
    ]
