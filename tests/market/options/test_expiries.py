"""The calendar of listed options."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.calendar import sessions
from market.options.expiries import expirations


def test_expirations_are_weekly_for_eight_weeks_then_monthly() -> None:
    days = expirations(pd.Timestamp("2024-06-03"))
    assert [f"{day:%m-%d}" for day in days] == [
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
    days = expirations(day)
    assert days.is_monotonic_increasing
    assert days.is_unique
    assert days[0] > day
    assert len(sessions(days[0], days[-1]).intersection(days)) == len(days)
    assert 10 <= len(days) <= 14
    # Decision 16: there are some 14 to 28 days away.
    assert any(14 <= (other - day).days <= 28 for other in days)
