"""Faults planted in small homes: each is found by an audit, and a home in order has none."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ingestion.views.iv
import ingestion.views.macro
import ingestion.views.recorded_in
import ingestion.views.sentiment
from audit.lookahead import LookaheadReport, leaks
from feature_repo.features.catalogue import GROUPS
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import NEWS
from market.arrays import FloatArray
from market.calendar import decision_time
from tests.audit.conftest import DAYS, TICKERS, Built, everything, landed
from tests.audit.test_pit import changed

Build = Callable[[str], Built]
Patch = pytest.MonkeyPatch
AT = decision_time(DAYS[[-1]])[0] + pd.Timedelta(days=3)


# What a correction changes stands in few sessions: more cuts meet one of them.
CUTS = {"late correction": 25, "corrected": 25}


def looked_at(home: Built, name: str, tickers: tuple[str, ...] = ("SPY",)) -> LookaheadReport:
    return leaks(home.data, tickers, CUTS.get(name, 10), seed=1)


def rebuilt(home: Built) -> Built:
    with Lake(home.data) as lake:
        build_features(lake, TICKERS, AT, rebuild=True)
    return home


def defined(patch: Patch, name: str, compute: Callable[..., FloatArray], **fields: object) -> None:
    """Give a technical feature another formula."""
    group = GROUPS["technical"]
    rows = tuple(
        replace(row, compute=compute, **fields) if row.name == name else row
        for row in group.features
    )
    patch.setitem(GROUPS, "technical", replace(group, features=rows))


def forward_shift(close: FloatArray) -> FloatArray:
    return pd.Series(close).pct_change(-5).to_numpy()


def centred_window(close: FloatArray) -> FloatArray:
    return close / pd.Series(close).rolling(5, center=True).mean().to_numpy() - 1.0


def whole_sample_scaling(close: FloatArray) -> FloatArray:
    return (close - close.mean()) / close.std()


def backfilled_macro(home: Built, patch: Patch) -> set[str]:
    """A rate whose first observations are missing is filled with the first one there is."""

    def filled(*args: object) -> FloatArray:
        return pd.Series(as_known(*args)).bfill().to_numpy()

    as_known = ingestion.views.macro.as_known
    frames = everything()
    macro = frames["macro_series"]
    early = (macro["series"] == "DGS10") & (macro["observation_date"] < DAYS[100])
    frames["macro_series"] = macro[~early].reset_index(drop=True)
    patch.setattr(ingestion.views.macro, "as_known", filled)
    home.data = home.data.with_name("late")
    landed(home.data, [frames])
    return {"treasury_10y"}


def unreleased_cpi(home: Built, patch: Patch) -> set[str]:
    """A month's figure counts from the month it is of."""

    def at_once(series: str, rows: pl.DataFrame) -> pd.DatetimeIndex:
        if series != "CPIAUCSL":
            return available(series, rows)
        return (
            pd.DatetimeIndex(rows["observation_date"].to_numpy()).as_unit("ns").tz_localize("UTC")
        )

    available = ingestion.views.macro.macro_available
    patch.setattr(ingestion.views.macro, "macro_available", at_once)
    rebuilt(home)
    return {"cpi_yoy"}


def tie_at_the_close(home: Built, patch: Patch) -> set[str]:
    """A headline recorded a second after the decision still counts for it."""
    late = decision_time(DAYS) + pd.Timedelta(seconds=1)
    times = (late.append(late - pd.Timedelta(hours=3))).as_unit("ns")
    frame = pd.DataFrame({"scope": "market", "news_id": [str(t.value) for t in times]})
    frame = frame.assign(published=times, recorded_at=times, headline="Stocks", source="Reuters")
    scores = np.linspace(-1, 1, len(times))
    frame = NEWS.check(frame.assign(score=scores, scorer="words 1"))
    with Lake(home.data) as lake:
        lake.land(NEWS, frame, "recorded", AT)
    patch.setattr(
        ingestion.views.recorded_in, "DECISION_DELAY", pd.Timedelta(minutes=30, seconds=1)
    )
    rebuilt(home)
    return {"sentiment_score"}


def late_correction(home: Built, patch: Patch) -> set[str]:
    """A correction stands in the row as it was first known, instead of in a version of its own."""

    def overwritten(rows: pl.DataFrame) -> pl.DataFrame:
        key = ["ticker", "session"]
        first = pl.col("created_timestamp").min().over(key)
        return rows.with_columns(created_timestamp=first).unique(key, keep="last").sort(key)

    changed(home, "technical", "SPY", overwritten)
    return {"returns_1d"}


def wrong_session(home: Built, patch: Patch) -> set[str]:
    """An index's close is dated a day early, as by a midnight of another zone."""

    def early(prices: object, indices: dict[str, pl.DataFrame]) -> object:
        moved = pl.col("session").dt.offset_by("-1d")
        return align(prices, {name: rows.with_columns(moved) for name, rows in indices.items()})

    align = ingestion.views.iv.align_indices
    patch.setattr(ingestion.views.iv, "align_indices", early)
    rebuilt(home)
    return {"vix_close"}


@dataclass(frozen=True)
class Formula:
    """A fault in one feature's formula."""

    compute: Callable[..., FloatArray]

    def __call__(self, home: Built, patch: Patch) -> set[str]:
        defined(patch, "returns_5d", self.compute)
        rebuilt(home)
        return {"returns_5d"}


FAULTS = {
    "forward shift": ("with vintages", Formula(forward_shift)),
    "centred window": ("with vintages", Formula(centred_window)),
    "whole-sample scaling": ("with vintages", Formula(whole_sample_scaling)),
    "backfilled macro": ("with vintages", backfilled_macro),
    "unreleased CPI": ("with vintages", unreleased_cpi),
    "tie at the close": ("with vintages", tie_at_the_close),
    "late correction": ("corrected", late_correction),
    "wrong session": ("with vintages", wrong_session),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_named(
    name: str, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, plant = FAULTS[name]
    made = build(home)
    expected = plant(made, monkeypatch)
    assert expected <= {leak.feature for leak in looked_at(made, name).leaks}


@pytest.mark.parametrize("name", ["with vintages", "without vintages", "corrected"])
def test_a_home_in_order_has_no_leak(name: str, build: Build) -> None:
    report = looked_at(build(name), name, TICKERS)
    assert report.leaks == ()
    assert report.rows > 10 * 3 * len(TICKERS)
    assert report.absent == ("sentiment", "earnings", "option_chain")
