"""Reads of a period, pulls, saved datasets."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from hypothesis import HealthCheck, given, settings

from market.errors import InputError
from tests.feature_repo.store.asof_home import (
    ALPHA,
    REFS,
    SECONDS,
    Home,
    Rows,
    alpha,
    asked,
    at,
    make_home,
    stored_rows,
)


def test_without_entities_every_event_is_answered_as_known_at_the_end(home: Home) -> None:
    job = home.store.get_historical_features(None, ["alpha:a1"], start_date=at(0), end_date=at(4))
    found = job.to_df().set_index(["ticker", "event_timestamp"])["a1"]
    assert found.to_dict() == pytest.approx(
        {("A", at(0)): 1.5, ("A", at(2)): 2.0, ("B", at(1)): np.nan}, nan_ok=True
    )
    early = home.store.get_historical_features(
        None, ["alpha:a1"], start_date=at(0), end_date=at(3)
    ).to_df()
    assert early.sort_values("event_timestamp")["a1"].tolist()[0] == 1.0


def test_without_entities_the_views_need_the_same_keys(home: Home) -> None:
    with pytest.raises(InputError, match="different join keys"):
        home.store.get_historical_features(None, REFS, start_date=at(0), end_date=at(4))


def test_a_period_without_a_start_is_as_long_as_the_longest_ttl(home: Home) -> None:
    def events(**period: Any) -> list:
        job = home.store.get_historical_features(None, ["alpha:a1"], **period)
        assert job.metadata.max_event_timestamp == at(4)
        return sorted(job.to_df()["event_timestamp"])

    home.write("alpha", [alpha("A", second, second, 1.0) for second in range(5)])
    assert events(end_date=at(4)) == [at(1), at(2), at(3), at(4)]
    naive = at(4).replace(tzinfo=None)
    assert events(start_date=at(3).replace(tzinfo=None), end_date=naive) == [at(3), at(4)]


def test_a_period_without_an_end_ends_now(home: Home) -> None:
    now = datetime.now(UTC)
    rows = [{**alpha("A", 0, 0, 1.0), "event_timestamp": now - timedelta(days=days)}
            for days in (-2, 2, 40)]  # fmt: skip
    home.write("alpha", rows)
    view = home.store.get_feature_view("alpha")
    view.ttl = timedelta(0)
    home.store.apply([view])
    found = home.store.get_historical_features(None, ["alpha:a1"]).to_df()
    assert found["event_timestamp"].tolist() == [now - timedelta(days=2)]


def pull(home: Home, method: str, start: float, end: float, **changes: Any) -> pd.DataFrame:
    view = home.store.get_feature_view("alpha")
    store = home.store._get_provider().offline_store
    arguments = {
        "config": home.store.config,
        "data_source": view.batch_source,
        "join_key_columns": ["ticker"],
        "feature_name_columns": ["a1"],
        "timestamp_field": "event_timestamp",
        "created_timestamp_column": "created_timestamp",
        "start_date": at(start),
        "end_date": at(end),
    }
    return getattr(store, method)(**{**arguments, **changes})


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stored_rows("alpha"), SECONDS, SECONDS)
def test_newest_rows_are_what_was_newest_and_known(
    shared: Home, rows: Rows, start: int, length: int
) -> None:
    shared.write("alpha", rows)
    end = start + length
    expected = {}
    for position, row in enumerate(rows):
        event, known = row["event_timestamp"], row["created_timestamp"]
        if row["ticker"] and at(start) <= event <= at(end) and known <= at(end):
            rank = (event, known, position)
            expected[row["ticker"]] = max(expected.get(row["ticker"], rank), rank)
    found = pull(shared, "pull_latest_from_table_or_query", start, end).to_arrow()
    assert all(column.num_chunks <= 1 for column in found.columns)
    values = {row["ticker"]: row["a1"] for row in found.to_pylist()}
    assert values == {ticker: rows[rank[2]]["a1"] for ticker, rank in expected.items()}


def test_all_rows_of_a_period_as_known_at_its_end(home: Home) -> None:
    found = pull(home, "pull_all_from_table_or_query", 0, 3).to_df()
    assert sorted(found["a1"].fillna(-1)) == [-1, 1, 2]
    found = pull(home, "pull_all_from_table_or_query", 0, 4, start_date=None, end_date=None).to_df()
    assert len(found) == len(ALPHA)
    assert list(found) == ["ticker", "a1", "event_timestamp", "created_timestamp"]


def test_pull_of_a_view_without_rows_is_empty(tmp_path: Path) -> None:
    home = make_home(tmp_path / "data")
    for method in ("pull_latest_from_table_or_query", "pull_all_from_table_or_query"):
        assert pull(home, method, 0, 9).to_arrow().num_rows == 0


def test_saved_dataset_comes_back_as_it_was(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "training.parquet"
    job = home.read(asked(("A", 1, 1), ("B", 1, 2), ("X", 9, 2)))
    storage = SavedDatasetFileStorage(path=str(path))
    saved = home.store.create_saved_dataset(job, "training", storage)
    expected = job.to_df().drop(columns="lot")
    found = saved.to_df()[list(expected)]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    with pytest.raises(SavedDatasetLocationAlreadyExists):
        job.persist(storage)
    job.persist(storage, allow_overwrite=True)
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ""] == ["training.parquet"]


def test_saved_dataset_elsewhere_or_in_the_lake_is_refused(home: Home) -> None:
    job = home.read(asked(("A", 1, 1)))
    with pytest.raises(InputError, match="a path on this machine"):
        job.persist(SavedDatasetFileStorage(path="s3://bucket/training.parquet"))
    for path in ("features/alpha/training.parquet", "features/training"):
        with pytest.raises(InputError, match=r"manifest\.json lists, allowed"):
            job.persist(SavedDatasetFileStorage(path=str(home.data / path)))
