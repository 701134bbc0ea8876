"""Synthetic raw histories that can be cut anywhere, and the arrays every group needs of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from feature_repo.features.catalogue import GROUPS, ON_DEMAND
from market.adjust import adjust
from market.arrays import FloatArray

PRICES = ("open", "high", "low", "close", "dividend")
DECLARED = GROUPS | ON_DEMAND


@dataclass(frozen=True)
class World:
    """Raw rows of one ticker and of all that stands beside it, on the same sessions."""

    bars: dict[str, FloatArray]
    indices: dict[str, FloatArray]
    macro: dict[str, FloatArray]
    sentiment: dict[str, FloatArray]
    earnings: dict[str, FloatArray]
    chains: dict[str, FloatArray]

    def rows(self, start: int | None, stop: int | None) -> "World":
        cut = slice(start, stop)
        return World(*({k: v[cut] for k, v in part.items()} for part in vars(self).values()))

    def with_bars(self, **changed: FloatArray) -> "World":
        return replace(self, bars={**self.bars, **changed})

    def scaled(self, factor: float) -> "World":
        return self.with_bars(**{name: self.bars[name] * factor for name in PRICES})

    def sources(self, group: str) -> dict[str, FloatArray]:
        """The arrays of a group, made the way the platform makes them."""
        if group in ("technical", "variance"):
            return adjust(**self.bars)
        if group == "iv":
            return {**self.indices, "hv_20": self.values("technical")["hv_20"]}
        if group == "iv_lags":
            return {"iv_rank": self.values("iv")["iv_rank"]}
        if group == "iv_path":
            return {"vix_close": self.values("iv")["vix_close"]}
        if group == "option_chain":
            variance = self.values("variance")
            logs = {name: variance[name] for name in variance if name.startswith("log_")}
            return {**self.chains, **logs, "vix_close": self.indices["vix_close"]}
        if group == "cross":
            return self.values("sentiment") | self.values("earnings") | self.values("iv")
        return getattr(self, group)

    def values(self, group: str) -> dict[str, FloatArray]:
        return DECLARED[group].compute(self.sources(group))


def make_bars(rng: np.random.Generator, rows: int) -> dict[str, FloatArray]:
    """Bars in cents, so that ties occur, with quarterly dividends and two splits."""
    close = 100 * np.exp(np.cumsum(rng.standard_t(5, rows) * 0.009))
    open_ = close * np.exp(rng.normal(0, 0.004, rows))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.004, rows)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.004, rows)))
    dividend, split = np.zeros(rows), np.ones(rows)
    dividend[20::63] = 0.37
    for at, new_for_old in ((rows // 3, 2.0), (2 * rows // 3, 0.25)):
        split[at : at + 1] = new_for_old
    traded = np.cumprod(split)
    volume = rng.lognormal(13, 0.5, rows).round() * traded
    prices = {"open": open_, "high": high, "low": low, "close": close}
    cents = {name: np.maximum((x / traded).round(2), 0.01) for name, x in prices.items()}
    return {**cents, "volume": volume, "dividend": dividend, "split": split}


def make_sentiment(rng: np.random.Generator, rows: int) -> dict[str, FloatArray]:
    """Headlines and mentions of sessions that were all watched, without the paid score."""
    headlines = 1.0 + rng.poisson(20, rows)
    up = rng.binomial(headlines.astype(int), 0.45)
    down = rng.binomial(headlines.astype(int) - up, 0.5)
    return {
        "headlines": headlines,
        "headlines_up": up / headlines,
        "headlines_down": down / headlines,
        "premium_score": np.full(rows, np.nan),
        "premium_sector_score": np.full(rows, np.nan),
        "mentions": rng.poisson(50, rows) * 1.0,
        "mentions_24h_ago": rng.poisson(2, rows) * 20.0,
    }


def make_earnings(rng: np.random.Generator, rows: int) -> dict[str, FloatArray]:
    return {
        "sessions_to_report": rng.integers(0, 120, rows) // rng.integers(1, 20, rows) * 1.0,
        "sessions_since_report": rng.integers(0, 120, rows) * 1.0,
        "weight_within_5": rng.uniform(0, 1, rows),
        "next_report_after_close": rng.integers(0, 2, rows) * 1.0,
        "eps_surprise_last": rng.normal(3, 9, rows),
        "eps_surprise_mean_4": rng.normal(3, 5, rows),
        "eps_beats_4": rng.integers(0, 5, rows) / 4,
        "revenue_surprise_last": rng.normal(1, 3, rows),
    }


def make_chains(rng: np.random.Generator, rows: int) -> dict[str, FloatArray]:
    """Terms of chains, the newest always of two sessions before."""
    level = 14 * np.exp(np.cumsum(rng.normal(0, 0.04, rows)) * 0.3)
    return {
        "atm_iv_30": level,
        "atm_iv_90": level + rng.normal(0.5, 1.0, rows),
        "skew_25d": rng.uniform(2, 8, rows),
        "curvature_25d": rng.uniform(-0.1, 1, rows),
        "newest_iv_30": level * np.exp(rng.normal(0, 0.03, rows)),
        "newest_age": np.full(rows, 2.0),
    }


def make_world(seed: int = 0, rows: int = 900) -> World:
    rng = np.random.default_rng(seed)
    level = {
        name: 20 * np.exp(np.cumsum(rng.normal(0, 0.04, rows)) * 0.3).round(2)
        for name in ("vix_close", "vix3m_close", "spx_vix_close")
    }
    macro = {
        name: (3 + np.cumsum(rng.normal(0, 0.05, rows))).round(2)
        for name in GROUPS["macro"].sources
    }
    macro |= {"VIXCLS": np.abs(macro["VIXCLS"]) * 6, "CPI": 250 + np.arange(rows) / 20}
    macro |= {"CPI_1M_EARLIER": macro["CPI"] - 0.5, "CPI_12M_EARLIER": macro["CPI"] - 6.0}
    bars = make_bars(rng, rows)
    sentiment, earnings = make_sentiment(rng, rows), make_earnings(rng, rows)
    return World(bars, level, macro, sentiment, earnings, make_chains(rng, rows))


@pytest.fixture(scope="session")
def world() -> World:
    return make_world()


@pytest.fixture(scope="session")
def make() -> Callable[..., World]:
    return make_world


@pytest.fixture(scope="session")
def values(world: World) -> dict[str, dict[str, FloatArray]]:
    """Values of every group over the whole world."""
    return {name: world.values(name) for name in DECLARED}


@pytest.fixture(scope="session", params=["SPY", "QQQ", "IWM"])
def recorded_bars(request: pytest.FixtureRequest, recorded_dir) -> pd.DataFrame:
    frame = pd.read_csv(recorded_dir / "yahoo" / f"{request.param}.csv", parse_dates=["Date"])
    return frame.set_index("Date")


@pytest.fixture(scope="session")
def recorded_adjusted(recorded_bars: pd.DataFrame) -> dict[str, FloatArray]:
    """Recorded bars, adjusted; Yahoo's prices are already split-adjusted."""
    raw = {
        name.lower(): recorded_bars[name].to_numpy(np.float64)
        for name in ("Open", "High", "Low", "Close", "Volume")
    }
    dividend = recorded_bars["Dividends"].to_numpy(np.float64)
    return adjust(**raw, dividend=dividend, split=np.ones(dividend.size))
