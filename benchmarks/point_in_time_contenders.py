"""Who reads in `benchmarks.point_in_time`: this store, Feast's own, and bare joins as floors.

Each takes the data folder, the entity frame and the references, prepares outside the time measured,
and returns the read that is measured: to one Arrow table, whatever its order of rows.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from home.manifest import read_manifest

Read = Callable[[], pa.Table]
Contender = Callable[[Path, pd.DataFrame, list[str]], Read]
TIMES = ("event_timestamp", "created_timestamp")
STALE_HOURS = 20


def views_of(refs: list[str]) -> list[Group]:
    """Return the groups that references name, in their order."""
    return [GROUPS[name] for name in dict.fromkeys(ref.split(":")[0] for ref in refs)]


def ours(data: Path, frame: pd.DataFrame, refs: list[str]) -> Read:
    """Feast over this project's store."""
    from feast import FeatureStore

    from feature_repo.store.repo_config import repo_config
    from ingestion.online.feast_registry import apply

    store = FeatureStore(config=repo_config(data, None))
    apply(store, data)
    return lambda: store.get_historical_features(frame, refs).to_arrow()


def feast_own(kind: str) -> Contender:
    """Return Feast over a store of its own, told to look at what was known."""

    def contender(data: Path, frame: pd.DataFrame, refs: list[str]) -> Read:
        from feast import FeatureStore, RepoConfig
        from feast.data_format import ParquetFormat

        from feature_repo.definitions import define

        objects = define(str(data))
        for row in objects:
            if row.name in GROUPS:
                options = row.batch_source.file_options
                options.uri = str(data / "features" / row.name / "*" / "*.parquet")
                options.file_format = ParquetFormat()
        registry = data / f"{kind}_registry.db"
        registry.unlink(missing_ok=True)
        config = RepoConfig(
            project="benchmark",
            provider="local",
            registry=str(registry),
            offline_store={"type": kind},
            online_store=None,
            entity_key_serialization_version=3,
        )
        store = FeatureStore(config=config)
        store.apply(objects)
        return lambda: store.get_historical_features(
            frame, refs, filter_by_created_timestamp=True
        ).to_arrow()

    return contender


def polars_floor(data: Path, frame: pd.DataFrame, refs: list[str]) -> Read:
    """One bare polars join_asof a view."""
    manifest = read_manifest(data)

    def read() -> pa.Table:
        asked = pl.from_pandas(frame).with_columns(
            pl.col("event_timestamp").cast(pl.Datetime("us", "UTC")).alias("as_of")
        )
        answer = asked.with_row_index("row").sort("as_of").drop("event_timestamp")
        for group in views_of(refs):
            rows = pl.scan_parquet(manifest.paths(data, group.name), glob=False).drop("session")
            rows = rows.with_columns(pl.max_horizontal(*TIMES).alias("appears")).drop(
                "created_timestamp"
            )
            answer = answer.join_asof(
                rows.sort("appears").collect(),
                left_on="as_of",
                right_on="appears",
                by=group.entity,
                check_sortedness=False,
            )
            stale = pl.col("as_of") - pl.col("event_timestamp") > pl.duration(hours=STALE_HOURS)
            features = [row.name for row in group.features]
            answer = answer.with_columns(pl.when(~stale).then(pl.col(features))).drop(
                "event_timestamp", "appears"
            )
        return answer.sort("row").to_arrow()

    return read


def pandas_floor(data: Path, frame: pd.DataFrame, refs: list[str]) -> Read:
    """One bare pandas merge_asof a view."""
    manifest = read_manifest(data)
    stale = pd.Timedelta(hours=STALE_HOURS)

    def read() -> pa.Table:
        answer = frame.rename(columns={"event_timestamp": "as_of"}).sort_values("as_of")
        answer["as_of"] = answer["as_of"].dt.as_unit("us")
        for group in views_of(refs):
            columns = [group.entity, *TIMES, *(row.name for row in group.features)]
            paths = [str(path) for path in manifest.paths(data, group.name)]
            rows = pd.read_parquet(paths, columns=columns)
            rows["appears"] = rows[list(TIMES)].max(axis=1)
            rows = rows.drop(columns="created_timestamp").sort_values("appears")
            answer = pd.merge_asof(
                answer, rows, left_on="as_of", right_on="appears", by=group.entity
            )
            old = answer["as_of"] - answer["event_timestamp"] > stale
            answer.loc[old, [row.name for row in group.features]] = float("nan")
            answer = answer.drop(columns=["event_timestamp", "appears"])
        return pa.Table.from_pandas(answer, preserve_index=False)

    return read


def duckdb_floor(data: Path, frame: pd.DataFrame, refs: list[str]) -> Read:
    """One bare ASOF JOIN a view, in DuckDB."""
    import duckdb

    manifest = read_manifest(data)
    connection = duckdb.connect()
    connection.register("asked", frame)
    joins, columns = [], ["asked.*"]
    for group in views_of(refs):
        name = group.name
        files = ", ".join(f"'{path}'" for path in manifest.paths(data, name))
        joins.append(
            f"asof left join (select *, greatest(event_timestamp, created_timestamp) as appears "  # noqa: S608 - our own names
            f"from read_parquet([{files}])) {name} on asked.{group.entity} = {name}.{group.entity} "
            f"and asked.event_timestamp >= {name}.appears"
        )
        fresh = f"asked.event_timestamp - {name}.event_timestamp <= interval {STALE_HOURS} hours"
        columns += [
            f"case when {fresh} then {name}.{row.name} end as {row.name}" for row in group.features
        ]
    query = f"select {', '.join(columns)} from asked {' '.join(joins)}"  # noqa: S608 - our own names
    return lambda: connection.execute(query).to_arrow_table()


CONTENDERS: dict[str, Contender] = {
    "ours": ours,
    "polars": polars_floor,
    "pandas": pandas_floor,
    "duckdb": duckdb_floor,
    "feast-duckdb": feast_own("duckdb"),
    "feast-file": feast_own("file"),
}
