"""Chains that landed before contracts had a root are read, corrected and released as they were."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl

from home.manifest import read_manifest
from ingestion.lake.lake import Lake
from ingestion.lake.quarantine import refused_rows
from ingestion.tables.catalogue import OPTION_CHAINS
from ingestion.views.reader import RawReader

Frame = Callable[..., pd.DataFrame]
AT = pd.Timestamp("2024-03-14 21:00", tz="UTC")
QUOTED = pd.Timestamp("2024-03-14 19:45", tz="UTC")


def near(chain: Frame) -> pd.DataFrame:
    """Return a quote of an expiry that the view reads."""
    return chain("QQQ", [QUOTED]).assign(expiration=pd.Timestamp("2024-04-19").as_unit("ns"))


def old_home(folder: Path, chain: Frame, monkeypatch) -> Path:
    """Return a home whose files were written without a root."""
    from ingestion.lake import data_folder

    written = data_folder.parquet_bytes
    monkeypatch.setattr(data_folder, "parquet_bytes", lambda rows: written(rows.drop("root")))
    rejected = near(chain).assign(strike=-1.0, reason="strike: > 0")
    with Lake(folder) as lake:
        lake.land(OPTION_CHAINS, near(chain), "live", AT, rejected)
    monkeypatch.undo()
    manifest = read_manifest(folder)
    entry = manifest.entries["option_chains", "QQQ"]
    assert "root" not in pl.read_parquet(manifest.path(folder, entry)).columns
    return folder


def test_the_root_of_old_rows_is_their_ticker(tmp_path: Path, chain: Frame, monkeypatch) -> None:
    data = old_home(tmp_path, chain, monkeypatch)
    with Lake(data) as lake:
        assert lake.stored("option_chains", "QQQ")["root"].to_list() == ["QQQ"]
        again = lake.land(OPTION_CHAINS, near(chain), "live", AT)
        assert (again.rows_new, again.rows_corrected) == (0, 0)
        moved = near(chain).assign(bid=2.1)
        moved = lake.land(OPTION_CHAINS, moved, "live", AT + pd.Timedelta(hours=1))
        assert (moved.rows_new, moved.rows_corrected) == (0, 1)
        refused = refused_rows(data, lake.manifest, OPTION_CHAINS, "QQQ")
        assert refused["root"].to_list() == ["QQQ"]
    reader = RawReader(data, read_manifest(data))
    rows = reader._read(("option_chains", "QQQ"), shared=False)
    assert rows["root"].to_list() == ["QQQ", "QQQ"]
