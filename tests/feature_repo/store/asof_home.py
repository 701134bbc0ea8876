"""A home of two small views for the tests of the as-of store."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from feature_repo.store.repo_config import repo_config
from ingestion.lake.lake import Lake

BASE = datetime(2024, 3, 8, 21, tzinfo=UTC)
LANDED = pd.Timestamp("2025-01-01", tz="UTC")
TTL = {"alpha": timedelta(seconds=3), "beta": None}
KEYS = {"alpha": ["ticker"], "beta": ["ticker", "lot"]}
FEATURES = {"alpha": ["a1", "a2"], "beta": ["b1"]}
REFS = ["alpha:a1", "alpha:a2", "beta:b1"]
Rows = list[dict[str, Any]]


def at(seconds: float) -> datetime:
    return BASE + timedelta(seconds=seconds)


@dataclass
class Home:
    """A data folder and the store over it."""

    data: Path
    store: FeatureStore

    def write(self, view: str, rows: Rows, key: str | None = None) -> None:
        """Make the rows the whole content of a view, a file for each ticker."""
        names = [*KEYS[view], "event_timestamp", "created_timestamp", *FEATURES[view]]
        time = pl.Datetime("us", "UTC")
        types = {"ticker": pl.String, "lot": pl.Int64, "event_timestamp": time}
        types |= {"created_timestamp": time} | dict.fromkeys(FEATURES[view], pl.Float64)
        made = pl.DataFrame(
            [{name: row.get(name) for name in names} for row in rows],
            schema={name: types[name] for name in names},
        ).with_columns(pl.col("event_timestamp").dt.date().alias("session"))
        with Lake(self.data) as lake:
            lake.open_view(view, "ticker", "hash", rebuild=True)
            held = {k for name, k in lake.manifest.entries if name == view}
            for ticker in held | {"none", *(row["ticker"] or "none" for row in rows)}:
                mine = (
                    pl.col("ticker").is_null() if ticker == "none" else pl.col("ticker") == ticker
                )
                lake.write_features(view, ticker, made.filter(mine), LANDED)
            lake.commit("simulated")

    def read(self, frame: pd.DataFrame, refs: list[str] | None = None, **kwargs: Any) -> Any:
        return self.store.get_historical_features(frame, refs or REFS, **kwargs)


def make_home(data: Path, **changes: Any) -> Home:
    """A store with two views: alpha by ticker, living three seconds; beta by ticker and lot."""
    config = repo_config(data, None)
    config.offline_config = {**config.offline_config, **changes}
    store = FeatureStore(config=config)
    ticker = Entity(name="ticker", join_keys=["ticker"], value_type=ValueType.STRING)
    lot = Entity(name="lot", join_keys=["lot"], value_type=ValueType.INT64)
    keys = {"ticker": Field(name="ticker", dtype=String), "lot": Field(name="lot", dtype=Int64)}
    views = [
        FeatureView(
            name=name,
            entities=[ticker, lot][: len(KEYS[name])],
            ttl=TTL[name],
            schema=[
                *(keys[key] for key in KEYS[name]),
                *(Field(name=f, dtype=Float64) for f in FEATURES[name]),
            ],
            source=FileSource(
                name=name,
                path=str(data / "features" / name),
                timestamp_field="event_timestamp",
                created_timestamp_column="created_timestamp",
            ),
        )
        for name in KEYS
    ]
    (data / "feast").mkdir(parents=True)
    store.apply([ticker, lot, *views])
    return Home(data, store)


def alpha(
    ticker: str | None, event: float, known: float, a1: float | None, a2: float = 0.5
) -> dict:
    times = {"event_timestamp": at(event), "created_timestamp": at(known)}
    return {"ticker": ticker, **times, "a1": a1, "a2": a2}


ALPHA = [
    alpha("A", 0, 0, 1.0),
    alpha("A", 2, 2, 2.0),
    alpha("A", 0, 4, 1.5),
    alpha("B", 1, 1, None, 7.0),
]
BETA = [
    {"ticker": t, "lot": n, "event_timestamp": at(0), "created_timestamp": at(0), "b1": b}
    for t, n, b in [("A", 1, 10.0), ("A", 2, 20.0), ("B", 1, 30.0)]
]


def asked(*rows: tuple[str | None, int | None, float | None]) -> pd.DataFrame:
    tickers, lots, moments = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            "ticker": pd.Series(tickers, dtype=object),
            "lot": pd.Series(lots, dtype="Int64"),
            "event_timestamp": pd.DatetimeIndex(
                [pd.NaT if m is None else at(m) for m in moments], tz="UTC"
            ),
        }
    )


def oracle(frame: pd.DataFrame, stored: dict[str, Rows]) -> pd.DataFrame:
    """For each entity row and view, look at every stored row."""
    answer: dict[str, list] = {name: [] for view in FEATURES for name in FEATURES[view]}
    for row in frame.to_dict("records"):
        for view, rows in stored.items():
            best = best_row(row, rows, KEYS[view], TTL[view])
            for name in FEATURES[view]:
                answer[name].append(best[name] if best else None)
    return pd.DataFrame({name: np.array(values, dtype=float) for name, values in answer.items()})


def best_row(row: dict, rows: Rows, keys: list[str], ttl: timedelta | None) -> dict | None:
    moment = row["event_timestamp"]
    if moment is pd.NaT or any(pd.isna(row[key]) for key in keys):
        return None
    seen = [
        (stored["event_timestamp"], stored["created_timestamp"], position)
        for position, stored in enumerate(rows)
        if all(stored[key] == row[key] for key in keys)
        and stored["event_timestamp"] <= moment
        and stored["created_timestamp"] <= moment
    ]
    if not seen or (ttl and moment - max(seen)[0] > ttl):
        return None
    return rows[max(seen)[2]]


SECONDS = st.integers(0, 6)
MAYBE = st.one_of(st.none(), st.floats(-5, 5), st.floats(-5, 5))
TICKERS = st.sampled_from(["A", "B", "C", None])


@st.composite
def stored_rows(draw: DrawFn, view: str) -> Rows:
    def row() -> dict:
        times = {"event_timestamp": at(draw(SECONDS)), "created_timestamp": at(draw(SECONDS))}
        keys = {"ticker": draw(TICKERS), "lot": draw(st.sampled_from([1, 2, None]))}
        return {**keys, **times, **{name: draw(MAYBE) for name in FEATURES[view]}}

    return [row() for _ in range(draw(st.integers(0, 8)))]


ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
