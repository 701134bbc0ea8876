"""A shadow is written, chained and settled as a signal is, and is none to who reads signals."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from dashboard.queries.ledger import signal_history
from market.errors import StoreUnavailable
from optrade.flows.doctor.stores import check_ledger
from tests.trading.ledger.test_settle import LATE, market
from tests.trading.ledger.test_settle import a_signal as dated
from tests.trading.ledger.test_signals import EVENING, a_signal
from trading.ledger.read import each_signal, read_outcomes, read_signal, read_signals, signals_of
from trading.ledger.settle import settle
from trading.ledger.signals import Ledger

SESSION = "2025-06-30"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of a signal, and of its shadow, which was written later."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.record(a_signal(), EVENING)
        kept = ledger.record(a_signal(version=2), EVENING, shadow=True)
    assert (kept.new, kept.number, kept.shadow) == (True, 2, True)
    return tmp_path / "ledger.db"


def test_readers_leave_shadows_out_unless_they_ask(path: Path) -> None:
    assert [row.number for row in read_signals(path)] == [1]
    assert [row.shadow for row in each_signal(path)] == [False]
    assert [row.shadow for row in read_signals(path, shadows=True)] == [False, True]
    ((daily,), damaged) = signals_of(path, SESSION)
    assert (daily.number, daily.recordings, damaged) == (1, 1, [])
    assert signal_history(path).signals["direction_version"].tolist() == [1]
    assert read_signal(path, 2).shadow
    assert check_ledger(path).found.startswith("1 recorded signals, 1 shadows; chain of 2 rows")


def test_the_first_row_of_a_key_stays_what_it_is(path: Path) -> None:
    """A version that was a shadow in a session, and serves by its end."""
    with Ledger(path) as ledger:
        kept = ledger.record(a_signal(version=2), EVENING)
        assert (kept.new, kept.shadow) == (False, True)
        kept = ledger.record(a_signal(), EVENING, shadow=True)
        assert (kept.new, kept.shadow) == (False, False)
    assert [row.number for row in read_signals(path)] == [1]


@pytest.mark.parametrize(("number", "value"), [(1, 1), (2, 0), (2, None)])
def test_no_signal_becomes_a_shadow_unseen_nor_a_shadow_a_signal(
    path: Path, number: int, value: int | None
) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE signals SET shadow = ? WHERE id = ?", (value, number))
    with pytest.raises(StoreUnavailable, match=r"signal SPY .*its bytes are not"):
        read_signals(path)
    assert "its bytes are not" in signal_history(path).damaged[0]
    assert check_ledger(path).level == "error"


def test_shadows_are_settled_apart_from_what_was_given(tmp_path: Path) -> None:
    path, days = tmp_path / "ledger.db", ("2024-12-02", "2024-12-03", "2025-01-31")
    with Ledger(path) as ledger:
        for day in days:
            at = pd.Timestamp(f"{day} 21:30", tz="UTC")
            ledger.record(dated(day), at)
            ledger.record(dated(day, version=2, direction="DOWN"), at, shadow=True)
    prices, ranks = market(3)
    done = settle(path, prices, ranks, LATE)
    for found, version in ((done, 1), (done.shadows, 2)):
        assert [row.session for row in found.new] == [*days[:2]]
        assert {row.key.direction_version for row in (*found.new, *found.pending)} == {version}
        assert (found.settled_before, len(found.pending)) == (0, 1)
    assert len(read_outcomes(path)) == 4
    again = settle(path, prices, ranks, LATE)
    assert (again.new, again.settled_before, again.shadows.settled_before) == ((), 2, 2)


def test_without_shadows_nothing_is_said_of_them(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.record(dated("2024-12-02"), EVENING)
    assert settle(tmp_path / "ledger.db", *market(3), LATE).shadows is None
