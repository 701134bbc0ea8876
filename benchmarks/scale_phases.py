"""What `benchmarks.scale` measures, each in a process of its own: landing, building, reading."""

import argparse
import hashlib
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.features.catalogue import GROUPS
from feature_repo.store.shard_runs import Placement
from home.manifest import read_manifest
from ingestion.build.build import build_features
from ingestion.build.shards import SHARD_KEYS
from ingestion.gate.expectations import gate
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import PRICES
from market.calendar import decision_time, sessions

SESSIONS = 1_300
READ_SESSIONS = 250
LAND_BATCH = 100
DAYS = sessions("2015-01-02", "2024-12-31")[-SESSIONS:]
LANDED_AT = decision_time(DAYS[[-1]])[0]
REFS = [f"technical:{row.name}" for row in GROUPS["technical"].features]
YAHOO = {
    "Open": "open", "High": "high", "Low": "low", "Close": "close",
    "Adj Close": "adj_close", "Volume": "volume",
}  # fmt: skip


def land(arguments: argparse.Namespace) -> dict[str, Any]:
    """Land the prices of a home; real ones pass the gate."""
    start, rows = time.perf_counter(), 0
    with Lake(arguments.home) as lake:
        for frame in batches(arguments):
            good, bad = gate(PRICES, frame) if arguments.universe else (frame, None)
            rows += lake.land(PRICES, good, "recorded", LANDED_AT, bad).rows_new
    return {"seconds": time.perf_counter() - start, "rows": rows}


def batches(arguments: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Yield prices of some tickers at a time."""
    if arguments.universe:
        paths = sorted(arguments.universe.glob("*.csv"))
        makers = [(real_prices, path) for path in paths]
    else:
        makers = [(made_up_prices, f"T{number:05}") for number in range(arguments.tickers[0])]
    for at in range(0, len(makers), LAND_BATCH):
        parts = [make(what) for make, what in makers[at : at + LAND_BATCH]]
        yield pd.concat(parts, ignore_index=True)


def real_prices(path: Path) -> pd.DataFrame:
    """Return the prices of a CSV file with Yahoo's columns, without dividends and splits.

    Rows with nulls are left out: the gate would refuse them.
    """
    rows = pd.read_csv(path, parse_dates=["Date"]).dropna(ignore_index=True)
    frame = pd.DataFrame({"ticker": path.stem, "session": rows["Date"].astype("datetime64[ns]")})
    for theirs, ours in YAHOO.items():
        frame[ours] = rows[theirs].astype("float64")
    return PRICES.check(frame.assign(dividend=0.0, split=1.0)[list(PRICES.names)])


def made_up_prices(ticker: str) -> pd.DataFrame:
    """Return a random walk of 1,300 sessions."""
    draw = np.random.default_rng([*ticker.encode()])
    close = 100 * np.exp(np.cumsum(draw.normal(0, 0.015, SESSIONS)))
    opening = close * np.exp(draw.normal(0, 0.005, SESSIONS))
    frame = pd.DataFrame({"ticker": ticker, "session": DAYS.as_unit("ns"), "open": opening})
    frame["high"] = np.maximum(opening, close) * np.exp(draw.exponential(0.004, SESSIONS))
    frame["low"] = np.minimum(opening, close) * np.exp(-draw.exponential(0.004, SESSIONS))
    frame["close"] = close
    frame["volume"] = draw.integers(100_000, 9_000_000, SESSIONS).astype(float)
    return PRICES.check(frame.assign(dividend=0.0, split=1.0, adj_close=close))


def build(arguments: argparse.Namespace) -> dict[str, Any]:
    """Build all views of the landed tickers."""
    placement = Placement(arguments.engines[0], arguments.workers)
    warm_up()
    start = time.perf_counter()
    with Lake(arguments.home) as lake:
        tickers = lake.manifest.keys(PRICES.name)
        reports = build_features(lake, tickers, LANDED_AT, placement=placement)
    seconds = time.perf_counter() - start
    manifest = read_manifest(arguments.home)
    named = sorted((*name, entry.path, entry.sha256) for name, entry in manifest.entries.items())
    return {
        "seconds": seconds,
        "rows": sum(row.rows_new for row in reports),
        "tickers": len(tickers),
        "manifest": hashlib.sha256(json.dumps(named).encode()).hexdigest(),
    }


def read(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the technical features of the last 250 sessions of every ticker."""
    from feast import FeatureStore

    from feature_repo.store.repo_config import repo_config
    from ingestion.online.feast_registry import apply

    config = repo_config(arguments.home, None)
    placement = {"engine": arguments.engines[0], "workers": arguments.workers}
    frame = entity_frame(arguments.home)
    shards = math.ceil(frame["ticker"].nunique() / SHARD_KEYS)
    config.offline_config = {**config.offline_config, **placement, "shards": shards}
    store = FeatureStore(config=config)
    apply(store, arguments.home)
    start = time.perf_counter()
    answer = store.get_historical_features(frame, REFS).to_arrow()
    seconds = time.perf_counter() - start
    content = hashlib.sha256()
    for column in answer.columns:
        content.update(pd.util.hash_pandas_object(column.to_pandas(), index=False).to_numpy())
    return {"seconds": seconds, "rows": answer.num_rows, "answer": content.hexdigest()}


def entity_frame(home: Path) -> pd.DataFrame:
    """Return every ticker at the decision times of its last 250 sessions."""
    manifest = read_manifest(home)
    parts = []
    for ticker in manifest.keys("technical"):
        last = manifest.entries["technical", ticker].last
        moments = decision_time(sessions("2000-01-03", last)[-READ_SESSIONS:])
        parts.append(pd.DataFrame({"ticker": ticker, "event_timestamp": moments}))
    return pd.concat(parts, ignore_index=True)


def warm_up() -> None:
    """Import what a build would import lazily."""
    import talib

    assert talib
    assert len(DAYS) == SESSIONS


def daily(arguments: argparse.Namespace) -> dict[str, Any]:
    """Land and build some tickers once a day, each day in a session of its own as a schedule would.

    The history before the first day lands with it.
    """
    count, days = arguments.tickers[0], arguments.days
    prices = pd.concat([made_up_prices(f"T{number:05}") for number in range(count)])
    start, found = time.perf_counter(), []
    for day in DAYS[-days:]:
        at = decision_time(pd.DatetimeIndex([day]))[0]
        with Lake(arguments.home) as lake:
            lake.land(PRICES, prices[prices["session"] <= day], "recorded", at)
            build_features(lake, lake.manifest.keys(PRICES.name), at)
        found.append(disk(arguments.home))
    manifest = read_manifest(arguments.home)
    return {
        "seconds": time.perf_counter() - start,
        "days": days,
        "tickers": count,
        "named": len(manifest.entries),
        "second": found[1],
        "most_files": max(day["files"] for day in found),
        "last": found[-1],
    }


def disk(home: Path) -> dict[str, Any]:
    """Return the files of a home and their bytes, MiB."""
    sizes = [path.stat().st_size for path in home.rglob("*") if path.is_file()]
    return {"files": len(sizes), "disk_mib": sum(sizes) / 2**20}


PHASES = {"land": land, "build": build, "read": read, "daily": daily}
