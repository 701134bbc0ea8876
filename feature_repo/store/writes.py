"""What Feast writes by the store: rows of a source, logged features, saved datasets.

Each file is whole or absent and flushed to disk, and later rows stand after earlier ones, in a file
or in the order of a folder's files. Those that a manifest lists are not written.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.store.source import Source, has_place, plain_files
from home.files import write_durably
from home.manifest import MANIFEST, read_manifest
from home.replaced_folder import replaced_folder
from market.errors import InputError, SchemaViolation

WRITTEN: Final = "written-"
SUFFIX: Final = ".parquet"
# What pandas calls an index without a name when Feast hands it on as a column.
_INDEX: Final = re.compile(r"__index_level_\d+__")


def append_rows(source: Source, table: pa.Table) -> None:
    """Add rows to a source: to the end of its file, or as the last file of its folder.

    Raises
    ------
    InputError
        If the source is of a home's lake, or has no file that says its columns.
    SchemaViolation
        If the rows have other columns, or values that the stored types do not hold.
    """
    check_not_listed(source)
    path = source.path
    rows = conform(table, source.read(lambda stored: stored.schema()), path)
    if path.is_dir():
        append_file(path, rows)
        return
    with only_writer(path):
        held = source.read(lambda stored: pq.ParquetFile(stored.paths[0]).read())
        write_file(path, pa.concat_tables([held, rows]))


def append_file(folder: Path, table: pa.Table) -> None:
    """Write rows as a new file of a folder, whose name comes after those of all its files."""
    with only_writer(folder):
        write_file(folder / _last_name(folder), table)


def _last_name(folder: Path) -> str:
    names = sorted({path.relative_to(folder).parts[0] for path in plain_files(folder)})
    others = [name for name in names if WRITTEN not in name]
    head = f"{others[-1]}-{WRITTEN}" if others and others[-1] > WRITTEN else WRITTEN
    taken = {name for name in names if name.startswith(head)}
    candidates = (f"{head}{number:08d}{SUFFIX}" for number in count(len(taken)))
    return next(name for name in candidates if name > max(taken, default=""))


def append_log(
    folder: Path, table: pa.Table, schema: pa.Schema, partition_by: Sequence[str] = ()
) -> None:
    """Write logged rows as a new file, one for each combination of the partition columns.

    The files lie in folders of those values, and keep the columns: a folder's name holds none.

    Raises
    ------
    InputError
        If the folder is of a home's lake.
    SchemaViolation
        If the rows do not fit the schema of the log.
    """
    check_not_listed(Source(folder, ""))
    for parts, rows in _parts(conform(table, schema, folder), list(partition_by)):
        append_file(folder.joinpath(*parts), rows)


def _parts(table: pa.Table, columns: list[str]) -> Iterator[tuple[tuple[str, ...], pa.Table]]:
    if not columns:
        yield (), table
        return
    positions: dict[tuple[str, ...], list[int]] = {}
    for position, row in enumerate(table.select(columns).to_pylist()):
        positions.setdefault(tuple(map(_folder_name, row.values())), []).append(position)
    for parts, chosen in positions.items():
        yield parts, table.take(chosen)


def _folder_name(value: object) -> str:
    """Return a value as the name of one folder, whose files a read takes."""
    name = quote(str(value), safe=" ")
    return f"%{ord(name[0]):02X}{name[1:]}" if name.startswith((".", "_")) else name


def save_dataset(path: Path, table: pa.Table) -> None:
    """Write a dataset in the place of the one that stands at a path: one file, or a folder of one.

    Raises
    ------
    InputError
        If the path is of a home's lake, or a folder that holds more than parquet files.
    """
    check_not_listed(Source(path, ""))
    if path.suffix == SUFFIX and not path.is_dir():
        write_file(path, table)
        return
    others = (one for one in path.rglob("*") if one.suffix != SUFFIX and one.is_file())
    if found := next(others, None):
        raise InputError(
            f"saved dataset: got folder {path}, which holds {found.name!r:.80}, allowed is one of "
            "parquet files alone, as it is replaced; name another folder"
        )
    with replaced_folder(path) as fresh:
        write_file(fresh / f"{WRITTEN}{0:08d}{SUFFIX}", table)


def write_file(path: Path, table: pa.Table) -> None:
    """Write a parquet file, whole or not at all."""
    content = io.BytesIO()
    pq.write_table(table, content)
    write_durably(path, content.getvalue())


def conform(table: pa.Table, schema: pa.Schema, path: Path) -> pa.Table:
    """Return rows with the columns of a schema, in its order and types.

    Raises
    ------
    SchemaViolation
        If a column is missing or too many, or its values do not fit.
    """
    names = [name for name in table.column_names if not _INDEX.fullmatch(name)]
    if set(names) != set(schema.names):
        raise SchemaViolation(
            f"rows for {path.name}: got columns {', '.join(names)!s:.200}, "
            f"allowed are {', '.join(schema.names)!s:.200}"
        )
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise SchemaViolation(
            f"rows for {path.name}: got values that the stored types do not hold: "
            f"{error!s:.200}; convert the columns"
        ) from error


def check_not_listed(source: Source) -> None:
    """Check that a path is not one whose files a manifest lists, such as that of a home's lake.

    Raises
    ------
    InputError
        If it is.
    """
    path = source.path.resolve()
    named = source.manifest is not None and source.listed
    lister = next((folder for folder in path.parents if _lists(folder, path)), None)
    if named or lister is not None:
        manifest = source.manifest if lister is None else lister / MANIFEST
        raise InputError(
            f"{source.path}: got rows to write among the files that {manifest} lists, allowed is "
            "any other place: who writes that manifest, such as a home's ingestion, alone writes "
            "there"
        )


def _lists(folder: Path, path: Path) -> bool:
    """Return whether a folder's manifest has files where a path is; one of others has none."""
    if not (folder / MANIFEST).is_file():
        return False
    try:
        manifest = read_manifest(folder)
    except InputError:
        return False
    return bool(manifest.entries) and has_place(manifest, folder, path)


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the lock of a path, which a file beside it is; others wait for it."""
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield
