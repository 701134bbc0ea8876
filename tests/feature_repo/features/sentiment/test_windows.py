"""Windows of news and snapshots: against a walk through the rows for every session."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.features.sentiment.windows import last_snapshot, news_by_session
from market.calendar import decision_time, sessions
from market.errors import InputError

EPOCH = pd.Timestamp("2026-05-01", tz="UTC")
TICK = pd.Timedelta(nanoseconds=1)
NAMES = ("headlines", "headlines_up", "headlines_down")

moments = st.integers(-3, 45)
ends = st.lists(st.integers(1, 40), max_size=6, unique=True).map(sorted)
# Scores on both sides of the bounds, and on them.
scores = st.sampled_from([-1.0, -0.0501, -0.05, 0.0, 0.05, 0.0501, 1.0])
headlines = st.lists(st.tuples(moments, moments, scores), max_size=40)


def at(*ticks):
    return pd.DatetimeIndex([EPOCH + tick * TICK for tick in ticks], tz="UTC")


def columns(rows, count=3):
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * count


def by_session(cut_offs, rows, before=0):
    published, recorded, values = columns(rows)
    return news_by_session(
        at(*cut_offs),
        at(*published),
        at(*recorded),
        np.array(values, dtype=float),
        at(before)[0],
    )


@given(ends, headlines)
def test_one_session_after_the_other(cut_offs, rows):
    got = by_session(cut_offs, rows)
    for place, (start, end) in enumerate(zip([0, *cut_offs], cut_offs, strict=False)):
        held = [s for published, seen, s in rows if start < published <= end and seen <= end]
        expected = [np.nan] * 3
        if held:
            up, down = sum(s > 0.05 for s in held), sum(s < -0.05 for s in held)
            expected = [len(held), up / len(held), down / len(held)]
        np.testing.assert_array_equal([got[name][place] for name in NAMES], expected)


@given(ends, headlines, st.integers(0, 5))
def test_what_is_recorded_later_changes_no_value(cut_offs, rows, place):
    cut_offs = cut_offs or [10]
    place = min(place, len(cut_offs) - 1)
    known = [row for row in rows if row[1] <= cut_offs[place]]
    full, cut = by_session(cut_offs, rows), by_session(cut_offs, known)
    for name in NAMES:
        np.testing.assert_array_equal(full[name][: place + 1], cut[name][: place + 1])


@given(ends, headlines, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(cut_offs, rows, random):
    shuffled = random.sample(rows, len(rows))
    for name in NAMES:
        np.testing.assert_array_equal(
            by_session(cut_offs, rows)[name], by_session(cut_offs, shuffled)[name]
        )


def test_a_session_without_a_headline_in_time_is_unknown_not_zero():
    """In the second session only a late headline of the first was recorded."""
    got = by_session([10, 20, 30], [(5, 6, 1.0), (9, 15, 1.0)])
    np.testing.assert_array_equal(got["headlines"], [1, np.nan, np.nan])
    np.testing.assert_array_equal(got["headlines_up"], [1, np.nan, np.nan])
    np.testing.assert_array_equal(got["headlines_down"], [0, np.nan, np.nan])


def test_a_headline_at_the_cut_off_belongs_to_the_session_and_after_it_to_the_next():
    rows = [(10, 10, 1.0), (11, 11, -1.0)]
    np.testing.assert_array_equal(by_session([10, 20], rows)["headlines"], [1, 1])
    np.testing.assert_array_equal(by_session([10, 20], rows)["headlines_down"], [0, 1])
    # The cut-off before the first session closes its window.
    np.testing.assert_array_equal(by_session([20], rows, before=10)["headlines"], [1])


def test_headlines_of_a_weekend_belong_to_monday():
    days = sessions("2026-05-01", "2026-05-04")
    cut_offs = decision_time(days)
    published = pd.DatetimeIndex(["2026-05-01 20:31", "2026-05-03 12:00"], tz="UTC")
    got = news_by_session(
        cut_offs[1:], published, published + pd.Timedelta(hours=1), np.ones(2), cut_offs[0]
    )
    np.testing.assert_array_equal(got["headlines"], [2])


def test_no_sessions_and_no_headlines():
    assert all(array.shape == (0,) for array in by_session([], [(1, 2, 0.5)]).values())
    assert all(np.isnan(array).all() for array in by_session([1, 2], []).values())


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"no score at row 1, .* would count as neutral"):
        by_session([10], [(5, 5, 1.0), (5, 5, np.nan)])
    with pytest.raises(InputError, match=r"cut-offs, the one before them first: got .* at row 1"):
        by_session([10, 20], [], before=10)
    with pytest.raises(InputError, match=r"cut-offs.* at row 2"):
        by_session([20, 10], [])
    with pytest.raises(InputError, match="allowed is one length"):
        news_by_session(at(1), at(1, 2), at(1), np.ones(1), at(0)[0])


@given(ends, st.lists(moments, max_size=30))
def test_the_last_snapshot_of_each_window(cut_offs, recorded):
    got = last_snapshot(at(*cut_offs), at(0)[0], at(*recorded))
    for place, (start, end) in enumerate(zip([0, *cut_offs], cut_offs, strict=False)):
        seen = [(when, row) for row, when in enumerate(recorded) if start < when <= end]
        assert got[place] == max(seen, default=(0, -1))[1]


@given(ends, st.lists(moments, max_size=30), moments)
def test_a_later_snapshot_changes_no_earlier_session(cut_offs, recorded, added):
    before, after = (
        last_snapshot(at(*cut_offs), at(0)[0], at(*rows)) for rows in (recorded, [*recorded, added])
    )
    earlier = np.array(cut_offs, dtype=int) < added
    np.testing.assert_array_equal(after[earlier], before[earlier])


def test_a_snapshot_is_not_carried_into_the_next_session():
    np.testing.assert_array_equal(last_snapshot(at(10, 20, 30), at(0)[0], at(25, 9)), [1, -1, 0])
