"""The parquet files behind a Feast source, and what is read from them.

A source is a folder of the lake, whose readable files the manifest names, a plain folder of
parquet files, or one parquet file. Only the columns and row groups asked for are decoded.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.store.arrow_types import plain_schema
from feature_repo.store.join import EVENT, KNOWN, as_time, in_utc, latest
from home.manifest import MANIFEST, Manifest, read_manifest
from market.errors import InputError, SchemaViolation

# Values held at once while features are gathered: half a gigabyte of float64.
BLOCK_VALUES: Final = 64_000_000

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Stored:
    """Rows in parquet files, numbered from 0 in the order of the files.

    `event` and `known` name the time columns; `known` is None where no row says when it became
    known.
    """

    paths: tuple[Path, ...]
    event: str
    known: str | None

    def stamps(self, keys: Sequence[str]) -> pl.DataFrame:
        """Return the keys, `EVENT` and `KNOWN` of every row; shape (n_rows, n_keys + 2)."""
        return self.timed(self.between([*keys, *self.times], None, None), keys)

    def timed(self, rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
        """Return the keys, `EVENT` and `KNOWN` of rows; with no known column, events are known."""
        event = as_time(rows.get_column(self.event), self.event)
        known = as_time(rows.get_column(self.known), self.known) if self.known else event
        asked = rows.select(*keys, event.alias(EVENT), known.alias(KNOWN))
        return asked.with_columns(cs.categorical().cast(pl.String), cs.enum().cast(pl.String))

    @property
    def times(self) -> tuple[str, ...]:
        """The names of the time columns."""
        return (self.event, self.known) if self.known else (self.event,)

    def gather(self, columns: Sequence[str], positions: pl.Series) -> Iterator[pl.DataFrame]:
        """Yield the columns at row positions (null: null), a block of columns at a time."""
        width = max(1, BLOCK_VALUES // max(1, len(positions)))
        for start in range(0, len(columns), width):
            block = self._scan().select(columns[start : start + width]).collect()
            yield block.select(pl.all().gather(positions))

    def between(
        self,
        columns: Sequence[str],
        start: datetime | None,
        end: datetime | None,
        known_by: datetime | None = None,
    ) -> pl.DataFrame:
        """Return the rows with an event in [start, end], known by a time; None is open.

        Their times are in UTC.
        """
        bounds = [
            (self.event, pl.Expr.ge, start),
            (self.event, pl.Expr.le, end),
            (self.known, pl.Expr.le, known_by),
        ]
        scan = self._scan()
        schema = scan.collect_schema()
        for name, relation, moment in bounds:
            if name in schema and moment is not None:
                # A literal of another unit would be met in the coarser one, and round the column.
                bound = pl.lit(moment.astimezone(UTC)).cast(schema[name])
                scan = scan.filter(relation(pl.col(name), bound))
        rows = scan.select(*dict.fromkeys(columns)).collect()
        return rows.with_columns(
            in_utc(rows.get_column(name))
            for name in self.times
            if isinstance(rows.schema.get(name), pl.Datetime)
        )

    def latest(
        self,
        columns: Sequence[str],
        keys: Sequence[str],
        start: datetime,
        end: datetime,
        known_by: datetime | None,
    ) -> pl.DataFrame:
        """Return the newest row per key with an event in [start, end], known by a time.

        The times are read first: of the wide columns only the row groups from the oldest newest
        event on are decoded.
        """
        times = self.timed(self.between([*keys, *self.times], start, end, known_by), keys)
        oldest = times[latest(times, keys)].get_column(EVENT).min()
        rows = self.between(columns, start if oldest is None else oldest, end, known_by)
        return rows[latest(self.timed(rows, keys), keys)]

    def newest(self) -> datetime | None:
        """Return the time of the newest event, None where there is none."""
        return self.between([self.event], None, None).get_column(self.event).max()

    def schema(self) -> pa.Schema:
        """Return the columns as they are stored; all files have those of the first one."""
        try:
            return pq.read_schema(self.paths[0])
        except pa.ArrowInvalid as error:
            raise pl.exceptions.ComputeError(str(error)) from error

    def types(self) -> pa.Schema:
        """Return the stored columns, of plain Arrow types."""
        return plain_schema(self.schema())

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(
            list(self.paths), glob=False, hive_partitioning=False, extra_columns="ignore"
        )


@dataclass(frozen=True)
class Source:
    """Where the rows of a view are.

    `path` is a parquet file or a folder. The files of a folder are those that `manifest` lists for
    the view of its name; where none is given, a manifest two levels above the folder counts. Of a
    folder that has no place among the manifest's, and where there is none, all parquet files below
    it are read.
    """

    path: Path
    event: str
    known: str | None = None
    manifest: Path | None = None
    left_out: frozenset[str] = frozenset()

    def read(self, work: Callable[[Stored], _Result], keys: Sequence[str] | None = None) -> _Result:
        """Return what `work` makes of the stored rows of the keys (None: all).

        A landing may replace a file between the listing and the reading: then its successor is
        listed and the work done again.

        Raises
        ------
        SchemaViolation
            If a file lacks a column asked for, or the files differ in a column's type.
        InputError
            If a file that the manifest names is missing, or one is no parquet.
        """
        try:
            try:
                return work(self.stored(keys))
            except FileNotFoundError:
                return work(self.stored(keys))
        except FileNotFoundError as error:
            raise InputError(
                f"a file of {self.path.name} is missing: {error!s:.200}; {self._advice}"
            ) from error
        except pl.exceptions.ComputeError as error:
            # Only a decoder raises it: the join's own work is on frames of known types.
            raise InputError(
                f"a file of {self.path.name} is damaged or no parquet: "
                f"{self._damaged(keys) or error!s:.200}; {self._advice}"
            ) from error
        except (pl.exceptions.ColumnNotFoundError, pl.exceptions.SchemaError) as error:
            raise SchemaViolation(
                f"the files of {self.path.name} do not hold what was asked for: {error!s:.200}; "
                f"{self._advice}"
            ) from error

    def stored(self, keys: Sequence[str] | None = None) -> Stored:
        """Return the files listed now that may hold rows of the keys.

        Raises
        ------
        InputError
            If nothing has landed in the view.
        """
        listed = self._listing()
        if listed is None:
            return Stored(self._plain(), self.event, self.known)
        folder, view = self._folder(), self.path.name
        if not listed.keys(view):
            raise InputError(
                f"nothing has landed in view {view}: {folder / MANIFEST} lists no file of it; "
                "write it first, in a home of optrade by `optrade ingest`"
            )
        if keys is None and self.left_out:
            keys = [key for key in listed.keys(view) if key not in self.left_out]
        # Keys that never landed find nothing; any file tells the types of the nulls they get.
        paths = listed.paths(folder, view, keys) or listed.paths(folder, view)[:1]
        return Stored(tuple(paths), self.event, self.known)

    def landed(self) -> bool:
        """Return whether there are rows to read at all."""
        listed = self._listing()
        if listed is not None:
            return not self.left_out.issuperset(listed.keys(self.path.name))
        return self.path.is_file() or bool(plain_files(self.path))

    def types(self) -> list[tuple[str, str]]:
        """Return the names of the stored columns and their Arrow types, as Feast spells them."""
        return [(column.name, str(column.type)) for column in self.read(lambda rows: rows.types())]

    def _plain(self) -> tuple[Path, ...]:
        paths = plain_files(self.path) if self.path.is_dir() else (self.path,)
        if not paths:
            raise InputError(
                f"no parquet files below {self.path}, and no manifest that lists it: "
                "write some, or name the manifest in the configuration of the offline store"
            )
        return paths

    def _damaged(self, keys: Sequence[str] | None) -> Path | None:
        """Return the first file whose footer cannot be read."""
        for path in self.stored(keys).paths:
            try:
                pl.read_parquet_schema(path)
            except (pl.exceptions.ComputeError, OSError):
                return path
        return None

    @property
    def _advice(self) -> str:
        """What to do about files that cannot be read."""
        if self.listed:
            return "run `optrade repair`, or restore it from a copy"
        return "restore it from a copy, or write it again"

    @property
    def listed(self) -> bool:
        """Whether a manifest says which files there are."""
        return self._listing() is not None

    def _listing(self) -> Manifest | None:
        """Return the manifest that says which files there are, None where none does."""
        if self.path.is_file() or (self.path.suffix == ".parquet" and not self.path.is_dir()):
            return None
        if self.manifest is None and not (self._folder() / MANIFEST).exists():
            return None
        manifest = read_manifest(self._folder())
        named = self.manifest is not None and bool(manifest.keys(self.path.name))
        return manifest if named or has_place(manifest, self._folder(), self.path) else None

    def _folder(self) -> Path:
        return self.path.parents[1] if self.manifest is None else self.manifest.parent


def has_place(manifest: Manifest, folder: Path, path: Path) -> bool:
    """Return whether a path lies where the files of a manifest do, named by it or not.

    Before it names any, all below its folder are.
    """
    below = {Path(entry.path).parts[0] for entry in manifest.entries.values()} or {""}
    return any(path.resolve().is_relative_to((folder / top).resolve()) for top in below)


def plain_files(folder: Path) -> tuple[Path, ...]:
    """Return the parquet files below a folder, by path; names with a leading . or _ are left out.

    Those are how writers mark files that are not finished.
    """
    found = sorted(path for path in folder.rglob("*.parquet") if path.is_file())
    return tuple(
        path
        for path in found
        if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    )
