"""The newest row of every view into Redis: `materialize` beside Feast's writer and bare commands.

`python -m benchmarks.materialize [--tickers 500] [--json]` writes feature files of random values
by way of the lake, starts a Redis of its own, and times, with Redis emptied before each run:

- `ours`: `materialize`, from the files to the published session, registry and all;
- `feast`: Feast's own `materialize`, on the same files, a pipeline a view;
- `online_write_batch`: Feast's writer alone, on rows that are at hand as its protos;
- `pipeline`: redis-py alone, on rows that are encoded already: the floor.

What each left in Redis is compared. The contenders take turns, so that a busy machine slows all
of them alike; the median and the best of the runs are printed. `longest ping` is the longest that
a ping by another process waited during a run: one transaction holds Redis for as long as it takes.
"""

import argparse
import hashlib
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
from feature_repo.features.catalogue import GROUPS, definition_hash
from feature_repo.markets import MARKET, decision_time, sessions
from feature_repo.repo_config import SESSION_POINTER, WRITE_BATCH, repo_config
from ingestion.lake import Lake
from ingestion.materialize import REQUIRED, START, materialize
from ingestion.online_writes import Row, Writes, held_back
from ingestion.registry import apply, working_store
from optrade import redis_server
from optrade.redis_process import RedisAddress, client

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    from feast import FeatureStore
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
    asked, online = client(redis), RedisOnlineStore()
    window = (START.to_pydatetime(), AS_OF.to_pydatetime())

    def write_batches() -> None:
        for name, held in rows.items():
            for start in range(0, len(held), WRITE_BATCH):
                batch = held[start : start + WRITE_BATCH]
                online.online_write_batch(store.config, views[name], batch, None)

    runs = {
        "ours": lambda: published(store, data),
        "feast": lambda: store.materialize(*window, list(REQUIRED)),
        "online_write_batch": write_batches,
        "pipeline": lambda: pipeline(asked, writes),
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


def timed(run: Run, redis: RedisAddress) -> tuple[float, float]:
    """Return the seconds of a run, and the longest that a ping waited meanwhile."""
    client(redis).flushall()
    context = multiprocessing.get_context("fork")  # a new interpreter would import for seconds
    go, longest = context.Event(), context.Value("d", 0.0)
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    client(redis).flushall()
    go.set()
    pinging = context.Process(target=ping, args=(redis, go, longest))
    pinging.start()
    while longest.value == 0:
        time.sleep(0.01)
    run()
    go.clear()
    pinging.join()
    return seconds, longest.value


def measure(data: Path, redis: RedisAddress, runs: int) -> list[dict[str, Any]]:
    """Time the contenders in turns."""
    timing, count = contenders(data, redis)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in timing}
    left = {}
    for _ in range(runs):
        for name, run in timing.items():
            found[name].append(timed(run, redis))
            left[name] = content(client(redis))
    base = median(seconds for seconds, _ in found["online_write_batch"])
    return [
        {
            "name": name,
            "seconds": [seconds for seconds, _ in taken],
            "rows_per_second": count / median(seconds for seconds, _ in taken),
            "ratio": median(seconds for seconds, _ in taken) / base,
            "longest_ping_seconds": max(longest for _, longest in taken),
            "rows": count,
            "same": left[name] == left["online_write_batch"],
        }
        for name, taken in found.items()
    ]


def report(results: list[dict[str, Any]]) -> str:
    """Return the table, ratios to Feast's writer."""
    head = f"{'':20}{'median s':>10}{'best s':>10}{'rows/s':>10}{'ratio':>8}{'longest ping ms':>17}"
    lines = [
        f"{row['name']:20}{median(row['seconds']):10.3f}{min(row['seconds']):10.3f}"
        f"{row['rows_per_second']:10.0f}{row['ratio']:8.2f}"
        f"{1e3 * row['longest_ping_seconds']:17.1f}  {'yes' if row['same'] else 'no'}"
        for row in results
    ]
    return "\n".join([f"{head}  same", *lines])


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
