"""Small homes, landed and built by the real pipeline, whose macro series have real vintages."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from feast import FeatureStore, RepoConfig

from feature_repo.store.repo_config import REPO, document
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.online.feast_registry import apply
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, PRICES
from market.availability import SERIES
from market.calendar import decision_time, sessions

DAYS = sessions("2013-06-03", "2014-02-28")  # the closure of October 2013 lies in here
TICKERS = ("SPY", "QQQ")
# Months whose figures came late, and their days; the others came on the 8th.
LATE = {"2013-09": "2013-10-22", "2013-10": "2013-11-20"}


def price_rows(days: pd.DatetimeIndex = DAYS) -> pd.DataFrame:
    parts = []
    for ticker in TICKERS:
        rng = np.random.default_rng([*ticker.encode()])
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
        part = pd.DataFrame({"ticker": ticker, "session": days.as_unit("ns"), "open": close})
        parts.append(part.assign(
            high=close * 1.01, low=close * 0.99, close=close, volume=1e6 + 1e5 * close,
            dividend=0.0, split=1.0, adj_close=close,
        ))  # fmt: skip
    return PRICES.check(pd.concat(parts, ignore_index=True))


def index_rows(days: pd.DatetimeIndex = DAYS) -> pd.DataFrame:
    parts = []
    for number, symbol in enumerate(("VIX", "VXN", "VIX3M")):
        close = 20 + number + np.sin(np.arange(len(days)) / 7)
        part = pd.DataFrame({"symbol": symbol, "session": days.as_unit("ns")})
        parts.append(part.assign(open=close, high=close + 1, low=close - 1, close=close))
    return INDICES.check(pd.concat(parts, ignore_index=True))


def published(month: pd.Timestamp) -> pd.Timestamp:
    """The day of release of a month's figure."""
    late = LATE.get(month.strftime("%Y-%m"))
    return month + pd.DateOffset(months=1, days=7) if late is None else pd.Timestamp(late)


def monthly_rows(series: str, *, vintages: bool) -> pd.DataFrame:
    """Figures from 2012 on. Each is revised by +0.1 with the figure of the month after."""
    months = pd.date_range("2012-01-01", "2014-01-01", freq="MS")
    rows = []
    for number, month in enumerate(months):
        first = (230.0 if series == "CPIAUCSL" else 8.0) + 0.3 * number
        following = published(month + pd.DateOffset(months=1))
        days = [(published(month), first), (following, first + 0.1)] if vintages else []
        rows += [(series, month, day, value) for day, value in days]
        if not vintages:
            rows.append((series, month, pd.NaT, first + 0.1))
    return pd.DataFrame(rows, columns=list(MACRO_SERIES.names)).astype(MACRO_SERIES.dtypes)


def macro_rows(*, vintages: bool) -> pd.DataFrame:
    parts = [monthly_rows(name, vintages=vintages) for name in ("UNRATE", "CPIAUCSL")]
    business = pd.bdate_range("2013-03-01", DAYS[-1])
    for number, name in enumerate(SERIES):
        if SERIES[name].day is None:
            part = pd.DataFrame({"series": name, "observation_date": business})
            level = 2.0 + number + 0.01 * np.arange(len(business))
            parts.append(part.assign(vintage_date=pd.NaT, value=level).astype(MACRO_SERIES.dtypes))
    return MACRO_SERIES.check(pd.concat(parts, ignore_index=True))


@dataclass
class Built:
    """A home's data folder, and the store over it."""

    data: Path

    def store(self, **offline: object) -> FeatureStore:
        """Feast's store; `offline` changes its offline part."""
        config = document(self.data, None)
        config["offline_store"] |= offline
        made = FeatureStore(config=RepoConfig(repo_path=REPO, **config))
        apply(made, self.data)
        return made


def everything(*, vintages: bool = True) -> dict[str, pd.DataFrame]:
    """One landing of all tables."""
    macro = macro_rows(vintages=vintages)
    return {"prices": price_rows(), "indices": index_rows(), "macro_series": macro}


def correction() -> dict[str, pd.DataFrame]:
    """A landing that corrects a price in the middle."""
    prices = price_rows()
    wrong = (prices["ticker"] == "SPY") & (prices["session"] == DAYS[130])
    prices.loc[wrong, ["close", "high"]] *= 1.2
    return {"prices": prices}


# Homes by name: their landings, a day apart, each followed by a build.
HOMES = {
    "with vintages": lambda: [everything()],
    "without vintages": lambda: [everything(vintages=False)],
    "corrected": lambda: [everything(), correction()],
}


def landed(data: Path, landings: list[dict[str, pd.DataFrame]]) -> None:
    tables = {"prices": PRICES, "indices": INDICES, "macro_series": MACRO_SERIES}
    for count, frames in enumerate(landings):
        at = decision_time(DAYS[[-1]])[0] + pd.Timedelta(days=count)
        with Lake(data) as lake:
            for table, frame in frames.items():
                lake.land(tables[table], frame, "recorded", at)
            build_features(lake, TICKERS, at)


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a maker of the homes, each made once."""
    made: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("original") / "data"
            landed(made[name], HOMES[name]())
        return made[name]

    return of


@pytest.fixture
def build(originals: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Built]:
    """Return a maker of a copy of a home, by its name."""

    def of(name: str) -> Built:
        data = tmp_path / "home" / "data"
        shutil.copytree(originals(name), data)
        return Built(data)

    return of
