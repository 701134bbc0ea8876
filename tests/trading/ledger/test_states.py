"""Whatever lies in the place of a ledger: all who ask say it in the same words, with its cure."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dashboard.queries.documents import NothingYet
from dashboard.queries.ledger import signal_history
from dashboard.queries.signals import recorded_sessions
from market.errors import InputError, StoreUnavailable
from optrade.flows.doctor.stores import check_ledger
from tests.trading.ledger.test_signals import EVENING, a_signal
from trading.ledger import connection
from trading.ledger.connection import explained, is_new, read_only
from trading.ledger.outcomes import record_outcomes
from trading.ledger.read import read_outcomes, read_signals
from trading.ledger.signals import Ledger
from trading.ledger.states import STATES


def record(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)


def settle(path: Path) -> None:
    record_outcomes(path, [], EVENING)


READ = {read_signals, read_outcomes, signal_history, recorded_sessions}
WRITE = {record, settle}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "ledger.db"
    with Ledger(path) as ledger:
        for version in range(8):
            ledger.record(a_signal(version=version + 1), EVENING)
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """A ledger that a test may spoil."""
    return Path(shutil.copy(whole, tmp_path / "ledger.db"))


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


def anew(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[2 * 4096 : 3 * 4096] = bytes(4096)
    path.write_bytes(content)


def other_index(path: Path) -> None:
    """Change a ticker in the index of the keys, which a table may have and its rows have not."""
    content = path.read_bytes()
    place = content.rindex(b"SPY2025-06-30", 0, content.rindex(b"SPY2025-06-30"))
    path.write_bytes(content[:place] + b"SPX" + content[place + 3 :])


NEW: dict[str, Callable[[Path], None]] = {
    "none": lambda path: path.unlink(),
    "a database that was begun": anew(lambda path: run(path, "PRAGMA journal_mode = WAL")),
}


@pytest.mark.parametrize("spoil", NEW.values(), ids=NEW)
def test_where_nothing_was_recorded_a_ledger_begins(
    spoil: Callable[[Path], None], path: Path
) -> None:
    spoil(path)
    assert is_new(path)
    assert check_ledger(path).found == "none yet, as no signal was recorded"
    for ask in (read_signals, read_outcomes, settle):
        with pytest.raises(InputError, match=r"no ledger at .*--record"):
            ask(path)
    for show in (signal_history, recorded_sessions):
        with pytest.raises(NothingYet):
            show(path)
    record(path)
    assert len(read_signals(path)) == 1


# What is done to a ledger, the state that it is then in, and who refuses it.
REFUSED = {
    "a folder": (anew(lambda path: path.mkdir()), "no file", READ | WRITE),
    "a pipe": (anew(os.mkfifo), "no file", READ | WRITE),
    "other bytes": (
        lambda path: path.write_bytes(b"not a database, but long enough" * 40),
        "no database",
        READ | WRITE,
    ),
    "a header that names no format": (lambda path: flip(path, 19), "no database", READ | WRITE),
    # Much can still be read; a row that is written now might be lost.
    "a header of shorter pages": (lambda path: flip(path, 20), "damaged", WRITE),
    "a page of zeros": (page, "damaged", WRITE),
    "cut to nothing": (lambda path: os.truncate(path, 0), "damaged", READ | WRITE),
    "gone from beside its log": (
        lambda path: path.rename(f"{path}-wal"), "damaged", READ | WRITE
    ),
    "an index of another ticker": (other_index, "damaged", WRITE),
    "cut": (lambda path: os.truncate(path, path.stat().st_size // 2), "damaged", READ | WRITE),
    "another program's": (
        anew(lambda path: run(path, "CREATE TABLE notes (text)")),
        "another program's",
        READ | WRITE,
    ),
    "its tables lost": (lambda path: run(path, "DROP TABLE signals"), "another program's",
                        READ | WRITE),
    "of an older schema": (lambda path: run(path, "PRAGMA user_version = 0"), "older",
                           READ | WRITE),
    "of a newer schema": (lambda path: run(path, "PRAGMA user_version = 99"), "newer",
                          READ | WRITE),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "wrong", "who"), REFUSED.values(), ids=REFUSED)
def test_it_is_said_in_one_way_with_its_cure_and_left_as_it_is(
    spoil: Callable[[Path], None], wrong: str, who: set, path: Path
) -> None:
    spoil(path)
    held = path.read_bytes() if path.is_file() else None
    finding, state = check_ledger(path), STATES[wrong]
    assert finding.level == "error"
    said = [finding.found]
    for ask in who:
        with pytest.raises(StoreUnavailable) as refused:
            ask(path)
        said.append(str(refused.value))
    for line in said:
        assert line.startswith(f"ledger {path} {state.words} (")
        assert line.endswith(f"): {state.cure}")
        assert "\n" not in line
    assert (path.read_bytes() if path.is_file() else None) == held


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.01)


@pytest.fixture
def held(path: Path) -> Iterator[Path]:
    run(path, "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield path


@pytest.mark.usefixtures("impatient")
def test_one_that_another_program_holds_is_waited_for_and_named(held: Path) -> None:
    assert check_ledger(held).found.endswith(STATES["held"].cure)
    for ask in READ | WRITE:
        with pytest.raises(StoreUnavailable, match="is held by another program"):
            ask(held)


def test_one_that_may_not_be_written_says_so(path: Path) -> None:
    with (
        pytest.raises(StoreUnavailable, match=r"may not be written .*permissions"),
        explained(path),
        closing(read_only(path)) as database,
    ):
        database.execute("DELETE FROM signals")


def test_one_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    missing = tmp_path / "ledger.db"
    with (
        pytest.raises(StoreUnavailable, match=r"cannot be opened .*permissions"),
        explained(missing),
        closing(read_only(missing)) as database,
    ):
        database.execute("SELECT 1")
