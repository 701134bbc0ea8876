"""Historical reads by way of Feast: real registry, real lake, brute force as the oracle."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.feature_repo.store.asof_home import (
    KEYS,
    ZONES,
    Home,
    alpha,
    asked,
    make_home,
    oracle,
    stored_rows,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_feast_answers_as_brute_force_does(shared: Home, data: st.DataObject) -> None:
    stored = {view: data.draw(stored_rows(view), view) for view in KEYS}
    for view, rows in stored.items():
        shared.write(view, rows)
    entity = st.tuples(
        st.sampled_from(["A", "B", "X", None]), st.sampled_from([1, 2, None]), st.integers(-1, 9)
    )
    frame = asked(*data.draw(st.lists(entity, max_size=8)))
    frame["event_timestamp"] = frame["event_timestamp"].dt.tz_convert(
        data.draw(st.sampled_from(ZONES))
    )
    frame.index = pd.Index(range(50, 50 + len(frame)))
    before = frame.copy()

    found = shared.read(frame).to_df()

    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(found[list(before.columns)], before.reset_index(drop=True))
    # Lake files are by ticker: rows of one ticker keep their order, which is all that ties need.
    pd.testing.assert_frame_equal(found[oracle(frame, stored).columns], oracle(frame, stored))


def test_rows_stay_in_place_duplicates_and_unanswered_ones_included(home: Home) -> None:
    frame = asked(("B", 1, 3), ("A", 1, 3), ("A", 1, 3), ("X", 1, 3), (None, None, 3), ("A", 1, -9))
    found = home.read(frame).to_df()
    assert found["ticker"].tolist() == ["B", "A", "A", "X", None, "A"]
    np.testing.assert_array_equal(found["a1"], [np.nan, 2, 2, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["a2"], [7, 0.5, 0.5, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["b1"], [30, 10, 10, np.nan, np.nan, np.nan])


def test_late_correction_neither_leaks_nor_hides(home: Home) -> None:
    made = [("A", 1, t) for t in (0, 1.5, 2, 4, 5)]
    assert home.read(asked(*made), ["alpha:a1"]).to_df()["a1"].tolist() == [1, 1, 2, 2, 2]
    home.write("alpha", [alpha("A", 0, 0, 1.0), alpha("A", 0, 2, 1.5)])
    assert home.read(asked(*made[:3]), ["alpha:a1"]).to_df()["a1"].tolist() == [1, 1, 1.5]


def test_known_at_can_be_switched_off_in_the_configuration_only(tmp_path: Path) -> None:
    home = make_home(tmp_path / "data", known_at=False)
    home.write("alpha", [alpha("A", 0, 0, 1.0), alpha("A", 0, 9, 1.5)])
    frame = asked(("A", 1, 1))
    assert home.read(frame, ["alpha:a1"]).to_df()["a1"].tolist() == [1.5]
    found = home.read(frame, ["alpha:a1"], filter_by_created_timestamp=True).to_df()
    assert found["a1"].tolist() == [1.0]


def test_ttl_ends_with_its_last_microsecond(home: Home) -> None:
    home.write("alpha", [alpha("A", 0, 0, 1.0)])
    frame = asked(("A", 1, 3), ("A", 1, 3.000001))
    np.testing.assert_array_equal(home.read(frame, ["alpha:a1"]).to_df()["a1"], [1.0, np.nan])


def test_same_moment_across_the_clock_change_is_the_same_answer(tmp_path: Path) -> None:
    home = make_home(tmp_path / "data")
    # 01:30 in New York comes twice on 2024-11-03: 05:30 and 06:30 UTC.
    first, second = (
        datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
        datetime(2024, 11, 3, 6, 30, tzinfo=UTC),
    )
    rows = [{**alpha("A", 0, 0, a1), "event_timestamp": t, "created_timestamp": t}
            for a1, t in ((1.0, first), (2.0, second))]  # fmt: skip
    home.write("alpha", rows)
    local = pd.DatetimeIndex([first, second]).tz_convert("America/New_York")
    assert [str(t.time()) for t in local] == ["01:30:00"] * 2
    frame = pd.DataFrame({"ticker": ["A", "A"], "event_timestamp": local})
    assert home.read(frame, ["alpha:a1"]).to_df()["a1"].tolist() == [1.0, 2.0]
