"""Point-in-time reads of all features: this store beside Feast's own and beside bare joins.

`python -m benchmarks.point_in_time [--json]` writes feature files of 3 tickers x 1,300 sessions, 1
session in 100 corrected late, and asks for every stored feature at every decision time. Each
contender reads the same files in a process of its own, to an Arrow table; imports are not timed,
the median and the best of the runs are printed, and what each answered is compared.

`--tickers 500 --sessions 5000` is the large case, without the contenders that do not finish it
(`--contenders` names them all the same). Feast's DuckDB store needs `ibis-framework[duckdb]`.

The floors join once on the moment that a row has happened and is known. That is the least a join
can do, and wrong where an old session is corrected after a newer one: they differ there.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from feature_repo.manifest import read_manifest
from feature_repo.markets import MARKET, close, decision_time, sessions
from ingestion.lake import Lake

LARGE = 100_000
CORRECTED = 100
LANDED = pd.Timestamp("2026-01-01", tz="UTC")
REFS = [f"{name}:{row.name}" for name, group in GROUPS.items() for row in group.features]
Read = Callable[[], pa.Table]


def write_lake(data: Path, tickers: int, days: pd.DatetimeIndex) -> None:
    """Write feature files of random values, by way of the lake."""
    names = [f"T{number:03}" for number in range(tickers)]
    with Lake(data) as lake:
        for group in GROUPS.values():
            lake.open_view(group.name, group.entity, "benchmark")
            for key in names if group.entity == "ticker" else [MARKET]:
                lake.write_features(group.name, key, feature_rows(group, key, days), LANDED)
        lake.commit("simulated")


def feature_rows(group: Group, key: str, days: pd.DatetimeIndex) -> pl.DataFrame:
    """Return the rows of one key; a corrected session has a second, known after a later one."""
    draw = np.random.default_rng([*group.name.encode(), *key.encode()])
    times = pl.Series(close(days).tz_localize(None).to_numpy()).cast(pl.Datetime("us"))
    times = times.dt.replace_time_zone("UTC")
    values = {row.name: draw.standard_normal(len(days)) for row in group.features}
    rows = pl.DataFrame(
        {
            group.entity: [key] * len(days),
            "session": times.dt.date(),
            "event_timestamp": times,
            "created_timestamp": times,
            **values,
        }
    )
    late = rows.gather_every(CORRECTED, CORRECTED // 2).with_columns(
        pl.col("created_timestamp").dt.offset_by("3d15m"),
        *(pl.col(row.name) + 1 for row in group.features),
    )
    return pl.concat([rows, late]).sort("session", "created_timestamp")


def entity_frame(tickers: int, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return every ticker at every decision time."""
    names = [f"T{number:03}" for number in range(tickers)]
    return pd.DataFrame(
        {
            "ticker": np.repeat(names, len(days)),
            "market": MARKET,
            "event_timestamp": np.tile(decision_time(days).tz_localize(None), tickers),
        }
    ).assign(event_timestamp=lambda frame: frame["event_timestamp"].dt.tz_localize("UTC"))


def ours(data: Path, frame: pd.DataFrame) -> Read:
    """Feast over this project's store."""
    from feast import FeatureStore

    from feature_repo.repo_config import repo_config
    from ingestion.registry import apply

    store = FeatureStore(config=repo_config(data, None))
    apply(store, data)
    return lambda: store.get_historical_features(frame, REFS).to_arrow()


def feast_duckdb(data: Path, frame: pd.DataFrame) -> Read:
    """Feast over its own DuckDB store, told to look at what was known."""
    from feast import FeatureStore, RepoConfig
    from feast.data_format import ParquetFormat

    from feature_repo.definitions import define

    objects = define(str(data))
    for row in objects:
        if row.name in GROUPS:
            row.batch_source.file_options.uri = str(
                data / "features" / row.name / "*" / "*.parquet"
            )
            row.batch_source.file_options.file_format = ParquetFormat()
    registry = data / "duckdb_registry.db"
    registry.unlink(missing_ok=True)
    config = RepoConfig(
        project="benchmark",
        provider="local",
        registry=str(registry),
        offline_store={"type": "duckdb"},
        online_store=None,
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    store.apply(objects)
    return lambda: store.get_historical_features(
        frame, REFS, filter_by_created_timestamp=True
    ).to_arrow()


def polars_floor(data: Path, frame: pd.DataFrame) -> Read:
    """One bare polars join_asof a view."""
    manifest = read_manifest(data)
    times = ("event_timestamp", "created_timestamp")

    def read() -> pa.Table:
        asked = pl.from_pandas(frame).with_columns(
            pl.col("event_timestamp").cast(pl.Datetime("us", "UTC")).alias("as_of")
        )
        answer = asked.with_row_index("row").sort("as_of").drop("event_timestamp")
        for group in GROUPS.values():
            rows = pl.scan_parquet(manifest.paths(data, group.name), glob=False).drop("session")
            rows = rows.with_columns(pl.max_horizontal(*times).alias("appears")).drop(
                "created_timestamp"
            )
            answer = answer.join_asof(
                rows.sort("appears").collect(),
                left_on="as_of",
                right_on="appears",
                by=group.entity,
                check_sortedness=False,
            )
            stale = pl.col("as_of") - pl.col("event_timestamp") > pl.duration(hours=20)
            features = [row.name for row in group.features]
            answer = answer.with_columns(pl.when(~stale).then(pl.col(features))).drop(
                "event_timestamp", "appears"
            )
        return answer.sort("row").to_arrow()

    return read


def duckdb_floor(data: Path, frame: pd.DataFrame) -> Read:
    """One bare ASOF JOIN a view, in DuckDB."""
    import duckdb

    manifest = read_manifest(data)
    connection = duckdb.connect()
    connection.register("asked", frame)
    joins, columns = [], ["asked.*"]
    for name, group in GROUPS.items():
        files = ", ".join(f"'{path}'" for path in manifest.paths(data, name))
        joins.append(
            f"asof left join (select *, greatest(event_timestamp, created_timestamp) as appears "  # noqa: S608 - our own names
            f"from read_parquet([{files}])) {name} on asked.{group.entity} = {name}.{group.entity} "
            f"and asked.event_timestamp >= {name}.appears"
        )
        fresh = f"asked.event_timestamp - {name}.event_timestamp <= interval 20 hours"
        columns += [
            f"case when {fresh} then {name}.{row.name} end as {row.name}" for row in group.features
        ]
    query = f"select {', '.join(columns)} from asked {' '.join(joins)}"  # noqa: S608 - our own names
    return lambda: connection.execute(query).to_arrow_table()


CONTENDERS: dict[str, Callable[[Path, pd.DataFrame], Read]] = {
    "ours": ours,
    "feast-duckdb": feast_duckdb,
    "polars": polars_floor,
    "duckdb": duckdb_floor,
}
SLOW = ("feast-duckdb",)


def run(name: str, data: Path, tickers: int, days: pd.DatetimeIndex, runs: int) -> dict[str, Any]:
    """Time one contender in this process, and describe its answer whatever its order of rows."""
    frame = entity_frame(tickers, days)
    read = CONTENDERS[name](data, frame)
    before = peak()
    seconds, table = [], None
    for _ in range(runs):
        table = None  # an answer kept would count towards the next run's peak
        start = time.perf_counter()
        table = read()
        seconds.append(time.perf_counter() - start)
    names = [ref.split(":")[1] for ref in REFS]
    answer = pl.from_arrow(table.select(names))
    return {
        "name": name,
        "seconds": seconds,
        "peak_mib": peak(),
        "peak_before_mib": before,
        "rows": table.num_rows,
        "nulls": sum(answer.null_count().row(0)),
        "total": math.fsum(answer.sum().row(0)),
    }


def peak() -> float:
    """Return the peak resident memory of this process so far, MiB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)


def contend(names: list[str], arguments: argparse.Namespace, folder: str) -> list[dict[str, Any]]:
    """Run each contender in a process of its own."""
    results = []
    for name in names:
        command = [
            sys.executable,
            "-m",
            "benchmarks.point_in_time",
            "--run",
            name,
            "--data",
            folder,
        ]
        command += [f"--{k}={getattr(arguments, k)}" for k in ("tickers", "sessions", "runs")]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "FEAST_USAGE": "False"}
        )
        if done.returncode:
            results.append({"name": name, "failed": done.stderr.strip().splitlines()[-1]})
        else:
            results.append(json.loads(done.stdout.splitlines()[-1]))
    return results


def report(results: list[dict[str, Any]]) -> str:
    """Return the table, ratios to this project's store."""
    base = next((row for row in results if row["name"] == "ours" and "failed" not in row), None)
    lines = [f"{'':14}{'median s':>10}{'best s':>10}{'ratio':>8}{'peak MiB':>10}{'nulls':>9}  same"]
    for row in results:
        if "failed" in row:
            lines.append(f"{row['name']:14}{row['failed']:.80}")
            continue
        middle = median(row["seconds"])
        ratio, same = "", ""
        if base is not None:
            ratio = f"{middle / median(base['seconds']):.2f}"
            close_enough = math.isclose(row["total"], base["total"], rel_tol=1e-9, abs_tol=1e-6)
            same = "yes" if row["nulls"] == base["nulls"] and close_enough else "no"
        lines.append(
            f"{row['name']:14}{middle:10.3f}{min(row['seconds']):10.3f}{ratio:>8}"
            f"{row['peak_mib']:10.0f}{row['nulls']:9}  {same}"
        )
    return "\n".join(lines)


def main() -> None:
    """Write the files, run the contenders, print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickers", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=1_300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help="an existing lake of this shape")
    arguments = parser.parse_args()
    days = sessions("2000-01-03", "2025-12-31")[-arguments.sessions :]
    if arguments.run:
        found = run(arguments.run, arguments.data, arguments.tickers, days, arguments.runs)
        print(json.dumps(found))
        return
    large = arguments.tickers * arguments.sessions > LARGE
    names = arguments.contenders or [n for n in CONTENDERS if not (large and n in SLOW)]
    with tempfile.TemporaryDirectory() as folder:
        data = arguments.data or Path(folder, "data")
        if not data.is_dir():
            write_lake(data, arguments.tickers, days)
        results = contend(names, arguments, str(data))
    if arguments.json:
        shape = {k: getattr(arguments, k) for k in ("tickers", "sessions", "runs")}
        print(json.dumps({**shape, "features": len(REFS), "results": results}, indent=2))
    else:
        print(f"{arguments.tickers} x {arguments.sessions} rows, {len(REFS)} features")
        print(report(results))


if __name__ == "__main__":
    main()
