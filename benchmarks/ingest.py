"""Landing and building three tickers of 25 years beside reading the same CSV files with pandas.

`python -m benchmarks.ingest [--recorded-dir FOLDER] [--json]` lands every table that the folder
has and builds every view, in this process and after the imports, then does it again with nothing
new. Without a folder a simulated market of prices, indices and macro series is written in the
vendors' shapes first. The floor is `pandas.read_csv` of every file that is read. Processor seconds
stand beside the clock's, as other processes do not count in them.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.landing.land import fetch_all
from ingestion.sources.recorded.source import Recorded
from ingestion.sources.simulated.source import Simulated
from market.availability import SERIES
from market.calendar import decision_time
from market.underlyings import UNDERLYINGS, VOLATILITY_INDICES
from optrade.logs import configure_logs

GOAL_SECONDS = 10.0
GOAL_SECOND_RUN = 2.0
# What a simulated folder reaches from and to.
FIRST, LAST = "2000-01-03", "2024-12-31"
YAHOO = {
    "session": "Date", "open": "Open", "high": "High", "low": "Low", "close": "Close",
    "adj_close": "Adj Close", "volume": "Volume", "dividend": "Dividends", "split": "Stock Splits",
}  # fmt: skip
CBOE = {"session": "Date", "open": "Open", "high": "High", "low": "Low", "close": "Close"}
Phase = tuple[str, float, float]


def main() -> None:
    """Measure, and print a table or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recorded-dir", type=Path, help="folder of vendor-shaped CSV files")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    configure_logs("error")
    import_all()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.recorded_dir or write_simulated(Path(scratch, "recorded"))
        report = measure(folder, Path(scratch, "home"))
    print(json.dumps(report, indent=2) if arguments.json else as_table(report))


def import_all() -> None:
    """Import what the measured calls would import lazily."""
    import great_expectations
    import talib

    import ingestion.sources.headlines.scores

    assert great_expectations
    assert talib
    assert ingestion.sources.headlines.scores


def measure(folder: Path, home: Path) -> dict[str, Any]:
    """Return the seconds of every phase, over a recorded folder and in an empty home."""
    end = Recorded(folder).last_session()
    landed_at = decision_time(pd.DatetimeIndex([end]))[0]
    phases: list[Phase] = []
    with timed(phases, "floor: pandas.read_csv of the same files"):
        rows = sum(len(pd.read_csv(path)) for path in files_read(folder))
    tables: dict[str, int] = {}
    views: dict[str, int] = {}
    for run in ("first run", "second run, nothing new"):
        with timed(phases, f"{run}: fetch, gate, land"), Lake(home) as lake:
            source = Recorded(folder)
            landed = fetch_all(lake, source, list(UNDERLYINGS), None, end, landed_at)
        with timed(phases, f"{run}: build"), Lake(home) as lake:
            built = build_features(lake, list(UNDERLYINGS), landed_at)
        tables = tables or {row.table: row.rows_new for row in landed}
        views = views or {row.view: row.rows_new for row in built}
    return {
        "rows_read": rows, "rows_landed": tables, "rows_built": views,
        "phases": [{"phase": p, "seconds": w, "processor_seconds": c} for p, w, c in phases],
        "first_run": total(phases, "first run"), "goal_first_run": GOAL_SECONDS,
        "second_run": total(phases, "second run"), "goal_second_run": GOAL_SECOND_RUN,
    }  # fmt: skip


@contextmanager
def timed(phases: list[Phase], name: str) -> Iterator[None]:
    """Add the wall and the processor seconds of the block."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    phases.append((name, time.perf_counter() - wall, time.process_time() - processor))


def total(phases: list[Phase], run: str) -> float:
    """Return the wall seconds of a run."""
    return sum(wall for name, wall, _ in phases if name.startswith(run))


def files_read(folder: Path) -> list[Path]:
    """Return the files that landing three tickers reads."""
    names = {*UNDERLYINGS, *VOLATILITY_INDICES, *SERIES}
    daily = [path for path in sorted(folder.glob("*/*.csv")) if path.stem in names]
    return daily + [path for path in sorted(folder.glob("*/*.csv")) if is_events(path)]


def is_events(path: Path) -> bool:
    """Return whether a file holds news, mentions, reports or option chains."""
    return path.parent.name in ("finnhub", "apewisdom", "option_chains")


def write_simulated(folder: Path) -> Path:
    """Write a simulated market as recorded files, and return the folder."""
    last = pd.Timestamp(LAST)
    as_of = decision_time(pd.DatetimeIndex([last]))[0]
    source = Simulated(7, 0.0, as_of, first_session=FIRST)

    def write(table: str, keys: Iterable[str], place: str, names: dict[str, str]) -> None:
        for key in keys:
            frame = as_yahoo(source.fetch(table, [key], None, last))
            path = folder / place / f"{key}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            named = {name: header.format(key=key) for name, header in names.items()}
            frame[list(names)].rename(columns=named).to_csv(path, index=False)

    write("prices", UNDERLYINGS, "yahoo", YAHOO)
    write("indices", VOLATILITY_INDICES, "cboe", CBOE)
    write(
        "macro_series", SERIES, "fred",
        {"observation_date": "observation_date", "value": "{key}"},
    )  # fmt: skip
    return folder


def as_yahoo(frame: pd.DataFrame) -> pd.DataFrame:
    """Return bars adjusted for their later splits, as Yahoo gives them; other rows as they are."""
    if "split" not in frame:
        return frame
    later = frame["split"][::-1].cumprod()[::-1].shift(-1, fill_value=1.0)
    scaled = {name: frame[name] / later for name in ("open", "high", "low", "close", "dividend")}
    split = frame["split"].mask(frame["split"] == 1.0, 0.0)
    return frame.assign(**scaled, volume=frame["volume"] * later, split=split)


def as_table(report: dict[str, Any]) -> str:
    """Return the report for people."""
    lines = [f"{'':48}{'seconds':>10}{'processor':>11}{'goal':>8}"]
    lines += [
        f"{row['phase']:48}{row['seconds']:10.2f}{row['processor_seconds']:11.2f}"
        for row in report["phases"]
    ]
    for run in ("first_run", "second_run"):
        name = f"{run.replace('_', ' ')}, together"
        lines.append(f"{name:48}{report[run]:10.2f}{'':11}{report[f'goal_{run}']:8.0f}")
    for kind, rows in (("landed", report["rows_landed"]), ("built", report["rows_built"])):
        counts = ", ".join(f"{name} {count:,}" for name, count in rows.items())
        lines.append(f"rows {kind}: {counts}")
    return "\n".join([*lines, f"rows read by the floor: {report['rows_read']:,}"])


if __name__ == "__main__":
    main()
