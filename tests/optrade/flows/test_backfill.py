"""Which sessions are backfilled, which model answers each, and that the past knows no later."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from market.calendar import read_time, sessions
from market.errors import InputError
from optrade.flows.backfill import signals
from optrade.flows.backfill.rows import PastRows
from optrade.flows.backfill.signals import asked_days, past_signals
from optrade.flows.train.window import Window

EVENING = pd.Timestamp("2024-11-15 21:30", tz="UTC")


def test_without_days_it_is_a_year_up_to_the_last_that_nobody_can_follow():
    days = asked_days(None, None, EVENING)
    assert [str(day.date()) for day in (days[0], days[-1])] == ["2023-11-14", "2024-11-14"]
    # Once the next session has opened, the signal of the one before cannot be followed any more.
    opened = asked_days(None, None, pd.Timestamp("2024-11-18 15:00", tz="UTC"))
    assert str(opened[-1].date()) == "2024-11-15"


def test_days_without_a_session_of_the_past_are_refused():
    for start, end in (
        ("2024-11-15", None),
        ("2024-11-09", "2024-11-10"),
        ("2024-01-05", "2024-01-02"),
    ):
        with pytest.raises(InputError, match="allowed are days up to 2024-11-14"):
            asked_days(start, end, EVENING)


class Walk:
    """A walk of two folds; a model is known by its number."""

    def __init__(self, first, second):
        self.starts = pd.DatetimeIndex([first, second])

    def model_at(self, day):
        at = int(self.starts.searchsorted(day, side="right"))
        return SimpleNamespace(sha256=str(at), number=at) if at else None


@pytest.fixture
def asked(monkeypatch):
    """What a ticker's signals are made of, in the place of a home's."""
    made = []
    walks = {
        "direction": Walk("2024-03-04", "2024-03-06"),
        "regime": Walk("2024-03-05", "2024-03-06"),
        "distribution": Walk("2024-03-06", "2024-03-08"),
    }
    monkeypatch.setattr(signals, "walks_of", lambda *_: walks)
    monkeypatch.setattr(signals.PastRows, "read", lambda *_: rows)
    rows = SimpleNamespace(
        at=lambda day, _: "no value was known of vix_close" if day.day == 7 else day
    )

    def build(row, models, *, as_of, **_):
        made.append((row, models, as_of))
        return SimpleNamespace(session=str(row.date()))

    monkeypatch.setattr(signals, "build_signal", build)
    monkeypatch.setattr(signals, "Signal", SimpleNamespace)
    home = SimpleNamespace(origin=lambda: "simulated", data=None)
    settings = SimpleNamespace(capital=None, require_edge=False)
    run = SimpleNamespace(home=home, settings=settings, feature_store=lambda **_: None)
    return run, made


def test_each_session_is_answered_by_models_that_had_not_seen_it(asked, monkeypatch):
    run, made = asked
    days = sessions("2024-03-01", "2024-03-08")
    found = past_signals(run, "SPY", days, Window("5y"), {})
    assert [(row.day, m.direction.number, m.regime.number) for row, m, _ in made] == [
        (5, 1, 1), (6, 2, 2), (8, 2, 2),
    ]  # fmt: skip
    assert [None if m.distribution is None else m.distribution.number for _, m, _ in made] == [
        None, 1, 2,
    ]  # fmt: skip
    assert [as_of for *_, as_of in made] == list(read_time(days[[2, 3, 5]]))
    assert [one.session for one in found.signals] == ["2024-03-05", "2024-03-06", "2024-03-08"]
    assert found.lacking == {
        "no model of a walk-forward had been fitted by then": 2,
        "no value was known of vix_close": 1,
    }


def test_a_feature_without_a_value_is_named():
    day = pd.Timestamp("2024-03-05")
    models = SimpleNamespace(features=lambda: ["vix_close", "iv_rank"], distribution=None)
    frame = pd.DataFrame({"vix_close": [np.nan], "iv_rank": [np.nan]}, index=[day])
    row = PastRows("SPY", frame, chains=None, carried={}).at(day, models)
    assert row == "no value was known of vix_close and 1 more"
