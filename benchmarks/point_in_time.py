"""Point-in-time reads of 158 features: this store beside Feast's own and beside bare joins.

`python -m benchmarks.point_in_time [--json]` writes feature files of 3 tickers x 1,300 sessions, 1
session in 100 corrected late, and asks for every feature of the views technical, iv, macro,
sentiment and earnings at every decision time. Each contender reads the same files in a process of
its own, to an Arrow table; imports are not timed, the median and the best of the runs are printed,
and what each answered is compared. One that needs more than the limit is stopped, and that is its
result.

`--tickers 500 --sessions 5000` is the large case. Feast's DuckDB store needs
`ibis-framework[duckdb]`.

The floors join once on the moment that a row has happened and is known. That is the least a join
can do, and wrong where an old session is corrected after a newer one: they differ there.
"""

import argparse
import json
import math
import os
import resource
import signal
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
import psutil

from benchmarks.point_in_time_contenders import CONTENDERS
from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from ingestion.lake.lake import Lake
from market.calendar import close, decision_time, sessions
from market.underlyings import MARKET

CORRECTED = 100
LANDED = pd.Timestamp("2026-01-01", tz="UTC")
# All stored views but that of the lags: 158 features.
VIEWS = ("technical", "iv", "macro", "sentiment", "earnings")
REFS = [f"{name}:{row.name}" for name in VIEWS for row in GROUPS[name].features]
# Of ours beside polars, and of our peak beside pandas's.
GOAL_RATIO, GOAL_MEMORY = 1.5, 0.5
WATCH_SECONDS = 0.05


def write_lake(data: Path, tickers: int, days: pd.DatetimeIndex) -> None:
    """Write feature files of random values, by way of the lake."""
    names = [f"T{number:03}" for number in range(tickers)]
    with Lake(data) as lake:
        for group in (GROUPS[name] for name in VIEWS):
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


def run(name: str, data: Path, tickers: int, days: pd.DatetimeIndex, runs: int) -> dict[str, Any]:
    """Time one contender in this process, and describe its answer whatever its order of rows."""
    frame = entity_frame(tickers, days)
    read = CONTENDERS[name](data, frame, REFS)
    before = peak()
    seconds, cpu, table = [], [], None
    for _ in range(runs):
        table = None  # an answer kept would count towards the next run's peak
        start, processor = time.perf_counter(), time.process_time()
        table = read()
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - processor)
    after = peak()
    answer = pl.from_arrow(table.select([ref.split(":")[1] for ref in REFS]))
    return {
        "name": name,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_mib": after,
        "peak_before_mib": before,
        "rows": table.num_rows,
        "nulls": sum((column.is_null() | column.is_nan()).sum() for column in answer),
        "total": math.fsum(column.fill_nan(None).sum() for column in answer),
    }


def peak() -> float:
    """Return the peak resident memory of this process so far, MiB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)


def contend(names: list[str], arguments: argparse.Namespace, folder: str) -> list[dict[str, Any]]:
    """Run each contender in a process of its own, stopped at the limits."""
    results = []
    for name in names:
        command = [sys.executable, "-m", "benchmarks.point_in_time", "--run", name]
        command += ["--data", folder]
        command += [f"--{k}={getattr(arguments, k)}" for k in ("tickers", "sessions", "runs")]
        results.append(
            {"name": name}
            | watched(command, Path(folder), arguments.limit_seconds, arguments.limit_gib)
        )
        print(json.dumps(results[-1]), file=sys.stderr)
    return results


def watched(command: list[str], folder: Path, seconds: float, gib: float) -> dict[str, Any]:
    """Return what a process printed last as JSON, or why it has no result.

    Parameters
    ----------
    seconds
        The most CPU seconds of the process and its children, imports and all runs included:
        other processes do not count in them. Ten times as many on the clock stop it too.
    gib
        The largest resident memory of the process and its children.
    """
    with (folder / "out.txt").open("wb+") as out, (folder / "err.txt").open("wb+") as err:
        environment = {**os.environ, "FEAST_USAGE": "False"}
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        try:
            while process.poll() is None:
                (held, used), took = spent(process.pid), time.monotonic() - start
                if used > seconds or took > 10 * seconds or held > gib:
                    words = f"stopped at {held:.1f} GiB, {used:.0f} CPU s, {took:.0f} s"
                    return {"stopped": words, "gib": held, "cpu": used, "wall": took}
                time.sleep(WATCH_SECONDS)
        finally:  # a contender that outlived this process would have no limit
            process.kill()
            process.wait()
        out.seek(0)
        err.seek(0)
        printed, said = out.read().decode().splitlines(), err.read().decode().strip()
    if process.returncode:
        return {"failed": said.splitlines()[-1] if said else f"exit code {process.returncode}"}
    return json.loads(printed[-1])


def spent(pid: int) -> tuple[float, float]:
    """Return the resident memory, GiB, and the CPU seconds of a process and its children."""
    try:
        parent = psutil.Process(pid)
        processes = (parent, *parent.children(recursive=True))
        held = sum(one.memory_info().rss for one in processes)
        times = [one.cpu_times() for one in processes]
    except psutil.NoSuchProcess:
        return 0.0, 0.0
    return held / 2**30, sum(one.user + one.system for one in times)


def report(results: list[dict[str, Any]]) -> str:
    """Return the table as Markdown; ratios are a contender's medians beside this store's."""
    base = next((row for row in results if row["name"] == "ours" and "seconds" in row), None)
    lines = [
        "| | median s | best s | ours beside it | CPU s | ours beside it | peak MiB "
        "| ours beside it | nulls | same |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for row in results:
        if "seconds" not in row:
            lines.append(f"| {row['name']} | {row.get('stopped') or row['failed']} ||||||||")
            continue
        cells = [f"{median(row['seconds']):.3f}", f"{min(row['seconds']):.3f}"]
        cells += [ratio(base, row, _median), f"{_processor(row):.3f}", ratio(base, row, _processor)]
        cells += [f"{row['peak_mib']:.0f}", ratio(base, row, _peak), str(row["nulls"])]
        lines.append(f"| {row['name']} | {' | '.join(cells)} | {same(base, row)} |")
    return "\n".join(lines)


def _median(row: dict[str, Any]) -> float:
    return median(row["seconds"])


def _processor(row: dict[str, Any]) -> float:
    return median(row["cpu_seconds"])


def _peak(row: dict[str, Any]) -> float:
    return float(row["peak_mib"])


def ratio(
    base: dict[str, Any] | None, row: dict[str, Any], figure: Callable[[dict[str, Any]], float]
) -> str:
    """Return this store's figure as a share of a contender's, in words."""
    return "" if base is None else f"{figure(base) / figure(row):.2f}"


def same(base: dict[str, Any] | None, row: dict[str, Any]) -> str:
    """Return whether two answers agree in their nulls and their sum."""
    if base is None:
        return ""
    close_enough = math.isclose(row["total"], base["total"], rel_tol=1e-9, abs_tol=1e-6)
    return "yes" if row["nulls"] == base["nulls"] and close_enough else "no"


def main() -> None:
    """Write the files, run the contenders, print what they took."""
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    days = sessions("2000-01-03", "2025-12-31")[-arguments.sessions :]
    if arguments.run:
        found = run(arguments.run, arguments.data, arguments.tickers, days, arguments.runs)
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as folder:
        data = arguments.data or Path(folder, "data")
        if not data.is_dir():
            write_lake(data, arguments.tickers, days)
        results = contend(arguments.contenders, arguments, str(data))
    shape = {k: getattr(arguments, k) for k in ("tickers", "sessions", "runs")}
    if arguments.json:
        limits = {"limit_seconds": arguments.limit_seconds, "limit_gib": arguments.limit_gib}
        print(json.dumps({**shape, **limits, "features": len(REFS), "results": results}, indent=2))
        return
    print(
        f"{arguments.tickers} x {arguments.sessions} rows, {len(REFS)} features, "
        f"{arguments.runs} runs; limit a contender: {arguments.limit_seconds:g} CPU s in all runs, "
        f"{arguments.limit_gib:g} GiB\n"
    )
    print(report(results))
    print(f"\ngoal: at most {GOAL_RATIO:g} times polars, {GOAL_MEMORY:g} of the peak of pandas")


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickers", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=1_300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit-seconds", type=float, default=200.0)
    parser.add_argument("--limit-gib", type=float, default=12.0)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=[*CONTENDERS])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help="an existing lake of this shape")
    return parser.parse_args()


if __name__ == "__main__":
    main()
