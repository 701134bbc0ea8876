"""Frames and homes for the tests of ingestion."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ingestion.build.build import ViewReport, build_features
from ingestion.lake.lake import Lake
from ingestion.landing.land import fetch_all
from ingestion.landing.report import TableReport
from ingestion.sources.recorded.source import Recorded
from ingestion.tables.catalogue import (
    EARNINGS_CALENDAR,
    INDICES,
    MACRO_SERIES,
    MENTION_FILTERS,
    MENTIONS,
    NEWS,
    NEWS_SENTIMENT,
    OPTION_CHAINS,
    PRICES,
)
from market.availability import SERIES
from market.calendar import decision_time, sessions

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


@pytest.fixture(scope="session")
def prices() -> Frame:
    """Return a maker of prices of one ticker, as traded, that the gate lets through."""
    return _prices


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def macro() -> Frame:
    """Return a maker of every macro series over given days, without vintages."""
    return _macro


def _times(moments: object) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(moments, utc=True)).as_unit("ns")


def _news(
    published: object,
    scores: object = 0.5,
    recorded: object = None,
    ids: Sequence[str] | None = None,
    **columns: object,
) -> pd.DataFrame:
    moments = _times(published)
    frame = pd.DataFrame({"scope": "market", "news_id": ids or [str(t.value) for t in moments]})
    frame["published"] = moments
    frame["recorded_at"] = moments if recorded is None else _times(recorded)
    frame = frame.assign(headline="Stocks", source="Reuters", score=scores, scorer="words 1")
    return NEWS.check(frame.astype({"score": "float64"}).assign(**columns))


def _premium(ticker: str, recorded: object, bullish: object = 0.6, **columns: object) -> object:
    frame = pd.DataFrame({"ticker": ticker, "recorded_at": _times(recorded)})
    frame = frame.assign(bullish_percent=bullish, bearish_percent=0.1, sector_bullish_percent=0.5)
    return NEWS_SENTIMENT.check(
        frame.assign(articles_in_last_week=20.0, weekly_average=15.0, **columns)
    )


def _mentions(
    ticker: str, recorded: object, mentions: object = 40.0, before: object = 20.0
) -> pd.DataFrame:
    parts = []
    for name in MENTION_FILTERS:
        part = pd.DataFrame({"ticker": ticker, "filter": name, "recorded_at": _times(recorded)})
        part = part.assign(rank=3.0, mentions=mentions, upvotes=100.0, rank_24h_ago=4.0)
        parts.append(part.assign(mentions_24h_ago=before))
    frame = pd.concat(parts, ignore_index=True)
    return MENTIONS.check(frame.astype({"mentions": "float64", "mentions_24h_ago": "float64"}))


def _earnings(symbol: str, dates: Sequence[str], **columns: object) -> pd.DataFrame:
    days = pd.DatetimeIndex(dates).as_unit("ns")
    # The quarter before the report: the key stays when the date moves within a month or two.
    ended = (days - pd.DateOffset(months=2)).to_period("Q")
    frame = pd.DataFrame({"symbol": symbol, "fiscal_year": ended.year})
    frame = frame.assign(fiscal_quarter=ended.quarter, date=days, hour="amc")
    figures = {"eps_actual": np.nan, "eps_estimate": 1.0}
    figures |= {"revenue_actual": np.nan, "revenue_estimate": 100.0}
    frame = frame.assign(**{**figures, **columns})
    return EARNINGS_CALENDAR.check(frame.astype(EARNINGS_CALENDAR.dtypes))


def _chain(underlying: str, quoted: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"underlying": underlying, "root": underlying, "quote_time": _times(quoted)}
    )
    frame["expiration"] = pd.Timestamp("2024-12-20").as_unit("ns")
    frame = frame.assign(strike=400.0, option_type="call", underlying_price=401.0, bid=2.0, ask=2.2)
    frame = frame.assign(volume=10.0, open_interest=90.0, implied_volatility=0.2, delta=0.5)
    return OPTION_CHAINS.check(frame.assign(gamma=0.01))


@pytest.fixture(scope="session")
def news() -> Frame:
    """Return a maker of headlines by time of publication."""
    return _news


@pytest.fixture(scope="session")
def premium() -> Frame:
    """Return a maker of premium sentiment snapshots of one ticker."""
    return _premium


@pytest.fixture(scope="session")
def mentions() -> Frame:
    """Return a maker of mention snapshots of one ticker, in every list alike."""
    return _mentions


@pytest.fixture(scope="session")
def earnings() -> Frame:
    """Return a maker of reports of one company by date, without results."""
    return _earnings


@pytest.fixture(scope="session")
def chain() -> Frame:
    """Return a maker of one quoted option by time of the quote."""
    return _chain


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
