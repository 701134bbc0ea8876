"""Building and reading the technical features of many tickers, in one process and in Ray.

`python -m benchmarks.scale [--universe FOLDER] [--tickers 500 2000] [--engines local ray]
[--workers N] [--days 252] [--json] [--write]` lands daily prices, builds every view that they allow
(technical), and reads its features of the last 250 sessions of every ticker through Feast, in
shards of as many tickers as a build's. `--universe` is a folder of `TICKER.csv` files with Yahoo's
columns: they pass the gate. `--tickers` are homes of so many made-up tickers of 1,300 sessions each
(8000 takes about 10 GB of disk). `--days` lands and builds 4 of them once a day. `--write` keeps
the figures in docs/scale.json and writes the tables of docs/scale.md from all that is kept.

Each phase is a process of its own. Its memory and its processor seconds are summed over it and all
it started, shared pages by their parts; they include imports. `seconds` starts after the imports
and includes Ray's start. What the engines wrote and answered is compared by hash; `load` is the
machine's load average of the last minute when the measurement began.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.scale_page import TABLES, Row, record, results_of, write_page
from benchmarks.scale_phases import PHASES, disk
from feature_repo.store.shard_runs import ENGINES
from optrade.logs import configure_logs

SAMPLE_SECONDS = 0.2
DAILY_TICKERS = 4
WORDS = {"--universe": "{} real tickers", "--tickers": "{} made-up tickers"}


def main() -> None:
    """Measure, and print a table or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--universe", type=Path, help="folder of TICKER.csv files")
    parser.add_argument("--tickers", type=int, nargs="*", default=[])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--workers", type=int, help="of Ray; by default one for each core")
    parser.add_argument("--days", type=int, default=0, help="daily runs of 4 made-up tickers")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="keep the figures in docs/")
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.phase:
        configure_logs("error")
        print(json.dumps(PHASES[arguments.phase](arguments)))
        return
    if not (arguments.tickers or arguments.universe or arguments.days):
        parser.error("nothing to measure: give --universe, --tickers or --days")
    results = []
    for measured in measurements(arguments):
        results += measured
        if arguments.write:  # home by home: the larger ones may not come to their end
            write_page(record(measured))
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        print("\n\n".join(write(results_of(results, table)) for table, write in TABLES.items()))


def measurements(arguments: argparse.Namespace) -> Iterator[list[Row]]:
    """Yield the rows of each home, and of the daily runs."""
    for home in homes(arguments):
        yield measure(home, arguments)
    if arguments.days:
        options = ["--tickers", str(DAILY_TICKERS), "--days", str(arguments.days)]
        with tempfile.TemporaryDirectory(prefix="scale") as scratch:
            took = run("daily", Path(scratch, "home"), options)
        yield [
            {
                "table": "daily",
                "content": f"{arguments.days} days",
                "engine": "local",
                "daily": took,
            }
        ]


def homes(arguments: argparse.Namespace) -> list[list[str]]:
    """Return the options that say what each home holds."""
    real = [["--universe", str(arguments.universe)]] if arguments.universe else []
    return real + [["--tickers", str(count)] for count in arguments.tickers]


def measure(content: list[str], arguments: argparse.Namespace) -> list[Row]:
    """Land one home, and build and read a copy of it with each engine."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="scale") as scratch:
        landed = Path(scratch, "landed")
        landing = run("land", landed, content)
        for engine in arguments.engines:
            home = Path(scratch, engine)
            shutil.copytree(landed, home)
            options = [*content, "--engines", engine]
            if engine == "ray" and arguments.workers:
                options += ["--workers", str(arguments.workers)]
            row = {
                "table": "size",
                "content": WORDS[content[0]].format(
                    len(list(Path(content[1]).glob("*.csv"))) or content[1]
                ),
                "engine": engine,
                "load": os.getloadavg()[0],
            }
            row |= {"land": landing, "build": run("build", home, options)}
            row |= {"read": run("read", home, options), **disk(home)}
            rows.append(row)
            shutil.rmtree(home)
    for row in rows:
        same = (row["build"]["manifest"], row["read"]["answer"])
        alike = same == (rows[0]["build"]["manifest"], rows[0]["read"]["answer"])
        row["same"] = alike if len(rows) > 1 else None
    return rows


def run(phase: str, home: Path, options: list[str]) -> dict[str, Any]:
    """Run a phase in a process of its own, and return what it says and its peak memory, MiB."""
    command = [sys.executable, "-m", "benchmarks.scale", "--phase", phase, "--home", str(home)]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen([*command, *options], stdout=output, stderr=errors)
        peak, used = 0.0, dict[int, float]()
        while process.poll() is None:
            peak = max(peak, sample(process.pid, used))
            time.sleep(SAMPLE_SECONDS)
        wall = time.perf_counter() - start
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(errors.read().decode()[-2000:])
        found = json.loads(output.read().splitlines()[-1])
    measured = {**found, "wall": wall, "peak_mib": peak, "processor_seconds": sum(used.values())}
    print(phase, *options, json.dumps(measured), file=sys.stderr)
    return measured


def sample(pid: int, used: dict[int, float]) -> float:
    """Return the memory of a process and its children, MiB, and note their processor seconds."""
    total = 0
    try:
        parent = psutil.Process(pid)
        processes = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in processes:
        try:
            total += process.memory_full_info().pss
            times = process.cpu_times()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        used[process.pid] = times.user + times.system
    return total / 2**20


if __name__ == "__main__":
    main()
