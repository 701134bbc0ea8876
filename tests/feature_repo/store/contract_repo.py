"""One feature repo over plain files, applied with any offline store: Feast's own and this one.

Drivers and customers have keys, prices none; the drivers' file has late and corrected rows. The
times of `prices` have no zone.
"""

import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from feast import (
    Entity,
    FeatureService,
    FeatureStore,
    FeatureView,
    Field,
    FileSource,
    RepoConfig,
    RequestSource,
    ValueType,
)
from feast.data_source import PushSource
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.file_source import FileLoggingDestination
from feast.on_demand_feature_view import on_demand_feature_view
from feast.repo_config import RegistryConfig
from feast.types import Float64, Int64, String

from feature_repo.store.repo_config import STORE

T0 = datetime(2024, 3, 8, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DASK = {"type": "dask"}
LIKE_DASK = {"type": STORE, "known_at": False}
KNOWN_AT = {"type": STORE}
DRIVER = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
CUSTOMER = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)


def hours(*counts: float | None) -> list[Any]:
    return [pd.NaT if count is None else T0 + count * HOUR for count in counts]


def write_data(folder: Path) -> None:
    """Write the files: drivers (a file), customers (a folder of two), prices (no keys, no zone)."""
    drivers = pd.DataFrame(
        {
            "driver_id": [1001, 1001, 1001, 1002, 1002, 1003],
            "event_timestamp": pd.DatetimeIndex(hours(0, 1, 1, 0, 3, -60)),
            # The second row of hour 1 corrects the first; the row of 1002 comes ten hours late.
            "created": pd.DatetimeIndex(hours(0, 1, 6, 0, 13, -60)),
            "conv": [0.1, 0.2, 0.25, 0.3, 0.4, 0.5],
            "trips": [1, 2, 3, 4, 5, 6],
            "city": ["a", "b", "c", "d", None, "f"],
        }
    )
    drivers.to_parquet(folder / "drivers.parquet")
    customers = pd.DataFrame(
        {
            "customer_id": ["x", "y", "x"],
            "when": pd.DatetimeIndex(hours(0, 0, 2)).tz_convert("America/New_York"),
            "bal": [10.0, None, 30.0],
        }
    )
    (folder / "customers").mkdir()
    customers[:2].to_parquet(folder / "customers" / "part-0.parquet")
    customers[2:].to_parquet(folder / "customers" / "part-1.parquet")
    naive = [moment.replace(tzinfo=None) for moment in hours(0, 2, 4)]
    prices = pd.DataFrame({"event_timestamp": naive, "created": naive, "fuel": [1.0, 2.0, 3.0]})
    prices.to_parquet(folder / "prices.parquet")


def objects(folder: Path) -> list[Any]:
    """Return the views, a push source, an on-demand view and the services."""
    stats = FileSource(
        path=str(folder / "drivers.parquet"),
        timestamp_field="event_timestamp",
        created_timestamp_column="created",
    )
    drivers = FeatureView(
        name="drivers",
        entities=[DRIVER],
        ttl=2 * DAY,
        schema=[
            Field(name="driver_id", dtype=Int64),
            Field(name="conv", dtype=Float64),
            Field(name="trips", dtype=Int64),
            Field(name="city", dtype=String),
        ],
        source=PushSource(name="driver_events", batch_source=stats),
    )
    customers = FeatureView(
        name="customers",
        entities=[CUSTOMER],
        ttl=DAY,
        schema=[Field(name="customer_id", dtype=String), Field(name="balance", dtype=Float64)],
        source=FileSource(
            path=str(folder / "customers"),
            timestamp_field="event_timestamp",
            field_mapping={"when": "event_timestamp", "bal": "balance"},
        ),
    )
    prices = FeatureView(
        name="prices",
        entities=[],
        ttl=timedelta(0),
        schema=[Field(name="fuel", dtype=Float64)],
        source=FileSource(
            path=str(folder / "prices.parquet"),
            timestamp_field="event_timestamp",
            created_timestamp_column="created",
        ),
    )

    @on_demand_feature_view(
        sources=[drivers, RequestSource(name="asked", schema=[Field(name="plus", dtype=Float64)])],
        schema=[Field(name="conv_plus", dtype=Float64)],
        mode="pandas",
    )
    def shifted(inputs: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({"conv_plus": inputs["conv"] + inputs["plus"]})

    logging = LoggingConfig(destination=FileLoggingDestination(path=str(folder / "log")))
    rides = FeatureService(
        name="rides",
        features=[drivers[["conv", "trips"]], customers, prices],
        logging_config=logging,
    )
    peers = FeatureService(
        name="peers",
        features=[
            drivers[["conv"]].with_name("own"),
            drivers[["conv"]].with_name("peer").with_join_key_map({"driver_id": "peer_id"}),
        ],
    )
    return [DRIVER, CUSTOMER, drivers, customers, prices, shifted, rides, peers]


def open_store(folder: Path, offline: dict[str, Any], **options: Any) -> FeatureStore:
    """Return a store over a folder's data that nothing is applied to."""
    config = RepoConfig(
        project="rides",
        provider="local",
        registry=RegistryConfig(path=str(folder / "registry.db")),
        repo_path=folder,
        offline_store=offline,
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
        **options,
    )
    return FeatureStore(config=config)


def make_store(folder: Path, offline: dict[str, Any], **options: Any) -> FeatureStore:
    """Return a store with data of its own and the repo applied."""
    folder.mkdir(parents=True)
    write_data(folder)
    store = open_store(folder, offline, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store.apply(objects(folder))
    return store


def asked(**columns: Any) -> pd.DataFrame:
    """Return an entity frame; `hour` becomes its moments."""
    frame = pd.DataFrame(columns)
    frame["event_timestamp"] = pd.DatetimeIndex(hours(*frame.pop("hour")))
    return frame
