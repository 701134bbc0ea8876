"""The chain: every row of the ledger says which row was written before it.

One for all tables. A row's `position` counts all rows, and its `chain` is the hash of the chain
before it and of its own hash. So that a prediction was written before its outcome is in the chain
too, and a row taken from the end of one table leaves a gap before whatever came next. What is not
seen is that the newest rows of all are gone: for that note the last position and chain, which
`optrade doctor` shows, elsewhere.
"""

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final, NamedTuple

from trading.ledger.schema import CHAINED, Table, row_hash

GENESIS: Final = "0" * 64


class Head(NamedTuple):
    """Where the chain ends."""

    position: int = 0
    chain: str = GENESIS

    def words(self) -> str:
        """Return how many rows are chained, and by what to know them again."""
        return (
            f"chain of {self.position} rows, {self.chain[:16]}" if self.position else "no row yet"
        )


def link(before: str, digest: str) -> str:
    """Return the chain of a row: of the chain before it, and the row's own hash."""
    return sha256(f"{before}{digest}".encode()).hexdigest()


def following(head: Head, row: dict[str, Any]) -> Head:
    """Return where a chain ends once a signed row was added to it."""
    return Head(head.position + 1, link(head.chain, row["sha256"] or row_hash(row)))


def head_of(connection: sqlite3.Connection) -> Head:
    """Return where the chain of a ledger ends."""
    ends = [
        row
        for table in _held(connection)
        for row in connection.execute(
            f"SELECT position, chain FROM {table} ORDER BY position DESC LIMIT 1"  # noqa: S608 - of CHAINED
        )
        if row[0] is not None
    ]
    return max((Head(*row) for row in ends), default=Head())


def breaks(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what is wrong with a ledger's chain, in words, each fault once."""
    before, last_of = Head(), dict.fromkeys(CHAINED, 0)
    for table, at, row in _in_order(connection):
        name = f"{table} row {row['ticker'] or row['number']} {row['session']}"
        position, chain = row["position"], row["chain"]
        if position is None:
            yield f"{name} was put in from outside: it has no place in the chain"
            continue
        missing = position - before.position - 1
        if missing:
            gone = f"{before.position + 1}" + (f" to {position - 1}" if missing > 1 else "")
            rows = "1 row is" if missing == 1 else f"{missing} rows are"
            yield f"{rows} gone before {name}: of position {gone}"
        elif chain != following(before, row).chain:
            yield (
                f"{name}, position {position}, does not follow from the row before it: one of "
                "the two was changed, or they were put in another order"
            )
        elif at < last_of[table]:
            yield f"{name}, position {position}, stands before rows that were written earlier"
        before, last_of[table] = Head(position, chain), at


def _in_order(connection: sqlite3.Connection) -> list[tuple[Table, int, dict[str, Any]]]:
    """Return table, number and row of all rows by the chain, those without a place first."""
    found = []
    for table in _held(connection):
        cursor = connection.execute(f"SELECT rowid, * FROM {table}")  # noqa: S608 - of CHAINED
        names = [column[0] for column in cursor.description[1:]]
        found += [(table, row[0], dict(zip(names, row[1:], strict=True))) for row in cursor]
    return sorted(found, key=lambda one: -1 if (at := one[2]["position"]) is None else at)


def _held(connection: sqlite3.Connection) -> list[Table]:
    """Return the tables that a ledger has; one of an older schema lacks the younger ones."""
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return [table for table in CHAINED if table in found]
