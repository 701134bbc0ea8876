"""Any file of a home damaged in any way: what needs it is named, all else lands and is built."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from feature_repo.features.catalogue import GROUPS
from home.manifest import read_manifest
from ingestion.build.build import ViewReport, build_features
from ingestion.lake.lake import Lake
from ingestion.landing.land import fetch_all
from ingestion.landing.report import TableReport
from ingestion.sources.simulated.source import Simulated
from ingestion.tables.catalogue import PRICES
from market.calendar import decision_time, sessions

TICKERS = ["SPY", "QQQ"]
DAYS = sessions("2023-01-03", "2024-06-28")
IV = ("iv", "iv_lags", "iv_path", "option_chain")
OF_TICKERS = tuple(view for view, group in GROUPS.items() if group.entity == "ticker")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def of(views: tuple[str, ...], *keys: str) -> dict[str, set[str]]:
    return {view: {*keys} for view in views}


# The (table, key) that is damaged, how, and the views and keys that are not built then.
CASES: dict[str, tuple[tuple[str, str], Callable[[Path], None], dict[str, set[str]]]] = {
    "prices cut": (("prices", "SPY"), cut, of(OF_TICKERS, "SPY")),
    "prices flipped": (("prices", "SPY"), flip, of(OF_TICKERS, "SPY")),
    "prices emptied": (("prices", "QQQ"), empty, of(OF_TICKERS, "QQQ")),
    "a folder for prices": (("prices", "QQQ"), folder, of(OF_TICKERS, "QQQ")),
    "prices gone": (("prices", "SPY"), Path.unlink, of(OF_TICKERS, "SPY")),
    "an index of one": (("indices", "VXN"), flip, of(IV, "QQQ")),
    "an index of all": (("indices", "VIX3M"), flip, of(IV, "SPY", "QQQ")),
    "a series": (("macro_series", "DGS10"), flip, {"macro": {"US"}}),
    "a company": (("earnings_calendar", "AAPL"), flip, {"earnings": {"SPY", "QQQ"}}),
    "headlines": (("news", "market"), flip, {"sentiment": {"SPY", "QQQ"}}),
    "mentions": (("mentions", "QQQ"), flip, {"sentiment": {"QQQ"}}),
    "chains": (("option_chains", "SPY"), flip, {}),
    "refused rows": (("quarantine/prices", "SPY"), flip, {}),
    "refused rows of no key": (("quarantine/prices", "_"), flip, {}),
    "features": (("iv", "SPY"), flip, of(OF_TICKERS, "SPY")),
}
# One of each way to be needed; the others are the long profile's.
USUAL = ("prices cut", "an index of all", "a company", "mentions", "refused rows", "features")


def at(day: pd.Timestamp) -> pd.Timestamp:
    return decision_time(pd.DatetimeIndex([day]))[0]


def fetched(lake: Lake, day: pd.Timestamp) -> dict[str, TableReport]:
    source = Simulated(7, 0.0, at(day), str(DAYS[0].date()))
    return {report.table: report for report in fetch_all(lake, source, TICKERS, None, day, at(day))}


def built(lake: Lake, day: pd.Timestamp) -> dict[str, ViewReport]:
    return {report.view: report for report in build_features(lake, TICKERS, at(day))}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("landed") / "data"
    with Lake(data) as lake:
        fetched(lake, DAYS[-3])
        wrong = lake.stored("prices", "SPY").head(1).select(PRICES.names).to_pandas()
        refused = [wrong.assign(ticker=name, reason="wrong") for name in ("SPY", "no name")]
        bad = pd.concat(refused).astype(PRICES.dtypes)
        lake.land(PRICES, PRICES.empty(), "simulated", at(DAYS[-3]), bad)
        built(lake, DAYS[-3])
    return data


@pytest.mark.parametrize(
    "case", [pytest.param(n, marks=[] if n in USUAL else pytest.mark.long) for n in CASES]
)
def test_what_needs_a_damaged_file_is_named_and_all_else_goes_on(
    case: str, landed: Path, tmp_path: Path
) -> None:
    (table, key), spoil, undone = CASES[case]
    data = tmp_path / "data"
    shutil.copytree(landed, data)
    before = read_manifest(data)
    path = data / before.entries[table, key].path
    spoil(path)
    with Lake(data) as lake:
        reports, views = fetched(lake, DAYS[-2]), built(lake, DAYS[-2])
        again = built(lake, DAYS[-2])
    raw = table.removeprefix("quarantine/")
    stale = {"_": {*TICKERS}}.get(key, {key}) if raw not in GROUPS else set()
    for name, report in reports.items():
        assert set(report.stale_keys) == (stale if name == raw else set()), name
        if report.stale is not None:
            assert str(path) in report.stale
            assert "optrade repair" in report.stale
    after = read_manifest(data)
    for each in (views, again):
        assert {name: set(view.failed) for name, view in each.items() if view.failed} == undone
        words = {why for view in each.values() for why in view.failed.values()}
        assert all(str(path) in why and "optrade repair" in why for why in words)
    new = str(DAYS[-2].date())
    late = undone.keys() | (
        {"technical", "variance", *IV, "macro", "sentiment", "earnings"} if stale else set()
    )
    for view in GROUPS:
        for name in after.keys(view):
            if view not in late:
                assert after.entries[view, name].last == new, (view, name)
            if name in undone.get(view, ()):
                assert after.entries[view, name] == before.entries[view, name]


def test_what_a_damaged_file_was_left_out_of_is_built_once_it_is_mended(
    landed: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(landed, data)
    path = data / read_manifest(data).entries["prices", "SPY"].path
    good = path.read_bytes()
    flip(path)
    with Lake(data) as lake:
        fetched(lake, DAYS[-2])
        assert built(lake, DAYS[-2])["macro"].last_session == str(DAYS[-2].date())
        path.write_bytes(good)
        fetched(lake, DAYS[-2])
        views = built(lake, DAYS[-2])
    assert {view.last_session for view in views.values()} == {str(DAYS[-2].date())}
    assert not any(view.failed for view in views.values())


def test_without_whole_prices_the_market_has_no_sessions(landed: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(landed, data)
    manifest = read_manifest(data)
    for ticker in TICKERS:
        flip(data / manifest.entries["prices", ticker].path)
    with Lake(data) as lake:
        views = built(lake, DAYS[-3])
    assert {name: set(view.failed) for name, view in views.items()} == {
        view: {"US"} if view == "macro" else {*TICKERS} for view in GROUPS
    }
