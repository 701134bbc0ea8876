"""Historical reads and materialization, beside Feast's own file store over the same repo.

With `known_at: false` both answer alike; with the default, rows that were not known yet differ. The
file store leaves out what this store answers with nulls: entity rows whose only stored row is too
old, and repetitions of a key and a moment.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from feast import FeatureStore

from tests.feature_repo.store.contract_repo import (
    DASK,
    DAY,
    HOUR,
    KNOWN_AT,
    LIKE_DASK,
    T0,
    asked,
    hours,
    make_store,
)

DRIVERS = ["drivers:conv", "drivers:trips", "drivers:city"]
ALL = [*DRIVERS, "customers:balance", "prices:fuel"]
RIDES = asked(
    driver_id=[1001, 1001, 1001, 1002, 1002, 9999],
    customer_id=["x", "x", "y", "y", "z", "x"],
    label=[1, 2, 3, 4, 5, 6],
    plus=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    hour=[0, 0.5, 5, 2, 20, 3],
)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FeatureStore]:
    root = tmp_path_factory.mktemp("contract")
    made = {"dask": DASK, "like": LIKE_DASK, "known": KNOWN_AT}
    return {name: make_store(root / name, offline) for name, offline in made.items()}


def in_order(frame: pd.DataFrame, moment: str) -> pd.DataFrame:
    frame = frame.assign(**{moment: pd.to_datetime(frame[moment], utc=True)})
    columns = sorted(frame)
    return frame.sort_values(columns)[columns].reset_index(drop=True)


def same(mine: pd.DataFrame, theirs: pd.DataFrame, moment: str = "event_timestamp") -> None:
    pd.testing.assert_frame_equal(
        in_order(mine, moment), in_order(theirs, moment), check_dtype=False, check_categorical=False
    )


READS: dict[str, tuple[pd.DataFrame, Any, dict]] = {
    "one view": (RIDES, DRIVERS, {}),
    "views of different keys, and of none": (RIDES, ALL, {}),
    "full names": (RIDES, ALL, {"full_feature_names": True}),
    "on demand": (RIDES, ["drivers:conv", "shifted:conv_plus"], {}),
    "on demand, full names": (RIDES, ["shifted:conv_plus"], {"full_feature_names": True}),
    "other name of the moments": (
        RIDES.rename(columns={"event_timestamp": "asked_at"}),
        ["drivers:conv"],
        {},
    ),
    "zones": (
        RIDES.assign(event_timestamp=RIDES["event_timestamp"].dt.tz_convert("Asia/Kolkata")),
        ["drivers:conv"],
        {},
    ),
    "moments without a zone": (
        RIDES.assign(event_timestamp=RIDES["event_timestamp"].dt.tz_localize(None)),
        ALL,
        {},
    ),
    "keys that are categories": (
        RIDES.astype({"customer_id": "category", "driver_id": "category"}),
        ALL,
        {},
    ),
    "keys of 32 bits": (RIDES.astype({"driver_id": "int32"}), DRIVERS, {}),
    "no keys at all": (RIDES[["label", "event_timestamp"]], ["prices:fuel"], {}),
    "created by then": (RIDES, ALL, {"filter_by_created_timestamp": True}),
    "at the ttl's end": (asked(driver_id=[1001, 1002], hour=[49, 48]), DRIVERS, {}),
}


@pytest.mark.parametrize(("frame", "features", "options"), READS.values(), ids=READS)
def test_history_is_that_of_the_file_store(
    stores: dict[str, FeatureStore], frame: pd.DataFrame, features: list[str], options: dict
) -> None:
    before = frame.copy()
    mine, theirs = (
        stores[name].get_historical_features(frame, features, **options).to_df()
        for name in ("like", "dask")
    )
    moment = "asked_at" if "asked_at" in frame else "event_timestamp"
    same(mine, theirs, moment)
    assert len(mine) == len(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_moments_without_a_zone_are_those_of_the_file_store_uncoerced(
    stores: dict[str, FeatureStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    naive = RIDES.assign(event_timestamp=RIDES["event_timestamp"].dt.tz_localize(None))
    found = []
    for name in ("like", "dask"):
        monkeypatch.setattr(stores[name].config, "coerce_tz_aware", False)
        found.append(stores[name].get_historical_features(naive, ALL).to_df())
    same(*found, "event_timestamp")
    assert len(found[0]) == len(naive)


@pytest.mark.parametrize("service", ["rides", "peers"])
def test_services_and_renamed_keys(stores: dict[str, FeatureStore], service: str) -> None:
    frame = RIDES.assign(peer_id=[1002, 1002, 9999, 1001, 1001, 1002])
    found = [
        stores[name]
        .get_historical_features(
            frame, stores[name].get_feature_service(service), full_feature_names=True
        )
        .to_df()
        for name in ("like", "dask")
    ]
    same(*found)


def test_what_differs_by_default_is_what_was_not_known_yet(
    stores: dict[str, FeatureStore],
) -> None:
    found = {
        name: store.get_historical_features(RIDES, ALL).to_df() for name, store in stores.items()
    }
    known, like = found["known"], found["like"]
    # At hour 5 the correction of hour 1 is an hour away.
    assert like["conv"].tolist()[2] == 0.25
    assert known["conv"].tolist()[2] == 0.2
    alike = ~RIDES["label"].isin([3])
    same(known[alike], like[alike])
    cut = stores["dask"].get_historical_features(RIDES, ALL, filter_by_created_timestamp=True)
    same(known, cut.to_df())


def test_rows_that_the_file_store_leaves_out_are_answered_with_nulls(
    stores: dict[str, FeatureStore],
) -> None:
    frame = asked(driver_id=[1001, 1003, 1001], label=[1, 2, 3], hour=[0, 0, 0])
    mine, theirs = (
        stores[name].get_historical_features(frame, ["drivers:conv"]).to_df()
        for name in ("like", "dask")
    )
    assert mine["label"].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(mine["conv"], [0.1, np.nan, 0.1])
    # The row of 1003 is 60 hours old, the ttl 48; two rows ask for 1001 at hour 0.
    assert theirs["driver_id"].tolist() == [1001]


@pytest.mark.parametrize("features", [DRIVERS, ["prices:fuel"]], ids=["drivers", "no entity"])
@pytest.mark.parametrize(
    "period", [{"start_date": T0 - DAY}, {}, {"start_date": T0}], ids=["long", "ttl", "short"]
)
def test_without_an_entity_frame_the_newest_events_are_the_file_stores_snapshot(
    stores: dict[str, FeatureStore], features: list[str], period: dict
) -> None:
    """It answers once a key, at the end; this store every event of the period, at its own time."""
    end = T0 + 5 * HOUR
    mine, theirs = (
        stores[name].get_historical_features(None, features, end_date=end, **period).to_df()
        for name in ("like", "dask")
    )
    assert mine["event_timestamp"].between(period.get("start_date", end - 2 * DAY), end).all()
    if features == DRIVERS:
        assert len(mine) == len(mine.drop_duplicates(["driver_id", "event_timestamp"])) == 4
        mine = mine.sort_values("event_timestamp").drop_duplicates("driver_id", keep="last")
    else:
        assert mine["fuel"].tolist() == [1.0, 2.0, 3.0]
        mine = mine.tail(1)
    names = [feature.split(":")[1] for feature in features]
    found, snapshot = (frame[names].sort_values(names[0]) for frame in (mine, theirs))
    assert found.to_numpy().tolist() == snapshot.dropna(subset=names[:1]).to_numpy().tolist()


def test_a_view_without_an_entity_adds_to_the_events_of_the_others(
    stores: dict[str, FeatureStore],
) -> None:
    period = {"start_date": T0, "end_date": T0 + 5 * HOUR}
    refs = ["prices:fuel", "drivers:conv"]
    found = stores["like"].get_historical_features(None, refs, **period).to_df()
    assert found.set_index(["driver_id", "event_timestamp"])["fuel"].to_dict() == {
        (1001, T0): 1.0,
        (1002, T0): 1.0,
        (1001, T0 + HOUR): 1.0,
        (1002, T0 + 3 * HOUR): 2.0,
    }


def test_an_event_not_known_by_the_end_is_there_with_known_at_off_alone(
    stores: dict[str, FeatureStore],
) -> None:
    period = {"start_date": T0 + 2 * HOUR, "end_date": T0 + 5 * HOUR}
    found = {
        name: stores[name].get_historical_features(None, ["drivers:conv"], **period).to_df()
        for name in ("like", "known")
    }
    assert found["like"]["conv"].tolist() == [0.4]
    assert found["known"].empty


@pytest.mark.parametrize("latest", [False, True], ids=["pull all", "pull latest"])
def test_the_online_store_holds_the_same(tmp_path: Path, latest: bool) -> None:
    """Materialized in two steps, the second one incremental."""
    rows = [{"driver_id": key, "customer_id": "x", "plus": 1.0} for key in (1001, 1002, 1003)]
    answers = []
    for name, offline in (("like", LIKE_DASK), ("dask", DASK)):
        options = {"materialization": {"pull_latest_features": latest}}
        store = make_store(tmp_path / name, offline, **options)
        found = []
        for end in hours(0.5, 5):
            store.materialize(T0 - DAY, end)
            # The ttl of the online store counts from now: what is asked is the row itself.
            found.append(store.get_online_features([*ALL, "shifted:conv_plus"], rows).to_dict())
        answers.append(found)
    assert answers[0] == answers[1]
    (first, second), _ = answers
    assert first["conv"] != second["conv"]
    assert second["fuel"] == [3.0, 3.0, 3.0]


@pytest.mark.parametrize(
    "method", ["pull_latest_from_table_or_query", "pull_all_from_table_or_query"]
)
@pytest.mark.parametrize("view", ["drivers", "customers", "prices"])
def test_pulls_are_those_of_the_file_store(
    stores: dict[str, FeatureStore], method: str, view: str
) -> None:
    frames = []
    for name in ("like", "dask"):
        store = stores[name]
        batch = store.get_feature_view(view).batch_source
        mapped = {new: old for old, new in batch.field_mapping.items()}
        keys = {"drivers": ["driver_id"], "customers": ["customer_id"], "prices": []}[view]
        names = [f.name for f in store.get_feature_view(view).features]
        job = getattr(store._get_provider().offline_store, method)(
            config=store.config,
            data_source=batch,
            join_key_columns=keys,
            feature_name_columns=[mapped.get(name, name) for name in names],
            timestamp_field=mapped.get("event_timestamp", "event_timestamp"),
            created_timestamp_column=batch.created_timestamp_column or None,
            start_date=T0,
            end_date=T0 + 5 * HOUR,
        )
        table = job.to_arrow()
        assert not any(pa.types.is_large_string(column.type) for column in table.schema)
        frames.append(table.to_pandas())
    mine, theirs = frames
    if view == "prices" and "latest" in method:
        theirs = theirs.tail(1)  # the file store hands on all rows of a view without an entity
    moment = "when" if view == "customers" else "event_timestamp"
    same(mine, theirs, moment)
