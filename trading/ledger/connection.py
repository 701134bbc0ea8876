"""Connections to a ledger: read-only or writing, of our version, and errors that say what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from filelock import Timeout

from home.verified import require_regular
from market.errors import InputError, StoreUnavailable
from trading.ledger.schema import SCHEMA_VERSION

BUSY_SECONDS: Final = 10.0


def read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger to read; nothing can be written through this connection.

    Raises
    ------
    InputError
        If there is no ledger, or the file is none of this version.
    """
    require_ledger(path)
    with explained(path), closing(read_only(path)) as connection:
        check_version(connection, path)
        yield connection


def require_ledger(path: Path) -> None:
    """Refuse to go on where there is no ledger yet, or something else in its place."""
    require_file(path)
    if is_new(path):
        raise InputError(f"no ledger at {path}: run `optrade signal-all --record` first")


def require_file(path: Path) -> None:
    """Refuse what is no file in the place of a ledger; none at all passes.

    Raises
    ------
    StoreUnavailable
        If it is a folder, a pipe, or another user's.
    """
    try:
        require_regular(path)
    except InputError as error:
        raise StoreUnavailable(f"ledger {error}; move it away, or restore the ledger") from error


def is_new(path: Path) -> bool:
    """Return whether nothing was ever recorded: SQLite takes an empty file for a new database."""
    return not path.exists() or path.stat().st_size == 0


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose schema is of another version."""
    got = connection.execute("PRAGMA user_version").fetchone()[0]
    if got != SCHEMA_VERSION:
        raise InputError(
            f"ledger {path}: got schema version {got}, allowed is {SCHEMA_VERSION}; "
            "use the optrade version that wrote it"
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the body does, or nothing of it."""
    # IMMEDIATE: a writer waits for its turn here, and never fails half way through.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of SQLite, or a lock that is held too long, into one that says what to do."""
    try:
        yield
    except (sqlite3.Error, Timeout) as error:
        raise StoreUnavailable(
            f"ledger {path}: {error}; check that it is a ledger, that the disk has room, "
            "and that no other program holds it"
        ) from error
