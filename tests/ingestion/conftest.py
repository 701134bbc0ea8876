"""Frames and homes for the tests of ingestion."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_repo.availability import SERIES
from feature_repo.markets import decision_time, sessions
from ingestion.build import ViewReport, build_features
from ingestion.lake import Lake
from ingestion.pipeline import TableReport, fetch_all
from ingestion.sources.recorded import Recorded
from ingestion.tables import INDICES, MACRO_SERIES, PRICES

Frame = Callable[..., pd.DataFrame]


def _prices(
    ticker: str = "SPY", days: Sequence[str] = (), count: int = 5, seed: int = 1, **columns: object
) -> pd.DataFrame:
    dates = pd.DatetimeIndex(days) if days else sessions("2020-01-02", "2024-12-31")[:count]
    # A stream for each column: the first rows are the same however many there are.
    steps, gaps, shares = (np.random.default_rng([seed, n, *ticker.encode()]) for n in range(3))
    close = 100 * np.exp(np.cumsum(steps.normal(0, 0.01, len(dates))))
    frame = pd.DataFrame({"ticker": ticker, "session": dates.as_unit("ns")})
    frame["open"] = close * (1 + gaps.normal(0, 0.003, len(dates)))
    frame["high"] = np.maximum(frame["open"], close) * 1.004
    frame["low"] = np.minimum(frame["open"], close) * 0.996
    frame["close"] = close
    frame["volume"] = shares.integers(1_000_000, 9_000_000, len(dates)).astype(float)
    frame["dividend"] = 0.0
    frame["split"] = 1.0
    frame["adj_close"] = close * 0.9
    return PRICES.check(frame.assign(**columns))


def _index(symbol: str, days: pd.DatetimeIndex, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng([seed, *symbol.encode()])
    close = 20 + np.cumsum(rng.normal(0, 0.1, len(days)))
    frame = pd.DataFrame({"symbol": symbol, "session": days.as_unit("ns")})
    return INDICES.check(frame.assign(open=close, high=close + 1, low=close - 1, close=close))


@pytest.fixture
def prices() -> Frame:
    """Return a maker of prices of one ticker, as traded, that the gate lets through."""
    return _prices


@pytest.fixture
def index() -> Frame:
    """Return a maker of the closes of a volatility index on given sessions."""
    return _index


@pytest.fixture
def tree() -> Callable[[Path], dict[str, tuple[str, int]]]:
    """Return a function of a folder: each file's content hash and time of change."""

    def state(folder: Path) -> dict[str, tuple[str, int]]:
        files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
        return {
            str(path.relative_to(folder)): (
                hashlib.sha256(path.read_bytes()).hexdigest(),
                path.stat().st_mtime_ns,
            )
            for path in files
        }

    return state


def _macro(days: pd.DatetimeIndex, seed: int = 5) -> pd.DataFrame:
    parts = []
    for number, name in enumerate(SERIES):
        rng = np.random.default_rng([seed, number])
        monthly = SERIES[name].day is not None
        dates = pd.date_range(
            days[0] - pd.DateOffset(months=20), days[-1], freq="MS" if monthly else "B"
        )
        level = 300.0 if name == "CPIAUCSL" else 4.0
        values = level * np.exp(np.cumsum(rng.normal(0, 0.002, len(dates))))
        part = pd.DataFrame({"series": name, "observation_date": dates, "vintage_date": pd.NaT})
        parts.append(part.assign(value=values).astype(MACRO_SERIES.dtypes))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def macro() -> Frame:
    """Return a maker of every macro series over given days, without vintages."""
    return _macro


@dataclass
class Recordings:
    """A home with the recorded tables of three tickers, and what landing them reported."""

    source: Recorded
    end: pd.Timestamp
    at: pd.Timestamp
    data: Path
    fetched: list[TableReport]
    built: list[ViewReport]


TICKERS = ["SPY", "QQQ", "IWM"]


@pytest.fixture(scope="session")
def recordings(recorded_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    """Return a home with everything recorded, landed and built; not to be changed."""
    source = Recorded(recorded_dir)
    end = source.last_session()
    at = decision_time(pd.DatetimeIndex([end]))[0]
    data = tmp_path_factory.mktemp("recorded")
    with Lake(data) as lake:
        fetched = fetch_all(lake, source, TICKERS, None, end, at)
        built = build_features(lake, TICKERS, at)
    return Recordings(source, end, at, data, fetched, built)
