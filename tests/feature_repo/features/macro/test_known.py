"""As known: against a walk through the rows, on hand-made vintages and on recorded series."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.features.macro.known import as_known, monthly_as_known, newest_known
from market.availability import available_at
from market.calendar import decision_time, sessions
from market.errors import InputError

DAY = pd.Timedelta(days=1)
EPOCH = pd.Timestamp("2020-01-01")


def days(*numbers):
    return pd.DatetimeIndex([EPOCH + n * DAY for n in numbers])


def dates(*texts):
    return pd.DatetimeIndex([pd.Timestamp(text) for text in texts])


rows = st.lists(
    st.tuples(
        st.integers(0, 15),
        st.integers(0, 20),
        st.one_of(st.just(np.nan), st.floats(-5, 5)),
    ),
    max_size=25,
)


@given(rows=rows, cut_offs=st.lists(st.integers(-2, 25), max_size=10))
def test_the_newest_observation_known_and_of_it_the_last_correction(rows, cut_offs):
    observed, known, values = (list(x) for x in zip(*rows, strict=True)) if rows else ([], [], [])
    expected = []
    for cut_off in cut_offs:
        seen = [
            (date, at, place)
            for place, (date, at, value) in enumerate(rows)
            if at <= cut_off and not np.isnan(value)
        ]
        expected.append(values[max(seen)[2]] if seen else np.nan)
    got = as_known(days(*cut_offs), days(*observed), days(*known), np.array(values, dtype=float))
    np.testing.assert_array_equal(got, expected)


def test_rows_are_found_by_place():
    at = newest_known(days(0, 5, 6, 99), days(1, 2, 2), days(3, 6, 9))
    np.testing.assert_array_equal(at, [-1, 0, 1, 2])


def test_known_at_the_cut_off_counts_and_a_nanosecond_later_does_not():
    at = days(3)
    np.testing.assert_array_equal(as_known(at, days(1), at, np.array([7.0])), [7])
    later = at + pd.Timedelta(nanoseconds=1)
    assert np.isnan(as_known(at, days(1), later, np.array([7.0])))[0]


def test_an_old_observation_that_arrives_late_does_not_replace_a_newer_one():
    got = as_known(days(10), days(5, 1), days(6, 9), np.array([50.0, 10.0]))
    np.testing.assert_array_equal(got, [50])


def test_zones_are_taken_into_account():
    new_york = pd.DatetimeIndex(["2024-07-01 18:00"]).tz_localize("America/New_York")
    utc = pd.DatetimeIndex(["2024-07-01 21:59", "2024-07-01 22:00"], tz="UTC")
    got = as_known(utc, dates("2024-06-28"), new_york, np.array([5.3]))
    np.testing.assert_array_equal(got, [np.nan, 5.3])
    plain = as_known(
        utc, dates("2024-06-28"), new_york.tz_convert("UTC").tz_localize(None), np.array([5.3])
    )
    np.testing.assert_array_equal(plain, got)


def test_lengths_and_missing_times_are_checked():
    with pytest.raises(InputError, match="allowed is one length"):
        newest_known(days(1), days(1, 2), days(1))
    with pytest.raises(InputError, match="allowed is one length"):
        as_known(days(1), days(1), days(1), np.array([1.0, 2.0]))
    with pytest.raises(InputError, match="missing time at row 1"):
        newest_known(days(1), days(1, 2), pd.DatetimeIndex([EPOCH, pd.NaT]))


NONE = pd.DatetimeIndex([pd.NaT] * 4)


def test_monthly_terms_by_calendar_month():
    months = dates("2023-12-01", "2024-11-01", "2024-12-01", "2024-09-01")
    known = dates("2024-01-18", "2024-12-18", "2025-01-18", "2024-10-18")
    got = monthly_as_known(
        dates("2025-01-17", "2025-01-18", "2023-01-01"),
        months,
        known,
        np.array([306.7, 315.5, 315.6, 314.7]),
        NONE,
    )
    np.testing.assert_array_equal(got[0], [315.5, 315.6, np.nan])
    # October never came: September is in its place.
    np.testing.assert_array_equal(got[1], [314.7, 315.5, np.nan])
    np.testing.assert_array_equal(got[3], [np.nan, 314.7, np.nan])
    np.testing.assert_array_equal(got[12], [np.nan, 306.7, np.nan])


def test_both_terms_come_from_the_vintage_in_force():
    """A new figure for March comes with a revision of February; April's revises both."""
    table = pd.DataFrame(
        [
            ("2024-02-01", "2024-03-12", 100.0),
            ("2024-03-01", "2024-04-10", 101.0),
            ("2024-02-01", "2024-04-10", 100.4),
            ("2024-04-01", "2024-05-15", 102.0),
            ("2024-03-01", "2024-05-15", 101.5),
        ],
        columns=["month", "vintage", "value"],
    )
    for order in (slice(None), slice(None, None, -1)):
        part = table[order]
        vintage = pd.DatetimeIndex(part["vintage"])
        got = monthly_as_known(
            dates("2024-04-09", "2024-04-10", "2024-05-14", "2024-06-01"),
            pd.DatetimeIndex(part["month"]),
            vintage,
            part["value"].to_numpy(),
            vintage,
            earlier=(1,),
        )
        np.testing.assert_array_equal(got[0], [100.0, 101.0, 101.0, 102.0])
        np.testing.assert_array_equal(got[1], [np.nan, 100.4, 100.4, 101.5])


def test_undated_revisions_are_not_mixed_into_a_dated_vintage():
    months = dates("2024-01-01", "2024-02-01", "2024-02-01", "2024-03-01")
    known = dates("2024-02-18", "2024-03-18", "2024-03-12", "2024-04-18")
    vintage = pd.DatetimeIndex([pd.NaT, pd.NaT, pd.Timestamp("2024-03-12"), pd.NaT])
    got = monthly_as_known(
        dates("2024-02-20", "2024-03-13", "2024-05-01"),
        months,
        known,
        np.array([1.0, 2.0, 2.5, 3.0]),
        vintage,
        earlier=(1,),
    )
    np.testing.assert_array_equal(got[0], [1.0, 2.5, 2.5])
    assert np.isnan(got[1]).all()


def test_a_month_without_a_value_was_not_published():
    got = monthly_as_known(
        dates("2025-12-31"),
        dates("2025-09-01", "2025-10-01", "2025-11-01", "2025-08-01"),
        dates("2025-10-24", "2025-11-18", "2025-12-18", "2025-09-18"),
        np.array([324.4, np.nan, 325.0, 323.4]),
        NONE,
    )
    np.testing.assert_array_equal(got[0], [325.0])
    np.testing.assert_array_equal(got[1], [324.4])
    np.testing.assert_array_equal(got[3], [323.4])


def test_a_month_is_carried_from_the_release_after_it_until_its_own_figure_is_known():
    """The month before the newest one, of September, November and December, and a late October."""
    got = monthly_as_known(
        dates("2025-12-17", "2025-12-18", "2026-01-19", "2026-02-01"),
        dates("2025-09-01", "2025-11-01", "2025-12-01", "2025-10-01", "2025-08-01"),
        dates("2025-10-24", "2025-12-18", "2026-01-18", "2026-01-25", "2025-09-18"),
        np.array([324.4, 325.0, 326.0, 324.9, 323.4]),
        pd.DatetimeIndex([pd.NaT] * 5),
        (1, 2),
    )
    # Before the release of November nobody knew that October was not to come.
    np.testing.assert_array_equal(got[0], [324.4, 325.0, 326.0, 326.0])
    np.testing.assert_array_equal(got[1], [323.4, 324.4, 325.0, 325.0])
    np.testing.assert_array_equal(got[2], [np.nan, 324.4, 324.4, 324.9])


def test_of_two_months_that_never_came_the_second_is_unknown():
    got = monthly_as_known(
        dates("2025-12-31"),
        dates("2025-08-01", "2025-11-01"),
        dates("2025-09-18", "2025-12-18"),
        np.array([323.4, 325.0]),
        NONE[:2],
        (1, 2),
    )
    np.testing.assert_array_equal([got[1][0], got[2][0]], [np.nan, 323.4])


def test_months_before_1970_are_months():
    got = monthly_as_known(
        dates("1965-03-01"),
        dates("1965-01-01", "1964-12-01", "1964-10-01", "1964-01-01"),
        dates("1965-02-18", "1965-01-18", "1964-11-18", "1964-02-18"),
        np.array([31.3, 31.2, 31.1, 30.9]),
        NONE,
    )
    assert [got[age][0] for age in (0, 1, 3, 12)] == [31.3, 31.2, 31.1, 30.9]


def test_no_rows_give_nulls():
    empty = pd.DatetimeIndex([])
    got = monthly_as_known(days(1, 2), empty, empty, np.array([]), empty)
    assert all(np.isnan(x).all() and x.shape == (2,) for x in got.values())
    assert np.isnan(as_known(days(1, 2), empty, empty, np.array([]))).all()


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 12), st.floats(1, 9), st.booleans()),
        max_size=30,
    ),
    st.lists(st.integers(0, 13), max_size=6),
)
def test_monthly_terms_are_those_of_a_walk_through_the_rows(rows, cut_offs):
    months = pd.DatetimeIndex(
        [pd.Timestamp("2020-01-15") + pd.DateOffset(months=m) for m, *_ in rows]
    )
    known = days(*(at for _, at, _, _ in rows))
    vintage = pd.DatetimeIndex([EPOCH if dated else pd.NaT for *_, dated in rows])
    got = monthly_as_known(
        days(*cut_offs), months, known, np.array([v for _, _, v, _ in rows]), vintage, (1, 3)
    )
    for at, cut_off in enumerate(cut_offs):
        seen = [row for row in rows if row[1] <= cut_off]
        seen = [row for row in seen if row[3]] or seen
        state = {m: v for m, _, v, _ in sorted(seen, key=lambda row: row[1])}
        for age in (0, 1, 3):
            month = max(state, default=0) - age
            expected = state.get(month, state.get(month - 1, np.nan))
            np.testing.assert_equal(got[age][at], expected)


@pytest.mark.recorded
def test_recorded_rates_are_known_two_sessions_late(recorded_dir):
    frame = pd.read_csv(recorded_dir / "fred" / "DGS2.csv", parse_dates=["observation_date"])
    observed = pd.DatetimeIndex(frame["observation_date"])
    days_of_2024 = sessions("2024-01-02", "2024-12-31")
    got = as_known(
        decision_time(days_of_2024),
        observed,
        available_at("DGS2", observed),
        pd.to_numeric(frame["DGS2"], errors="coerce").to_numpy(np.float64),
    )
    levels = frame.set_index("observation_date")["DGS2"]
    # 16:30 on Thursday the 11th: Wednesday's rate is posted at 18:00, Tuesday's is known.
    assert got[days_of_2024 == "2024-07-11"] == levels["2024-07-09"]
    # Friday the 12th's decision knows Wednesday the 10th's; Monday's knows Thursday's.
    assert got[days_of_2024 == "2024-07-15"] == levels["2024-07-11"]
    assert np.isfinite(got).all()


@pytest.mark.recorded
def test_recorded_inflation_is_that_of_the_month_before_the_last(recorded_dir):
    frame = pd.read_csv(recorded_dir / "fred" / "CPIAUCSL.csv", parse_dates=["observation_date"])
    months = pd.DatetimeIndex(frame["observation_date"])
    cut_off = decision_time(sessions("2024-07-17", "2024-07-18"))
    got = monthly_as_known(
        cut_off,
        months,
        available_at("CPIAUCSL", months),
        frame["CPIAUCSL"].to_numpy(np.float64),
        pd.DatetimeIndex([pd.NaT] * len(frame)),
    )
    levels = frame.set_index("observation_date")["CPIAUCSL"]
    np.testing.assert_array_equal(got[0], levels[["2024-05-01", "2024-06-01"]])
    np.testing.assert_array_equal(got[12], levels[["2023-05-01", "2023-06-01"]])
