"""Building and reading the technical features of many tickers, in one process and in Ray.

`python -m benchmarks.scale [--universe FOLDER] [--tickers 500 2000] [--engines local ray]
[--workers N] [--json]` lands daily prices, builds every view that they allow (technical), and
reads its features of the last 250 sessions of every ticker through Feast. `--universe` is a folder
of `TICKER.csv` files with Yahoo's columns: they pass the gate. `--tickers` are homes of so many
made-up tickers of 1,300 sessions each (8000 takes a few GB of disk).

Each phase is a process of its own. Its memory and its processor seconds are summed over it and all
it started, shared pages by their parts; they include imports. `seconds` starts after the imports
and includes Ray's start. What the engines wrote and answered is compared by hash.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from feature_repo.features.catalogue import GROUPS
from feature_repo.manifest import read_manifest
from feature_repo.markets import decision_time, sessions
from feature_repo.shard_runs import ENGINES, Placement
from ingestion.build import build_features
from ingestion.expectations import gate
from ingestion.lake import Lake
from ingestion.tables import PRICES
from optrade.logs import configure_logs

SESSIONS = 1_300
READ_SESSIONS = 250
LAND_BATCH = 100
SAMPLE_SECONDS = 0.2
DAYS = sessions("2015-01-02", "2024-12-31")[-SESSIONS:]
LANDED_AT = decision_time(DAYS[[-1]])[0]
REFS = [f"technical:{row.name}" for row in GROUPS["technical"].features]
YAHOO = {
    "Open": "open", "High": "high", "Low": "low", "Close": "close",
    "Adj Close": "adj_close", "Volume": "volume",
}  # fmt: skip


def main() -> None:
    """Measure, and print a table or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--universe", type=Path, help="folder of TICKER.csv files")
    parser.add_argument("--tickers", type=int, nargs="*", default=[])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--workers", type=int, help="of Ray; by default one for each core")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.phase:
        configure_logs("error")
        print(json.dumps(PHASES[arguments.phase](arguments)))
        return
    if not (arguments.tickers or arguments.universe):
        parser.error("nothing to measure: give --universe, --tickers or both")
    results = [row for home in homes(arguments) for row in measure(home, arguments)]
    print(json.dumps(results, indent=2) if arguments.json else as_table(results))


def homes(arguments: argparse.Namespace) -> list[list[str]]:
    """Return the options that say what each home holds."""
    real = [["--universe", str(arguments.universe)]] if arguments.universe else []
    return real + [["--tickers", str(count)] for count in arguments.tickers]


def measure(content: list[str], arguments: argparse.Namespace) -> list[dict[str, Any]]:
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
                "content": " ".join([content[0].strip("-"), Path(content[1]).name]),
                "engine": engine,
            }
            row |= {"land": landing, "build": run("build", home, options)}
            row |= {"read": run("read", home, options), **disk(home)}
            rows.append(row)
            shutil.rmtree(home)
    for row in rows:
        same = (row["build"]["manifest"], row["read"]["answer"])
        row["same"] = same == (rows[0]["build"]["manifest"], rows[0]["read"]["answer"])
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


def disk(home: Path) -> dict[str, Any]:
    """Return the files of a home and their bytes, MiB."""
    sizes = [path.stat().st_size for path in home.rglob("*") if path.is_file()]
    return {"files": len(sizes), "disk_mib": sum(sizes) / 2**20}


def land(arguments: argparse.Namespace) -> dict[str, Any]:
    """Land the prices of a home; real ones pass the gate."""
    start, rows = time.perf_counter(), 0
    with Lake(arguments.home) as lake:
        for frame in batches(arguments):
            good, bad = gate(PRICES, frame) if arguments.universe else (frame, None)
            rows += lake.land(PRICES, good, "recorded", LANDED_AT, bad).rows_new
    return {"seconds": time.perf_counter() - start, "rows": rows}


def batches(arguments: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Yield prices of some tickers at a time."""
    if arguments.universe:
        paths = sorted(arguments.universe.glob("*.csv"))
        makers = [(real_prices, path) for path in paths]
    else:
        makers = [(made_up_prices, f"T{number:05}") for number in range(arguments.tickers[0])]
    for at in range(0, len(makers), LAND_BATCH):
        parts = [make(what) for make, what in makers[at : at + LAND_BATCH]]
        yield pd.concat(parts, ignore_index=True)


def real_prices(path: Path) -> pd.DataFrame:
    """Return the prices of a CSV file with Yahoo's columns, without dividends and splits.

    Rows with nulls are left out: the gate would refuse them.
    """
    rows = pd.read_csv(path, parse_dates=["Date"]).dropna(ignore_index=True)
    frame = pd.DataFrame({"ticker": path.stem, "session": rows["Date"].astype("datetime64[ns]")})
    for theirs, ours in YAHOO.items():
        frame[ours] = rows[theirs].astype("float64")
    return PRICES.check(frame.assign(dividend=0.0, split=1.0)[list(PRICES.names)])


def made_up_prices(ticker: str) -> pd.DataFrame:
    """Return a random walk of 1,300 sessions."""
    draw = np.random.default_rng([*ticker.encode()])
    close = 100 * np.exp(np.cumsum(draw.normal(0, 0.015, SESSIONS)))
    opening = close * np.exp(draw.normal(0, 0.005, SESSIONS))
    frame = pd.DataFrame({"ticker": ticker, "session": DAYS.as_unit("ns"), "open": opening})
    frame["high"] = np.maximum(opening, close) * np.exp(draw.exponential(0.004, SESSIONS))
    frame["low"] = np.minimum(opening, close) * np.exp(-draw.exponential(0.004, SESSIONS))
    frame["close"] = close
    frame["volume"] = draw.integers(100_000, 9_000_000, SESSIONS).astype(float)
    return PRICES.check(frame.assign(dividend=0.0, split=1.0, adj_close=close))


def build(arguments: argparse.Namespace) -> dict[str, Any]:
    """Build all views of the landed tickers."""
    placement = Placement(arguments.engines[0], arguments.workers)
    warm_up()
    start = time.perf_counter()
    with Lake(arguments.home) as lake:
        tickers = lake.manifest.keys(PRICES.name)
        reports = build_features(lake, tickers, LANDED_AT, placement=placement)
    seconds = time.perf_counter() - start
    manifest = read_manifest(arguments.home)
    named = sorted((*name, entry.path, entry.sha256) for name, entry in manifest.entries.items())
    return {
        "seconds": seconds,
        "rows": sum(row.rows_new for row in reports),
        "tickers": len(tickers),
        "manifest": hashlib.sha256(json.dumps(named).encode()).hexdigest(),
    }


def read(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the technical features of the last 250 sessions of every ticker."""
    from feast import FeatureStore

    from feature_repo.repo_config import repo_config
    from ingestion.registry import apply

    config = repo_config(arguments.home, None)
    engine = arguments.engines[0]
    options = {"engine": engine, "workers": arguments.workers, "shards": 1}
    if engine == "ray":
        options["shards"] = 4 * (arguments.workers or psutil.cpu_count() or 1)
    config.offline_config = {**config.offline_config, **options}
    store = FeatureStore(config=config)
    apply(store, arguments.home)
    frame = entity_frame(arguments.home)
    start = time.perf_counter()
    answer = store.get_historical_features(frame, REFS).to_arrow()
    seconds = time.perf_counter() - start
    content = hashlib.sha256()
    for column in answer.columns:
        content.update(pd.util.hash_pandas_object(column.to_pandas(), index=False).to_numpy())
    return {"seconds": seconds, "rows": answer.num_rows, "answer": content.hexdigest()}


def entity_frame(home: Path) -> pd.DataFrame:
    """Return every ticker at the decision times of its last 250 sessions."""
    manifest = read_manifest(home)
    parts = []
    for ticker in manifest.keys("technical"):
        last = manifest.entries["technical", ticker].last
        moments = decision_time(sessions("2000-01-03", last)[-READ_SESSIONS:])
        parts.append(pd.DataFrame({"ticker": ticker, "event_timestamp": moments}))
    return pd.concat(parts, ignore_index=True)


def warm_up() -> None:
    """Import what a build would import lazily."""
    import talib

    assert talib
    assert len(DAYS) == SESSIONS


def as_table(results: list[dict[str, Any]]) -> str:
    """Return the results for people, as Markdown."""
    head = ["home", "tickers", "engine", "build s", "rows/s", "processor s", "MiB",
            "read s", "rows/s", "processor s", "MiB", "disk MiB", "files", "same"]  # fmt: skip
    lines = [head, ["---"] * len(head)]
    for row in results:
        made, answer = row["build"], row["read"]
        cells = [
            row["content"],
            made["tickers"],
            row["engine"],
            f"{made['seconds']:.1f}",
            f"{made['rows'] / made['seconds']:,.0f}",
            f"{made['processor_seconds']:.0f}",
            f"{made['peak_mib']:,.0f}",
            f"{answer['seconds']:.1f}",
            f"{answer['rows'] / answer['seconds']:,.0f}",
            f"{answer['processor_seconds']:.0f}",
            f"{answer['peak_mib']:,.0f}",
            f"{row['disk_mib']:,.0f}",
            f"{row['files']:,}",
            "yes" if row["same"] else "no",
        ]
        lines.append([str(cell) for cell in cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


PHASES = {"land": land, "build": build, "read": read}


if __name__ == "__main__":
    main()
