"""Sessions and closing times: exchange_calendars, hand-checked days, and properties."""

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import calendar as markets
from market.calendar import (
    DECISION_DELAY,
    NEW_YORK,
    close,
    decision_time,
    last_complete_session,
    session_shift,
    sessions,
)
from market.errors import InputError
from market.underlyings import UNDERLYINGS, VOLATILITY_INDICES, underlying

moments = st.datetimes(pd.Timestamp("1990-01-03"), pd.Timestamp("2026-12-31")).map(
    lambda at: pd.Timestamp(at, tz="UTC")
)


def days(*texts):
    return pd.DatetimeIndex([pd.Timestamp(text) for text in texts])


def new_york(text):
    return pd.Timestamp(text, tz=NEW_YORK)


@pytest.fixture(scope="module")
def oracle():
    return exchange_calendars.get_calendar("XNYS", start="1990-01-02", end="2026-12-31")


def test_sessions_and_closes_are_those_of_the_exchange_calendar(oracle):
    own = sessions("1990-01-02", "2026-12-31")
    assert own.tz is None
    assert list(own) == list(oracle.sessions)
    assert list(close(own)) == list(oracle.closes)


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("2024-01-01", "2024-12-31", 252),
        ("2001-09-11", "2001-09-16", 0),  # closed after the attacks
        ("2012-10-29", "2012-10-30", 0),  # Sandy
        ("2022-06-20", "2022-06-20", 0),  # Juneteenth, since 2022
        ("2021-06-18", "2021-06-18", 1),
        ("2025-01-09", "2025-01-09", 0),  # mourning for President Carter
        ("2024-03-29", "2024-03-29", 0),  # Good Friday, no federal holiday
        ("2024-11-11", "2024-11-11", 1),  # Veterans Day, a federal holiday
        ("2024-07-06", "2024-07-07", 0),
        ("2024-07-08", "2024-07-05", 0),
    ],
)
def test_known_days(first, last, count):
    assert len(sessions(first, last)) == count


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        ("2024-07-03", "13:00"),  # before Independence Day
        ("2024-11-29", "13:00"),  # after Thanksgiving
        ("2024-12-24", "13:00"),
        ("2023-07-03", "13:00"),
        ("2024-07-05", "16:00"),
        ("2020-03-16", "16:00"),
    ],
)
def test_half_days_close_at_one(day, hour):
    assert close(days(day))[0] == new_york(f"{day} {hour}")
    assert decision_time(days(day))[0] == new_york(f"{day} {hour}") + pd.Timedelta(minutes=30)


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        ("2024-03-08", "21:00"),  # Friday before the clocks go forward
        ("2024-03-11", "20:00"),
        ("2024-11-01", "20:00"),
        ("2024-11-04", "21:00"),
        ("2006-04-03", "20:00"),  # the old rule: first Sunday of April
        ("2006-03-31", "21:00"),
    ],
)
def test_closes_follow_daylight_saving(day, utc):
    assert close(days(day))[0] == pd.Timestamp(f"{day} {utc}", tz="UTC")


@pytest.mark.parametrize("day", ["2024-07-04", "2024-07-06", "1989-12-29", "2024-07-05 10:00"])
def test_a_day_that_is_no_session_has_no_close(day):
    with pytest.raises(InputError, match=r"not an XNYS session: got .* allowed are trading days"):
        close(days("2024-07-03", day))


def test_session_dates_have_no_zone_and_are_known():
    with pytest.raises(InputError, match="got the zone UTC"):
        close(days("2024-07-03").tz_localize("UTC"))
    with pytest.raises(InputError, match="got NaT"):
        close(pd.DatetimeIndex([pd.NaT]))


@given(st.permutations(list(range(40))))
@settings(max_examples=20, deadline=None)
def test_closes_come_in_the_order_of_the_sessions(order):
    some = sessions("2024-10-15", "2024-12-15")[:40]
    assert list(close(some[order])) == list(close(some)[order])


def test_no_session_no_close():
    assert len(close(pd.DatetimeIndex([]))) == 0
    assert str(close(pd.DatetimeIndex([])).tz) == "UTC"


@given(moments)
def test_the_last_complete_session_is_decided_and_the_next_is_not(as_of):
    last = last_complete_session(as_of)
    following = session_shift(pd.DatetimeIndex([last]), 1)
    assert decision_time(pd.DatetimeIndex([last]))[0] <= as_of < decision_time(following)[0]


@pytest.mark.parametrize(
    ("as_of", "session"),
    [
        ("2025-06-30 16:30", "2025-06-30"),
        ("2025-06-30 16:29:59", "2025-06-27"),
        ("2025-07-03 13:30", "2025-07-03"),
        ("2025-07-06 12:00", "2025-07-03"),
        ("2001-09-16 12:00", "2001-09-10"),
        ("1990-01-02 16:30", "1990-01-02"),
    ],
)
def test_last_complete_session_of_known_times(as_of, session):
    assert last_complete_session(new_york(as_of)) == pd.Timestamp(session)
    assert last_complete_session(new_york(as_of).tz_convert("Asia/Tokyo")) == pd.Timestamp(session)


@pytest.mark.parametrize("as_of", ["1990-01-02 16:29", "1950-01-01", "2099-01-01"])
def test_outside_the_calendar_there_is_no_last_session(as_of):
    with pytest.raises(InputError, match=r"no complete session known at .*allowed are times"):
        last_complete_session(new_york(as_of))


def test_just_past_the_calendar_the_last_session_is_not_taken_for_today():
    end = markets.calendar().sessions[-1]
    assert last_complete_session(decision_time(pd.DatetimeIndex([end]))[0]) == end
    with pytest.raises(InputError, match="no complete session known"):
        last_complete_session(new_york(end + pd.Timedelta(days=3, hours=12)))


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(InputError, match="without a zone"):
        last_complete_session(pd.Timestamp("2024-07-03 17:00"))


@given(st.integers(0, 4000), st.integers(-4000, 4000))
def test_shifts_count_sessions(start, count):
    known = sessions("2008-01-02", "2026-12-31")
    session = known[[start]]
    moved = session_shift(session, count)
    assert (session_shift(moved, -count) == session).all() or moved.hasnans
    if 0 <= start + count < len(known):
        assert moved[0] == known[start + count]


def test_shifts_past_the_calendar_or_from_no_session_are_unknown():
    assert session_shift(days("1990-01-02"), -1).hasnans
    assert session_shift(days("2024-07-04"), 1).hasnans
    assert session_shift(markets.calendar().sessions[-1:], 1).hasnans
    assert session_shift(days("2024-07-03", "2024-12-24"), 1).equals(
        days("2024-07-05", "2024-12-26").as_unit("ns")
    )


def test_underlyings():
    assert {t: underlying(t).volatility_index for t in UNDERLYINGS} == {
        "SPY": "VIX",
        "QQQ": "VXN",
        "IWM": "RVX",
    }
    assert sorted(VOLATILITY_INDICES) == ["RVX", "VIX", "VIX3M", "VXN"]
    with pytest.raises(InputError, match="got 'TSLA', allowed are SPY, QQQ, IWM"):
        underlying("TSLA")


def test_an_unknown_ticker_is_cut_short_in_the_message():
    with pytest.raises(InputError) as caught:
        underlying("X" * 10_000)
    assert len(str(caught.value)) < 200


def test_consecutive_decisions_are_over_twenty_hours_apart():
    """The lifetime of a feature row rests on it."""
    decided = decision_time(sessions("1990-01-02", "2026-12-31"))
    assert np.diff(decided.to_numpy()).min() > pd.Timedelta(hours=20)
    assert pd.Timedelta(minutes=30) == DECISION_DELAY


@pytest.mark.recorded
@pytest.mark.parametrize("ticker", list(UNDERLYINGS))
def test_recorded_prices_are_there_on_every_session(ticker, recorded_dir):
    path = recorded_dir / "yahoo" / f"{ticker}.csv"
    dates = pd.DatetimeIndex(pd.read_csv(path, parse_dates=["Date"])["Date"])
    assert list(sessions(dates[0], dates[-1])) == list(dates)
