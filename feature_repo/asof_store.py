"""The offline store: point-in-time reads of parquet files, for Feast.

Feast names it `optrade.offline_store.AsofOfflineStore` in its configuration. What a read sees
is decided in `store/join.py`, which files it reads in `store/source.py`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureView, OnDemandFeatureView
from feast.data_source import DataSource
from feast.feature_logging import LoggingConfig, LoggingSource
from feast.feature_view import DUMMY_ENTITY_ID, DUMMY_ENTITY_VAL
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel, RepoConfig
from feast.utils import compute_non_entity_date_range, make_tzaware
from pydantic import Field, PositiveInt, StrictBool, StrictStr

from feature_repo.store.arguments import checked, log_folder, source, view_read
from feature_repo.store.entities import Entities
from feature_repo.store.job import AsofRetrievalJob
from feature_repo.store.monitoring import MonitoredStore
from feature_repo.store.repo_config import STORE
from feature_repo.store.shard_runs import Engine, Placement
from feature_repo.store.shards import answer_in_shards
from feature_repo.store.source import Source, Stored
from feature_repo.store.view import Sight, arrow, events
from feature_repo.store.writes import append_log, append_rows


class AsofOfflineStoreConfig(FeastConfigBaseModel):
    """Configuration of the store.

    `known_at` off lets a historical read see rows before they were known. `manifest` is the
    lake's manifest file, relative to the feature repo or absolute; by default it is the one two
    levels above a source's folder. `shards` splits a historical read by key, worked on in this
    process or, with `engine` ray, in so many `workers` of Ray (by default one for each core).
    `left_out` names the keys of a view, by its folder, that a pull of all keys does not read.
    """

    type: StrictStr = STORE
    known_at: StrictBool = True
    manifest: StrictStr | None = None
    shards: PositiveInt = 1
    engine: Engine = "local"
    workers: PositiveInt | None = None
    left_out: dict[StrictStr, tuple[StrictStr, ...]] = Field(default_factory=dict)


class AsofOfflineStore(MonitoredStore):
    """Point-in-time reads over parquet, by one as-of join a view.

    A read at `t` sees, of the rows of its key whose event and known time are both at or before
    `t`, the one with the latest event, then the latest known time, then the last one stored; null
    where there is none, or where its event is more than the view's ttl before `t`. The known time
    is the source's `created_timestamp_column`; without one a row is known at its event.

    Sources are local parquet: a file, a plain folder, or a folder that a manifest lists, which
    alone Feast does not write. Entity frames are pandas. See `docs/asof_store.md`.
    """

    supports_filter_by_created_timestamp = True

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        **kwargs: Any,  # noqa: ANN401 - Feast's signature
    ) -> RetrievalJob:
        """Return the job that adds to each entity row what was known at its moment.

        Every row is answered, in its place: with nulls where nothing was known or the known is
        older than the view's ttl.

        Parameters
        ----------
        entity_df
            A frame of the views' join keys and `event_timestamp` (in UTC where it has no zone).
            None answers each event of the views in [start_date, end_date], as known at end_date;
            Feast's defaults are now, and the longest ttl before it or 30 days.

        Raises
        ------
        InputError
            If the frame lacks a key, its times are none, or a name would stand twice.
        NotImplementedError
            If the entity frame is SQL.
        """
        reads = [
            view_read(config, view, feature_refs, full_feature_names) for view in feature_views
        ]
        store = config.offline_store
        placement = Placement(store.engine, store.workers)
        known_at = store.known_at or bool(kwargs.get("filter_by_created_timestamp"))
        sight, period = Sight(known_at=known_at), None
        if entity_df is None:
            start, end = period = compute_non_entity_date_range(
                feature_views, kwargs.get("start_date"), kwargs.get("end_date")
            )
            known_by = end if known_at else None
            sight = Sight(known_at=False, known_by=known_by)
            entity_df = events(reads, start, end, known_by)
        rows = checked(entity_df, reads)
        return AsofRetrievalJob(
            lambda: answer_in_shards(rows, reads, sight, store.shards, placement),
            config.repo_path,
            full_feature_names=full_feature_names,
            on_demand_feature_views=OnDemandFeatureView.get_requested_odfvs(
                feature_refs, project, registry
            ),
            metadata=metadata(rows, feature_refs, period),
        )

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> RetrievalJob:
        """Return the job for the newest row per key with an event in [start_date, end_date].

        Rows not known by end_date are not there, unless the configuration says `known_at: false`.
        """
        start, end = make_tzaware(start_date), make_tzaware(end_date)
        known_by = end if config.offline_store.known_at else None
        return pulled(
            config,
            source(config, data_source, timestamp_field, created_timestamp_column),
            join_key_columns,
            feature_name_columns,
            lambda rows, columns: rows.latest(columns, join_key_columns, start, end, known_by),
        )

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """Return the job for all rows with an event in [start_date, end_date]; None is open.

        Rows not known by end_date are not there, unless the configuration says `known_at: false`.
        """
        start, end = (date and make_tzaware(date) for date in (start_date, end_date))
        known_by = end if config.offline_store.known_at else None
        return pulled(
            config,
            source(config, data_source, timestamp_field, created_timestamp_column),
            join_key_columns,
            feature_name_columns,
            lambda rows, columns: rows.between(columns, start, end, known_by),
        )

    @staticmethod
    def offline_write_batch(
        config: RepoConfig,
        feature_view: FeatureView,
        table: pa.Table,
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Add rows to the source of a view, after those that are there.

        Raises
        ------
        InputError
            If its files are of a home's lake, or the rows do not fit the stored columns.
        """
        append_rows(source(config, feature_view.batch_source), table)
        if progress is not None:
            progress(table.num_rows)

    @staticmethod
    def write_logged_features(
        config: RepoConfig,
        data: pa.Table | Path,
        source: LoggingSource,
        logging_config: LoggingConfig,
        registry: BaseRegistry,
    ) -> None:
        """Add logged features to the folder of a file destination, as a new file.

        Raises
        ------
        InputError
            If the destination is no folder on this machine or one of a home's lake, or the log
            has not the columns of the service.
        """
        folder, partition_by = log_folder(config, logging_config)
        # Feast hands on a table, or the folder in which a server gathered its log.
        table = pq.read_table(data, use_threads=False) if isinstance(data, Path) else data
        append_log(folder, table, source.get_schema(registry), partition_by)

    def get_table_column_names_and_types_from_data_source(
        self, config: RepoConfig, data_source: DataSource
    ) -> Iterable[tuple[str, str]]:
        """Return the names and Arrow types of the columns of a source's readable files."""
        return source(config, data_source).types()

    def validate_data_source(self, config: RepoConfig, data_source: DataSource) -> None:
        """Check that a source is one this store reads; its files need not exist yet."""
        source(config, data_source)


def metadata(
    rows: Entities, refs: list[str], period: tuple[datetime, datetime] | None
) -> RetrievalMetadata:
    """Return what was asked, as Feast keeps it with a saved dataset."""
    first, last = period or (rows.moments.min(), rows.moments.max())
    return RetrievalMetadata(
        features=refs,
        keys=[name for name in rows.table.column_names if name != rows.timestamp],
        min_event_timestamp=first,
        max_event_timestamp=last,
    )


def pulled(
    config: RepoConfig,
    stored: Source,
    keys: list[str],
    features: list[str],
    work: Callable[[Stored, list[str]], pl.DataFrame],
) -> AsofRetrievalJob:
    """Return the job of a pull: one chunk of rows; none where nothing has landed in the view.

    Without features it has all columns, without keys the dummy one that Feast has for such views.
    """

    def read() -> pa.Table:
        if not stored.landed():
            table = pa.table({name: pa.nulls(0) for name in [*keys, *features, stored.event]})
        else:
            table = stored.read(rows_of)
        if not keys:
            dummy = pa.array([DUMMY_ENTITY_VAL] * table.num_rows, pa.string())
            table = table.append_column(DUMMY_ENTITY_ID, dummy)
        # Feast writes only the first chunk of a table to the online store.
        return table.combine_chunks()

    def rows_of(rows: Stored) -> pa.Table:
        types = rows.types()
        names = [*keys, *features] if features else types.names
        frame = work(rows, list(dict.fromkeys([*names, *rows.times])))
        # Times come in UTC, however they are stored.
        others = [column for column in types if column.name not in rows.times]
        return arrow(frame.rechunk(), pa.schema(others))

    return AsofRetrievalJob(read, config.repo_path)
