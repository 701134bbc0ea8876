"""Which session may answer: the rules of the design, around every edge of the clock."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.calendar import SETTLE_TIME, close, decision_time, last_complete_session, sessions
from serving.reading.freshness import age_in_sessions, answering_session, session_closing_at
from serving.reading.refusal import Refusal

MONDAY, TUESDAY, WEDNESDAY = (pd.Timestamp(f"2025-07-0{d}") for d in (1, 2, 3))
FRIDAY = pd.Timestamp("2025-06-27")
THIRTIETH = pd.Timestamp("2025-06-30")
SECOND = pd.Timedelta(seconds=1)
DAYS = sessions("2024-01-02", "2025-07-31")


def decided(session: pd.Timestamp) -> pd.Timestamp:
    return decision_time(pd.DatetimeIndex([session]))[0]


def answer(views, published, as_of, settle=SETTLE_TIME):
    if isinstance(views, pd.Timestamp):
        views = dict.fromkeys(("technical", "iv", "macro"), views)
    return answering_session(views, published, last_complete_session(as_of), as_of, settle)


def refusal(*arguments, **options) -> Refusal:
    with pytest.raises(Refusal) as caught:
        answer(*arguments, **options)
    return caught.value


def test_the_last_complete_session_answers():
    assert answer(THIRTIETH, THIRTIETH, decided(THIRTIETH)) == THIRTIETH


def test_it_answers_before_it_is_published_for_every_ticker():
    assert answer(THIRTIETH, FRIDAY, decided(THIRTIETH)) == THIRTIETH


@pytest.mark.parametrize("late", [pd.Timedelta(0), SECOND, SETTLE_TIME])
def test_the_session_before_answers_while_the_next_one_settles(late):
    assert answer(FRIDAY, FRIDAY, decided(THIRTIETH) + late) == FRIDAY


def test_after_the_settle_time_it_is_stale():
    found = refusal(FRIDAY, FRIDAY, decided(THIRTIETH) + SETTLE_TIME + SECOND)
    assert found.error == "stale"
    assert "2025-06-27" in found.detail
    assert "2025-06-30" in found.detail


def test_the_settle_time_is_an_argument():
    late = decided(THIRTIETH) + pd.Timedelta(minutes=30)
    assert answer(FRIDAY, FRIDAY, late, settle=pd.Timedelta(minutes=30)) == FRIDAY
    assert refusal(FRIDAY, FRIDAY, late, settle=pd.Timedelta(minutes=29)).error == "stale"


def test_a_weekend_does_not_age_a_session():
    sunday = pd.Timestamp("2025-06-29 12:00", tz="UTC")
    assert answer(FRIDAY, FRIDAY, sunday) == FRIDAY


def test_a_session_before_the_last_must_have_been_published():
    found = refusal(FRIDAY, pd.Timestamp("2025-06-26"), decided(THIRTIETH))
    assert found.error == "not_published"
    assert found.retry_after < 60


def test_a_later_session_would_look_ahead():
    assert refusal(THIRTIETH, THIRTIETH, decided(THIRTIETH) - SECOND).error == "ahead"
    one_view_ahead = {"technical": FRIDAY, "iv": THIRTIETH}
    assert refusal(one_view_ahead, FRIDAY, decided(THIRTIETH) - SECOND).error == "ahead"


def test_views_that_disagree_are_named():
    found = refusal({"technical": THIRTIETH, "iv": FRIDAY}, THIRTIETH, decided(THIRTIETH))
    assert found.error == "mixed_sessions"
    assert "iv 2025-06-27" in found.detail
    assert "technical 2025-06-30" in found.detail


@given(st.integers(1, len(DAYS) - 3), st.integers(0, 3), st.integers(-600, 20_000))
def test_an_answer_is_never_ahead_and_never_older_than_the_settle_time(at, age, minutes):
    """The words of the design, worked out another way: over all later sessions."""
    as_of = decided(DAYS[at]) + pd.Timedelta(minutes=minutes)
    session = DAYS[max(at - age, 0)]
    later = decision_time(DAYS[session < DAYS])
    complete = decided(session) <= as_of
    fresh = not (as_of - later > SETTLE_TIME).any()
    try:
        assert answer(session, session, as_of) == session
        answered = True
    except Refusal:
        answered = False
    assert answered == (complete and fresh)


def test_every_close_is_its_session_and_nothing_else_is():
    for session, moment in zip(DAYS, close(DAYS), strict=True):
        assert session_closing_at(moment) == session
        assert session_closing_at(moment - SECOND) is None
        assert session_closing_at(moment + SECOND) is None


@pytest.mark.parametrize(
    "moment", ["1970-01-01 00:00", "2025-07-04 20:00", "2025-06-28 20:00", "2025-07-03 20:00"]
)
def test_holidays_weekends_and_full_closes_of_half_days_are_no_session(moment):
    assert session_closing_at(pd.Timestamp(moment, tz="UTC")) is None


def test_a_half_day_closes_early():
    assert session_closing_at(pd.Timestamp("2025-07-03 17:00", tz="UTC")) == WEDNESDAY


@given(st.integers(0, len(DAYS) - 2), st.integers(0, 40))
def test_age_counts_sessions_completed_since(at, later):
    end = min(at + later, len(DAYS) - 1)
    assert age_in_sessions(DAYS[at], DAYS[end]) == end - at
