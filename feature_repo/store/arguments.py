"""What Feast hands the as-of store, checked and translated: sources, views, frames, periods."""

from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Final

import pandas as pd
from feast import FeatureView
from feast.data_format import ParquetFormat
from feast.data_source import DataSource
from feast.feature_logging import LoggingConfig
from feast.feature_view import DUMMY_ENTITY_ID
from feast.infra.offline_stores.file_source import FileLoggingDestination, FileSource
from feast.repo_config import RepoConfig

from feature_repo.store.entities import Entities, entities
from feature_repo.store.source import Source
from feature_repo.store.view import ViewRead
from market.errors import InputError

# The tag of a view that a home may lack: it is read as nulls.
OPTIONAL: Final = "optional"


def source(
    config: RepoConfig,
    data_source: DataSource | None,
    event: str | None = None,
    known: str | None = None,
) -> Source:
    """Return where the rows of a Feast source are, and which columns hold their times.

    Raises
    ------
    InputError
        If it is not a parquet source on this machine with an event timestamp.
    """
    path = data_source.path if isinstance(data_source, FileSource) else ""
    event = event or (data_source.timestamp_field if path else None)
    if not path or "://" in path or not event:
        raise InputError(
            f"source {data_source and data_source.name!r}: got {type(data_source).__name__} at "
            f"{path!r:.80}, allowed is a local FileSource with a timestamp_field"
        )
    if not isinstance(data_source.file_format, ParquetFormat | NoneType):
        raise InputError(
            f"source {data_source.name!r}: got {type(data_source.file_format).__name__}, "
            "allowed is ParquetFormat"
        )
    root = Path(config.repo_path or ".")
    store = config.offline_store
    return Source(
        root / path,
        event,
        known or None,
        None if store.manifest is None else root / store.manifest,
        frozenset(store.left_out.get((root / path).name, ())),
    )


def view_read(config: RepoConfig, view: FeatureView, refs: list[str], full_names: bool) -> ViewRead:
    """Return what the feature references ask of one view.

    Raises
    ------
    InputError
        If the view has no source that this store reads, or not such a feature.
    """
    batch = view.batch_source
    name = view.projection.name_to_use()
    found = source(config, batch)
    stored = {new: old for old, new in (batch.field_mapping or {}).items()}
    wanted = dict.fromkeys(ref.split(":", 1)[1] for ref in refs if ref.startswith(f"{name}:"))
    check_names(view, list(wanted))
    prefix = f"{view.projection.name_alias or view.name}__" if full_names else ""
    renamed = view.projection.join_key_map
    return ViewRead(
        name,
        replace(
            found,
            event=stored.get(batch.timestamp_field, batch.timestamp_field),
            known=stored.get(known, known) if (known := batch.created_timestamp_column) else None,
        ),
        {stored.get(key, key): renamed.get(key, key) for key in join_keys(view)},
        {stored.get(feature, feature): prefix + feature for feature in wanted},
        view.ttl,
        optional=view.tags.get(OPTIONAL) == "true",
    )


def join_keys(view: FeatureView) -> list[str]:
    """Return the join keys of a view; none where it has no entity, for which Feast has a dummy."""
    return [key for key in view.join_keys if key != DUMMY_ENTITY_ID]


def check_names(view: FeatureView, wanted: list[str]) -> None:
    """Check that a view has the features asked of it.

    Raises
    ------
    InputError
        If it has not.
    """
    held = [feature.name for feature in view.features]
    lacking = [name for name in wanted if name not in held]
    if lacking:
        raise InputError(
            f"view {view.name} has no feature {lacking[0]!r:.80}: "
            f"allowed is {', '.join(held)!s:.200}"
        )


def checked(entity_df: pd.DataFrame | str, reads: list[ViewRead]) -> Entities:
    """Return the rows of an entity frame that fits the reads.

    Raises
    ------
    InputError
        If it does not fit.
    NotImplementedError
        If it is SQL.
    """
    if isinstance(entity_df, str):
        raise NotImplementedError(
            "AsofOfflineStore reads parquet files and runs no SQL: pass the entity rows as a "
            "pandas frame"
        )
    if not isinstance(entity_df, pd.DataFrame):
        raise InputError(f"entity frame: got {type(entity_df).__name__}, allowed is pandas")
    keys = {column: read.name for read in reads for column in read.keys.values()}
    return entities(entity_df, keys, [name for read in reads for name in read.features.values()])


def log_folder(config: RepoConfig, logging: LoggingConfig) -> tuple[Path, list[str]]:
    """Return the folder that logged features are written to, and the columns that split it.

    Raises
    ------
    InputError
        If the destination is none on this machine.
    """
    destination = logging.destination
    path = destination.path if isinstance(destination, FileLoggingDestination) else ""
    if not path or "://" in path:
        raise InputError(
            f"feature log: got {type(destination).__name__} at {path!r:.80}, allowed is a "
            "FileLoggingDestination with a path on this machine"
        )
    return Path(config.repo_path or ".") / path, list(destination.partition_by or [])
