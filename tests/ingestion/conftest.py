"""Frames and homes for the tests of ingestion."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_repo.markets import sessions
from ingestion.tables import INDICES, PRICES

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
