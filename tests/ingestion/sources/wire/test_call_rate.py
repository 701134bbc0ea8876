"""The budget of calls: within one process, and among processes that share a folder."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources.wire.call_rate import FILE, CallRate
from ingestion.sources.wire.patience import Patience, TryAgain, patiently
from market.errors import ConfigurationError

CALLS, WINDOW = 3, 0.2
# Takes calls until enough are booked by all, and writes when each of its own was free.
TAKER = f"""
import sys
from pathlib import Path
from ingestion.sources.wire.call_rate import CallRate
from ingestion.sources.wire.patience import Patience, patiently

patience = Patience(attempts=200, budget_seconds=30, pause_seconds=0.001)
rate = CallRate({CALLS}, {WINDOW}, Path(sys.argv[1]))
sys.stdin.read(1)
for _ in range(6):
    patiently("a call", lambda seconds: rate.take(), patience)
    print("taken", flush=True)
"""


def stamps(folder: Path) -> np.ndarray:
    """Return when the calls were booked, in milliseconds, ascending."""
    with closing(sqlite3.connect(folder / FILE)) as file:
        rows = file.execute("SELECT item_timestamp FROM rate_bucket").fetchall()
    return np.sort(np.array([row[0] for row in rows]))


def keep_every_stamp(folder: Path) -> None:
    """Have the file keep the stamps that the bucket deletes when they no longer count."""
    CallRate(CALLS, WINDOW, folder).take()
    with closing(sqlite3.connect(folder / FILE)) as file:
        file.execute("CREATE TABLE kept (item_timestamp INTEGER)")
        file.execute(
            "CREATE TRIGGER keep AFTER INSERT ON rate_bucket "
            "BEGIN INSERT INTO kept VALUES (new.item_timestamp); END"
        )
        file.commit()


@pytest.mark.integration
def test_two_processes_share_the_calls(tmp_path: Path) -> None:
    keep_every_stamp(tmp_path)
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for taker in takers:
        taker.stdin.write("x")
        taker.stdin.flush()
    outputs = [taker.communicate(timeout=60)[0] for taker in takers]
    assert [taker.returncode for taker in takers] == [0, 0]
    assert [output.count("taken") for output in outputs] == [6, 6]
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        rows = file.execute("SELECT item_timestamp FROM kept").fetchall()
    booked = np.sort([row[0] for row in rows])
    assert len(booked) == 12
    assert (booked[CALLS:] - booked[:-CALLS] > WINDOW * 1000).all()


@pytest.mark.parametrize("shared", [False, True])
def test_call_beyond_the_budget_is_told_with_its_pause(shared: bool, tmp_path: Path) -> None:
    rate = CallRate(2, 60, tmp_path / "new" if shared else None)
    rate.take()
    rate.take()
    with pytest.raises(
        TryAgain, match=r"the 2 calls allowed in 60 s are used up, one is"
    ) as caught:
        rate.take()
    assert 0 < caught.value.pause <= 60.001


def test_another_object_on_the_folder_has_the_same_budget(tmp_path: Path) -> None:
    CallRate(1, 60, tmp_path).take()
    with pytest.raises(TryAgain):
        CallRate(1, 60, tmp_path).take()
    CallRate(1, 60, tmp_path / "other").take()
    CallRate(1, 60).take()


def test_refused_call_is_not_booked(tmp_path: Path) -> None:
    rate = CallRate(1, 60, tmp_path)
    rate.take()
    for _ in range(5):
        with pytest.raises(TryAgain):
            rate.take()
    assert len(stamps(tmp_path)) == 1


@pytest.mark.parametrize("shared", [False, True])
def test_threads_share_the_calls(shared: bool, tmp_path: Path) -> None:
    rate = CallRate(5, 60, tmp_path if shared else None)
    taken: list[int] = []

    def take(number: int) -> None:
        try:
            rate.take()
        except TryAgain:
            return
        taken.append(number)

    threads = [Thread(target=take, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == 5


def test_the_pause_asked_for_is_enough(tmp_path: Path) -> None:
    rate = CallRate(1, 0.02, tmp_path)
    patience = Patience(attempts=3, budget_seconds=20)
    for _ in range(4):
        patiently("a call", lambda _: rate.take(), patience)


def test_calls_that_no_longer_count_are_forgotten(tmp_path: Path) -> None:
    rate = CallRate(1, 0.005, tmp_path)
    patience = Patience(attempts=50, budget_seconds=20, pause_seconds=0.001)
    for _ in range(10):
        patiently("a call", lambda _: rate.take(), patience)
    assert len(stamps(tmp_path)) <= 2


def test_clock_set_back_does_not_block(tmp_path: Path) -> None:
    rate = CallRate(1, 60, tmp_path)
    rate.take()
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.execute("UPDATE rate_bucket SET item_timestamp = item_timestamp + 86400000")
        file.commit()
    rate.take()
    with pytest.raises(TryAgain):
        rate.take()


def test_file_that_is_no_bucket_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, " * 100)
    with pytest.raises(ConfigurationError, match=rf"{FILE}: cannot book calls .* delete the file"):
        CallRate(1, 60, tmp_path).take()


def test_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(ConfigurationError, match="cannot book calls"):
        CallRate(1, 60, tmp_path / "cache").take()


def test_nothing_is_written_before_a_call(tmp_path: Path) -> None:
    CallRate(1, 60, tmp_path / "cache")
    assert not list(tmp_path.iterdir())


@given(calls=st.integers(1, 8), asked=st.integers(1, 12))
@settings(max_examples=50, deadline=None)
def test_exactly_the_budget_is_given(calls: int, asked: int) -> None:
    rate, given_out = CallRate(calls, 3600), 0
    for _ in range(asked):
        try:
            rate.take()
        except TryAgain:
            continue
        given_out += 1
    assert given_out == min(calls, asked)
