"""What may lie in the place of a ledger: in which words that is said, and what mends it."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from market.errors import StoreUnavailable
from trading.ledger.schema import OLDEST_VERSION, SCHEMA_VERSION

Wrong = Literal[
    "no file", "no database", "damaged", "another program's", "older", "newer", "held",
    "not writable", "not readable", "full", "failed", "tampered",
]  # fmt: skip


@dataclass(frozen=True)
class State:
    """What is wrong with a ledger, and the cure."""

    words: str
    cure: str


_COPY: Final = (
    "restore it from a copy (with its -wal file), or move it away to begin a new one, and run "
    "the command again"
)
_PERMISSIONS: Final = "see the permissions of the file and of its folder"
STATES: Final[dict[Wrong, State]] = {
    "no file": State("is no file", "move it away, or restore the ledger"),
    "no database": State("is not a database", _COPY),
    "damaged": State("is damaged", _COPY),
    "tampered": State(
        "is not as it was written",
        "restore it from a copy (with its -wal file); it is still read, and nothing in it proves "
        "when the rows after that were written",
    ),
    "another program's": State("is another program's database", "move it away"),
    "older": State(
        f"is of an older schema than version {OLDEST_VERSION}, the first that is read",
        "use the optrade version that wrote it",
    ),
    "newer": State(
        f"is of a newer schema than version {SCHEMA_VERSION}, the last one allowed",
        "use the optrade version that wrote it",
    ),
    "held": State("is held by another program", "run the command again when that has ended"),
    "not writable": State("may not be written", _PERMISSIONS),
    "not readable": State("cannot be opened", _PERMISSIONS),
    "full": State("does not fit on the disk", "free some room and run the command again"),
    "failed": State("does not work", "`optrade doctor` looks at it"),
}
_OF_SQLITE: Final[dict[int, Wrong]] = {
    sqlite3.SQLITE_NOTADB: "no database",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_FORMAT: "damaged",
    sqlite3.SQLITE_BUSY: "held",
    sqlite3.SQLITE_LOCKED: "held",
    sqlite3.SQLITE_READONLY: "not writable",
    sqlite3.SQLITE_PERM: "not readable",
    sqlite3.SQLITE_CANTOPEN: "not readable",
    sqlite3.SQLITE_FULL: "full",
}
SHOWN: Final = 120  # characters of what was found


def unusable(path: Path, wrong: Wrong, found: str) -> StoreUnavailable:
    """Return the error of a ledger that cannot be used: its state, what was found, the cure."""
    state = STATES[wrong]
    return StoreUnavailable(
        f"ledger {path} {state.words} ({' '.join(found.split()):.{SHOWN}}): {state.cure}"
    )


def wrong_of(error: sqlite3.Error) -> Wrong:
    """Return which state an error of SQLite speaks of."""
    code = getattr(error, "sqlite_errorcode", None)
    # The low byte is the error, the rest its kind.
    return "failed" if code is None else _OF_SQLITE.get(code & 0xFF, "failed")
