"""The files behind a source: those of the manifest, plain folders, damage."""

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from feast import FileSource

from home.manifest import read_manifest
from market.errors import InputError, SchemaViolation
from tests.feature_repo.store.asof_home import ALPHA, BASE, Home, alpha, asked, make_home
from tests.landed import land_as_it_is


def test_files_that_the_manifest_does_not_name_do_not_exist(home: Home) -> None:
    (named,) = read_manifest(home.data).paths(home.data, "alpha", ["A"])
    pl.read_parquet(named).with_columns(a1=pl.lit(99.0)).write_parquet(named.with_name("Z.parquet"))
    assert home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()["a1"].tolist() == [1.0]


def test_only_the_files_and_columns_asked_for_are_read(home: Home) -> None:
    (other,) = read_manifest(home.data).paths(home.data, "alpha", ["B"])
    other.write_bytes(b"not parquet")
    (mine,) = read_manifest(home.data).paths(home.data, "alpha", ["A"])
    pl.read_parquet(mine).drop("a2").write_parquet(mine)
    land_as_it_is(home.data, mine)
    assert home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()["a1"].tolist() == [1.0]
    with pytest.raises(SchemaViolation, match="the files of alpha do not hold what was asked for"):
        home.read(asked(("A", 1, 1)), ["alpha:a2"]).to_df()


def test_replaced_file_is_read_from_its_successor(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = read_manifest(home.data)
    home.write("alpha", [alpha("A", 0, 0, 3.0)])
    for path in stale.paths(home.data, "alpha"):
        path.unlink(missing_ok=True)
    read = iter([stale])
    monkeypatch.setattr(
        "feature_repo.store.source.read_manifest", lambda folder: next(read, read_manifest(folder))
    )
    assert home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()["a1"].tolist() == [3.0]


def test_missing_file_is_named(home: Home) -> None:
    (named,) = read_manifest(home.data).paths(home.data, "alpha", ["A"])
    named.unlink()
    with pytest.raises(InputError, match=r"a file of alpha is missing: .*parquet"):
        home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()


def test_view_without_any_landing_is_named(tmp_path: Path) -> None:
    home = make_home(tmp_path / "data")
    with pytest.raises(InputError, match="nothing has landed in view alpha"):
        home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()


def test_feature_files_are_not_written_by_feast(home: Home) -> None:
    rows = pd.DataFrame(ALPHA).assign(session=BASE.date())
    with pytest.raises(
        InputError, match=r"lists, allowed is any other place: .*a home's ingestion, alone"
    ):
        home.store.write_to_offline_store("alpha", rows)


def test_other_sources_are_refused(home: Home) -> None:
    remote = FileSource(name="far", path="s3://bucket/alpha", timestamp_field="event_timestamp")
    offline = home.store._get_provider().offline_store
    with pytest.raises(InputError, match="allowed is a local FileSource"):
        offline.validate_data_source(home.store.config, remote)


def test_manifest_that_is_none_is_refused(home: Home) -> None:
    (home.data / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(InputError, match="no manifest of format"):
        home.read(asked(("A", 1, 1))).to_df()
