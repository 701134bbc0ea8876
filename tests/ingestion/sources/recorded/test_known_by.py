"""What was known at a decision time: times, dates announced, and results that are out."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources.recorded.known_by import last_session, recorded_by, reports_known
from ingestion.tables.catalogue import REPORT_HOURS
from market.calendar import decision_time, sessions

DAYS = sessions("2023-06-01", "2024-06-28")


def report(date: str, hour: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "date": pd.to_datetime([date]),
            "hour": hour,
            "eps_actual": 2.0,
            "eps_estimate": 1.9,
            "revenue_actual": 1e9,
            "revenue_estimate": 9e8,
        }
    )


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2024-01-04", "2024-01-04"),
        ("2024-01-07", "2024-01-05"),
        ("2024-01-01", "2023-12-29"),
        ("1990-01-02", "1990-01-02"),
    ],
)
def test_the_last_session_up_to_a_day(day: str, last: str) -> None:
    assert last_session(pd.Timestamp(day)) == pd.Timestamp(last)


def test_before_the_calendar_nothing_is_known() -> None:
    end = pd.Timestamp("1980-01-02")
    assert last_session(end) is None
    assert reports_known(report("1980-01-02", "bmo"), end).empty
    rows = pd.DataFrame({"recorded_at": [pd.Timestamp("1980-01-01", tz="UTC")]})
    assert recorded_by(rows, "recorded_at", end).empty


@pytest.mark.parametrize(
    ("end", "cut"),
    [
        ("2024-01-04", "2024-01-04 21:30"),
        ("2024-07-03", "2024-07-03 17:30"),  # a half day
        ("2024-07-04", "2024-07-03 17:30"),  # a holiday
    ],
)
def test_the_cut_is_the_decision_time_to_the_nanosecond(end: str, cut: str) -> None:
    at = pd.Timestamp(cut, tz="UTC")
    rows = pd.DataFrame({"recorded_at": [at, at + pd.Timedelta(1, "ns")]})
    assert recorded_by(rows, "recorded_at", pd.Timestamp(end))["recorded_at"].tolist() == [at]


@pytest.mark.parametrize(
    ("hour", "on_the_day"), [("bmo", True), ("dmh", True), ("amc", False), ("", False)]
)
def test_results_are_out_by_their_hour(hour: str, on_the_day: bool) -> None:
    rows = report("2024-01-04", hour)
    before = reports_known(rows, pd.Timestamp("2024-01-03"))
    day = reports_known(rows, pd.Timestamp("2024-01-04"))
    after = reports_known(rows, pd.Timestamp("2024-01-05"))
    for column in ("eps_actual", "revenue_actual"):
        assert before[column].isna().all()
        assert day[column].notna().all() == on_the_day
        assert after[column].equals(rows[column])
    for column in ("date", "hour", "eps_estimate", "revenue_estimate"):
        assert before[column].equals(rows[column])


def test_every_hour_of_the_table_has_a_rule() -> None:
    assert set(REPORT_HOURS) == {"bmo", "dmh", "amc", "", "withdrawn"}


def test_a_report_of_a_weekend_is_out_on_monday() -> None:
    rows = report("2024-01-06", "amc")
    assert reports_known(rows, pd.Timestamp("2024-01-05"))["eps_actual"].isna().all()
    assert reports_known(rows, pd.Timestamp("2024-01-08"))["eps_actual"].notna().all()


@settings(deadline=None)
@given(day=st.sampled_from(range(20, len(DAYS) - 20)), ahead=st.integers(-15, 15))
def test_dates_are_known_ten_sessions_before(day: int, ahead: int) -> None:
    rows = report(str(DAYS[day + ahead].date()), "bmo")
    known = reports_known(rows, DAYS[day])
    assert len(known) == (ahead <= 10)
    if ahead <= 10:
        assert known["eps_actual"].notna().all() == (ahead <= 0)


@settings(max_examples=30, deadline=None)
@given(day=st.sampled_from(range(20, len(DAYS) - 20)), hour=st.sampled_from(REPORT_HOURS))
def test_what_is_known_only_grows(day: int, hour: str) -> None:
    dates = DAYS[day - 15 : day + 15]
    rows = pd.concat([report("2024-01-04", hour)] * len(dates), ignore_index=True)
    rows["date"] = dates
    early, late = (reports_known(rows, DAYS[day + n]) for n in (0, 1))
    assert early["date"].isin(late["date"]).all()
    assert early["eps_actual"].notna().sum() < late["eps_actual"].notna().sum()


def test_the_cut_is_that_of_markets() -> None:
    times = decision_time(DAYS[:5])
    rows = pd.DataFrame({"quote_time": times})
    assert len(recorded_by(rows, "quote_time", DAYS[2])) == 3
