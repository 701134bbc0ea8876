"""Builds and reads in real Ray workers: the manifest and the answer of a local run, bit for bit."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="the extra `ray` is not installed")

# One process starts Ray once, for all that is compared: a start takes seconds.
COMPARED = """
import json, os, shutil, socket, sys
from pathlib import Path

import pandas as pd
import psutil

from market.errors import InputError
from home.manifest import read_manifest
from feature_repo.store.repo_config import repo_config
from feature_repo.store.shard_runs import Placement, started_ray
from ingestion.build import shards
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.online.feast_registry import apply
from ingestion.tables.catalogue import PRICES

shards.shards_of.__defaults__ = (1,)
folder, found = Path(sys.argv[1]), {}
prices = pd.read_pickle(folder / "prices.pickle")
AT = pd.Timestamp("2025-01-01", tz="UTC")
PLACES = {"local": Placement(), "ray": Placement("ray", 2)}


def answer(data, frame, **options):
    from feast import FeatureStore
    config = repo_config(data, None)
    config.offline_config = {**config.offline_config, **options}
    store = FeatureStore(config=config)
    apply(store, data)
    refs = ["technical:hv_20", "technical:rsi_14", "technical:returns_1d"]
    return store.get_historical_features(frame, refs).to_arrow()


with started_ray(2) as ray:
    manifests = {}
    for name, placement in PLACES.items():
        data = folder / name
        for at in (AT, AT + pd.Timedelta(days=1)):
            last = prices["session"].max() - pd.Timedelta(days=5 if at == AT else 0)
            with Lake(data) as lake:
                lake.land(PRICES, prices[prices["session"] <= last], "recorded", at)
                built = build_features(lake, lake.manifest.keys("prices"), at, placement=placement)
            manifests.setdefault(name, []).append(read_manifest(data).entries)
    found["same_manifest"] = manifests["local"] == manifests["ray"]
    found["views"] = sorted({table for table, _ in manifests["ray"][-1]})
    found["built_record"] = len({(folder / name / "built.json").read_bytes() for name in PLACES})
    moments = prices["session"].drop_duplicates().dt.tz_localize("UTC") + pd.Timedelta(hours=23)
    frame = pd.MultiIndex.from_product(
        [moments, prices["ticker"].unique()], names=["event_timestamp", "ticker"]
    ).to_frame(index=False)
    plain = answer(folder / "local", frame)
    sharded = answer(folder / "local", frame, engine="ray", workers=2, shards=3)
    found["same_answer"] = plain.to_pandas().equals(sharded.to_pandas())
    found["answered"] = sharded["hv_20"].null_count < sharded.num_rows
    bad = prices.copy()
    bad.loc[len(bad) - 2, "dividend"] = 1e4
    bad["session"] += pd.Timedelta(days=0)
    with Lake(folder / "bad") as lake:
        lake.land(PRICES, bad, "recorded", AT)
        before = read_manifest(folder / "bad")
        try:
            build_features(lake, lake.manifest.keys("prices"), AT, placement=PLACES["ray"])
        except InputError as error:
            found["error"] = [type(error).__name__, str(error)]
    found["nothing_committed"] = read_manifest(folder / "bad") == before
    own = [psutil.Process(), *psutil.Process().children(recursive=True)]
    children = own[1:]
    listening = [one.laddr.ip for process in own for one in process.net_connections("inet")
                 if one.status == psutil.CONN_LISTEN]
    found["listening"] = sorted({ip.removeprefix("::ffff:") for ip in listening})
    found["token"] = os.environ.get("RAY_AUTH_TOKEN")
found["left"] = [one.pid for one in psutil.wait_procs(children, timeout=10)[1]]
print(json.dumps(found))
"""


@pytest.mark.integration
def test_ray_gives_what_a_local_run_gives(tmp_path: Path, prices: object) -> None:
    import json

    import pandas as pd

    parts = [prices(name, count=60) for name in ("AAA", "BBB", "CCC")]
    pd.concat(parts, ignore_index=True).to_pickle(tmp_path / "prices.pickle")
    done = subprocess.run(
        [sys.executable, "-c", COMPARED, str(tmp_path)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["same_manifest"]
    assert found["views"] == ["prices", "technical"]
    assert found["built_record"] == 1
    assert found["same_answer"]
    assert found["answered"]
    # A worker's refusal arrives as the one it was.
    assert found["error"][0] == "InputError"
    assert found["error"][1].startswith("CCC: dividend at row")
    assert found["nothing_committed"]
    # Nobody else reaches Ray's servers, and the token is not left for other programs to inherit.
    assert found["listening"] == ["127.0.0.1"]
    assert found["token"] is None
    assert found["left"] == []
