"""Monthly figures by day of publication: against the features' own alignment, and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.releases import NO_VINTAGE, MonthlySeries, from_rows, newest, vintage_audit
from feature_repo.features.macro.known import monthly_as_known
from market.availability import available_at
from market.calendar import NEW_YORK, decision_time, sessions
from tests.audit.conftest import DAYS, monthly_rows

LANDED = pd.Timestamp("2015-01-01", tz="UTC")


def series(rows: pd.DataFrame, name: str = "UNRATE") -> MonthlySeries:
    return from_rows(name, rows.assign(landed_at=LANDED))


def table(*rows: tuple[str, str | None, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["observation_date", "vintage_date", "value"])
    return frame.assign(
        observation_date=pd.to_datetime(frame["observation_date"]),
        vintage_date=pd.to_datetime(frame["vintage_date"]),
    )


def ticks(day: str) -> int:
    return decision_time(pd.DatetimeIndex([day]))[0].value


FAR = LANDED.value


def test_the_level_is_that_of_the_newest_month_published_by_noon() -> None:
    rows = series(table(
        ("2013-08-01", "2013-09-06", 7.3), ("2013-09-01", "2013-10-22", 7.2),
        ("2013-08-01", "2013-10-22", 7.4), ("2012-09-01", "2012-10-05", 7.8),
    ))  # fmt: skip
    assert rows.level(ticks("2013-10-21"), FAR).value == 7.3
    level = rows.level(ticks("2013-10-22"), FAR)
    assert (level.value, level.year_before) == (7.2, 7.8)
    assert np.isnan(rows.level(ticks("2012-10-04"), FAR).value)


def test_rows_without_a_day_count_only_where_nothing_was_published() -> None:
    rows = series(table(("2013-06-01", None, 7.6), ("2013-07-01", "2013-08-02", 7.4),
                        ("2013-08-01", None, 7.3)))  # fmt: skip
    assert rows.level(ticks("2013-07-11"), FAR).value == 7.6
    assert rows.level(ticks("2013-09-20"), FAR).value == 7.4
    assert np.isnan(rows.level(ticks("2013-07-11"), FAR, dated_only=True).value)


def test_rows_that_landed_later_are_not_seen() -> None:
    rows = table(("2013-06-01", "2013-07-05", 7.6), ("2013-06-01", "2013-07-05", 7.7))
    rows["landed_at"] = [LANDED, LANDED + pd.Timedelta(days=1)]
    held = from_rows("UNRATE", rows)
    assert held.level(ticks("2013-07-08"), FAR).value == 7.6
    assert held.level(ticks("2013-07-08"), FAR + 86_400 * 10**9).value == 7.7


def test_no_level_is_null() -> None:
    level = newest({})
    assert level.month == -1
    assert np.isnan([level.value, level.year_before]).all()


def test_what_a_lag_would_have_changed_by_hand() -> None:
    # Published on the 6th, 22nd and 8th; the lag says the 10th, or what LATE_RELEASES knows.
    rows = series(table(
        ("2013-07-01", "2013-08-02", 7.4), ("2013-08-01", "2013-09-06", 7.3),
        ("2013-08-01", "2013-10-22", 7.2), ("2013-09-01", "2013-10-22", 7.2),
        ("2013-10-01", "2013-11-08", 7.3),
    ))  # fmt: skip
    days = sessions("2013-09-05", "2013-11-12")
    report = vintage_audit(rows, days)
    assert (report.vintages, report.sessions) == (4, len(days))
    # By lag August's 7.2 as revised in October: from September 10th until October 21st, 30
    # sessions; on September 6th and 9th it still has July's 7.4; on November 8th 7.2 for 7.3.
    assert report.differing == 30 + 2 + 1
    assert report.largest_absolute == pytest.approx(0.1)
    assert report.mean_absolute == pytest.approx(0.1 * 33 / len(days))
    assert report.worst_session == "2013-09-06"
    assert (report.by_vintage, report.by_lag) == (7.3, 7.4)
    assert report.unpublished == 0


def test_a_month_the_lag_gives_before_it_was_published_is_counted() -> None:
    # A release that nobody knew would be late: on the 20th, and the lag says the 10th.
    rows = series(table(("2022-02-01", "2022-03-04", 3.8), ("2022-03-01", "2022-04-20", 3.6)))
    report = vintage_audit(rows, sessions("2022-04-01", "2022-04-29"))
    late = sessions("2022-04-10", "2022-04-19")
    assert report.unpublished == report.differing == len(late)


def test_without_a_vintage_it_says_so() -> None:
    report = vintage_audit(series(monthly_rows("UNRATE", vintages=False)), DAYS)
    assert (report.vintages, report.sessions, report.note) == (0, 0, NO_VINTAGE)


def test_a_window_before_every_vintage_says_so() -> None:
    report = vintage_audit(series(table(("2013-07-01", "2013-08-02", 7.4))), DAYS[:10])
    assert report.note == "no session of the window knew a vintage"


publications = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.one_of(st.none(), st.integers(1, 300)),
        st.one_of(st.just(np.nan), st.sampled_from([7.1, 7.2, 7.3])),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row[:2],
)


@given(publications)
@settings(max_examples=60, deadline=None)
def test_the_features_alignment_and_the_naive_reading_agree(
    rows: list[tuple[int, int | None, float]],
) -> None:
    start = pd.Timestamp("2013-01-01")
    frame = table(*(
        (str(start + pd.DateOffset(months=month)),
         None if day is None else str((start + pd.Timedelta(days=day)).date()), value)
        for month, day, value in rows
    ))  # fmt: skip
    vintage = pd.DatetimeIndex(frame["vintage_date"])
    months = pd.DatetimeIndex(frame["observation_date"])
    at_noon = (vintage + pd.Timedelta(hours=12)).tz_localize(NEW_YORK).tz_convert("UTC")
    known = at_noon.where(vintage.notna(), available_at("UNRATE", months))
    days = DAYS[::9]
    got = monthly_as_known(decision_time(days), months, known, frame["value"].to_numpy(), vintage)
    held = series(frame)
    levels = [held.level(moment.value, FAR) for moment in decision_time(days)]
    np.testing.assert_array_equal(got[0], [level.value for level in levels])
    np.testing.assert_array_equal(got[12], [level.year_before for level in levels])
