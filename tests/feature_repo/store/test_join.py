"""The point-in-time join against a join written as the sentence that defines it."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from feature_repo.store.join import AS_OF, EVENT, KNOWN, TIME, as_key, as_time, latest, seen_at
from market.errors import InputError

BASE = 1_700_000_000_000_000_000
# Microseconds apart, with neighbours one nanosecond off: a rounded comparison shows.
MOMENTS = st.builds(
    lambda step, off: BASE + 1_000 * step + off,
    st.integers(0, 7),
    st.sampled_from([0, 0, 0, -1, 1]),
)
MAYBE_MOMENT = st.one_of(MOMENTS, MOMENTS, MOMENTS, st.none())
LETTERS = st.sampled_from(["A", "A", "B", None])
NUMBERS = st.sampled_from([1, 1, 2, None])
TTLS = st.sampled_from([None, timedelta(0), *(timedelta(microseconds=n) for n in (1, 2, 5))])

Case = tuple[list[tuple], list[tuple], timedelta | None, int]


def keys_of(count: int) -> list[str]:
    return ["letter", "number"][:count]


@st.composite
def cases(draw: DrawFn) -> Case:
    count = draw(st.sampled_from([1, 2]))
    key = [LETTERS, NUMBERS][:count]
    rows = draw(st.lists(st.tuples(*key, MAYBE_MOMENT, MAYBE_MOMENT), max_size=12))
    asked = draw(st.lists(st.tuples(*key, MAYBE_MOMENT), max_size=8))
    return rows, asked, draw(TTLS), count


def oracle(case: Case, *, known_at: bool) -> list[int | None]:
    """For each entity row, look at every stored row."""
    rows, asked, ttl, count = case
    answers: list[int | None] = []
    for *key, moment in asked:
        best = None
        for position, (*stored, event, known) in enumerate(rows):
            if None in key or stored != key or event is None or moment is None:
                continue
            if event > moment or (known_at and (known is None or known > moment)):
                continue
            rank = (event, -1 if known is None else known, position)
            best = rank if best is None else max(best, rank)
        if best is not None and ttl and moment - best[0] > ttl / timedelta(microseconds=1) * 1_000:
            best = None
        answers.append(None if best is None else best[2])
    assert count
    return answers


def times(values: list[int | None]) -> pl.Series:
    return pl.Series(values, dtype=pl.Int64).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")


def frame(rows: list[tuple], keys: list[str], moments: list[str]) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * (len(keys) + len(moments))
    types = {"letter": pl.String, "number": pl.Int64}
    made = [pl.Series(k, c, dtype=types[k]) for k, c in zip(keys, columns, strict=False)]
    made += [times(list(c)).alias(m) for m, c in zip(moments, columns[len(keys) :], strict=True)]
    return pl.DataFrame(made)


def joined(case: Case, *, known_at: bool) -> list[int | None]:
    rows, asked, ttl, count = case
    keys = keys_of(count)
    stored, entities = frame(rows, keys, [EVENT, KNOWN]), frame(asked, keys, [AS_OF])
    return seen_at(entities, stored, keys, ttl, known_at=known_at).to_list()


# A late correction of the first session, known after the second session is.
LATE = ([("A", BASE, BASE), ("A", BASE + 2000, BASE + 2000), ("A", BASE, BASE + 4000)],)
NOT_YET_KNOWN = ([("A", BASE, BASE + 4000)], [("A", BASE + 2000)], None, 1)


@given(cases(), st.booleans())
@example((*LATE, [("A", BASE + t) for t in (-1, 0, 1999, 2000, 4000)], None, 1), True)
@example(NOT_YET_KNOWN, True)
@example(NOT_YET_KNOWN, False)
def test_join_is_the_brute_force_join(case: Case, known_at: bool) -> None:
    assert joined(case, known_at=known_at) == oracle(case, known_at=known_at)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(cases(), st.booleans())
def test_join_is_the_brute_force_join_at_length(case: Case, known_at: bool) -> None:
    assert joined(case, known_at=known_at) == oracle(case, known_at=known_at)


def test_late_correction_of_an_older_event_never_hides_the_newer_event() -> None:
    asked = [("A", BASE + 5000)]
    assert joined((*LATE, asked, None, 1), known_at=True) == [1]


def test_correction_is_used_once_known_and_the_first_version_before() -> None:
    rows = [("A", BASE, BASE), ("A", BASE, BASE + 4000)]
    asked = [("A", BASE + t) for t in (0, 3999, 4000, 9000)]
    assert joined((rows, asked, None, 1), known_at=True) == [0, 0, 1, 1]


@pytest.mark.parametrize(("age", "seen"), [(4_999, 0), (5_000, 0), (5_001, None)])
def test_ttl_includes_its_own_end(age: int, seen: int | None) -> None:
    case = ([("A", BASE, BASE)], [("A", BASE + age)], timedelta(microseconds=5), 1)
    assert joined(case, known_at=True) == [seen]


def test_expired_row_does_not_fall_back_to_an_older_one() -> None:
    rows = [("A", BASE, BASE), ("A", BASE + 1000, BASE + 1000)]
    case = (rows, [("A", BASE + 9000)], timedelta(microseconds=5), 1)
    assert joined(case, known_at=True) == [None]


def test_longest_ttl_is_unlimited() -> None:
    case = ([("A", 0, 0)], [("A", BASE)], timedelta.max, 1)
    assert joined(case, known_at=True) == [0]


@given(cases())
def test_latest_is_the_last_in_order_of_event_and_known(case: Case) -> None:
    rows, _, _, count = case
    best: dict[tuple, tuple] = {}
    for position, (*key, event, known) in enumerate(rows):
        if None not in key and event is not None:
            rank = (event, -1 if known is None else known, position)
            best[tuple(key)] = max(rank, best.get(tuple(key), rank))
    keys = keys_of(count)
    found = latest(frame(rows, keys, [EVENT, KNOWN]), keys).to_list()
    assert found == sorted(rank[2] for rank in best.values())


def test_many_keys_and_rows_agree_with_numpy() -> None:
    draw = np.random.default_rng(7)
    size = 3_000
    rows = [
        (str(key), BASE + int(e) * 1000, BASE + int(e + late) * 1000)
        for key, e, late in zip(
            draw.integers(0, 20, size),
            draw.integers(0, 400, size),
            draw.poisson(2, size),
            strict=True,
        )
    ]
    asked = [
        (str(key), BASE + int(t) * 1000)
        for key, t in zip(draw.integers(0, 22, 300), draw.integers(-5, 420, 300), strict=True)
    ]
    ttl = timedelta(microseconds=9)
    assert joined((rows, asked, ttl, 1), known_at=True) == oracle(
        (rows, asked, ttl, 1), known_at=True
    )


@pytest.mark.parametrize(
    ("values", "stored", "expected"),
    [
        (pl.Series("k", ["A", None]), pl.String(), ["A", None]),
        (pl.Series("k", ["A", None], dtype=pl.Categorical), pl.String(), ["A", None]),
        (pl.Series("k", [1, None], dtype=pl.Int32), pl.Int64(), [1, None]),
        (pl.Series("k", [1.0, 1.5, float("nan"), None]), pl.Int64(), [1, None, None, None]),
        (pl.Series("k", [2**40, 3]), pl.Int32(), [None, 3]),
        (pl.Series("k", [None, None], dtype=pl.Null), pl.String(), [None, None]),
    ],
)
def test_key_is_read_in_the_stored_type(
    values: pl.Series, stored: pl.DataType, expected: list
) -> None:
    read = as_key(values, stored)
    assert (read.dtype, read.to_list()) == (stored, expected)


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (pl.Series("k", [1]), pl.String()),
        (pl.Series("k", ["1"]), pl.Int64()),
        (pl.Series("k", [1.0]), pl.String()),
    ],
)
def test_key_of_another_kind_is_refused(values: pl.Series, stored: pl.DataType) -> None:
    with pytest.raises(InputError, match=r"entity key k: got .*, stored is"):
        as_key(values, stored)


def test_times_keep_their_instant_in_any_zone() -> None:
    there = pl.Series("t", ["2024-03-10T01:59:59", "2024-11-03T00:30:00"]).str.to_datetime("%FT%T")
    zoned = there.dt.replace_time_zone("America/New_York")
    expected = ["2024-03-10 06:59:59", "2024-11-03 04:30:00"]
    read = as_time(zoned, "t")
    assert read.dtype == TIME
    assert read.dt.strftime("%F %T").to_list() == expected


def test_times_without_a_zone_are_in_utc() -> None:
    naive = pl.Series("t", ["2024-03-10T01:59:59", None]).str.to_datetime("%FT%T")
    read = as_time(naive, "t")
    assert read.dtype == TIME
    assert read.dt.strftime("%F %T %Z").to_list() == ["2024-03-10 01:59:59 UTC", None]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pl.Series([1]), "got Int64, allowed are timestamps"),
        (
            pl.Series([253_370_764_800_000_000]).cast(pl.Datetime("us", "UTC")),
            "a year of 9999 to 9999",
        ),
    ],
)
def test_times_that_are_none_are_refused(column: pl.Series, words: str) -> None:
    with pytest.raises(InputError, match=words):
        as_time(column, "event_timestamp")
