"""A build in shards: the same files wherever and in however many shards it is worked on."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from feature_repo.features.catalogue import GROUPS
from home.layout import DataFiles
from home.manifest import Manifest, damaged, read_manifest
from ingestion.build import build, shards
from ingestion.build.build import build_features
from ingestion.build.shards import BuildTask, build_shard, shards_of
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, PRICES
from ingestion.views.raw import Raw
from ingestion.views.reader import RawReader
from market.calendar import decision_time, sessions
from market.errors import InputError

Frame = Callable[..., pd.DataFrame]
DAYS = sessions("2020-01-02", "2024-12-31")[:330]
TICKERS = ["SPY", "QQQ", "AAA", "BBB"]


def at(number: int) -> pd.Timestamp:
    return decision_time(DAYS[[number]])[0]


def land(
    data: Path, prices: Frame, index: Frame, macro: Frame, last: int, wrong: float = 1.0
) -> None:
    """Land the sessions up to a number; `wrong` scales the close of session 100 of QQQ's index."""
    days = DAYS[: last + 1]
    bars = pd.concat([prices(name, days=list(days.astype(str))) for name in TICKERS])
    symbols = ("VIX", "VIX3M", "VXN")
    indices = pd.concat([index(symbol, days) for symbol in symbols], ignore_index=True)
    indices.loc[(indices["symbol"] == "VXN") & (indices["session"] == DAYS[100]), "close"] *= wrong
    with Lake(data) as lake:
        lake.land(PRICES, bars.reset_index(drop=True), "recorded", at(last))
        lake.land(INDICES, indices, "recorded", at(last))
        lake.land(MACRO_SERIES, macro(days), "recorded", at(last))


@pytest.fixture(scope="module")
def makers(request: pytest.FixtureRequest) -> tuple[Frame, Frame, Frame]:
    from tests.ingestion import conftest

    return conftest._prices, conftest._index, conftest._macro


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory, makers: Any) -> Path:
    """A home whose first build was in one shard, with a correction and new sessions to build."""
    data = tmp_path_factory.mktemp("landed") / "data"
    land(data, *makers, last=320)
    with Lake(data) as lake:
        build_features(lake, TICKERS, at(320))
    land(data, *makers, last=329, wrong=1.01)
    return data


def task_of(data: Path, manifest: Manifest) -> BuildTask:
    views = {name: state for name, state in manifest.tables.items() if name in GROUPS}
    return BuildTask(data, views, at(329).to_pydatetime())


def built(landed: Path, data: Path, **options: Any) -> Manifest:
    shutil.copytree(landed, data)
    with Lake(data) as lake:
        build_features(lake, TICKERS, at(329), **options)
    assert damaged(data) == []
    return read_manifest(data)


@pytest.fixture(scope="module")
def whole(landed: Path, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return built(landed, tmp_path_factory.mktemp("whole") / "data")


@pytest.mark.parametrize("rebuild", [False, True])
@pytest.mark.parametrize("size", [1, 3])
def test_any_size_of_shard_gives_the_same_manifest(
    landed: Path, tmp_path: Path, size: int, rebuild: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = built(landed, tmp_path / "one", rebuild=rebuild)
    monkeypatch.setattr(shards_of, "__defaults__", (size,))
    assert built(landed, tmp_path / "many", rebuild=rebuild) == expected
    for name in ("one", "many"):
        assert (
            DataFiles(tmp_path / name).built.read_bytes()
            == DataFiles(tmp_path / "one").built.read_bytes()
        )


def test_what_was_corrected_is_a_correction_in_every_view(whole: Manifest) -> None:
    # Nine new sessions, and the corrected ones with what looks back on them.
    assert whole.entries["technical", "AAA"].rows == 330
    assert whole.entries["iv", "QQQ"].rows > 330
    assert whole.entries["iv", "SPY"].rows == 330


def test_a_shard_is_told_only_of_what_it_needs(landed: Path) -> None:
    manifest = read_manifest(landed)
    task = task_of(landed, manifest)
    keys = [*(("ticker", ticker) for ticker in TICKERS), ("market", "US")]
    spy, *_, market = shards_of(task, RawReader(landed, manifest), keys, size=1)
    assert {key for _, key in spy.manifest.entries} == {"SPY", "VIX", "VIX3M"}
    assert {key for table, key in market.manifest.entries if table == "prices"} == set(TICKERS)
    # One entity a shard, in the order asked for, none larger than its size.
    parts = shards_of(task, RawReader(landed, manifest), keys, size=3)
    assert [(part.entity, part.keys) for part in parts] == [
        ("ticker", ("SPY", "QQQ", "AAA")),
        ("ticker", ("BBB",)),
        ("market", ("US",)),
    ]


def test_a_shard_names_nothing(landed: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(landed, data)
    manifest = read_manifest(data)
    task = task_of(data, manifest)
    (shard,) = shards_of(task, RawReader(data, manifest), [("ticker", "SPY")])
    (done,) = build_shard(task, shard)
    assert {entry.table for entry in done.entries} == {
        "technical",
        "variance",
        "iv",
        "iv_lags",
        "iv_path",
    }
    assert all((data / entry.path).is_file() for entry in done.entries)
    assert read_manifest(data) == manifest
    # The next build that writes takes what nobody named away.
    with Lake(data) as lake:
        lake.clear_old_files()
    assert not any((data / entry.path).exists() for entry in done.entries)


def test_a_key_that_fails_is_named_and_leaves_the_others_alone(
    landed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(landed, data)
    before, original = read_manifest(data), shards.build_key

    def fails(task: Any, shard: Any, raw: Raw) -> Any:
        if raw.key == "BBB":
            raise InputError("BBB: impossible")
        return original(task, shard, raw)

    monkeypatch.setattr(shards, "build_key", fails)
    with Lake(data) as lake:
        reports = {report.view: report for report in build_features(lake, TICKERS, at(329))}
    assert reports["technical"].failed == {"BBB": "BBB: impossible"}
    assert reports["macro"].failed == {}
    built_keys = set(read_manifest(data).keys("technical"))
    assert built_keys == {*TICKERS} - {"BBB"} | set(before.keys("technical"))
    assert damaged(data) == []


def test_only_the_driver_holds_the_lock_and_commits_once(
    landed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []
    original = Lake.commit
    monkeypatch.setattr(Lake, "commit", lambda lake: commits.append(1) or original(lake))
    monkeypatch.setattr(shards_of, "__defaults__", (1,))
    built(landed, tmp_path / "data")
    assert commits == [1]
    for name in ("Lake", "DataFolder", "FileLock"):
        assert not hasattr(shards, name)
    assert build.shards_of is shards_of


def test_ten_days_leave_as_many_files_as_one(tmp_path: Path, makers: Any) -> None:
    data, counts, sizes = tmp_path / "data", [], []
    for last in range(260, 270):
        land(data, *makers, last=last)
        with Lake(data) as lake:
            build_features(lake, TICKERS, at(last))
        files = [path for path in data.rglob("*") if path.is_file()]
        counts.append(len(files))
        sizes.append(sum(path.stat().st_size for path in files))
    # From the second day on: the named files, and those they replaced, for readers under way.
    assert len(set(counts[1:])) == 1, counts
    named = len(read_manifest(data).entries)
    assert counts[-1] <= 2 * named + len(["manifest", "built", "lock"])
    assert sizes[-1] < 1.3 * sizes[1]
