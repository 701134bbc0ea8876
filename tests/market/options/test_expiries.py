"""The calendar of listed options."""

from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.calendar import sessions
from market.errors import InputError
from market.options import expiries
from market.options.expiries import (
    expirations,
    expiry_time,
    last_trading_day,
    monthly_expirations,
    years_left,
)


def test_expirations_are_weekly_for_eight_weeks_then_monthly() -> None:
    found = expirations(pd.Timestamp("2024-06-03"))
    assert [f"{day:%m-%d}" for day in found] == [
        "06-07", "06-14", "06-21", "06-28", "07-05", "07-12", "07-19", "07-26",
        "08-16", "09-20", "10-18", "11-15",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("session", "expiration"),
    [("2024-03-25", "2024-03-28"), ("2026-06-15", "2026-06-18")],  # Good Friday, Juneteenth
)
def test_before_a_holiday_they_are_a_day_earlier(session: str, expiration: str) -> None:
    assert expirations(pd.Timestamp(session))[0] == pd.Timestamp(expiration)


@settings(deadline=None)
@given(day=st.sampled_from(sessions("2010-01-04", "2026-06-30").tolist()))
def test_expirations_are_sessions_to_come(day: pd.Timestamp) -> None:
    found = expirations(day)
    assert found.is_monotonic_increasing
    assert found.is_unique
    assert found[0] > day
    assert len(sessions(found[0], found[-1]).intersection(found)) == len(found)
    assert 10 <= len(found) <= 14
    # Decision 16: there are some 14 to 28 days away.
    assert any(14 <= (other - day).days <= 28 for other in found)


def test_what_the_calendar_does_not_reach_is_left_out(monkeypatch) -> None:
    known = sessions("2024-05-01", "2024-06-12")  # a Wednesday
    monkeypatch.setattr(expiries, "calendar", lambda: SimpleNamespace(sessions=known))
    monkeypatch.setattr(expiries, "sessions", lambda a, b: known[(known >= a) & (known <= b)])
    assert expirations(pd.Timestamp("2024-06-03")).tolist() == [pd.Timestamp("2024-06-07")]
    assert len(expirations(known[-1])) == 0
    found = monthly_expirations(known[0], pd.Timestamp("2024-06-20"))
    assert found.tolist() == [pd.Timestamp("2024-05-17")]


def days(*texts: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(texts)


def test_monthly_ones_are_third_fridays_or_the_session_before() -> None:
    found = monthly_expirations(pd.Timestamp("2019-01-01"), pd.Timestamp("2019-07-18"))
    assert [f"{day:%m-%d}" for day in found] == [
        "01-18", "02-15", "03-15", "04-18", "05-17", "06-21",
    ]  # fmt: skip
    # The day before a third Friday that is a holiday counts by itself, not by the Friday.
    assert len(monthly_expirations(pd.Timestamp("2019-04-18"), pd.Timestamp("2019-04-18"))) == 1
    assert len(monthly_expirations(pd.Timestamp("2019-04-19"), pd.Timestamp("2019-04-30"))) == 0


@pytest.mark.parametrize(
    ("root", "day", "moment", "last"),
    [
        ("SPX", "2024-06-21", "2024-06-21 13:30", "2024-06-20"),
        ("SPX", "2024-01-19", "2024-01-19 14:30", "2024-01-18"),
        ("SPX", "2019-04-18", "2019-04-18 13:30", "2019-04-17"),  # Good Friday follows
        ("SPXW", "2024-06-21", "2024-06-21 20:00", "2024-06-21"),
        ("XSP", "2024-06-21", "2024-06-21 20:00", "2024-06-21"),
        ("SPY", "2024-11-29", "2024-11-29 18:00", "2024-11-29"),  # half a day
        ("SPY", "2024-12-20", "2024-12-20 21:00", "2024-12-20"),
    ],
)
def test_when_a_contract_settles(root: str, day: str, moment: str, last: str) -> None:
    assert expiry_time(root, days(day))[0] == pd.Timestamp(moment, tz="UTC")
    assert last_trading_day(root, days(day))[0] == pd.Timestamp(last)


@pytest.mark.parametrize(
    ("root", "day", "words"),
    [
        ("SPX", "2024-06-28", "expiry of SPX: got 2024-06-28, allowed are third Fridays"),
        ("SPX", "2019-04-19", "expiry of SPX: got 2019-04-19"),
        ("SPY", "2024-03-29", "not an XNYS session: got 2024-03-29"),
    ],
)
def test_other_days_are_refused(root: str, day: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        expiry_time(root, days(day))
    with pytest.raises(InputError, match=words):
        last_trading_day(root, days(day))


def test_the_time_left_counts_every_hour() -> None:
    quoted = pd.DatetimeIndex(["2024-06-14 16:00"], tz="America/New_York")
    left = years_left(quoted, expiry_time("SPY", days("2024-06-14", "2024-06-21")))
    assert (left * 365).tolist() == pytest.approx([0.0, 7.0])
    late = quoted + pd.Timedelta(hours=12)
    assert (years_left(late, quoted) * 365).tolist() == [-0.5]
    assert len(expiry_time("SPX", days())) == 0
    with pytest.raises(InputError, match="quoted: got times without a zone"):
        years_left(quoted.tz_localize(None), quoted)
