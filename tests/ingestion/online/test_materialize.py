"""From the lake to a real Redis: what is online is what history says, whatever happens between."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from feast import FeatureStore

from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.planted import leaked_hash
from feature_repo.store.feast_registry import read_registry
from feature_repo.store.repo_config import REPO, SESSION_POINTER, connection_string, repo_config
from home.layout import DataFiles
from home.manifest import read_manifest
from home.strict_json import signed
from ingestion.lake.lake import Lake
from ingestion.online.materialize import apply, materialize, online_sessions
from ingestion.online.writes import STAGED, clear, stage
from market.calendar import close, decision_time, sessions
from market.errors import ConfigurationError, DamagedFile, InputError, StoreUnavailable
from market.underlyings import MARKET
from optrade.redis import server as redis_server
from optrade.redis.content import published
from optrade.redis.process import RedisAddress, client

pytestmark = pytest.mark.integration

TICKERS = ["IWM", "QQQ", "SPY"]
DAYS = sessions("2024-11-20", "2024-12-31")
LAST = decision_time(DAYS[-1:])[0]
LANDED = pd.Timestamp("2025-01-01", tz="UTC")
ALL = [f"{name}:{row.name}" for name, group in GROUPS.items() for row in group.features]


def rows(view: str, key: str, days: pd.DatetimeIndex, seed: int = 0) -> pl.DataFrame:
    """Feature rows of one key: random values, one in ten null."""
    group = GROUPS[view]
    draw = np.random.default_rng([seed, *view.encode(), *key.encode()])
    values = draw.normal(size=(len(group.features), len(days)))
    values[draw.random(values.shape) < 0.1] = np.nan
    times = pl.Series(close(days).tz_localize(None).to_numpy()).cast(pl.Datetime("us"))
    times = times.dt.replace_time_zone("UTC")
    features = zip(group.features, values, strict=True)
    return pl.DataFrame(
        {
            group.entity: [key] * len(days),
            "session": pl.Series(days.to_numpy()).dt.date(),
            "event_timestamp": times,
            "created_timestamp": times,
            **{row.name: pl.Series(column).fill_nan(None) for row, column in features},
        }
    )


def keys(view: str) -> list[str]:
    return TICKERS if GROUPS[view].entity == "ticker" else [MARKET]


def write(data: Path, frames: dict[tuple[str, str], pl.DataFrame]) -> None:
    with Lake(data) as lake:
        for view in dict.fromkeys(view for view, _ in frames):
            lake.open_view(view, GROUPS[view].entity, definition_hash())
        for (view, key), frame in frames.items():
            lake.write_features(view, key, frame, LANDED)
        lake.commit("simulated")


def features(days: pd.DatetimeIndex) -> dict[tuple[str, str], pl.DataFrame]:
    return {(view, key): rows(view, key, days) for view in GROUPS for key in keys(view)}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisAddress]:
    folder = tmp_path_factory.mktemp("server")
    yield redis_server.start(folder)
    redis_server.stop(folder)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("lake") / "data"
    write(data, features(DAYS))
    return data


@pytest.fixture
def data(tmp_path: Path, written: Path, redis: RedisAddress) -> Path:
    """A home with features, and an empty Redis."""
    client(redis).flushall()
    return Path(shutil.copytree(written, tmp_path / "data"))


@pytest.fixture
def store(data: Path, redis: RedisAddress) -> FeatureStore:
    made = FeatureStore(config=repo_config(data, redis.url, timeout=5))
    apply(made, data)
    return made


def pointer(redis: RedisAddress) -> dict[str, Any] | None:
    content = client(redis).get(SESSION_POINTER)
    return json.loads(content) if content else None


def without_checks(held: dict[bytes, Any]) -> dict[bytes, Any]:
    """What Feast itself writes of what the server holds."""
    return {
        key: {n: v for n, v in row.items() if not n.startswith(b"_check:")}
        if isinstance(row, dict)
        else row
        for key, row in held.items()
    }


def test_every_row_carries_its_check(store: FeatureStore, data: Path, redis: RedisAddress) -> None:
    materialize(store, data, LAST)
    for row in (row for row in content(redis).values() if isinstance(row, dict)):
        times = {name.removeprefix(b"_ts:") for name in row if name.startswith(b"_ts:")}
        checks = {name.removeprefix(b"_check:") for name in row if name.startswith(b"_check:")}
        assert times == checks


def content(redis: RedisAddress) -> dict[bytes, Any]:
    """Everything the server holds."""
    asked = client(redis)
    return {
        key: asked.hgetall(key) if asked.type(key) == b"hash" else asked.get(key)
        for key in asked.keys()  # noqa: SIM118 - redis has no iteration
    }


def online(store: FeatureStore) -> pd.DataFrame:
    entities = [{"ticker": ticker, "market": MARKET} for ticker in TICKERS]
    return store.get_online_features(ALL, entities).to_df().set_index("ticker")


def offline(store: FeatureStore, as_of: pd.Timestamp) -> pd.DataFrame:
    frame = pd.DataFrame({"ticker": TICKERS, "market": MARKET, "event_timestamp": as_of})
    return store.get_historical_features(frame, ALL).to_df().set_index("ticker")


def assert_same(store: FeatureStore, as_of: pd.Timestamp) -> None:
    names = [ref.split(":")[1] for ref in ALL]
    served, known = online(store)[names], offline(store, as_of)[names]
    pd.testing.assert_frame_equal(served.astype(float), known, check_exact=True)
    assert known.notna().to_numpy().sum() > len(names)


def test_online_is_offline_at_the_clock(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    done = materialize(store, data, LAST)
    assert done.document() == {
        "session": "2024-12-31",
        "published": True,
        "as_of": LAST.isoformat(),
        "tickers": "IWM, QQQ, SPY",
        "behind": "",
        "optional_behind": "",
        "damaged": "",
        "lacking": "",
    }
    assert done.sessions.keys() | done.optional.keys() == GROUPS.keys()
    assert_same(store, LAST)
    published = {
        "session": "2024-12-31",
        "as_of": LAST.isoformat(),
        "origin": "simulated",
        "tickers": TICKERS,
        "definition_hash": definition_hash(),
        "data_dir": str(data.resolve()),
        "damaged": {},
        "lacking": {},
        "carried": None,  # these macro rows do not say
    }
    assert pointer(redis) == signed(published)


def test_nothing_after_the_clock_is_written_and_the_clock_may_go_back(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    earlier = decision_time(DAYS[-4:-3])[0]
    assert materialize(store, data, earlier).session == str(DAYS[-4].date())
    assert_same(store, earlier)
    assert pointer(redis)["session"] == str(DAYS[-4].date())
    before_the_close = close(DAYS[-1:])[0] - pd.Timedelta(seconds=1)
    assert materialize(store, data, before_the_close).session == str(DAYS[-2].date())


def test_clock_before_all_data_publishes_nothing(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    done = materialize(store, data, pd.Timestamp("2024-01-02 22:00", tz="UTC"))
    assert done.session is None
    assert pointer(redis)["as_of"] == LAST.isoformat()


def test_correction_reaches_redis_once_it_is_known(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    before = online(store)
    known = LAST + pd.Timedelta(hours=2)
    first = rows("iv", "SPY", DAYS)
    corrected = first[-1].with_columns(
        pl.lit(known.to_pydatetime()).cast(pl.Datetime("us", "UTC")).alias("created_timestamp"),
        pl.lit(77.0).alias("iv_rank"),
        pl.lit(None, dtype=pl.Float64).alias("iv_percentile"),
    )
    write(data, {("iv", "SPY"): pl.concat([first, corrected])})

    materialize(store, data, known - pd.Timedelta(seconds=1))
    pd.testing.assert_frame_equal(online(store), before)
    materialize(store, data, known)
    after = online(store)
    assert after.loc["SPY", "iv_rank"] == 77
    assert pd.isna(after.loc["SPY", "iv_percentile"])
    pd.testing.assert_frame_equal(after.drop("SPY"), before.drop("SPY"))
    assert_same(store, known)
    materialize(store, data, LAST)
    pd.testing.assert_frame_equal(online(store), before)


def test_emptied_redis_is_filled_as_it_was(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    before = content(redis)
    client(redis).flushall()
    materialize(store, data, LAST)
    assert content(redis) == before
    materialize(store, data, LAST)
    assert content(redis) == before


def test_what_is_no_row_or_pointer_is_written_over(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    before = content(redis)
    for key, held in before.items():
        client(redis).delete(key)
        client(redis).lpush(key, "x") if isinstance(held, bytes) else client(redis).set(key, "x")
    assert published(redis.url) is None
    materialize(store, data, LAST)
    assert content(redis) == before


def test_pointer_stays_until_every_view_of_every_ticker_agrees(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    earlier = decision_time(DAYS[-2:-1])[0]
    materialize(store, data, earlier)
    write(data, {("iv", "QQQ"): rows("iv", "QQQ", DAYS[:-1])})
    done = materialize(store, data, LAST)
    assert not done.document()["published"]
    assert done.behind() == (f"iv/QQQ: {DAYS[-2].date()}",)
    assert pointer(redis)["session"] == str(DAYS[-2].date())
    assert materialize(store, data, LAST, tickers=["SPY"]).session == "2024-12-31"
    assert pointer(redis)["tickers"] == ["SPY"]


def test_view_that_never_landed_keeps_the_pointer_away(tmp_path: Path, redis: RedisAddress) -> None:
    client(redis).flushall()
    data = tmp_path / "data"
    write(data, {k: frame for k, frame in features(DAYS).items() if k[0] != "macro"})
    store = FeatureStore(config=repo_config(data, redis.url, timeout=5))
    done = materialize(store, data, LAST)
    assert done.behind() == tuple(f"macro/{ticker}: no row" for ticker in TICKERS)
    assert pointer(redis) is None


def test_ticker_of_which_a_view_holds_nothing_is_left_out_and_named(
    tmp_path: Path, redis: RedisAddress
) -> None:
    client(redis).flushall()
    data = tmp_path / "data"
    write(data, {k: frame for k, frame in features(DAYS).items() if k != ("iv", "IWM")})
    store = FeatureStore(config=repo_config(data, redis.url, timeout=5))
    done = materialize(store, data, LAST)
    assert (done.session, done.tickers) == ("2024-12-31", ("QQQ", "SPY"))
    assert done.lacking["IWM"].startswith("no row of it in iv by 2024-12-31 21:30 UTC")
    assert done.behind() == ()
    held = pointer(redis)
    assert (held["tickers"], held["lacking"]) == (["QQQ", "SPY"], dict(done.lacking))


@pytest.mark.parametrize("view", OPTIONAL_GROUPS)
def test_optional_view_that_lags_is_named_and_holds_nothing_back(
    store: FeatureStore, data: Path, redis: RedisAddress, view: str
) -> None:
    write(data, {(view, "QQQ"): rows(view, "QQQ", DAYS[:-2])})
    done = materialize(store, data, LAST)
    assert done.session == "2024-12-31"
    assert done.behind() == ()
    assert done.optional_behind() == (f"{view}/QQQ: {DAYS[-3].date()}",)
    assert done.document()["optional_behind"] == f"{view}/QQQ: {DAYS[-3].date()}"
    assert pointer(redis)["session"] == "2024-12-31"
    found = online_sessions(store, TICKERS, LAST)[view]
    assert found == dict.fromkeys(TICKERS, "2024-12-31") | {"QQQ": str(DAYS[-3].date())}


def test_home_without_optional_views_is_published(tmp_path: Path, redis: RedisAddress) -> None:
    client(redis).flushall()
    data = tmp_path / "data"
    write(data, {k: frame for k, frame in features(DAYS).items() if k[0] not in OPTIONAL_GROUPS})
    store = FeatureStore(config=repo_config(data, redis.url, timeout=5))
    done = materialize(store, data, LAST)
    assert done.session == pointer(redis)["session"] == "2024-12-31"
    assert done.optional == {}
    assert not set(OPTIONAL_GROUPS) & done.sessions.keys()
    stale = {("sentiment", "SPY"): rows("sentiment", "SPY", DAYS[:1])}
    write(data, stale | {("earnings", "DIA"): rows("earnings", "DIA", DAYS)})
    done = materialize(store, data, LAST)
    assert done.tickers == tuple(TICKERS), "a ticker with optional rows alone is not served"
    assert done.optional == {"sentiment": {"SPY": str(DAYS[0].date())}, "earnings": {}}
    assert pointer(redis)["tickers"] == TICKERS


def test_home_with_optional_views_alone_has_nothing_to_serve(
    tmp_path: Path, redis: RedisAddress
) -> None:
    data = tmp_path / "data"
    write(data, {("sentiment", "SPY"): rows("sentiment", "SPY", DAYS)})
    store = FeatureStore(config=repo_config(data, redis.url))
    with pytest.raises(InputError, match="no features in this home"):
        materialize(store, data, LAST)


def test_market_that_lags_leaves_the_last_complete_session_to_answer_with(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, decision_time(DAYS[-2:-1])[0])
    before = content(redis)
    write(data, {("macro", MARKET): rows("macro", MARKET, DAYS[:-1])})
    done = materialize(store, data, LAST)
    assert done.complete == ()
    assert done.behind() == tuple(f"macro/{ticker}: {DAYS[-2].date()}" for ticker in TICKERS)
    assert content(redis) == before, "nothing that no ticker could be answered with is written"


def test_ticker_that_lags_keeps_no_other_from_its_rows(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, decision_time(DAYS[-2:-1])[0])
    write(data, {("iv", "QQQ"): rows("iv", "QQQ", DAYS[:-1])})
    assert materialize(store, data, LAST).complete == ("IWM", "SPY")
    for view, found in online_sessions(store, TICKERS, LAST).items():
        lagging = str(DAYS[-2].date()) if view == "iv" else "2024-12-31"
        assert found == dict.fromkeys(TICKERS, "2024-12-31") | {"QQQ": lagging}, view


@pytest.mark.parametrize("lost", [False, True])
def test_a_damaged_file_of_a_ticker_takes_no_other(
    store: FeatureStore, data: Path, redis: RedisAddress, lost: bool
) -> None:
    path = data / read_manifest(data).entries["iv", "SPY"].path
    content = path.read_bytes()
    path.unlink() if lost else path.write_bytes(content[:-9] + b"x" + content[-8:])
    done = materialize(store, data, LAST)
    assert (done.session, done.tickers) == ("2024-12-31", ("IWM", "QQQ"))
    assert pointer(redis)["tickers"] == ["IWM", "QQQ"]
    words = pointer(redis)["damaged"]
    assert list(words) == ["SPY"] == list(done.damaged)
    assert str(path) in words["SPY"]
    assert "optrade repair" in words["SPY"]
    path.write_bytes(content)
    assert materialize(store, data, LAST).tickers == tuple(TICKERS)
    assert pointer(redis)["damaged"] == {}


@pytest.mark.parametrize("view", ["macro", "iv"])
def test_damage_that_leaves_no_ticker_is_refused(
    store: FeatureStore, data: Path, view: str
) -> None:
    manifest = read_manifest(data)
    for key in manifest.keys(view):
        (data / manifest.entries[view, key].path).write_bytes(b"none")
    with pytest.raises(DamagedFile, match="optrade repair"):
        materialize(store, data, LAST)


def test_windows_that_overlap_write_the_same_bytes(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    before = content(redis)
    for first in (DAYS[0], DAYS[-3], DAYS[-1]):
        materialize(store, data, LAST, start=first.tz_localize("UTC"))
        assert content(redis) == before, f"from {first.date()}"


def test_window_without_rows_leaves_what_is_there(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    before = content(redis)
    assert materialize(store, data, LAST, start=LAST - pd.Timedelta("1s")).session == "2024-12-31"
    assert content(redis) == before


def test_bytes_are_those_of_feast(store: FeatureStore, data: Path, redis: RedisAddress) -> None:
    materialize(store, data, LAST)
    ours = without_checks(content(redis))
    client(redis).flushall()
    store.materialize(DAYS[0].tz_localize("UTC").to_pydatetime(), LAST.to_pydatetime(), [*GROUPS])
    assert content(redis) | {SESSION_POINTER.encode(): ours[SESSION_POINTER.encode()]} == ours


def commands(redis: RedisAddress, run: Callable[[], object]) -> list[list[str]]:
    """Run something, and return the commands that the server got meanwhile."""
    with client(redis).monitor() as monitor:
        run()
        client(redis).echo("the end")
        seen = iter(lambda: monitor.next_command()["command"], "ECHO the end")
        return [command.split() for command in seen]


def test_one_transaction_moves_rows_into_place_and_the_pointer_last(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    """It holds no row itself, so that it is over at once however many there are."""
    got = commands(redis, lambda: materialize(store, data, LAST))
    names = [command[0] for command in got]
    start, end = names.index("MULTI"), names.index("EXEC")
    entities = len(TICKERS) + 1
    assert names[start + 1 : end] == [*["RENAME"] * entities, "SET"]
    written = [command[1] for command in got if command[0] == "HSET"]
    assert written == [command[1] for command in got[start + 1 : end - 1]]
    assert all(name.startswith(STAGED.decode()) for name in written)
    assert "HSET" not in names[end:]


def test_what_others_keep_beside_the_rows_stays(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, decision_time(DAYS[-2:-1])[0])
    asked = client(redis)
    entities = [key for key in content(redis) if key != SESSION_POINTER.encode()]
    for key in entities:
        asked.hset(key, "_ts:another_view", "its time")
    materialize(store, data, LAST)
    assert len(entities) == len(TICKERS) + 1
    assert {asked.hget(key, "_ts:another_view") for key in entities} == {b"its time"}


def test_what_a_dead_run_left_is_removed(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    before = content(redis)
    client(redis).hset(STAGED + b"a ticker of long ago", "field", "value")
    materialize(store, data, LAST)
    assert content(redis) == before


def test_row_that_another_changes_meanwhile_is_not_overwritten(
    store: FeatureStore, data: Path, redis: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    materialize(store, data, decision_time(DAYS[-2:-1])[0])
    row = next(key for key in content(redis) if key != SESSION_POINTER.encode())

    def staged_and_changed(*arguments: Any) -> None:
        stage(*arguments)
        client(redis).hset(row, "field", "of another writer")

    monkeypatch.setattr("ingestion.online.writes.stage", staged_and_changed)
    before = pointer(redis)
    with pytest.raises(StoreUnavailable, match=r"WatchError.*run `optrade materialize` again"):
        materialize(store, data, LAST)
    assert client(redis).hget(row, "field") == b"of another writer"
    assert pointer(redis) == before
    monkeypatch.undo()
    assert materialize(store, data, LAST).session == "2024-12-31"
    assert client(redis).hget(row, "field") == b"of another writer"


def test_staged_row_that_another_takes_away_stops_them_all(
    store: FeatureStore, data: Path, redis: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    materialize(store, data, decision_time(DAYS[-2:-1])[0])
    before = content(redis)

    def staged_and_gone(*arguments: Any) -> None:
        stage(*arguments)
        clear(client(redis))

    monkeypatch.setattr("ingestion.online.writes.stage", staged_and_gone)
    with pytest.raises(StoreUnavailable, match="did not take the"):
        materialize(store, data, LAST)
    assert content(redis) == before


def test_redis_that_refuses_the_rows_is_named_and_keeps_what_it_had(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, decision_time(DAYS[-2:-1])[0])
    before, registry = content(redis), DataFiles(data).registry.read_bytes()
    asked = client(redis)
    asked.config_set("maxmemory", 1)
    try:
        with pytest.raises(
            StoreUnavailable, match=r"no memory left .* raise its `maxmemory`"
        ) as refusal:
            materialize(store, data, LAST)
    finally:
        asked.config_set("maxmemory", 0)
    assert "\n" not in str(refusal.value)
    assert content(redis) == before
    assert DataFiles(data).registry.read_bytes() == registry


# By which definitions the views were built.


def rebuild(data: Path, views: list[str], definitions: str) -> None:
    with Lake(data) as lake:
        for view in views:
            lake.open_view(view, GROUPS[view].entity, definitions)
            for key in keys(view):
                lake.write_features(view, key, rows(view, key, DAYS), LANDED)
        lake.commit("simulated")


@pytest.mark.parametrize("views", [["technical"], ["macro", "iv"], ["earnings"], list(GROUPS)])
def test_views_of_other_definitions_are_refused_and_redis_keeps_what_it_had(
    store: FeatureStore, data: Path, redis: RedisAddress, views: list[str]
) -> None:
    materialize(store, data, LAST)
    before = content(redis)
    rebuild(data, views, "0123456789abcdef")
    with pytest.raises(InputError, match="definitions 0123456789ab, allowed are") as refusal:
        materialize(store, data, LAST)
    assert ", ".join(sorted(views)) in str(refusal.value)
    assert "run `optrade build-features`" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert content(redis) == before
    rebuild(data, views, definition_hash())
    assert materialize(store, data, LAST).session == "2024-12-31"
    assert content(redis) == before


def test_planted_home_is_published_as_what_it_is(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    rebuild(data, list(GROUPS), leaked_hash())
    done = materialize(store, data, LAST)
    assert done.definition_hash == leaked_hash() != definition_hash()
    assert pointer(redis)["definition_hash"] == leaked_hash()
    assert pointer(redis)["session"] == "2024-12-31"


def test_home_planted_in_part_is_refused(store: FeatureStore, data: Path) -> None:
    rebuild(data, ["technical"], leaked_hash())
    with pytest.raises(InputError, match=f"allowed are {leaked_hash():.12}; run `optrade build"):
        materialize(store, data, LAST)


def test_definitions_that_change_while_they_are_read_are_refused(
    store: FeatureStore, data: Path, redis: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FeatureStore.materialize

    def built_meanwhile(self: FeatureStore, *arguments: Any) -> None:
        read(self, *arguments)
        rebuild(data, list(GROUPS), leaked_hash())

    monkeypatch.setattr(FeatureStore, "materialize", built_meanwhile)
    with pytest.raises(InputError, match="by other definitions while they were read"):
        materialize(store, data, LAST)
    assert content(redis) == {}


def test_nothing_but_the_newest_rows_is_written(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    materialize(store, data, LAST)
    assert len(content(redis)) == len(TICKERS) + 2  # a hash each, one of the market, the pointer


def test_progress_of_feast_is_not_printed(
    store: FeatureStore, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    materialize(store, data, LAST)
    assert capsys.readouterr().out == ""


def test_clock_without_a_zone_is_refused(store: FeatureStore, data: Path) -> None:
    with pytest.raises(InputError, match=r"as_of: got .* without a zone"):
        materialize(store, data, LAST.tz_localize(None))


def test_home_without_features_is_refused(tmp_path: Path, redis: RedisAddress) -> None:
    data = tmp_path / "data"
    store = FeatureStore(config=repo_config(data, redis.url))
    with pytest.raises(InputError, match="no features in this home"):
        materialize(store, data, LAST)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("redis://:wrong@127.0.0.1:{port}", StoreUnavailable),
        ("redis://127.0.0.1:1", StoreUnavailable),
        (None, ConfigurationError),
    ],
)
def test_redis_that_does_not_answer_is_named_without_its_password(
    data: Path, redis: RedisAddress, url: str | None, error: type[Exception]
) -> None:
    store = FeatureStore(config=repo_config(data, url and url.format(port=redis.port)))
    with pytest.raises(error, match=r"Redis") as refusal:
        materialize(store, data, LAST)
    assert "wrong" not in str(refusal.value)


# Feast's own command, with the committed configuration.


@pytest.fixture
def checkout(tmp_path: Path, data: Path, redis: RedisAddress) -> Path:
    """A copy of the feature repo beside the data, its Redis moved to the one that runs here."""
    repo = tmp_path / "feature_repo"
    shutil.copytree(REPO, repo, ignore=shutil.ignore_patterns("__pycache__"))
    yaml = repo / "feature_store.yaml"
    text = yaml.read_text()
    assert text.count("localhost:6379") == 1
    host, options = connection_string(redis.url).split(",socket_timeout")[0], "localhost:6379"
    yaml.write_text(text.replace(options, host))
    return repo


def feast(*arguments: str, home: Path | None = None) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "OPTRADE_HOME"}
    environment |= {"FEAST_USAGE": "False", **({"OPTRADE_HOME": str(home)} if home else {})}
    command = [str(Path(sys.executable).with_name("feast")), *arguments]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_plain_feast_applies_and_materializes(
    checkout: Path, data: Path, redis: RedisAddress
) -> None:
    feast("-c", str(checkout), "apply")
    feast("-c", str(checkout), "materialize", "2024-01-01T00:00:00", LAST.isoformat())
    store = FeatureStore(config=repo_config(data, redis.url, timeout=5))
    read_registry(DataFiles(data).registry)
    assert [view.name for view in store.list_feature_views()].count("technical") == 1
    assert_same(store, LAST)


def test_feast_with_the_written_configuration_works_on_its_home(
    store: FeatureStore, data: Path, redis: RedisAddress
) -> None:
    yaml = str(data / "feast" / "feature_store.yaml")
    materialize = ("materialize", "2024-01-01T00:00:00", LAST.isoformat())
    feast("-c", str(REPO), "-f", yaml, *materialize, home=data.parent)
    store.refresh_registry()
    assert_same(store, LAST)
