"""The newest row of every view into Redis: `materialize` beside Feast's writer and bare commands.

`python -m benchmarks.materialize [--tickers 500] [--json]` writes feature files of random values
by way of the lake, starts a Redis of its own, and times, with Redis emptied before each run, what
writes the same rows:

- `rows ours`: rows at hand as Feast's protos, encoded, staged and renamed into place;
- `rows feast`: the same rows by Feast's `online_write_batch`, the yardstick;
- `rows pipeline`: the same rows encoded already, by redis-py alone: the floor;
- `files ours`: `materialize`, from the files to the published session, registry and all;
- `files feast`: Feast's own `materialize` on the same files, a pipeline a view.

What each left in Redis is compared. The contenders take turns, so that a busy machine slows all
of them alike; `seconds` is the median of the runs, `cpu` the median of the CPU seconds of writer
and server, which a busy machine changes little; ratios are to Feast's of the same group. In a
second run of each, another process pings: `ping` is the longest it waited, and `command` the
longest that Redis took for one command or transaction, in which it answers nobody.
"""

import argparse
import contextlib
import hashlib
import io
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from benchmarks.point_in_time import feature_rows
from feature_repo.features.catalogue import GROUPS
from feature_repo.features.definition_hash import definition_hash
from feature_repo.store.repo_config import SESSION_POINTER, WRITE_BATCH, repo_config
from ingestion.lake.lake import Lake
from ingestion.online.feast_registry import apply, working_store
from ingestion.online.materialize import REQUIRED, START, materialize
from ingestion.online.writes import HeldBack, Row, Writes, held_back
from market.calendar import decision_time, sessions
from market.underlyings import MARKET
from optrade.redis import server as redis_server
from optrade.redis.process import RedisAddress, client

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    from feast import FeatureStore, RepoConfig
    from redis import Redis

LANDED: Final = pd.Timestamp("2026-01-01", tz="UTC")
DAYS: Final = sessions("2025-12-01", "2025-12-31")
AS_OF: Final = decision_time(DAYS[-1:])[0]
Run = Callable[[], None]


def write_lake(data: Path, tickers: int) -> None:
    """Write feature files of random values for all required views, by way of the lake."""
    names = [f"T{number:03}" for number in range(tickers)]
    with Lake(data) as lake:
        for group in (GROUPS[name] for name in REQUIRED):
            lake.open_view(group.name, group.entity, definition_hash())
            for key in names if group.entity == "ticker" else [MARKET]:
                lake.write_features(group.name, key, feature_rows(group, key, DAYS), LANDED)
        lake.commit("simulated")


def gathered(store: "FeatureStore", data: Path) -> tuple[dict[str, list[Row]], Writes]:
    """Return the rows that Feast hands to its writer, by view, and the same rows encoded."""
    from feast import FeatureView, RepoConfig
    from feast.infra.online_stores.redis import RedisOnlineStore

    rows: dict[str, list[Row]] = {}
    writes, write = Writes(), RedisOnlineStore.online_write_batch

    def keep(
        self: RedisOnlineStore, config: RepoConfig, table: FeatureView, data: list[Row], _: object
    ) -> None:
        rows.setdefault(table.name, []).extend(data)
        write(self, config, table, data, None)

    RedisOnlineStore.online_write_batch = keep
    try:
        online = held_back(store.config.online_store, writes)
        reader = working_store(store, data / "feast" / "registry.db", lambda _: online)
        reader.materialize(START.to_pydatetime(), AS_OF.to_pydatetime(), list(REQUIRED))
    finally:
        RedisOnlineStore.online_write_batch = write
    return rows, writes


def contenders(data: Path, redis: RedisAddress) -> tuple[dict[str, Run], int]:
    """Return what is timed, by name, and the number of rows that each writes."""
    from feast import FeatureStore
    from feast.infra.online_stores.redis import RedisOnlineStore

    store = FeatureStore(config=repo_config(data, redis.url, timeout=30))
    apply(store, data)
    rows, writes = gathered(store, data)
    views = {name: store.get_feature_view(name) for name in rows}
    asked = client(redis)
    window = (START.to_pydatetime(), AS_OF.to_pydatetime())

    def write_batches(online: RedisOnlineStore, config: "RepoConfig") -> None:
        for name, held in rows.items():
            for start in range(0, len(held), WRITE_BATCH):
                batch = held[start : start + WRITE_BATCH]
                online.online_write_batch(config, views[name], batch, None)

    def commit() -> None:
        gathering = Writes()
        online = held_back(store.config.online_store, gathering)
        config = working_store(store, data / "feast" / "registry.db", lambda _: online).config
        write_batches(HeldBack(), config)
        gathering.commit(asked, (SESSION_POINTER, "{}"))

    runs: dict[str, Run] = {
        "rows ours": commit,
        "rows feast": lambda: write_batches(RedisOnlineStore(), store.config),
        "rows pipeline": lambda: pipeline(asked, writes),
        "files ours": lambda: published(store, data),
        "files feast": lambda: store.materialize(*window, list(REQUIRED)),
    }
    return runs, len(writes.rows)


def published(store: "FeatureStore", data: Path) -> None:
    """Run `materialize`, which has to publish."""
    done = materialize(store, data, AS_OF)
    if done.session is None:
        raise RuntimeError(f"not published: {', '.join(done.behind()[:10])}")


def pipeline(asked: "Redis", writes: Writes) -> None:
    """Write encoded rows by redis-py alone, as many at once as Feast does."""
    for start in range(0, len(writes.rows), WRITE_BATCH):
        with asked.pipeline(transaction=False) as pipe:
            for name, mapping in writes.rows[start : start + WRITE_BATCH]:
                pipe.hset(name, mapping=mapping)
            pipe.execute()


def content(asked: "Redis") -> str:
    """Return the hash of all rows that Redis holds, the pointer left out."""
    found = hashlib.sha256()
    for key in sorted(asked.scan_iter(count=10_000)):
        if key != SESSION_POINTER.encode():
            found.update(repr((key, sorted(asked.hgetall(key).items()))).encode())
    return found.hexdigest()


def ping(redis: RedisAddress, go: Event, longest: "Synchronized[float]") -> None:
    """Ping for as long as `go` is set, and keep the longest wait in `longest`, seconds."""
    asked = client(redis)
    while go.is_set():
        start = time.perf_counter()
        asked.ping()
        longest.value = max(longest.value, time.perf_counter() - start)
        time.sleep(0.0005)


def cpu_seconds(redis: RedisAddress) -> float:
    """Return the CPU seconds that this process and the server have taken so far."""
    used = client(redis).info("cpu")
    return time.process_time() + used["used_cpu_user"] + used["used_cpu_sys"]


def timed(run: Run, redis: RedisAddress) -> tuple[float, float]:
    """Return the seconds of a run on an empty Redis, and the CPU seconds."""
    client(redis).flushall()
    cpu, start = cpu_seconds(redis), time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):  # Feast prints its progress
        run()
    seconds = time.perf_counter() - start
    return seconds, cpu_seconds(redis) - cpu


def held_up(run: Run, redis: RedisAddress) -> tuple[float, float]:
    """Return the longest that a ping waited during a run, and that one command took, seconds."""
    asked = client(redis)
    asked.flushall()
    asked.config_set("slowlog-max-len", 100_000)
    asked.config_set("slowlog-log-slower-than", 0)
    context = multiprocessing.get_context("fork")  # a new interpreter would import for seconds
    go, longest = context.Event(), context.Value("d", 0.0)
    go.set()
    pinging = context.Process(target=ping, args=(redis, go, longest))
    pinging.start()
    while longest.value == 0:
        time.sleep(0.01)
    asked.slowlog_reset()
    with contextlib.redirect_stdout(io.StringIO()):
        run()
    go.clear()
    pinging.join()
    asked.config_set("slowlog-log-slower-than", -1)
    return longest.value, max(entry["duration"] for entry in asked.slowlog_get(100_000)) / 1e6


def measure(data: Path, redis: RedisAddress, runs: int) -> list[dict[str, Any]]:
    """Time the contenders in turns."""
    with contextlib.redirect_stdout(io.StringIO()):
        timing, count = contenders(data, redis)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in timing}
    waits: dict[str, tuple[float, float]] = {}
    left = {}
    for _ in range(runs):
        for name, run in timing.items():
            found[name].append(timed(run, redis))
            left[name] = content(client(redis))
    for name, run in timing.items():
        waits[name] = held_up(run, redis)
    medians = {
        name: [median(column) for column in zip(*taken, strict=True)]
        for name, taken in found.items()
    }
    return [
        {
            "name": name,
            "runs_seconds": [seconds for seconds, _ in taken],
            "seconds": medians[name][0],
            "cpu_seconds": medians[name][1],
            "rows_per_second": count / medians[name][0],
            "ratio": medians[name][0] / medians[f"{name.split()[0]} feast"][0],
            "cpu_ratio": medians[name][1] / medians[f"{name.split()[0]} feast"][1],
            "longest_ping_seconds": waits[name][0],
            "longest_command_seconds": waits[name][1],
            "rows": count,
            "same": left[name] == left["rows feast"],
        }
        for name, taken in found.items()
    ]


def report(results: list[dict[str, Any]]) -> str:
    """Return the table."""
    head = (
        f"{'':14}{'seconds':>9}{'ratio':>7}{'cpu':>8}{'ratio':>7}{'rows/s':>9}"
        f"{'ping ms':>9}{'command ms':>12}  same"
    )
    lines = [
        f"{row['name']:14}{row['seconds']:9.3f}{row['ratio']:7.2f}"
        f"{row['cpu_seconds']:8.3f}{row['cpu_ratio']:7.2f}{row['rows_per_second']:9.0f}"
        f"{1e3 * row['longest_ping_seconds']:9.1f}{1e3 * row['longest_command_seconds']:12.2f}"
        f"  {'yes' if row['same'] else 'no'}"
        for row in results
    ]
    return "\n".join([head, *lines])


def main() -> None:
    """Write the files, start Redis, run the contenders, print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickers", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        write_lake(data, arguments.tickers)
        redis = redis_server.start(data)
        try:
            results = measure(data, redis, arguments.runs)
        finally:
            redis_server.stop(data)
    features = sum(len(GROUPS[name].features) for name in REQUIRED)
    if arguments.json:
        print(json.dumps({"tickers": arguments.tickers, "results": results}, indent=2))
    else:
        print(f"{arguments.tickers} tickers, {len(REQUIRED)} views, {features} features")
        print(report(results))


if __name__ == "__main__":
    main()
