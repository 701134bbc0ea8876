"""Feast's quality monitoring: measures of a source's rows, kept as parquet beside the repo.

A measure is of the rows that a pull shows: known by the end of its period, unless the configuration
says `known_at: false`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from feast.data_source import DataSource
from feast.infra.offline_stores.offline_store import OfflineStore
from feast.monitoring.metrics_calculator import MetricsCalculator
from feast.monitoring.monitoring_utils import (
    MONITORING_DIR,
    MONITORING_PARQUET_FILES,
    monitoring_parquet_meta,
    normalize_monitoring_row,
)
from feast.repo_config import RepoConfig

from feature_repo.store.arguments import source
from feature_repo.store.writes import only_writer, write_file

_TIME: Final = pa.timestamp("us", "UTC")
_TEXT: Final = (
    *("project_id", "feature_view_name", "feature_name", "feature_service_name", "granularity"),
    *("data_source_type", "feature_type", "histogram", "job_id", "job_type", "status"),
    *("parameters", "error_message", "result_summary"),
)
_COUNTS: Final = (
    *("row_count", "null_count", "total_row_count", "total_features", "features_with_nulls"),
    "total_feature_views",
)
# All other columns are shares and statistics.
_TYPES: Final = {
    **dict.fromkeys(_TEXT, pa.string()),
    **dict.fromkeys(_COUNTS, pa.int64()),
    **dict.fromkeys(("computed_at", "max_event_timestamp", "started_at", "completed_at"), _TIME),
    "metric_date": pa.date32(),
    "is_baseline": pa.bool_(),
}

Rows = list[dict[str, Any]]


class MonitoredStore(OfflineStore):
    """The part of an offline store that `feast monitor` asks for."""

    @classmethod
    def compute_monitoring_metrics(
        cls,
        config: RepoConfig,
        data_source: DataSource,
        feature_columns: list[tuple[str, str]],
        timestamp_field: str,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        histogram_bins: int = 20,
        top_n: int = 10,
    ) -> Rows:
        """Return the measures of the columns, over the events in [start_date, end_date]."""
        job = cls.pull_all_from_table_or_query(
            config,
            data_source,
            [],
            [name for name, _ in feature_columns],
            timestamp_field,
            data_source.created_timestamp_column or None,
            start_date,
            end_date,
        )
        return MetricsCalculator(histogram_bins, top_n).compute_all(job.to_arrow(), feature_columns)

    @staticmethod
    def get_monitoring_max_timestamp(
        config: RepoConfig, data_source: DataSource, timestamp_field: str
    ) -> datetime | None:
        """Return the time of the newest event of a source, None where there is none."""
        found = source(config, data_source, timestamp_field)
        return found.read(lambda rows: rows.newest()) if found.landed() else None

    @staticmethod
    def ensure_monitoring_tables(config: RepoConfig) -> None:
        """Write the tables of measures that do not exist yet."""
        for metric_type in MONITORING_PARQUET_FILES:
            table = Measures(config, metric_type)
            if not table.path.exists():
                table.write([])

    @staticmethod
    def save_monitoring_metrics(config: RepoConfig, metric_type: str, metrics: Rows) -> None:
        """Write measures, in the place of those with the same key."""
        if metrics:
            table = Measures(config, metric_type)
            with only_writer(table.path):
                table.write([*table.read(), *metrics])

    @staticmethod
    def query_monitoring_metrics(
        config: RepoConfig,
        project: str,
        metric_type: str,
        filters: Mapping[str, object] | None = None,
        start_date: date | None = None,
        end_date: date | None = None,
    ) -> Rows:
        """Return the measures of a project in [start_date, end_date], the oldest first."""
        wanted = {name: value for name, value in (filters or {}).items() if value is not None}
        if project:
            wanted["project_id"] = project
        found = [
            row
            for row in Measures(config, metric_type).read()
            if all(row[name] == value for name, value in wanted.items())
            and (start_date is None or (row["metric_date"] and row["metric_date"] >= start_date))
            and (end_date is None or (row["metric_date"] and row["metric_date"] <= end_date))
        ]
        found.sort(key=lambda row: row["metric_date"] or date.min)
        return [normalize_monitoring_row(row) for row in found]

    @staticmethod
    def clear_monitoring_baseline(
        config: RepoConfig,
        project: str,
        feature_view_name: str | None = None,
        feature_name: str | None = None,
        data_source_type: str | None = None,
    ) -> None:
        """Let the measures named be no baseline any more; None names all."""
        named = {
            "project_id": project,
            "feature_view_name": feature_view_name,
            "feature_name": feature_name,
            "data_source_type": data_source_type,
        }
        table = Measures(config, "feature")
        with only_writer(table.path):
            rows = table.read()
            for row in rows:
                if all(value is None or row[name] == value for name, value in named.items()):
                    row["is_baseline"] = False
            table.write(rows)


class Measures:
    """The table of one kind of measures, a parquet file with one row a key."""

    def __init__(self, config: RepoConfig, metric_type: str) -> None:
        name, self._columns, self._key = monitoring_parquet_meta(metric_type)
        # A home is no feature repo of its own: what it measures stands with its data.
        manifest = getattr(config.offline_store, "manifest", None)
        repo = Path(config.repo_path or ".")
        self.path = ((repo / manifest).parent if manifest else repo) / MONITORING_DIR / name

    def read(self) -> Rows:
        """Return its rows; none where it does not exist."""
        return pq.ParquetFile(self.path).read().to_pylist() if self.path.exists() else []

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows as the whole table; of those with one key the last counts."""
        kept = {tuple(row.get(name) for name in self._key): row for row in rows}
        schema = pa.schema([(name, _TYPES.get(name, pa.float64())) for name in self._columns])
        written = [{name: _text(row.get(name)) for name in self._columns} for row in kept.values()]
        write_file(self.path, pa.Table.from_pylist(written, schema=schema))


def _text(value: object) -> object:
    """Return a histogram as JSON, any other value as it is."""
    return json.dumps(value) if isinstance(value, dict | list) else value
