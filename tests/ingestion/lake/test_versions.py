"""New, corrected or the same again: appending against a model of dictionaries."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.manifest import latest
from ingestion.lake.versions import CORRECTION, TICK, Appended, append, insert, out_of_order
from market.errors import InputError

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SCHEMA = {
    "key": pl.String,
    "day": pl.Date,
    "a": pl.Float64,
    "b": pl.Float64,
    "landed_at": pl.Datetime("us", "UTC"),
}
KEY = ("key", "day")
VALUES = ("a", "b")


def frame(rows: list[tuple[Any, ...]], at: datetime) -> pl.DataFrame:
    return pl.DataFrame([(*row, at) for row in rows], schema=SCHEMA, orient="row")


def land(stored: pl.DataFrame | None, rows: list[tuple[Any, ...]], at: datetime) -> Any:
    return append(stored, frame(rows, at), KEY, VALUES, "landed_at", at)


D1, D2, D3 = date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)


def test_the_first_rows_are_new_and_sorted() -> None:
    result = land(None, [("x", D2, 2.0, None), ("x", D1, 1.0, 1.0)], START)
    assert (result.new, result.corrected, result.changed) == (2, 0, True)
    assert result.rows["day"].to_list() == [D1, D2]


def test_equal_rows_change_nothing() -> None:
    stored = land(None, [("x", D1, 1.0, None)], START).rows
    result = land(stored, [("x", D1, 1.0, None)], START + DAY)
    assert (result.new, result.corrected, result.changed) == (0, 0, False)
    assert result.rows.equals(stored)


@pytest.mark.parametrize(
    ("before", "now", "corrected"),
    [
        (100.0, 100.0 * (1 + 0.9 * CORRECTION), 0),
        (100.0, 100.0 * (1 + 1.1 * CORRECTION), 1),
        (-100.0, -100.0 * (1 - 1.1 * CORRECTION), 1),
        (1e-12, 1.1e-12, 1),
        (0.0, 0.0, 0),
        (0.0, -0.0, 0),
        (0.0, 5e-324, 1),
        (1.0, None, 1),
        (None, 1.0, 1),
        (None, None, 0),
    ],
)
def test_a_correction_is_a_change_of_more_than_a_billionth(
    before: float | None, now: float | None, corrected: int
) -> None:
    stored = land(None, [("x", D1, before, 1.0)], START).rows
    # A second row keeps the comparison from ending at equal frames.
    result = land(stored, [("x", D1, now, 1.0), ("x", D2, 1.0, 1.0)], START + DAY)
    assert (result.new, result.corrected) == (1, corrected)


def test_both_versions_stay_and_the_newest_counts() -> None:
    stored = land(None, [("x", D1, 1.0, 1.0), ("x", D2, 5.0, 5.0)], START).rows
    rows = land(stored, [("x", D1, 2.0, 1.0)], START + DAY).rows
    assert rows.filter(day=D1)["a"].to_list() == [1.0, 2.0]
    assert rows.filter(day=D1)["landed_at"].to_list() == [START, START + DAY]
    assert latest(rows, KEY)["a"].to_list() == [2.0, 5.0]
    assert latest(rows, KEY, START)["a"].to_list() == [1.0, 5.0]


@pytest.mark.parametrize("at", [START, START - DAY])
def test_a_correction_is_always_later_than_what_it_corrects(at: datetime) -> None:
    stored = land(None, [("x", D1, 1.0, 1.0)], START).rows
    rows = land(stored, [("x", D1, 2.0, 1.0)], at).rows
    assert rows["landed_at"].to_list() == [START, START + TICK]


def test_a_value_that_returns_is_a_second_correction() -> None:
    rows = None
    for step, value in enumerate([1.0, 2.0, 1.0]):
        rows = land(rows, [("x", D1, value, 0.0)], START + step * DAY).rows
    assert rows is not None
    assert rows["a"].to_list() == [1.0, 2.0, 1.0]


def test_a_null_in_the_key_equals_a_null() -> None:
    stored = land(None, [("x", None, 1.0, 1.0), ("x", D1, 1.0, 1.0)], START).rows
    result = land(stored, [("x", None, 1.0, 1.0), ("x", D1, 2.0, 1.0)], START + DAY)
    assert (result.new, result.corrected) == (0, 1)


def test_columns_that_are_not_values_are_not_compared() -> None:
    stored = land(None, [("x", D1, 1.0, 1.0)], START).rows
    result = append(
        stored, frame([("x", D1, 1.0, 9.0)], START + DAY), KEY, ("a",), "landed_at", START
    )
    assert not result.changed


def test_text_values_are_compared_as_they_are() -> None:
    schema = {"day": pl.Date, "text": pl.String, "landed_at": SCHEMA["landed_at"]}
    first = pl.DataFrame([(D1, "x", START), (D2, None, START)], schema=schema, orient="row")
    again = pl.DataFrame([(D1, "y", START), (D2, None, START)], schema=schema, orient="row")
    stored = append(None, first, ("day",), ("text",), "landed_at", START).rows
    assert append(stored, again, ("day",), ("text",), "landed_at", START).corrected == 1


def test_the_whole_row_may_be_the_key() -> None:
    stored = append(
        None, frame([("x", D1, 1.0, None)], START), (*KEY, *VALUES), (), "landed_at", START
    )
    more = frame([("x", D1, 1.0, None), ("x", D1, 2.0, None)], START + DAY)
    result = append(stored.rows, more, (*KEY, *VALUES), (), "landed_at", START)
    assert (result.new, result.corrected) == (1, 0)


numbers = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 1.0 + 1e-12, 1.0 + 1e-6, -3.5]))
days = st.sampled_from([D1, D2, D3, None])
landings = st.lists(
    st.dictionaries(st.tuples(st.sampled_from("xy"), days), st.tuples(numbers, numbers)),
    max_size=5,
)


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= CORRECTION * abs(other)


@given(landings)
def test_landings_agree_with_a_dictionary(batches: list[dict[Any, Any]]) -> None:
    stored: pl.DataFrame | None = None
    model: dict[Any, list[Any]] = {}
    for step, batch in enumerate(batches):
        at = START + step * DAY
        expected = [0, 0]
        for key, values in batch.items():
            versions = model.setdefault(key, [])
            if not versions:
                expected[0] += 1
            elif all(same(*pair) for pair in zip(values, versions[-1][0], strict=True)):
                continue
            else:
                expected[1] += 1
            versions.append((values, at))
        result = land(stored, [(*key, *values) for key, values in batch.items()], at)
        assert [result.new, result.corrected] == expected
        stored = result.rows
        held: dict[Any, list[Any]] = {}
        for key, day, a, b, known in stored.iter_rows():
            held.setdefault((key, day), []).append(((a, b), known))
        assert held == {key: versions for key, versions in model.items() if versions}


def test_rows_in_order_change_no_past() -> None:
    rows = None
    for step, day in enumerate([D1, D2, D3]):
        rows = land(rows, [("x", day, 1.0, 1.0)], START + step * DAY).rows
    assert rows is not None
    assert out_of_order(rows, KEY, "day", "landed_at") == []


def test_corrections_and_late_rows_change_the_past() -> None:
    rows = None
    steps = [[(D2, 1.0)], [(D3, 1.0)], [(D3, 2.0)], [(D1, 1.0)]]
    for step, part in enumerate(steps):
        batch = [("x", day, value, 1.0) for day, value in part]
        rows = land(rows, batch, START + step * DAY).rows
    assert rows is not None
    assert out_of_order(rows, KEY, "day", "landed_at") == [START + 2 * DAY, START + 3 * DAY]
    assert out_of_order(rows.head(0), KEY, "day", "landed_at") == []


def put(stored: pl.DataFrame | None, *rows: tuple[Any, ...]) -> Appended:
    """Insert rows of (key, day, a, b, days after the start)."""
    dated = [(*row[:4], START + row[4] * DAY) for row in rows]
    incoming = pl.DataFrame(dated, schema=SCHEMA, orient="row")
    return insert(stored, incoming, KEY, VALUES, "landed_at")


def test_a_version_is_put_in_at_its_own_time() -> None:
    stored = land(None, [("x", D1, 1.0, None)], START).rows
    stored = land(stored, [("x", D1, 3.0, None)], START + 4 * DAY).rows
    result = put(stored, ("x", D1, 2.0, None, 2), ("x", D2, 5.0, None, 2))
    assert (result.new, result.corrected, result.changed) == (1, 1, True)
    assert result.rows["a"].to_list() == [1.0, 2.0, 3.0, 5.0]
    assert latest(result.rows, KEY)["a"].to_list() == [3.0, 5.0]


def test_what_was_in_force_already_is_not_put_in() -> None:
    stored = land(None, [("x", D1, 1.0, None)], START).rows
    result = put(stored, ("x", D1, 1.0, None, 2), ("x", D1, 1.0 + 1e-12, None, 3))
    assert not result.changed
    assert result.rows.equals(stored)
    assert not put(stored, ("x", D1, 1.0, None, 0)).changed


def test_a_value_and_a_null_differ() -> None:
    stored = land(None, [("x", D1, 1.0, None)], START).rows
    assert put(stored, ("x", D1, 1.0, 0.0, 1)).corrected == 1
    assert put(stored, ("x", D1, None, None, 1)).corrected == 1


def test_the_first_rows_of_a_key_are_put_in_with_their_versions() -> None:
    result = put(None, ("x", D1, 1.0, None, 3), ("x", D1, 2.0, None, 1), ("x", None, 9.0, None, 1))
    assert (result.new, result.corrected) == (2, 1)
    assert result.rows["a"].to_list() == [9.0, 2.0, 1.0]


def test_two_versions_of_one_time_are_refused() -> None:
    stored = land(None, [("x", D1, 1.0, None)], START).rows
    with pytest.raises(InputError, match="two rows that differ, both of 2024-01-01"):
        put(stored, ("x", D1, 2.0, None, 0))
    with pytest.raises(InputError, match="choose one of them"):
        put(None, ("x", D1, 2.0, None, 0), ("x", D1, 3.0, None, 0))


@given(
    times=st.lists(st.tuples(st.integers(0, 9), st.sampled_from([1.0, 2.0, 3.0])), max_size=8),
    late=st.integers(0, 9),
    value=st.sampled_from([1.0, 2.0, 3.0]),
)
def test_put_in_late_or_landed_in_time_is_the_same_to_a_reader(
    times: list[tuple[int, float]], late: int, value: float
) -> None:
    others = {time: number for time, number in times if time != late}
    stored = None
    for time, number in sorted(others.items()):
        stored = land(stored, [("x", D1, number, None)], START + time * DAY).rows
    result = put(stored, ("x", D1, value, None, late))
    for moment in range(10):
        known = {t: v for t, v in {**others, late: value}.items() if t <= moment}
        seen = latest(result.rows, KEY, START + moment * DAY)["a"].to_list()
        # A version equal to the one before it was never written: the one put in outlives it.
        expected = [written(others, late, value, moment)] if known else []
        assert seen == expected


def written(others: dict[int, float], late: int, value: float, moment: int) -> float:
    """Return the value in force: of the versions that landed, and the one put in."""
    kept: dict[int, float] = {}
    for time, number in sorted(others.items()):
        if not kept or list(kept.values())[-1] != number:
            kept[time] = number
    kept[late] = value
    return kept[max(time for time in kept if time <= moment)]
