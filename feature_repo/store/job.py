"""The retrieval job: a read that runs when its answer is asked for."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
from feast import OnDemandFeatureView
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.file_source import FileSource, SavedDatasetFileStorage
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.saved_dataset import SavedDatasetStorage

from feature_repo.store.writes import save_dataset
from market.errors import InputError


class AsofRetrievalJob(RetrievalJob):
    """A read of the as-of store. On-demand views are computed by Feast's base class."""

    def __init__(
        self,
        read: Callable[[], pa.Table],
        repo_path: Path | None,
        *,
        full_feature_names: bool = False,
        on_demand_feature_views: list[OnDemandFeatureView] | None = None,
        metadata: RetrievalMetadata | None = None,
    ) -> None:
        self._read = read
        self._repo_path = repo_path
        self._full_feature_names = full_feature_names
        self._on_demand_feature_views = on_demand_feature_views or []
        self._metadata = metadata

    @property
    def full_feature_names(self) -> bool:
        """Whether features are named `view__feature`."""
        return self._full_feature_names

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        """The views that are computed from the answer."""
        return self._on_demand_feature_views

    @property
    def metadata(self) -> RetrievalMetadata | None:
        """What was asked: features, keys and the span of the moments."""
        return self._metadata

    def to_sql(self) -> str:
        """Refuse: a read runs no SQL.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError(
            "AsofOfflineStore reads parquet files and runs no SQL: take the answer by to_df(), "
            "to_arrow() or persist()"
        )

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:  # noqa: ARG002 - Feast's
        return self._read()

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._to_arrow_internal(timeout).to_pandas()

    def persist(
        self,
        storage: SavedDatasetStorage,
        allow_overwrite: bool = False,
        timeout: int | None = None,
    ) -> None:
        """Write the answer to a parquet file or a folder of one, whole or not at all.

        Raises
        ------
        InputError
            If the storage is no place on this machine, or one of a home's lake.
        SavedDatasetLocationAlreadyExists
            If the place exists and `allow_overwrite` is off.
        """
        path = self._file(storage)
        if path.exists() and not allow_overwrite:
            raise SavedDatasetLocationAlreadyExists(location=str(path))
        save_dataset(path, self.to_arrow(timeout=timeout))

    def _file(self, storage: SavedDatasetStorage) -> Path:
        uri = storage.file_options.uri if isinstance(storage, SavedDatasetFileStorage) else ""
        if not uri or "://" in uri:
            raise InputError(
                f"saved dataset: got {type(storage).__name__} at {uri!r:.80}, allowed is a "
                "SavedDatasetFileStorage with a path on this machine"
            )
        return Path(FileSource.get_uri_for_file_path(self._repo_path, uri))
