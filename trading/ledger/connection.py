"""Connections to a ledger: read-only or writing, of our version, and errors that say what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from filelock import Timeout

from home.verified import require_regular
from market.errors import InputError
from trading.ledger.schema import OLDEST_VERSION, SCHEMA_VERSION
from trading.ledger.states import Wrong, unusable, wrong_of

BUSY_SECONDS: Final = 10.0
_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


def read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)
    connection.text_factory = text_of
    return connection


def text_of(content: bytes) -> str:
    """Return a text of the ledger: bytes that are no UTF-8 are shown, for its check to name."""
    return content.decode("utf-8", "backslashreplace")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger to read; nothing can be written through this connection.

    Raises
    ------
    InputError
        If there is no ledger yet.
    StoreUnavailable
        If what is there cannot be used; see `STATES`.
    """
    require_ledger(path)
    with explained(path), closing(read_only(path)) as connection:
        check_ours(connection, path)
        yield connection


def require_ledger(path: Path) -> None:
    """Refuse to go on where there is no ledger yet, or something else in its place."""
    if is_new(path):
        raise InputError(f"no ledger at {path}: run `optrade signal-all --record` first")


def require_file(path: Path) -> None:
    """Refuse what no ledger can be in the place of one; none at all passes.

    Raises
    ------
    StoreUnavailable
        If it is a folder, a pipe or a device, or has lost its bytes: a ledger is put in place
        whole, so none was ever empty, and a write-ahead log has rows of the file it lies beside.
    """
    try:
        require_regular(path)
    except InputError as error:
        raise unusable(path, "no file", str(error).removeprefix(f"{path} is ")) from error
    if path.exists():
        if not path.stat().st_size:
            raise unusable(path, "damaged", "it holds 0 bytes")
    elif (log := path.with_name(f"{path.name}-wal")).exists() and log.stat().st_size:
        raise unusable(path, "damaged", f"it is gone, and {log.name} still holds rows of it")


def is_new(path: Path) -> bool:
    """Return whether nothing was ever recorded.

    A first recording that was killed may have left a database without a table.

    Raises
    ------
    StoreUnavailable
        If what is there cannot be read.
    """
    require_file(path)
    if not path.exists():
        return True
    with explained(path), closing(read_only(path)) as connection:
        return is_empty(connection)


def is_empty(connection: sqlite3.Connection) -> bool:
    """Return whether a database has never held anything."""
    return version_of(connection) == 0 and not _tables(connection)


def check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that is no ledger, or one of a version that is not known here."""
    tables, version = _tables(connection), version_of(connection)
    if "signals" not in tables:
        held = f"it holds {', '.join(tables)}" if tables else "it holds no table"
        raise unusable(path, "another program's", held)
    if not OLDEST_VERSION <= version <= SCHEMA_VERSION:
        age: Wrong = "older" if version < OLDEST_VERSION else "newer"
        raise unusable(path, age, f"schema version {version}")


def check_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database with a damaged page, or an index that says other than its table.

    What is written into such a one might not be kept, or be kept twice.
    """
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise unusable(path, "damaged", found.removeprefix("*** in database main ***"))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of SQLite, or a lock that is held too long, into one that says what to do."""
    try:
        yield
    except Timeout as error:
        raise unusable(path, "held", f"its lock, for {BUSY_SECONDS:.0f} s") from error
    except sqlite3.Error as error:
        raise unusable(path, wrong_of(error), str(error)) from error


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the schema, 0 where there is none."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute(_TABLES)]
