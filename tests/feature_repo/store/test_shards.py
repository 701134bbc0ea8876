"""A historical read in shards: every row in place, bit for bit what one read gives."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from feature_repo.store.arguments import checked
from feature_repo.store.entities import Entities
from feature_repo.store.shards import answer_in_shards, split
from feature_repo.store.source import Source
from feature_repo.store.view import Sight, ViewRead, answer
from ingestion.lake.lake import Lake
from market.errors import InputError

BASE = pd.Timestamp("2024-03-08 21:00", tz="UTC")
LANDED = pd.Timestamp("2025-01-01", tz="UTC")
TICKERS = ["A", "B", "C", "D"]
TIMES = ("event_timestamp", "created_timestamp")


def at(seconds: int) -> pd.Timestamp:
    return BASE + pd.Timedelta(seconds=seconds)


def write(data: Path, view: str, entity: str, keys: list[str], seed: int) -> None:
    """Make a view of two features, with corrections and nulls, a file for each key."""
    with Lake(data) as lake:
        lake.open_view(view, entity, "hash")
        for number, key in enumerate(keys):
            draw = np.random.default_rng([seed, number])
            events = np.sort(draw.integers(0, 20, 12))
            known = events + draw.integers(0, 6, 12)
            stamps = [
                pl.Series([at(int(second)).to_pydatetime() for second in seconds])
                for seconds in (events, known)
            ]
            rows = pl.DataFrame(
                {entity: [key] * 12, **dict(zip(TIMES, stamps, strict=True))}
            ).with_columns(
                pl.col(*TIMES).cast(pl.Datetime("us", "UTC")),
                pl.Series(f"{view}_1", draw.standard_normal(12)),
                pl.Series(f"{view}_2", [None, 1.5, -0.0] * 4, dtype=pl.Float64),
            )
            rows = rows.with_columns(pl.col("event_timestamp").dt.date().alias("session"))
            lake.write_features(view, key, rows.sort("session", "created_timestamp"), LANDED)
        lake.commit("simulated")


def read_of(data: Path, view: str, entity: str, ttl: int | None, **changes: Any) -> ViewRead:
    source = Source(data / "features" / view, *TIMES)
    features = {f"{view}_1": f"{view}_1", f"{view}_2": f"{view}__2"}
    limit = None if ttl is None else timedelta(seconds=ttl)
    return ViewRead(view, source, {entity: entity}, features, limit, **changes)


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> list[ViewRead]:
    """By ticker (living three seconds), by market, and one that has not landed."""
    data = tmp_path_factory.mktemp("home") / "data"
    write(data, "alpha", "ticker", TICKERS, 1)
    write(data, "beta", "market", ["US"], 2)
    return [
        read_of(data, "alpha", "ticker", 3),
        read_of(data, "beta", "market", None),
        read_of(data, "gamma", "ticker", None, optional=True),
    ]


@st.composite
def frames(draw: DrawFn) -> pd.DataFrame:
    row = st.tuples(
        st.sampled_from([*TICKERS, "never landed", None]),
        st.sampled_from(["US", None]),
        st.one_of(st.none(), st.integers(-2, 28)),
        st.integers(0, 3),
    )
    rows = draw(st.lists(row, max_size=25))
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    moments = [pd.NaT if seconds is None else at(seconds) for seconds in columns[2]]
    frame = pd.DataFrame(
        {
            "ticker": pd.Series(columns[0], dtype=object),
            "market": pd.Series(columns[1], dtype=object),
            "event_timestamp": pd.Series(moments, dtype="datetime64[ns, UTC]"),
            "label": pd.Series(columns[3], dtype="int64"),
        }
    )
    if draw(st.booleans()):
        frame["ticker"] = frame["ticker"].astype("category")
    return frame


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frame=frames(), shards=st.integers(1, 7), known_at=st.booleans())
def test_shards_give_what_one_read_gives(
    reads: list[ViewRead], frame: pd.DataFrame, shards: int, known_at: bool
) -> None:
    rows, sight = checked(frame, reads), Sight(known_at=known_at)
    expected = answer(rows, reads, sight)
    found = answer_in_shards(rows, reads, sight, shards)
    assert found.schema == expected.schema
    for name in expected.column_names:
        one, other = (pl.Series(table[name]) for table in (expected, found))
        if one.dtype == pl.Float64:
            # The bits: a rounded value would pass for an equal one.
            one, other = one.reinterpret(signed=False), other.reinterpret(signed=False)
        assert one.equals(other, null_equal=True)


@given(frame=frames(), shards=st.integers(1, 7))
def test_every_row_is_in_one_shard_with_all_rows_of_its_key(
    reads: list[ViewRead], frame: pd.DataFrame, shards: int
) -> None:
    parts = split(checked(frame, reads), reads, shards)
    assert len(parts) <= max(1, shards)
    assert sorted(np.concatenate(parts)) == list(range(len(frame)))
    keys = [set(frame["ticker"].iloc[part].dropna()) for part in parts]
    assert sum(map(len, keys)) == len(set.union(*keys))


def entities(reads: list[ViewRead], tickers: list[Any]) -> Entities:
    frame = pd.DataFrame({"ticker": tickers, "market": "US", "event_timestamp": at(9)})
    return checked(frame, reads)


@pytest.mark.parametrize(
    ("count", "shards", "expected"), [(4, 4, [2, 2, 2, 2]), (4, 3, [4, 2, 2]), (1, 5, [2])]
)
def test_shards_are_of_the_key_with_the_most_values_and_even(
    reads: list[ViewRead], count: int, shards: int, expected: list[int]
) -> None:
    parts = split(entities(reads, TICKERS[:count] * 2), reads, shards)
    assert [len(part) for part in parts] == expected


def test_each_shard_reads_only_the_files_of_its_keys(
    reads: list[ViewRead], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    original = Source.stored

    def seen(source: Source, keys: Any = None) -> Any:
        if source.path.name == "alpha":
            asked.append(sorted(keys))
        return original(source, keys)

    monkeypatch.setattr(Source, "stored", seen)
    answer_in_shards(entities(reads, TICKERS * 3), reads, Sight(), shards=2)
    assert asked == [["A", "B"], ["C", "D"]]


def test_a_read_that_fails_fails_in_shards(reads: list[ViewRead], tmp_path: Path) -> None:
    missing = [read_of(tmp_path, "delta", "ticker", None)]
    rows = entities(reads, TICKERS)
    with pytest.raises(InputError, match="delta"):
        answer_in_shards(rows, missing, Sight(), shards=2)
