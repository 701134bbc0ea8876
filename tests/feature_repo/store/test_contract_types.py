"""Types of columns: inferred, read and materialized as Feast's own file store does."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import FeatureStore, FeatureView, FileSource

from tests.feature_repo.store.contract_repo import (
    DASK,
    DAY,
    DRIVER,
    HOUR,
    LIKE_DASK,
    T0,
    asked,
    open_store,
)

ASKED = asked(driver_id=[1, 2, 3], hour=[1, 1, 1])
COLUMNS: dict[str, pa.Array] = {
    "int32": pa.array([1, 2], pa.int32()),
    "int64": pa.array([2**60, 2], pa.int64()),
    "float32": pa.array([0.5, None], pa.float32()),
    "float64": pa.array([0.1, None]),
    "text": pa.array(["a", None]),
    "bytes": pa.array([b"a", b"b"]),
    "bool": pa.array([True, False]),
    "time": pa.array([T0, T0], pa.timestamp("us", "UTC")),
    "ints": pa.array([[1, 2], [3]]),
    "floats": pa.array([[0.5], []], pa.list_(pa.float64())),
    "bools": pa.array([[True], [False]]),
    "struct": pa.array([{"a": 1}, {"a": 2}]),
}
# What Feast has no name for as it is written here: its file store stops at it.
MORE: dict[str, tuple[pa.Array, str]] = {
    "texts": (pa.array([["a"], []], pa.list_(pa.string())), "Array(String)"),
    "large text": (pa.array(["a", "b"], pa.large_string()), "String"),
    "large list": (pa.array([[1.0], []], pa.large_list(pa.float64())), "Array(Float64)"),
    "large bytes": (pa.array([b"a", b"b"], pa.large_binary()), "Bytes"),
    "category": (pa.array(["a", "b"]).dictionary_encode(), "String"),
    "extension": (
        pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', "{}"])),
        "String",
    ),
}


def store_of(folder: Path, offline: dict[str, Any], column: pa.Array) -> FeatureStore:
    """Return a store with a view whose columns are inferred."""
    folder.mkdir(parents=True)
    times = pa.array([T0, T0], pa.timestamp("us", "UTC"))
    table = pa.table({"driver_id": [1, 2], "event_timestamp": times, "f": column})
    pq.write_table(table, folder / "f.parquet")
    store = open_store(folder, offline)
    source = FileSource(path=str(folder / "f.parquet"), timestamp_field="event_timestamp")
    store.apply([DRIVER, FeatureView(name="fv", entities=[DRIVER], ttl=DAY, source=source)])
    return store


def inferred(store: FeatureStore) -> str:
    (feature,) = store.get_feature_view("fv").features
    return str(feature.dtype)


def history(store: FeatureStore) -> pa.Table:
    return store.get_historical_features(ASKED, ["fv:f"]).to_arrow()


def online(store: FeatureStore) -> list:
    store.materialize(T0 - DAY, T0 + DAY)
    rows = [{"driver_id": key} for key in (1, 2)]
    return store.get_online_features(["fv:f"], rows).to_dict()["f"]


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_column_is_that_of_the_file_store(tmp_path: Path, column: pa.Array) -> None:
    mine, theirs = (
        store_of(tmp_path / name, offline, column)
        for name, offline in (("mine", LIKE_DASK), ("dask", DASK))
    )
    assert inferred(mine) == inferred(theirs)
    assert online(mine) == online(theirs)
    found, expected = history(mine), history(theirs)
    values = found.sort_by("driver_id")["f"].to_pylist()
    assert values == [*column.to_pylist(), None]
    assert str(found["f"].type) == str(column.type)
    if not pa.types.is_integer(column.type) and not pa.types.is_boolean(column.type):
        # By way of pandas the file store gives integers with a gap as floats.
        assert found["f"].cast(expected["f"].type).to_pylist() == found["f"].to_pylist()


@pytest.mark.parametrize(("column", "dtype"), MORE.values(), ids=MORE)
def test_column_of_another_writer_is_read_as_the_plain_one(
    tmp_path: Path, column: pa.Array, dtype: str
) -> None:
    store = store_of(tmp_path / "mine", LIKE_DASK, column)
    assert inferred(store) == dtype
    found = history(store)["f"]
    assert found.to_pylist() == [*column.to_pylist(), None]
    assert not any(word in str(found.type) for word in ("large", "dictionary", "view"))
    assert online(store) == column.to_pylist()


def test_a_map_stays_a_map(tmp_path: Path) -> None:
    """Feast's file store reads it as a list of pairs."""
    column = pa.array([[("a", "1"), ("b", None)], []], pa.map_(pa.string(), pa.string()))
    store = store_of(tmp_path / "mine", LIKE_DASK, column)
    assert inferred(store) == "Map"
    found = history(store)["f"]
    assert (found.type, found.to_pylist()) == (column.type, [*column.to_pylist(), None])


def test_the_file_store_stops_at_those(tmp_path: Path) -> None:
    """If it no longer does, they belong to the columns that are compared."""
    for name in ("texts", "large list", "large bytes", "category"):
        with pytest.raises(KeyError):
            store_of(tmp_path / name, DASK, MORE[name][0])
    text = store_of(tmp_path / "text", DASK, MORE["large text"][0])
    assert inferred(text) == "Json"
    with pytest.raises(ValueError, match="Invalid JSON"):
        online(text)


STORED_KEYS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], list]] = {
    "text": (lambda frame: frame, ["a", "b", "z"]),
    "category": (lambda frame: frame.astype({"driver_id": "category"}), ["a", "b", "z"]),
    "integers": (lambda frame: frame.assign(driver_id=[1, 2]), [1, 2, 9]),
    "floats": (lambda frame: frame.assign(driver_id=[1.5, 2.5]), [1.5, 2.5, 9.0]),
    "bools": (lambda frame: frame.assign(driver_id=[True, False]), [True, False, True]),
}


@pytest.mark.parametrize(("stored", "keys"), STORED_KEYS.values(), ids=STORED_KEYS)
@pytest.mark.parametrize("category", [False, True], ids=["plain", "category"])
def test_keys_of_every_kind_are_found(
    tmp_path: Path, stored: Callable[[pd.DataFrame], pd.DataFrame], keys: list, category: bool
) -> None:
    from feast import Field
    from feast.types import Float64

    times = pd.DatetimeIndex([T0, T0])
    rows = pd.DataFrame({"driver_id": ["a", "b"], "event_timestamp": times, "f": [1.0, 2.0]})
    stored(rows).to_parquet(tmp_path / "f.parquet")
    store = open_store(tmp_path, LIKE_DASK)
    view = FeatureView(
        name="fv",
        entities=[DRIVER],
        ttl=DAY,
        schema=[Field(name="f", dtype=Float64)],
        source=FileSource(path="f.parquet", timestamp_field="event_timestamp"),
    )
    store.apply([DRIVER, view])
    frame = asked(driver_id=keys, hour=[1, 1, 1])
    frame = frame.astype({"driver_id": "category"}) if category else frame
    found = store.get_historical_features(frame, ["fv:f"]).to_df()
    expected = [1.0, 2.0, 1.0 if keys[2] is True else None]
    assert found["f"].astype(object).where(found["f"].notna(), None).tolist() == expected
    assert found["driver_id"].tolist() == keys


def test_times_of_any_unit_and_zone_are_one_instant(tmp_path: Path) -> None:
    for number, dtype in enumerate(
        [
            *(pl.Datetime(unit) for unit in ("ms", "us", "ns")),
            pl.Datetime("us", "UTC"),
            pl.Datetime("ms", "Asia/Kolkata"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        times = pl.Series([T0, T0 + HOUR]).cast(pl.Datetime("us", "UTC"))
        stored = (
            times.dt.convert_time_zone(dtype.time_zone)
            if dtype.time_zone
            else times.dt.replace_time_zone(None)
        ).cast(dtype)
        pl.DataFrame(
            {"driver_id": [1, 1], "event_timestamp": stored, "created": stored, "f": [1.0, 2.0]}
        ).write_parquet(folder / "f.parquet")
        store = open_store(folder, {**LIKE_DASK, "known_at": True})
        source = FileSource(
            path="f.parquet",
            timestamp_field="event_timestamp",
            created_timestamp_column="created",
        )
        store.apply([DRIVER, FeatureView(name="fv", entities=[DRIVER], ttl=DAY, source=source)])
        frame = asked(driver_id=[1, 1, 1], hour=[0, 0.5, 1])
        frame["event_timestamp"] -= pd.Series([timedelta(0), timedelta(0), timedelta(seconds=1)])
        assert store.get_historical_features(frame, ["fv:f"]).to_df()["f"].tolist() == [1, 1, 1]
        found = store.get_historical_features(
            None, ["fv:f"], start_date=T0 + HOUR, end_date=T0 + HOUR
        ).to_df()
        assert found["event_timestamp"].tolist() == [T0 + HOUR], dtype


def test_decimals_and_dates_keep_their_type(tmp_path: Path) -> None:
    from feast import Field
    from feast.types import Float64

    rows = pa.table(
        {
            "driver_id": [1],
            "event_timestamp": pa.array([T0], pa.timestamp("us", "UTC")),
            "day": [T0.date()],
            "amount": [Decimal("1.50")],
        }
    )
    pq.write_table(rows, tmp_path / "f.parquet")
    store = open_store(tmp_path, LIKE_DASK)
    view = FeatureView(
        name="fv",
        entities=[DRIVER],
        schema=[Field(name="day", dtype=Float64), Field(name="amount", dtype=Float64)],
        source=FileSource(path="f.parquet", timestamp_field="event_timestamp"),
    )
    store.apply([DRIVER, view])
    found = store.get_historical_features(ASKED[:1], ["fv:day", "fv:amount"]).to_arrow()
    assert found["day"].to_pylist() == [T0.date()]
    assert found["amount"].type == rows["amount"].type
