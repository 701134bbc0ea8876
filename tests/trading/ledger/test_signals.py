"""The ledger: idempotent, never overwritten, and whole after any kill."""

import json
import os
import signal as signals
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from home.records.signal import Signal
from market.errors import InputError
from serving.http.examples import SIGNAL_ANSWER
from trading.ledger.checked import RecordedSignal
from trading.ledger.connection import read_only
from trading.ledger.read import read_signals
from trading.ledger.schema import COLUMNS
from trading.ledger.signals import Ledger, Recorded

ROOT = Path(__file__).resolve().parents[3]
EVENING = pd.Timestamp("2025-06-30 20:31", tz="UTC")
LATER = EVENING + pd.Timedelta(hours=1)


def a_signal(ticker: str = "SPY", session: str = "2025-06-30", version: int = 1) -> Signal:
    signal = Signal.parse(SIGNAL_ANSWER | {"ticker": ticker, "session": session}, "signal")
    return changed(signal, "provenance.models.direction.version", version)


def changed(signal: Signal, place: str, value: object) -> Signal:
    return Signal.parse(changed_document(signal, place, value), "signal")


def changed_document(signal: Signal, place: str, value: object) -> dict:
    document = signal.document()
    *above, last = place.split(".")
    part = document
    for step in above:
        part = part[step]
    part[last] = value
    return document


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "ledger.db"


def test_a_signal_comes_back_as_it_was_served(path):
    with Ledger(path) as ledger:
        result = ledger.record(a_signal(), EVENING)
    assert result == Recorded(True, True, EVENING, number=1, backfilled=False)
    assert read_signals(path) == [RecordedSignal(EVENING.isoformat(), a_signal(), 1, False)]


def test_the_same_signal_twice_is_one_row(path):
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
        again = ledger.record(a_signal(), LATER)
    assert (again.new, again.same, again.recorded_at) == (False, True, EVENING)
    assert len(read_signals(path)) == 1


def test_another_moment_of_asking_is_the_same_signal(path):
    asked_later = changed(a_signal(), "provenance.as_of", "2025-06-30T21:30:00+00:00")
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
        again = ledger.record(asked_later, LATER)
    assert (again.new, again.same) == (False, True)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("strategy", "NO TRADE"),
        ("prediction.probability", 0.61),
        ("provenance.origin", "live"),
        ("structure", None),
        ("structure.contracts", 4),
    ],
)
def test_another_content_for_a_key_is_reported_and_the_first_stays(path, place, value):
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
        again = ledger.record(changed(a_signal(), place, value), LATER)
    assert (again.new, again.same, again.recorded_at) == (False, False, EVENING)
    assert [row.signal for row in read_signals(path)] == [a_signal()]


@pytest.mark.parametrize(
    "other",
    [
        a_signal(ticker="QQQ"),
        a_signal(session="2025-07-01"),
        a_signal(version=2),
        changed(a_signal(), "provenance.models.regime.version", 2),
    ],
)
def test_every_part_of_the_key_makes_another_row(path, other):
    with Ledger(path) as ledger:
        assert ledger.record(a_signal(), EVENING).new
        assert ledger.record(other, LATER).new
    assert len(read_signals(path)) == 2


def test_rows_are_read_in_the_order_they_were_written_and_by_ticker(path):
    with Ledger(path) as ledger:
        for ticker in ("SPY", "QQQ", "IWM"):
            ledger.record(a_signal(ticker), EVENING)
    assert [r.signal.ticker for r in read_signals(path)] == ["SPY", "QQQ", "IWM"]
    assert [r.signal.ticker for r in read_signals(path, "QQQ")] == ["QQQ"]
    assert read_signals(path, "' OR 1=1 --") == []


def test_columns_hold_what_the_document_says(path):
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM signals").fetchone())
    for name, place in COLUMNS.items():
        expected = a_signal().document()
        for step in place.split("."):
            expected = expected[step]
        assert row[name] == expected
    assert json.loads(row["document"]) == a_signal().document()


@pytest.mark.parametrize("name", COLUMNS)
def test_a_signal_that_lacks_a_field_is_not_recorded(path, name):
    with Ledger(path) as ledger:
        with pytest.raises(InputError, match=COLUMNS[name]):
            ledger.record(changed(a_signal(), COLUMNS[name], None), EVENING)
        assert ledger.record(a_signal(), EVENING).new


def stored(path: Path, document: dict) -> None:
    """Put a document into the one row of a ledger, as one has it that is older than its hash."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE signals SET document = ?, sha256 = NULL", (json.dumps(document),)
        )
    connection.close()


def test_a_row_older_than_the_simulated_rank_is_read_without_it(path):
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
    document = a_signal().document()
    del document["volatility"]["iv_rank_forecast"]
    stored(path, document)
    (row,) = read_signals(path)
    assert row.signal == changed(a_signal(), "volatility.iv_rank_forecast", None)


def test_a_row_older_than_the_three_words_is_read_by_its_figures(path):
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
    document = a_signal().document()
    for task in ("direction", "regime"):
        del document["evidence"][task]["standing"]
        for name in ("model", "note"):
            del document["provenance"]["models"][task][name]
    del document["provenance"]["carried"]
    document["evidence"]["regime"] |= {"improvement": -0.3, "interval": [-0.5, -0.1]}
    stored(path, document)
    (row,) = read_signals(path)
    evidence, models = row.signal.evidence, row.signal.provenance.models
    assert (evidence.direction.standing, evidence.regime.standing) == ("unproven", "refuted")
    assert models.direction.model is models.regime.note is None
    assert row.signal.provenance.carried is None


@pytest.mark.parametrize(
    ("place", "value"), [("extra", 1), ("direction", None), ("iv_confidence", "high")]
)
def test_a_row_that_is_no_signal_names_the_signal_and_the_field(path, place, value):
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
    stored(path, changed_document(a_signal(), place, value))
    with pytest.raises(InputError, match=f"signal SPY 2025-06-30: {place}: "):
        read_signals(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_not_recorded(path, value):
    with Ledger(path) as ledger:
        with pytest.raises(InputError, match="finite"):
            ledger.record(changed(a_signal(), "iv_confidence", value), EVENING)
        with pytest.raises(InputError, match="finite"):
            ledger.record(a_signal().model_copy(update={"iv_confidence": value}), EVENING)
    assert read_signals(path) == []


def test_a_wrong_type_is_not_recorded(path):
    with Ledger(path) as ledger:
        with pytest.raises(InputError, match=r"datatype|store"):
            ledger.record(a_signal().model_copy(update={"iv_confidence": "high"}), EVENING)
        assert ledger.record(a_signal(), EVENING).new


def test_every_commit_is_synchronous(path):
    with Ledger(path) as ledger:
        connection = ledger._writer.connection
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_closed_ledger_says_so(path):
    with pytest.raises(InputError, match="with"):
        Ledger(path).record(a_signal(), EVENING)


def test_reading_without_a_ledger_says_what_to_do(path):
    with pytest.raises(InputError, match="--record"):
        read_signals(path)
    assert not path.exists()


def test_readers_cannot_write(path):
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
    connection = read_only(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM signals")
    connection.close()


def test_a_reader_sees_rows_while_a_writer_is_open(path):
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)
        assert len(read_signals(path)) == 1


def test_threads_that_open_a_new_ledger_together_all_record(path):
    barrier, failures = threading.Barrier(8), []

    def write(number: int) -> None:
        barrier.wait()
        try:
            with Ledger(path) as ledger:
                ledger.record(a_signal(version=number + 1), EVENING)
        except InputError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(read_signals(path)) == 8


WRITER = """
import sys
import pandas as pd
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from test_signals import EVENING, a_signal
from trading.ledger.signals import Ledger, Recorded
path, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with Ledger(path) as ledger:
    for version in range(first, first + count):
        result = ledger.record(a_signal(version=version), EVENING, shadow=version % 2 == 0)
        print(version, int(result.new), flush=True)
"""


def writer(path: Path, first: int, count: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, path, str(first), str(count), Path(__file__).parent],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.integration
@pytest.mark.parametrize("kills", [6, pytest.param(25, marks=pytest.mark.long)])
def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(path, kills):
    acknowledged = set()
    for kill in range(kills):
        process = writer(path, 1 + kill * 1000, 1000)
        for _ in range(20 + 7 * kill):
            acknowledged.add(int(process.stdout.readline().split()[0]))
        os.kill(process.pid, signals.SIGKILL)
        rest = process.stdout.read().splitlines(keepends=True)
        acknowledged |= {int(line.split()[0]) for line in rest if line.endswith("\n")}
        process.wait()
        rows = read_signals(path, shadows=True)
        stored = {r.signal.key.direction_version for r in rows}
        assert all(r.shadow is (r.signal.key.direction_version % 2 == 0) for r in rows)
        assert acknowledged <= stored
        # At most the one row in flight was written and not yet acknowledged.
        assert len(stored) <= len(acknowledged) + kill + 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.integration
def test_two_writers_of_the_same_rows_write_each_once(path):
    processes = [writer(path, 1, 150) for _ in range(2)]
    lines = [line.split() for p in processes for line in p.communicate()[0].splitlines()]
    assert [p.returncode for p in processes] == [0, 0]
    assert len(lines) == 300
    assert sum(int(new) for _, new in lines) == 150
    versions = [row.signal.key.direction_version for row in read_signals(path, shadows=True)]
    assert sorted(versions) == list(range(1, 151))
