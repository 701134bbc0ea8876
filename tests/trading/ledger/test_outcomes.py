"""Outcomes in the ledger: scored by the rules, written once, and whole after any kill."""

import copy
import os
import signal as signals
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.records.outcome import Outcome
from home.records.signal import Signal, SignalKey
from market.errors import InputError
from serving.http.examples import SIGNAL_ANSWER
from trading.ledger.outcomes import (
    outcome_of,
    record_outcomes,
)
from trading.ledger.read import read_outcomes, read_signals
from trading.ledger.signals import Ledger
from trading.ledger.writer import writing

ROOT = Path(__file__).resolve().parents[3]
AS_OF = pd.Timestamp("2025-07-08 20:30", tz="UTC")
END = "2025-07-08"


def a_signal(
    ticker: str = "SPY", version: int = 1, direction: str = "UP", regime: str = "LOW"
) -> Signal:
    document = copy.deepcopy(SIGNAL_ANSWER) | {
        "ticker": ticker, "session": "2025-06-30", "direction": direction, "iv_regime": regime,
    }  # fmt: skip
    document["provenance"]["models"]["direction"]["version"] = version
    document["provenance"]["models"]["regime"]["version"] = 7
    return Signal.parse(document, "signal")


def an_outcome(ticker: str = "SPY", version: int = 1, realised_return: float = 0.02) -> Outcome:
    return outcome_of(a_signal(ticker, version), END, realised_return, 20.0)


def ledger_of(path: Path, *recorded: Signal) -> Path:
    with Ledger(path) as ledger:
        for row in recorded:
            ledger.record(row, pd.Timestamp("2025-06-30 20:31", tz="UTC"))
    return path


@pytest.fixture
def path(tmp_path):
    return ledger_of(tmp_path / "ledger.db", a_signal(), a_signal("QQQ"), a_signal(version=2))


@pytest.mark.parametrize(
    ("direction", "realised_return", "hit"),
    [
        ("UP", 0.02, True),
        ("UP", -0.02, False),
        ("UP", 0.01, None),
        ("DOWN", -0.02, True),
        ("DOWN", 0.02, False),
        ("DOWN", -0.01, None),
    ],
)
def test_a_direction_is_a_hit_a_miss_or_not_decided(direction, realised_return, hit):
    found = outcome_of(a_signal(direction=direction), END, realised_return, 20.0)
    assert found.direction_hit is hit
    assert found.realised_return == realised_return
    assert found.end_session == END


@given(st.floats(0, 100), st.sampled_from(["LOW", "NORMAL", "HIGH"]))
def test_a_regime_is_a_hit_by_the_forecast_classes(rank, predicted):
    found = outcome_of(a_signal(regime=predicted), END, 0.0, rank)
    expected = "LOW" if rank < 30 else "NORMAL" if rank < 60 else "HIGH"
    assert found.realised_regime == expected
    assert found.regime_hit is (predicted == expected)
    assert found.iv_rank == rank


def test_without_a_rank_the_regime_is_not_known():
    found = outcome_of(a_signal(), END, 0.02, None)
    assert (found.iv_rank, found.realised_regime, found.regime_hit) == (None, None, None)
    assert found.direction_hit is True


@pytest.mark.parametrize("rank", [-0.1, 100.1, float("nan")])
def test_a_rank_out_of_range_is_refused(rank):
    with pytest.raises(InputError, match="iv_rank"):
        outcome_of(a_signal(), END, 0.02, rank)


def test_an_outcome_has_the_key_of_its_signal():
    assert a_signal(version=3).key == SignalKey("SPY", "2025-06-30", 3, 7)
    assert an_outcome(version=3).key == a_signal(version=3).key


def test_outcomes_come_back_as_they_were_settled(path):
    unknown = outcome_of(a_signal("QQQ"), END, 0.0, None)
    written = [an_outcome(), unknown, an_outcome(version=2, realised_return=-0.5)]
    assert record_outcomes(path, written, AS_OF) == 3
    assert read_outcomes(path) == written
    assert read_outcomes(path, "QQQ") == [unknown]
    assert read_outcomes(path, "' OR 1=1 --") == []
    assert [type(row.direction_hit) for row in read_outcomes(path)] == [bool, type(None), bool]


def test_the_first_outcome_of_a_signal_stays(path):
    assert record_outcomes(path, [an_outcome()], AS_OF) == 1
    assert record_outcomes(path, [an_outcome(realised_return=-0.3)], AS_OF) == 0
    assert record_outcomes(path, [an_outcome(), an_outcome("QQQ")], AS_OF) == 1
    assert [row.realised_return for row in read_outcomes(path)] == [0.02, 0.02]


def test_the_clock_of_the_settlement_is_kept(path):
    record_outcomes(path, [an_outcome()], AS_OF.tz_convert("Asia/Tokyo"))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT as_of FROM outcomes").fetchall() == [
            ("2025-07-08T20:30:00+00:00",)
        ]


def test_signals_are_untouched_and_recorded_on(path):
    before = read_signals(path)
    record_outcomes(path, [an_outcome()], AS_OF)
    assert read_signals(path) == before
    ledger_of(path, a_signal("IWM"))
    assert read_signals(path)[:-1] == before


def test_an_outcome_without_its_signal_is_refused_with_all_that_came_along(path):
    with pytest.raises(InputError, match="FOREIGN KEY"):
        record_outcomes(path, [an_outcome(), an_outcome("IWM")], AS_OF)
    assert read_outcomes(path) == []


def test_before_a_settlement_there_are_none(path):
    assert read_outcomes(path) == []
    assert record_outcomes(path, [], AS_OF) == 0
    assert read_outcomes(path) == []


def test_without_a_ledger_the_message_says_what_to_do(tmp_path):
    missing = tmp_path / "ledger.db"
    for attempt in (read_outcomes, lambda path: record_outcomes(path, [an_outcome()], AS_OF)):
        with pytest.raises(InputError, match="--record"):
            attempt(missing)
    assert not missing.exists()


def test_the_log_is_written_ahead_and_every_commit_synchronous(path):
    with writing(path) as ledger:
        connection = ledger.connection
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_outcomes import AS_OF, an_outcome
from trading.ledger.outcomes import record_outcomes
for version in range(1, 401, 2):
    pair = [an_outcome(version=version), an_outcome(version=version + 1)]
    print(version, record_outcomes(Path(sys.argv[1]), pair, AS_OF), flush=True)
"""


def writer(path: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, path, Path(__file__).parent],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.integration
@pytest.mark.parametrize("kills", [2, pytest.param(6, marks=pytest.mark.long)])
def test_nothing_acknowledged_is_lost_and_no_pair_is_parted_by_a_kill(tmp_path, kills):
    path = ledger_of(tmp_path / "ledger.db", *(a_signal(version=v) for v in range(1, 401)))
    acknowledged: set[int] = set()
    for kill in range(kills):
        process = writer(path)
        lines = [process.stdout.readline() for _ in range(len(acknowledged) + 10 + 7 * kill)]
        os.kill(process.pid, signals.SIGKILL)
        lines += process.communicate()[0].splitlines(keepends=True)
        acknowledged |= {int(line.split()[0]) for line in lines if line.endswith("\n")}
        stored = {row.direction_version for row in read_outcomes(path)}
        assert acknowledged | {version + 1 for version in acknowledged} <= stored
        assert len(stored) <= 2 * len(acknowledged) + 2
        assert all(version + 1 in stored for version in stored if version % 2)
        assert all(version - 1 in stored for version in stored if not version % 2)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.integration
def test_two_settlements_at_once_write_each_outcome_once(tmp_path):
    path = ledger_of(tmp_path / "ledger.db", *(a_signal(version=v) for v in range(1, 401)))
    processes = [writer(path) for _ in range(2)]
    lines = [line.split() for p in processes for line in p.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(int(new) for _, new in lines) == 400
    assert len(read_outcomes(path)) == 400
