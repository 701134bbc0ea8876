"""When macro observations became known: hand-checked days, and properties of every series.

`release_stamps.csv` holds the days on which figures of a month were really published: the
consumer price index from January 2004 and the unemployment rate from December 2009 on, after the
lists of archived news releases and the revised calendars of the Bureau of Labor Statistics, and
the unemployment rate of December 1995, which the press dates two weeks after its scheduled Friday.
"""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.tseries.holiday import USFederalHolidayCalendar
from pandas.tseries.offsets import CustomBusinessDay

from feature_repo.features.macro.group import DAILY, MONTHLY
from market.availability import LATE_RELEASES, SERIES, available_at, federal_holidays
from market.calendar import NEW_YORK, decision_time, sessions
from market.errors import InputError

DAILY_ROWS = [name for name, row in SERIES.items() if row.day is None]
MONTHLY_ROWS = [name for name, row in SERIES.items() if row.day is not None]
STAMPS = pd.read_csv(Path(__file__).parents[1] / "frozen" / "release_stamps.csv", dtype=str)
BUSINESS = CustomBusinessDay(calendar=USFederalHolidayCalendar())
# The holidays of pandas start in 1970.
observations = st.dates(date(1970, 2, 1), date(2027, 12, 31))


def known(series, *texts):
    return available_at(series, pd.DatetimeIndex([pd.Timestamp(text) for text in texts]))


def new_york(text):
    return pd.Timestamp(text, tz=NEW_YORK)


def test_every_series_that_features_need_has_a_row_and_no_other():
    assert set(SERIES) == {*DAILY, *MONTHLY}
    assert set(DAILY_ROWS) == set(DAILY)


@pytest.mark.parametrize(
    ("observed", "day"),
    [
        ("2024-07-09", "2024-07-10"),
        ("2024-07-12", "2024-07-15"),  # over the weekend
        ("2024-07-03", "2024-07-05"),  # over Independence Day
        ("2024-11-08", "2024-11-12"),  # Veterans Day: the market trades, rates are not posted
        ("2024-03-28", "2024-03-29"),  # Good Friday: the market is closed, rates are posted
        ("2021-06-17", "2021-06-21"),  # the first Juneteenth, observed on Friday
        ("2020-06-18", "2020-06-19"),  # not yet a holiday
        ("2024-07-13", "2024-07-15"),  # a Saturday's federal funds rate
        ("2024-12-31", "2025-01-02"),
    ],
)
@pytest.mark.parametrize(("series", "hour"), [("DFF", 18), ("DGS10", 18), ("VIXCLS", 12)])
def test_daily_series_are_known_on_the_next_federal_business_day(series, hour, observed, day):
    assert known(series, observed)[0] == new_york(f"{day} {hour}:00")


@pytest.mark.parametrize(
    ("series", "month", "at"),
    [
        ("UNRATE", "2024-06-01", "2024-07-10 12:00"),
        ("CPIAUCSL", "2024-06-01", "2024-07-18 12:00"),
        ("CPIAUCSL", "2023-12-01", "2024-01-18 12:00"),
        ("UNRATE", "2024-01-31", "2024-02-10 12:00"),
        ("UNRATE", "1995-12-01", "1996-01-19 12:00"),  # the government was closed
        ("UNRATE", "2013-09-01", "2013-10-22 12:00"),
        ("UNRATE", "2013-10-01", "2013-11-10 12:00"),  # on the 8th, within the rule
        ("CPIAUCSL", "2013-10-15", "2013-11-20 12:00"),
        ("CPIAUCSL", "2015-01-01", "2015-02-26 12:00"),
        ("UNRATE", "2025-10-01", "2025-12-16 12:00"),  # never collected: not before November's
        ("CPIAUCSL", "2003-12-01", "2004-02-01 12:00"),  # its release is not in the table
        ("CPIAUCSL", "1995-12-31", "1996-02-01 12:00"),
    ],
)
def test_monthly_series_are_known_on_a_day_of_the_following_month(series, month, at):
    assert known(series, month)[0] == new_york(at)


@pytest.mark.parametrize(("series", "stamps"), list(STAMPS.groupby("series")))
def test_no_month_counts_before_its_release(series, stamps):
    released = pd.DatetimeIndex(stamps["released"]).tz_localize(NEW_YORK)
    counts = available_at(series, pd.DatetimeIndex(stamps["month"])).tz_convert(NEW_YORK)
    # All were published at 8:30.
    assert (counts >= released + pd.Timedelta("8h30min")).all()
    assert ((counts - released).to_numpy() < np.timedelta64(14, "D")).all(), "nor long after it"


@pytest.mark.parametrize(("series", "stamps"), list(STAMPS.groupby("series")))
def test_the_exceptions_are_the_releases_after_the_rules_day(series, stamps):
    following = pd.DatetimeIndex(stamps["month"]) + pd.DateOffset(months=1)
    rule = following + pd.Timedelta(days=SERIES[series].day - 1)
    after = stamps[pd.DatetimeIndex(stamps["released"]) > rule]
    published = {m: day for m, day in LATE_RELEASES[series].items() if m != "2025-10"}
    assert published == dict(zip(after["month"], after["released"], strict=True))


def test_before_the_table_the_rule_would_fail_one_release_in_five():
    prices = STAMPS[(STAMPS["series"] == "CPIAUCSL") & (STAMPS["released"] < "2017")]
    late = pd.DatetimeIndex(prices["released"]).day > SERIES["CPIAUCSL"].day
    assert len(prices) > 150
    assert 0.15 < late.mean() < 0.25


@pytest.mark.parametrize("series", LATE_RELEASES)
def test_an_exception_is_later_than_the_rule_and_a_month_of_the_table(series):
    row = SERIES[series]
    for month, late in LATE_RELEASES[series].items():
        rule = pd.Timestamp(month) + pd.DateOffset(months=1, days=row.day - 1)
        assert pd.Timestamp(late) > rule
        assert row.releases_from is None or month >= row.releases_from
    assert list(LATE_RELEASES[series]) == sorted(LATE_RELEASES[series])


def test_hours_are_those_of_new_york_all_year():
    winter, summer = known("DGS2", "2024-01-09", "2024-07-09")
    assert (winter.hour, summer.hour) == (23, 22)
    assert str(winter.tz) == "UTC"


@pytest.mark.parametrize("series", DAILY_ROWS)
@given(st.lists(observations, min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_daily_series_against_the_business_days_of_pandas(series, dates):
    observed = pd.DatetimeIndex(pd.to_datetime(dates))
    local = available_at(series, observed).tz_convert(NEW_YORK)
    for day, at in zip(observed, local, strict=True):
        following = BUSINESS.rollback(day) + BUSINESS
        assert at.normalize().tz_localize(None) == following
        assert at.hour == SERIES[series].hour


@pytest.mark.parametrize("series", list(SERIES))
@given(observations)
@settings(max_examples=40, deadline=None)
def test_nothing_is_known_on_its_own_day(series, day):
    at = known(series, day)[0]
    assert at.tz_convert(NEW_YORK).date() > day
    assert at - pd.Timestamp(day, tz="UTC") < pd.Timedelta(days=80)


@pytest.mark.parametrize("series", list(SERIES))
def test_later_observations_are_not_known_earlier(series):
    days = pd.date_range("1990-01-01", "2026-08-31", freq="MS" if series in MONTHLY_ROWS else "D")
    assert available_at(series, days).is_monotonic_increasing


@pytest.mark.parametrize("series", DAILY_ROWS)
def test_no_decision_knows_a_rate_of_its_own_session(series):
    days = sessions("2023-01-01", "2025-12-31")
    assert (available_at(series, days) > decision_time(days)).all()


def test_federal_holidays_are_days_without_posting():
    holidays = federal_holidays()
    assert holidays.dtype == np.dtype("datetime64[D]")
    for day in ("2024-01-01", "2024-06-19", "2024-11-28", "2021-12-31"):
        assert np.datetime64(day) in holidays
    assert np.datetime64("2024-03-29") not in holidays


def test_no_observation_no_time():
    for series in SERIES:
        empty = available_at(series, pd.DatetimeIndex([]))
        assert len(empty) == 0
        assert str(empty.tz) == "UTC"


def test_an_unknown_series_is_refused():
    with pytest.raises(InputError, match="no availability known for series: got 'GDP', allow"):
        known("GDP", "2024-01-01")
