"""Writes by Feast: rows, pushes, feature logs, saved datasets; durable, and never into a lake."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import FeatureStore
from feast.data_source import PushMode
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.feature_logging import FeatureServiceLoggingSource, LoggingConfig
from feast.infra.offline_stores.file_source import FileLoggingDestination, SavedDatasetFileStorage

from feature_repo.store.source import plain_files
from feature_repo.store.writes import append_log
from home.manifest import MANIFEST
from market.errors import InputError, SchemaViolation
from tests.feature_repo.store.asof_home import Home
from tests.feature_repo.store.contract_repo import (
    DASK,
    HOUR,
    KNOWN_AT,
    LIKE_DASK,
    T0,
    asked,
    hours,
    make_store,
)

STORES = {"dask": DASK, "like": LIKE_DASK, "known": KNOWN_AT}
NEW = pd.DataFrame(
    {
        "driver_id": [1001, 1004],
        "event_timestamp": pd.DatetimeIndex(hours(10, 11)),
        "created": pd.DatetimeIndex(hours(10, 11)),
        "conv": [0.9, 0.8],
        "trips": [7, 8],
        "city": ["n", None],
    }
)
LATER = asked(driver_id=[1001, 1004, 1002], hour=[12, 12, 12])


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FeatureStore]:
    yield make_store(tmp_path / "repo", STORES[request.param])


@pytest.fixture
def mine(tmp_path: Path) -> FeatureStore:
    return make_store(tmp_path / "repo", KNOWN_AT)


def conv(store: FeatureStore, frame: pd.DataFrame = LATER) -> dict[int, float]:
    found = store.get_historical_features(frame, ["drivers:conv"]).to_df()
    return dict(zip(found["driver_id"], found["conv"], strict=True))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.parquet"))


@pytest.mark.parametrize("columns", [list(NEW), sorted(NEW, reverse=True)], ids=["order", "any"])
def test_rows_written_are_read(store: FeatureStore, columns: list[str]) -> None:
    before = conv(store)
    store.write_to_offline_store("drivers", NEW[columns])
    after = conv(store)
    assert (after[1001], after[1004]) == (0.9, 0.8)
    assert after[1002] == before[1002]
    again = NEW.assign(event_timestamp=NEW["event_timestamp"] + HOUR, conv=[0.7, 0.6])
    store.write_to_offline_store("drivers", again)
    assert {key: value for key, value in conv(store).items() if key != 1002} == {
        1001: 0.7,
        1004: 0.6,
    }
    # Earlier moments see what they saw.
    assert conv(store, asked(driver_id=[1001], hour=[10.5])) == {1001: 0.9}


@pytest.mark.parametrize("frame", [NEW.drop(columns="conv"), NEW.assign(more=1)])
def test_rows_of_other_columns_are_refused(store: FeatureStore, frame: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="missing_expected_columns"):
        store.write_to_offline_store("drivers", frame)


@pytest.mark.parametrize("to", [PushMode.OFFLINE, PushMode.ONLINE_AND_OFFLINE])
def test_pushed_rows_are_read(store: FeatureStore, to: PushMode) -> None:
    store.push("driver_events", NEW, to=to)
    assert conv(store)[1001] == 0.9
    if to is PushMode.ONLINE_AND_OFFLINE:
        rows = [{"driver_id": 1004}]
        assert store.get_online_features(["drivers:conv"], rows).to_dict()["conv"] == [0.8]


def test_rows_go_into_a_folder_as_its_last_file(mine: FeatureStore, tmp_path: Path) -> None:
    folder = tmp_path / "repo" / "customers"
    first = (folder / "part-0.parquet").read_bytes()

    def write(balance: float) -> None:
        rows = {"customer_id": ["x"], "when": pd.DatetimeIndex(hours(2)), "bal": [balance]}
        mine._get_provider().offline_store.offline_write_batch(
            mine.config,
            mine.get_feature_view("customers"),
            pa.Table.from_pandas(pd.DataFrame(rows)),
            None,
        )

    def balance() -> float:
        frame = asked(customer_id=["x"], hour=[3])
        return mine.get_historical_features(frame, ["customers:balance"]).to_df()["balance"][0]

    assert balance() == 30
    for value in (31.0, 32.0):  # of equal rows the last one written counts
        write(value)
        assert balance() == value
    (folder / "part-1.parquet").rename(folder / "year=2024.parquet")
    for value in range(40, 52):
        write(value)
        assert balance() == value
    assert (folder / "part-0.parquet").read_bytes() == first
    assert all(not name.startswith(".") for name in files(folder))


def test_rows_of_two_writers_at_once_are_all_there(mine: FeatureStore) -> None:
    def write(number: int) -> None:
        rows = NEW[:1].assign(driver_id=number)
        mine._get_provider().offline_store.offline_write_batch(
            mine.config, mine.get_feature_view("drivers"), pa.Table.from_pandas(rows), told.append
        )

    told: list[int] = []
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(2000, 2012)))
    assert told == [1] * 12
    found = conv(mine, asked(driver_id=list(range(2000, 2012)), hour=[12] * 12))
    assert set(found.values()) == {0.9}


def test_a_killed_writer_leaves_the_file_as_it_was(
    mine: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "repo" / "drivers.parquet"
    before, names = path.read_bytes(), files(tmp_path / "repo")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("home.files.os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        mine.write_to_offline_store("drivers", NEW)
    assert path.read_bytes() == before
    assert files(tmp_path / "repo") == names
    assert not list((tmp_path / "repo").glob(".*.tmp"))


def test_values_that_do_not_fit_are_refused_and_nothing_is_written(mine: FeatureStore) -> None:
    with pytest.raises(SchemaViolation, match=r"drivers\.parquet: got values .*; convert"):
        mine.write_to_offline_store("drivers", NEW.assign(trips=[0.5, 1.5]))
    store = mine._get_provider().offline_store
    table = pa.Table.from_pandas(NEW.drop(columns="city"))
    with pytest.raises(SchemaViolation, match=r"got columns .*allowed are driver_id"):
        store.offline_write_batch(mine.config, mine.get_feature_view("drivers"), table, None)
    assert conv(mine)[1001] == 0.25


def test_an_index_of_a_frame_is_no_column(mine: FeatureStore) -> None:
    mine.write_to_offline_store("drivers", NEW[NEW["driver_id"] == 1004])
    assert conv(mine)[1004] == 0.8


def logs(store: FeatureStore, hour: float) -> pa.Table:
    service = store.get_feature_service("rides")
    schema = FeatureServiceLoggingSource(service, store.project).get_schema(store.registry)
    moment = hours(hour)[0]
    row: dict[str, Any] = dict.fromkeys(schema.names)
    row |= {"driver_id": 1001, "customer_id": "x", "drivers__conv": 0.1, "drivers__trips": 1}
    row |= {"__log_timestamp": moment, "__log_date": moment.date(), "__request_id": str(uuid4())}
    return pa.Table.from_pylist([row], schema=schema)


@pytest.mark.parametrize("as_path", [False, True], ids=["table", "path"])
def test_logged_features_are_read(store: FeatureStore, tmp_path: Path, as_path: bool) -> None:
    service = store.get_feature_service("rides")
    batches = [logs(store, 0), logs(store, 30)]
    for number, batch in enumerate(batches):
        handed: pa.Table | Path = batch
        if as_path:
            handed = tmp_path / f"gathered-{number}"
            handed.mkdir()
            pq.write_table(batch, handed / "0.parquet")
        store.write_logged_features(handed, service)
    job = store._get_provider().retrieve_feature_service_logs(
        service, T0, T0 + 31 * HOUR, store.config, store.registry
    )
    found = job.to_df().sort_values("__log_timestamp").reset_index(drop=True)
    expected = pa.concat_tables(batches).to_pandas()
    names = [name for name in expected if name != "__log_date"]
    pd.testing.assert_frame_equal(found[names], expected[names], check_dtype=False)
    early = store._get_provider().retrieve_feature_service_logs(
        service, T0, T0 + HOUR, store.config, store.registry
    )
    assert early.to_arrow().num_rows == 1


def test_a_log_split_by_its_date_keeps_the_date(mine: FeatureStore, tmp_path: Path) -> None:
    service = mine.get_feature_service("rides")
    destination = FileLoggingDestination(path="days", partition_by=["__log_date"])
    service.logging_config = LoggingConfig(destination=destination)
    mine.apply([service])
    mine.write_logged_features(pa.concat_tables([logs(mine, 0), logs(mine, 30)]), service)
    folder = tmp_path / "repo" / "days"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [
        "2024-03-08",
        "2024-03-09",
    ]
    job = mine._get_provider().retrieve_feature_service_logs(
        service, T0, T0 + 31 * HOUR, mine.config, mine.registry
    )
    assert sorted(job.to_df()["__log_date"]) == [date(2024, 3, 8), date(2024, 3, 9)]


@pytest.mark.parametrize("name", ["saved.parquet", "saved"])
def test_saved_dataset_is_read_and_not_written_over(
    store: FeatureStore, tmp_path: Path, name: str
) -> None:
    storage = SavedDatasetFileStorage(path=str(tmp_path / "repo" / name))
    job = store.get_historical_features(LATER, ["drivers:conv", "drivers:city"])
    store.create_saved_dataset(job, "training", storage)
    expected = job.to_df().sort_values("driver_id").reset_index(drop=True)
    found = store.get_saved_dataset("training").to_df().sort_values("driver_id")
    found = found[list(expected)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    with pytest.raises(SavedDatasetLocationAlreadyExists):
        store.create_saved_dataset(job, "again", storage)


def test_a_log_split_by_any_text_stays_in_its_folder(mine: FeatureStore, tmp_path: Path) -> None:
    values = ["../x", "_a", ".b", "c/d", None, ""]
    rows = pa.table({"customer_id": values, "n": range(6)})
    append_log(tmp_path / "log", rows, rows.schema, ["customer_id"])
    found = pa.concat_tables(pq.ParquetFile(path).read() for path in plain_files(tmp_path / "log"))
    assert found.sort_by("n").to_pylist() == rows.to_pylist()
    assert {path.parent.parent for path in (tmp_path / "log").rglob("*.parquet")} <= {
        tmp_path / "log",
        tmp_path,
    }


def test_a_folder_of_other_files_is_not_replaced(mine: FeatureStore, tmp_path: Path) -> None:
    job = mine.get_historical_features(LATER, ["drivers:conv"])
    with pytest.raises(InputError, match="allowed is one of parquet files alone"):
        job.persist(SavedDatasetFileStorage(path=str(tmp_path / "repo")), allow_overwrite=True)
    assert conv(mine)[1001] == 0.25


def test_the_file_store_adds_to_a_folder_that_it_writes_over(tmp_path: Path) -> None:
    """If it no longer does, this is no difference any more."""
    theirs = make_store(tmp_path / "repo", DASK)
    storage = SavedDatasetFileStorage(path=str(tmp_path / "repo" / "saved"))
    for _ in range(2):
        job = theirs.get_historical_features(LATER[:1], ["drivers:conv"])
        theirs.create_saved_dataset(job, "training", storage, allow_overwrite=True)
    assert len(theirs.get_saved_dataset("training").to_df()) == 2


@pytest.mark.parametrize("name", ["saved.parquet", "saved"])
def test_a_dataset_written_over_is_the_new_one_alone(
    mine: FeatureStore, tmp_path: Path, name: str
) -> None:
    storage = SavedDatasetFileStorage(path=name)
    for frame in (LATER, LATER[:1]):
        job = mine.get_historical_features(frame, ["drivers:conv"])
        mine.create_saved_dataset(job, "training", storage, allow_overwrite=True)
    assert mine.get_saved_dataset("training").to_df()["driver_id"].tolist() == [1001]


def test_the_lake_of_a_home_is_not_written(home: Home, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in home.data.rglob("*") if path.is_file()}
    offline = home.store._get_provider().offline_store
    view = home.store.get_feature_view("alpha")
    rows = pa.table({"ticker": ["A"]})
    for path in (home.data / "features" / "alpha", next(home.data.rglob("alpha/**/*.parquet"))):
        view.batch_source.file_options.uri = str(path)
        with pytest.raises(InputError, match=r"manifest\.json lists, allowed is any other place"):
            offline.offline_write_batch(home.store.config, view, rows, None)
    for folder in ("features/log", "features"):
        config = LoggingConfig(FileLoggingDestination(path=str(home.data / folder)))
        with pytest.raises(InputError, match=r"manifest\.json lists, allowed"):
            offline.write_logged_features(
                home.store.config, rows, _Schema(rows.schema), config, home.store.registry
            )
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("named", [True, False], ids=["named", "two levels above"])
def test_folders_beside_those_of_a_manifest_are_written_and_read(
    home: Home, mine: FeatureStore, tmp_path: Path, named: bool
) -> None:
    beside = tmp_path / "elsewhere" if named else home.data
    path = beside / "mine" / "drivers"
    path.mkdir(parents=True)
    (tmp_path / "repo" / "drivers.parquet").rename(path / "old.parquet")
    view = mine.get_feature_view("drivers")
    view.batch_source.file_options.uri = str(path)
    mine.apply([view])
    if named:
        mine.config.offline_store.manifest = str(home.data / MANIFEST)
    mine.write_to_offline_store("drivers", NEW)
    assert conv(mine)[1001] == 0.9
    log, saved = beside / "logs" / "rides", beside / "saved" / "rides"
    service = mine.get_feature_service("rides")
    service.logging_config = LoggingConfig(FileLoggingDestination(path=str(log)))
    mine.write_logged_features(logs(mine, 0), service)
    assert list(log.glob("*.parquet"))
    job = mine.get_historical_features(LATER, ["drivers:conv"])
    made = mine.create_saved_dataset(job, "rides", SavedDatasetFileStorage(path=str(saved)))
    assert len(made.to_df()) == len(LATER)
    # Where the manifest's own tables lie nothing is written, and files it does not name are none.
    with pytest.raises(InputError, match=r"manifest\.json lists, allowed is any other place"):
        mine.create_saved_dataset(
            job, "other", SavedDatasetFileStorage(path=str(home.data / "features" / "rides"))
        )


def test_a_manifest_of_something_else_hinders_no_write(mine: FeatureStore, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"name": "a web page"}')
    mine.write_to_offline_store("drivers", NEW)
    assert conv(mine)[1001] == 0.9


class _Schema(FeatureServiceLoggingSource):
    """The schema of a log that no service writes."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema

    def get_schema(self, registry: object) -> pa.Schema:
        return self.schema


def test_logs_elsewhere_are_refused(mine: FeatureStore) -> None:
    service = mine.get_feature_service("rides")
    service.logging_config = LoggingConfig(FileLoggingDestination(path="s3://bucket/log"))
    with pytest.raises(InputError, match="feature log: got FileLoggingDestination at 's3://"):
        mine.write_logged_features(logs(mine, 0), service)
