"""A signal that was written when its fill had passed is backfilled."""

import pandas as pd
import pytest

from dashboard.queries.ledger import signal_history
from home.records.signal import Signal
from market.errors import InputError
from tests.trading.ledger.test_signals import a_signal, changed
from trading.ledger.read import read_signals
from trading.ledger.signals import Ledger
from trading.ledger.timing import fill_time, is_backfilled

# The session after Thursday 3 July 2025 is Monday 7 July.
OPENS = pd.Timestamp("2025-07-07 13:30", tz="UTC")
SECOND = pd.Timedelta(seconds=1)


def given(origin: str, as_of: pd.Timestamp) -> Signal:
    one = changed(a_signal(session="2025-07-03"), "provenance.origin", origin)
    return changed(one, "provenance.as_of", as_of.isoformat())


def test_a_signal_is_filled_at_the_open_of_the_next_session() -> None:
    assert fill_time("2025-07-03") == OPENS
    with pytest.raises(InputError, match="2025-07-04"):
        fill_time("2025-07-04")


@pytest.mark.parametrize("late", [False, True])
def test_a_live_one_is_of_the_past_by_the_time_of_writing(late: bool) -> None:
    written = OPENS if late else OPENS - SECOND
    assert is_backfilled(given("live", OPENS - 60 * SECOND), written) is late


@pytest.mark.parametrize("origin", ["recorded", "simulated"])
@pytest.mark.parametrize("late", [False, True])
def test_another_is_by_the_clock_of_its_home(origin: str, late: bool) -> None:
    as_of = OPENS if late else OPENS - SECOND
    assert is_backfilled(given(origin, as_of), OPENS + pd.Timedelta(days=900)) is late


def test_what_was_made_for_the_past_says_so_whatever_the_clocks_say(tmp_path) -> None:
    path, clock = tmp_path / "ledger.db", OPENS - SECOND
    with Ledger(path) as ledger:
        ledger.record(given("live", clock), clock)
        ledger.record(a_signal("QQQ", "2025-07-03"), clock, backfilled=True)
    assert [row.backfilled for row in read_signals(path)] == [False, True]
    assert signal_history(path).signals["backfilled"].tolist() == [False, True]
