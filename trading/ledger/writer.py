"""The writing side of a ledger: one transaction at a time, schema brought up, rows chained.

SQLAlchemy speaks to the very connection that `trading.ledger.connection` checks. A row that was
acknowledged survives a killed process and a power cut: write-ahead log, synchronous = FULL.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from filelock import FileLock
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import StatementError
from sqlalchemy.pool import StaticPool

from home.files import write_durably
from market.errors import InputError
from trading.ledger import connection as ledger_connection
from trading.ledger.chain import Head, following, head_of
from trading.ledger.connection import (
    check_ours,
    check_whole,
    explained,
    is_empty,
    require_file,
    require_ledger,
    text_of,
    version_of,
)
from trading.ledger.schema import SCHEMA_VERSION

_MIGRATIONS: Final = Path(__file__).with_name("migrations")


@contextmanager
def writing(path: Path, *, begin: bool = False) -> Iterator["Writer"]:
    """Open a ledger to write; one of an older schema is brought up to ours, whole or not at all.

    Parameters
    ----------
    path
        The ledger.
    begin
        Begin one where there is none.

    Raises
    ------
    InputError
        If there is no ledger, and none is to be begun.
    StoreUnavailable
        If what is there cannot be used; see `STATES`.
    """
    if begin:
        path.parent.mkdir(parents=True, exist_ok=True)
        require_file(path)
    else:
        require_ledger(path)
    with explaining(path), closing(_opened(path)) as connection:
        yield Writer(_engine(connection), connection)


@dataclass
class Writer:
    """An open ledger."""

    engine: sa.Engine
    connection: sqlite3.Connection

    @contextmanager
    def transaction(self) -> Iterator["Appending"]:
        """Keep all that the body appends, or nothing of it; on return it is on disk."""
        with self.engine.begin() as connection:
            yield Appending(connection, head_of(self.connection))


@dataclass
class Appending:
    """A transaction that adds rows to the end of the chain."""

    connection: sa.Connection
    head: Head = field(default_factory=Head)

    def append_new(
        self, table: sa.Table, rows: Sequence[Mapping[str, Any]], key: tuple[str, ...]
    ) -> int:
        """Add signed rows of which the key is not there, and return how many they were."""
        columns = [table.c[name] for name in key]
        held = {tuple(row) for row in self.connection.execute(sa.select(*columns))}
        added = []
        for row in rows:
            if (mine := tuple(row[name] for name in key)) in held:
                continue
            held.add(mine)
            self.head = following(self.head, dict(row))
            added.append({**row, **self.head._asdict()})
        if added:
            self.connection.execute(sa.insert(table), added)
        return len(added)

    def append(self, table: sa.Table, row: Mapping[str, Any], key: tuple[str, ...]) -> bool:
        """Add a signed row unless its key is there; return whether it was added."""
        head = following(self.head, dict(row))
        added = self.connection.execute(
            insert(table).on_conflict_do_nothing(index_elements=key), {**row, **head._asdict()}
        )
        if added.rowcount:
            self.head = head
        return bool(added.rowcount)


def _opened(path: Path) -> sqlite3.Connection:
    """Return a connection to a ledger of our schema; it is begun where there is none."""
    wait = ledger_connection.BUSY_SECONDS
    # SQLite does not wait its turn where a new file is switched to WAL by two at once.
    with FileLock(f"{path}.lock", timeout=wait):
        if not path.exists():
            write_durably(path, _blank())
        address = f"{path.resolve().as_uri()}?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.text_factory = text_of
    if not is_empty(connection):
        # Before anything is written: another program's database stays as it is.
        check_ours(connection, path)
        check_whole(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if version_of(connection) < SCHEMA_VERSION:
        _migrate(connection)


def _engine(connection: sqlite3.Connection) -> sa.Engine:
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)

    @sa.event.listens_for(engine, "begin")
    def _(begun: sa.Connection) -> None:
        # IMMEDIATE: a writer waits for its turn here, and never fails half way through.
        begun.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring a ledger up to our schema in one transaction: a kill leaves the old one."""
    from alembic import command  # a third of a second, of a first write alone
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with _engine(connection).begin() as transaction:
        config.attributes["connection"] = transaction
        command.upgrade(config, "head")
        transaction.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


@cache
def _blank() -> bytes:
    """Return the bytes of a ledger without a row: put in place whole, so that none is empty."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _migrate(connection)
        return connection.serialize()


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Explain errors of SQLite as `explained`, those within SQLAlchemy's own too."""
    with explained(path):
        try:
            yield
        except StatementError as error:
            if isinstance(error.orig, sqlite3.Error):
                raise error.orig from error
            raise InputError(f"ledger {path} does not store this row: {error.orig}") from error
