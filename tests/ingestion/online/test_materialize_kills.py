"""Writers killed at random moments, and a reader that looks on: always one whole session."""

import json
import multiprocessing
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from feast import FeatureStore

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.planted import leaked_hash
from feature_repo.store.repo_config import REPO, SESSION_POINTER, repo_config
from home.layout import DataFiles
from home.strict_json import signed
from ingestion.lake.lake import Lake
from ingestion.online.materialize import REQUIRED, materialize
from ingestion.online.writes import STAGED
from market.calendar import close, decision_time, sessions
from market.underlyings import MARKET
from optrade.redis import server as redis_server
from optrade.redis.process import RedisAddress, client
from serving.reading.online import Requirements, connect, open_snapshot, read_row
from serving.reading.refusal import Refusal
from tests.ingestion.writing_in_turns import write

pytestmark = pytest.mark.integration

TICKERS = ["QQQ", "SPY"]
DAYS = sessions("2024-12-20", "2024-12-31")
EARLIER, LAST = decision_time(DAYS[-2:])
BOTH = {str(day.date()) for day in DAYS[-2:]}
REFERENCES = {row.name: f"{name}:{row.name}" for name in REQUIRED for row in GROUPS[name].features}


def build(data: Path, definitions: str) -> None:
    with Lake(data) as lake:
        for view, group in GROUPS.items():
            lake.open_view(view, group.entity, definitions)
            for key in TICKERS if group.entity == "ticker" else [MARKET]:
                lake.write_features(
                    view, key, rows(view, key), pd.Timestamp("2025-01-01", tz="UTC")
                )
        lake.commit("simulated")


def rows(view: str, key: str) -> pl.DataFrame:
    draw = np.random.default_rng([*view.encode(), *key.encode()])
    times = pl.Series(close(DAYS).tz_localize(None).to_numpy()).cast(pl.Datetime("us"))
    times = times.dt.replace_time_zone("UTC")
    return pl.DataFrame(
        {
            GROUPS[view].entity: [key] * len(DAYS),
            "session": pl.Series(DAYS.to_numpy()).dt.date(),
            "event_timestamp": times,
            "created_timestamp": times,
            **{row.name: draw.normal(size=len(DAYS)) for row in GROUPS[view].features},
        }
    )


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisAddress]:
    folder = tmp_path_factory.mktemp("server")
    yield redis_server.start(folder)
    redis_server.stop(folder)


@pytest.fixture
def data(tmp_path: Path, redis: RedisAddress) -> Path:
    client(redis).flushall()
    build(tmp_path / "data", definition_hash())
    return tmp_path / "data"


@pytest.fixture
def store(data: Path, redis: RedisAddress) -> FeatureStore:
    return FeatureStore(config=repo_config(data, redis.url, timeout=5))


def state(redis: RedisAddress) -> str:
    """Everything that can be read of the server, as one text."""
    asked = client(redis)
    held = {
        key.hex(): {name.hex(): value.hex() for name, value in asked.hgetall(key).items()}
        if asked.type(key) == b"hash"
        else asked.get(key).hex()
        for key in sorted(asked.scan_iter())
        if not key.startswith(STAGED)
    }
    return json.dumps(held, sort_keys=True)


class Reader:
    """Serving's way to a row, at a clock at which both sessions are fresh."""

    def __init__(self, data: Path) -> None:
        yaml = data / "feast" / "feature_store.yaml"
        self.store = open_snapshot(REPO, yaml, DataFiles(data).serving_registry)
        self.client = connect(self.store)
        self.needed = Requirements(
            LAST + pd.Timedelta(minutes=1),
            pd.Timedelta(hours=2),
            "simulated",
            definition_hash(),
            str(data.resolve()),
        )

    def read(self, ticker: str) -> Any:
        return read_row(self.store, self.client, REFERENCES, ticker, self.needed)


def expected(ticker: str, session: str) -> dict[str, float]:
    found = {}
    for view in REQUIRED:
        frame = rows(view, ticker if GROUPS[view].entity == "ticker" else MARKET)
        frame = frame.filter(pl.col("session").cast(pl.String) == session)
        found |= {row.name: frame[row.name][0] for row in GROUPS[view].features}
    return found


class Writer:
    """A process that writes in turns: `done` of them so far, each of one session."""

    def __init__(self, process: BaseProcess, told: Connection) -> None:
        self.process, self.told, self.done = process, told, 0

    def wait(self, turns: int) -> None:
        while self.has_not_done(turns):
            assert self.told.poll(60), "the writer has stopped"

    def has_not_done(self, turns: int) -> bool:
        while self.told.poll():
            self.told.recv()
            self.done += 1
        return self.done < turns


@contextmanager
def writer(data: Path, redis: RedisAddress) -> Iterator[Writer]:
    """A writer that has begun; killed in the end, if not before."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([write.__module__])
    told, telling = context.Pipe(duplex=False)
    process = context.Process(target=write, args=(data, redis.url, (EARLIER, LAST), telling))
    process.start()
    telling.close()
    try:
        made = Writer(process, told)
        made.wait(1)
        yield made
    finally:
        process.kill()
        process.join()
        told.close()


def look_on(reader: Reader, going_on: Callable[[], bool]) -> set[str]:
    """Read for as long as it goes on; every answer is one whole session, without a refusal."""
    wanted = {(ticker, day): expected(ticker, day) for ticker in TICKERS for day in BOTH}
    seen = set()
    while going_on():
        for ticker in TICKERS:
            row = reader.read(ticker)
            session = str(row.session.date())
            assert row.values == wanted[ticker, session]
            seen.add(session)
    return seen


def kill_in_the_middle(data: Path, redis: RedisAddress, store: FeatureStore, seed: int) -> None:
    materialize(store, data, EARLIER)
    before, start = state(redis), time.monotonic()
    materialize(store, data, LAST)
    after, reader, turn = state(redis), Reader(data), time.monotonic() - start
    with writer(data, redis) as writing:
        moment = time.monotonic() + random.Random(seed).uniform(0, 2 * turn)
        look_on(reader, lambda: time.monotonic() < moment)
        writing.process.kill()
        writing.process.join()
        assert writing.process.exitcode == -signal.SIGKILL
    assert state(redis) in (before, after), "all of one session"
    assert {str(reader.read(ticker).session.date()) for ticker in TICKERS} <= BOTH
    Reader(data).read("SPY")  # a service that starts now answers too
    healed = FeatureStore(config=store.config)
    assert materialize(healed, data, LAST).session == max(BOTH)
    assert state(redis) == after
    assert not list(client(redis).scan_iter(match=STAGED + b"*"))
    left = {path.name for path in (data / "feast").glob(".*")}
    assert left == {".lock"}


@pytest.mark.parametrize("seed", range(3))
def test_killed_writer_leaves_one_whole_session(
    data: Path, redis: RedisAddress, store: FeatureStore, seed: int
) -> None:
    kill_in_the_middle(data, redis, store, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_killed_writer_leaves_one_whole_session_long(
    data: Path, redis: RedisAddress, store: FeatureStore, seed: int
) -> None:
    kill_in_the_middle(data, redis, store, seed)


def test_reader_meets_no_refusal_and_no_mixture(
    data: Path, redis: RedisAddress, store: FeatureStore
) -> None:
    materialize(store, data, EARLIER)
    with writer(data, redis) as writing:
        assert look_on(Reader(data), lambda: writing.has_not_done(4)) == BOTH


def test_transaction_between_two_reads_is_read_again(
    data: Path, redis: RedisAddress, store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the second read, this answer would have the pointer of one session and other rows."""
    materialize(store, data, LAST)
    after, pointer = snapshot(redis), client(redis).get(SESSION_POINTER)
    materialize(store, data, EARLIER)
    reader, reads = Reader(data), []
    read = reader.store.get_online_features

    def first_then_published(**arguments: Any) -> Any:
        reads.append(1)
        if len(reads) == 1:
            restore(redis, after)
            other = signed(json.loads(pointer) | {"origin": "recorded"})
            client(redis).set(SESSION_POINTER, json.dumps(other))
        return read(**arguments)

    monkeypatch.setattr(reader.store, "get_online_features", first_then_published)
    with pytest.raises(Refusal, match="holds recorded data") as refusal:
        reader.read("SPY")
    assert refusal.value.error == "wrong_origin"
    assert len(reads) == 1
    client(redis).set(SESSION_POINTER, pointer)
    assert str(reader.read("SPY").session.date()) == max(BOTH)


def test_views_of_two_sessions_are_refused_in_the_end(
    data: Path, redis: RedisAddress, store: FeatureStore
) -> None:
    materialize(store, data, LAST)
    start = DAYS[0].tz_localize("UTC").to_pydatetime()
    store.materialize(start, EARLIER.to_pydatetime(), ["iv"])
    # Rows that Feast alone wrote are not vouched for: refused before their session is looked at.
    with pytest.raises(Refusal, match="row of iv is none that optrade published: another") as told:
        Reader(data).read("SPY")
    assert told.value.error == "foreign_row"
    assert "`feast materialize`" in told.value.detail


def test_rows_that_feast_wrote_again_as_they_were_are_served(
    data: Path, redis: RedisAddress, store: FeatureStore
) -> None:
    materialize(store, data, LAST)
    before = Reader(data).read("SPY")
    store.materialize(DAYS[0].tz_localize("UTC").to_pydatetime(), LAST.to_pydatetime(), ["iv"])
    assert Reader(data).read("SPY") == before


def test_serving_refuses_a_planted_home(
    data: Path, redis: RedisAddress, store: FeatureStore
) -> None:
    materialize(store, data, LAST)
    Reader(data).read("SPY")
    build(data, leaked_hash())
    materialize(store, data, LAST)
    with pytest.raises(Refusal, match="filled with feature definitions") as refusal:
        Reader(data).read("SPY")
    assert refusal.value.error == "wrong_definitions"
    build(data, definition_hash())
    materialize(store, data, LAST)
    Reader(data).read("SPY")


def snapshot(redis: RedisAddress) -> dict[bytes, dict[bytes, bytes]]:
    asked = client(redis)
    return {key: asked.hgetall(key) for key in asked.scan_iter() if asked.type(key) == b"hash"}


def restore(redis: RedisAddress, held: dict[bytes, dict[bytes, bytes]]) -> None:
    for key, fields in held.items():
        client(redis).hset(key, mapping=fields)
