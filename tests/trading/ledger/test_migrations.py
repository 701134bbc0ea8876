"""Ledgers of before are read, and led on at the first write: whole, or not at all."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from dashboard.queries.ledger import signal_history
from market.errors import InputError
from optrade.cli.endings import UNAVAILABLE, ending_of
from optrade.flows.doctor.stores import check_ledger
from tests import mounts
from tests.mounts import disk as disk
from tests.trading.ledger.test_signals import EVENING, a_signal
from trading.ledger import writer
from trading.ledger.connection import read_only
from trading.ledger.outcomes import outcome_of, record_outcomes
from trading.ledger.read import read_outcomes, read_signals
from trading.ledger.schema import SCHEMA_VERSION
from trading.ledger.signals import Ledger
from trading.ledger.tables import METADATA

ROOT = Path(__file__).resolve().parents[3]
FROZEN = ROOT / "tests" / "frozen"
#: Each as its own code wrote it, its schema, and how many outcomes it has; see
#: `tests/frozen/ledgers.py`.
OLD = {
    "ledger_signed.db": (1, 1),
    "ledger_signals.db": (1, 0),
    "ledger_bare.db": (1, 1),
    "ledger_chained.db": (2, 1),
    "ledger_paper.db": (3, 1),
}
AS_OF = pd.Timestamp("2024-01-23 21:30", tz="UTC")


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(FROZEN / request.param, tmp_path / request.param))


def held(path: Path) -> dict[str, list[dict]]:
    """Every row of every table, the columns that a migration adds left out."""
    younger = {"backfilled", "shadow", "position", "chain", "sha256"}
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {name for (name,) in tables} - {"alembic_version"}
        return {
            name: [
                {column: row[column] for column in row.keys() if column not in younger}  # noqa: SIM118 - a Row
                for row in database.execute(f"SELECT * FROM {name} ORDER BY rowid")  # noqa: S608 - of the file
            ]
            for name in sorted(names)
        }


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def test_an_old_ledger_is_read_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    assert [row.signal.ticker for row in read_signals(old)] == ["SPY", "QQQ", "IWM"]
    schema, settled = OLD[old.name]
    assert len(read_outcomes(old)) == settled
    assert len(signal_history(old).signals) == 3
    finding = check_ledger(old)
    chained = "; chain of 4 rows" if schema > 1 else ", of an older schema: the next recording"
    assert finding.level == "ok"
    assert finding.found.startswith(f"3 recorded signals{chained}")
    assert old.read_bytes() == before


def test_the_first_write_leads_it_on_and_loses_nothing(old: Path) -> None:
    rows, signals, outcomes = held(old), read_signals(old), read_outcomes(old)
    with Ledger(old) as ledger:
        assert ledger.record(a_signal(), EVENING).new
    led = held(old)
    assert led.pop("outcomes") == rows.pop("outcomes", [])
    assert not any(row.shadow for row in read_signals(old, shadows=True))
    assert led["signals"][:-1] == rows["signals"]
    assert read_signals(old)[:-1] == signals
    assert read_outcomes(old) == outcomes
    assert version(old) == SCHEMA_VERSION
    assert check_ledger(old).level == "ok"


def test_a_settlement_leads_it_on_too(old: Path) -> None:
    qqq = read_signals(old)[1].signal
    assert record_outcomes(old, [outcome_of(qqq, "2024-01-23", 0.0, None)], AS_OF) == 1
    assert len(read_outcomes(old)) == OLD[old.name][1] + 1
    assert check_ledger(old).level == "ok"


def test_old_rows_are_backfilled_by_their_own_clocks(old: Path) -> None:
    assert [row.backfilled for row in read_signals(old)] == [False, False, True]
    with Ledger(old):
        pass
    assert [row.backfilled for row in read_signals(old)] == [False, False, True]
    assert signal_history(old).signals["backfilled"].tolist() == [False, False, True]


def test_a_row_that_was_damaged_before_stays_so(tmp_path: Path) -> None:
    path = Path(shutil.copy(FROZEN / "ledger_signed.db", tmp_path / "ledger.db"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE signals SET strategy = 'NO TRADE' WHERE ticker = 'SPY'")
    with Ledger(path) as ledger:
        assert ledger.record(a_signal(), EVENING).new
    assert "signal SPY 2024-01-16: its bytes are not" in check_ledger(path).found


def test_the_tables_are_those_that_the_migrations_make(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db"):
        pass
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_one_that_fails_half_way_leaves_the_old_one(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, (schema, _), upgrade = held(old), OLD[old.name], command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda *of: (upgrade(*of), 1 / 0))
    with pytest.raises(ZeroDivisionError), Ledger(old):
        pass
    assert (held(old), version(old)) == (rows, schema)
    monkeypatch.undo()
    with Ledger(old):
        pass
    assert version(old) == SCHEMA_VERSION


@pytest.mark.integration
@pytest.mark.parametrize("name", ["ledger_signed.db", "ledger_paper.db"])
def test_a_disk_that_is_full_or_read_only_leaves_the_old_one(disk: Path, name: str) -> None:
    path = Path(shutil.copy(FROZEN / name, disk / "ledger.db"))
    rows, schema, refusals = held(path), OLD[name][0], 0
    with mounts.read_only(disk) as view, pytest.raises((InputError, OSError)) as refused:
        begin(view / path.name)
    assert ending_of(refused.value).code == UNAVAILABLE
    for left in range(0, 400_000, 16_384):  # in its log, in the migration, in what follows
        try:
            with mounts.full(disk, but=left):
                begin(path)
        except (InputError, OSError) as error:
            refusals += 1
            assert ending_of(error).code == UNAVAILABLE
            assert (held(path), version(path)) == (rows, schema)
        else:
            break
    assert refusals
    assert version(path) == SCHEMA_VERSION
    assert {name: held(path)[name] for name in rows} == rows


def begin(path: Path) -> None:
    with Ledger(path):
        pass


KILLED = """
import os, sys, signal, sqlite3
from pathlib import Path
from trading.ledger import writer
from trading.ledger.signals import Ledger
steps, path = int(sys.argv[1]), Path(sys.argv[2])
engine_of = writer._engine
def counting(connection):
    engine = engine_of(connection)
    @writer.sa.event.listens_for(engine, "before_cursor_execute")
    def _(*_):
        global steps
        if (steps := steps - 1) < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return engine
writer._engine = counting
with Ledger(path):
    pass
"""


def killed_at(step: int, path: Path) -> int:
    words = [sys.executable, "-c", KILLED, str(step), str(path)]
    return subprocess.run(words, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=False).returncode


def killed_and_led_on(step: int, folder: Path, name: str = "ledger_signed.db") -> None:
    path = folder / f"{step}.db"
    shutil.copy(FROZEN / name, path)
    rows = held(path)
    assert killed_at(step, path) == -9
    assert (held(path), version(path)) == (rows, OLD[name][0])
    with Ledger(path) as ledger:
        assert ledger.record(a_signal(), EVENING).new
    assert held(path)["signals"][:-1] == rows["signals"]
    assert check_ledger(path).level == "ok"


@pytest.mark.integration
def test_one_that_is_killed_leaves_the_old_one(tmp_path: Path) -> None:
    killed_and_led_on(12, tmp_path)


@pytest.mark.long
@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "step"),
    [
        *(("ledger_signed.db", step) for step in range(25)),
        *(("ledger_paper.db", step) for step in range(6)),
    ],
)
def test_one_that_is_killed_at_any_step_leaves_the_old_one(
    name: str, step: int, tmp_path: Path
) -> None:
    killed_and_led_on(step, tmp_path, name)


def failures_of_writers(path: Path, count: int) -> list[str]:
    """Record a signal each from threads that open a ledger at once; return what went wrong."""
    barrier, failures = threading.Barrier(count), []

    def write(number: int) -> None:
        barrier.wait()
        try:
            with Ledger(path) as ledger:
                ledger.record(a_signal(version=number + 1), EVENING)
        except InputError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_eight_writers_and_a_long_reader_of_an_old_ledger(old: Path) -> None:
    with Ledger(old):
        pass
    with closing(read_only(old)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM signals").fetchone()
        assert failures_of_writers(old, 8) == []
        assert reader.execute("SELECT count(*) FROM signals").fetchone() == before == (3,)
    assert len(read_signals(old)) == 11
    assert check_ledger(old).level == "ok"


def test_writers_that_meet_at_an_old_ledger_lead_it_on_once(old: Path) -> None:
    assert failures_of_writers(old, 4) == []
    assert len(read_signals(old)) == 7
    assert check_ledger(old).level == "ok"


def test_a_new_ledger_runs_the_migrations_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        with Ledger(tmp_path / name):
            pass
        monkeypatch.setattr(writer, "_migrate", None)
