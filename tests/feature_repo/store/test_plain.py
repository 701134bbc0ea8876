"""Sources without a manifest, damaged files, and what the store refuses: one clear line each."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from feast import FeatureStore, FileSource, Project
from feast.data_format import DeltaFormat
from feast.errors import FeastObjectNotFoundException
from feast.protos.feast.core.Registry_pb2 import Registry

from feature_repo.features.catalogue import GROUPS
from feature_repo.store.arguments import source, view_read
from feature_repo.store.feast_registry import parse_registry, read_registry
from feature_repo.store.job import AsofRetrievalJob
from feature_repo.store.repo_config import repo_config
from feature_repo.store.source import Source, plain_files
from home.layout import DataFiles
from home.manifest import MANIFEST, read_manifest
from ingestion.online.feast_registry import apply
from market.errors import ConfigurationError, InputError
from tests.feature_repo.store.asof_home import Home, asked

MOMENT = datetime(2024, 3, 8, 21, tzinfo=UTC)


def put(path: Path, *values: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = pl.DataFrame({"ticker": "A", "t": MOMENT, "x": list(values)})
    rows.with_columns(pl.col("t").cast(pl.Datetime("us", "UTC"))).write_parquet(path)
    return path


def values(found: Source) -> list[float]:
    return found.read(lambda rows: rows.between(["x"], None, None))["x"].to_list()


def test_plain_folder_is_all_finished_parquet_below_it_by_path(tmp_path: Path) -> None:
    folder = tmp_path / "far" / "features" / "alpha"
    for name, value in [("b", 2.0), ("a", 1.0), ("c/d", 3.0), (".part", 9.0), ("_tmp/e", 9.0)]:
        put(folder / f"{name}.parquet", value)
    (folder / "notes.txt").write_text("not parquet")
    assert values(Source(folder, "t")) == [1.0, 2.0, 3.0]
    assert Source(folder, "t").landed()
    assert dict(Source(folder, "t").types())["x"] == "double"


def test_one_file_and_a_folder_named_like_one_are_read(tmp_path: Path) -> None:
    assert values(Source(put(tmp_path / "one.parquet", 1.0), "t")) == [1.0]
    put(tmp_path / "spark.parquet" / "part-0.parquet", 2.0)
    assert values(Source(tmp_path / "spark.parquet", "t")) == [2.0]


def test_manifest_makes_stray_files_invisible(tmp_path: Path) -> None:
    folder = tmp_path / "features" / "alpha"
    put(folder / "stray.parquet", 1.0)
    listed = replace(Source(folder, "t"), manifest=tmp_path / MANIFEST)
    assert not listed.landed()
    with pytest.raises(InputError, match="nothing has landed in view alpha"):
        values(listed)


@pytest.mark.parametrize("name", ["empty", "none"])
def test_folder_without_parquet_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "far" / "empty").mkdir(parents=True)
    found = Source(tmp_path / "far" / name, "t")
    assert not found.landed()
    with pytest.raises(InputError, match=r"no parquet files below|is missing"):
        values(found)
    assert plain_files(tmp_path / "far" / name) == ()


def test_file_cut_anywhere_is_named(tmp_path: Path) -> None:
    path = put(tmp_path / "one.parquet", 1.0, 2.0)
    whole = path.read_bytes()
    for length in range(0, len(whole), 50):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"damaged or no parquet: .*one\.parquet"):
            values(Source(path, "t"))


def test_damaged_file_of_the_manifest_is_named(home: Home) -> None:
    (named,) = read_manifest(home.data).paths(home.data, "alpha", ["A"])
    named.write_bytes(named.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"\.parquet is damaged: .* `optrade repair`"):
        home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()


def test_other_formats_are_refused(home: Home) -> None:
    delta = FileSource(path="x", timestamp_field="t", file_format=DeltaFormat())
    with pytest.raises(InputError, match="got DeltaFormat, allowed is ParquetFormat"):
        source(home.store.config, delta)


def test_unknown_features_and_views_are_refused(home: Home) -> None:
    view = home.store.get_feature_view("alpha")
    with pytest.raises(InputError, match="view alpha has no feature 'a9': allowed is a1, a2"):
        view_read(home.store.config, view, ["alpha:a9"], full_names=False)
    with pytest.raises(KeyError, match="a9 not found"):  # Feast's own, before it asks the store
        home.read(asked(("A", 1, 1)), ["alpha:a9"])
    with pytest.raises(FeastObjectNotFoundException, match="omega"):
        home.read(asked(("A", 1, 1)), ["omega:a1"])


def test_renamed_columns_are_read_by_their_stored_names(home: Home) -> None:
    view = home.store.get_feature_view("alpha")
    view.batch_source = FileSource(
        path="x.parquet",
        timestamp_field="when",
        created_timestamp_column="landed",
        field_mapping={"t": "when", "c": "landed", "x": "a1", "symbol": "ticker"},
    )
    read = view_read(home.store.config, view, ["alpha:a1", "alpha:a2"], full_names=True)
    assert (read.source.event, read.source.known) == ("t", "c")
    assert read.keys == {"symbol": "ticker"}
    assert read.features == {"x": "alpha__a1", "a2": "alpha__a2"}


def test_empty_entity_frames(home: Home) -> None:
    found = home.read(asked()).to_df()
    assert found.empty
    assert list(found)[-3:] == ["a1", "a2", "b1"]
    with pytest.raises(InputError, match="no column event_timestamp"):
        home.read(pd.DataFrame({"ticker": []}), ["alpha:a1"])


def test_a_read_runs_no_sql(home: Home) -> None:
    job = home.read(asked(("A", 1, 1)), ["alpha:a1"])
    assert isinstance(job, AsofRetrievalJob)
    with pytest.raises(NotImplementedError, match="runs no SQL"):
        job.to_sql()


def test_columns_of_a_source_are_those_of_its_readable_files(home: Home) -> None:
    view = home.store.get_feature_view("alpha")
    offline = home.store._get_provider().offline_store
    found = dict(
        offline.get_table_column_names_and_types_from_data_source(
            home.store.config, view.batch_source
        )
    )
    assert found["a1"] == "double"
    assert found["event_timestamp"] == "timestamp[us, tz=UTC]"


def test_registry_cut_anywhere_is_no_registry(tmp_path: Path) -> None:
    """Its last part is the history of views, which Feast writes: no cut passes for a whole one."""
    data = tmp_path / "data"
    store = FeatureStore(config=repo_config(data, None))
    apply(store, data)
    for path in (DataFiles(data).registry, DataFiles(data).serving_registry):
        whole = path.read_bytes()
        cuts = {*range(0, len(whole), 50), *range(max(0, len(whole) - 200), len(whole))}
        ends = Registry.FromString(whole)
        ends.ClearField("feature_view_version_history")
        cuts.add(ends.ByteSize())  # between two parts
        for length in sorted(cuts):
            with pytest.raises(ConfigurationError, match=r"registry is (damaged|empty)"):
                parse_registry(whole[:length])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.999])
def test_cut_registry_comes_back_whole(tmp_path: Path, share: float) -> None:
    data = tmp_path / "data"
    store = FeatureStore(config=repo_config(data, None))
    apply(store, data)
    store.apply([Project(name="kept")])
    apply(store, data)
    path = DataFiles(data).registry
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ConfigurationError, match="registry is"):
        read_registry(path)
    apply(FeatureStore(config=store.config), data)
    found = read_registry(path)
    assert "kept" in {row.spec.name for row in found.projects}, "not a new registry"
    assert {row.spec.name for row in found.feature_views} == set(GROUPS)
