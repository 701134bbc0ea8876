"""Whole `optrade ingest` processes for the tests of crashes and of several at once.

One process imports what the command needs, and forks for each run: a run is a process of its own
from its first step on the disk to its last, without the seconds of imports before.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd

from ingestion.sources.base import requested_index
from market.availability import SERIES
from market.calendar import sessions

TICKERS = ("SPY", "IWM")
INDICES = ("VIX", "RVX", "VIX3M")
FIRST, LAST = "2023-06-01", "2024-11-15"

FORKS = """
import json, os, signal, sys, time
import great_expectations
import feast.infra.online_stores.redis
import ingestion.sources.recorded.source
import optrade.flows.data
from market.calendar import calendar
from optrade.cli import main
calendar()
print("[]", flush=True)
for line in sys.stdin:
    pids, ask = [], json.loads(line)
    for run in ask["runs"]:
        pid = os.fork()
        if pid == 0:
            os.environ.update(run["environment"])
            for number, name in ((1, "stdout"), (2, "stderr")):
                os.dup2(os.open(run[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            sys.argv = ["optrade", *run["arguments"]]
            main()
        pids.append(pid)
    if ask["seconds"] is not None:
        time.sleep(ask["seconds"])
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    print(json.dumps(codes), flush=True)
"""


@dataclass
class Run:
    """One run of `optrade ingest` into a home, and the database of Redis that it publishes to."""

    home: Path
    database: int = 0
    name: str = "run"
    tickers: tuple[str, ...] = field(default=TICKERS)

    def said(self, stream: str = "stderr") -> str:
        """Return what the run wrote."""
        return self._file(stream).read_text()

    def document(self, folder: Path, redis: str) -> dict[str, object]:
        """Return the run as the forking process takes it."""
        arguments = ["ingest", "--source", "recorded", "--recorded-dir", str(folder), "--json"]
        return {
            "arguments": [*arguments, "--tickers", ",".join(self.tickers)],
            "environment": {
                "OPTRADE_HOME": str(self.home),
                "REDIS_URL": f"{redis}/{self.database}",
            },
            "stdout": str(self._file("stdout")),
            "stderr": str(self._file("stderr")),
        }

    def _file(self, stream: str) -> Path:
        return self.home.with_name(f"{self.home.name}.{self.name}.{stream}")


class Ingests:
    """The forking process, a context manager.

    Parameters
    ----------
    folder
        Recorded data.
    redis
        The URL of a server, without a database.
    """

    def __init__(self, folder: Path, redis: str) -> None:
        self.folder = folder
        self.redis = redis

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={name: v for name, v in os.environ.items() if not name.endswith("_API_KEY")},
        )
        self._answer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def to_the_end(self, *runs: Run) -> list[int]:
        """Let runs start at once and end by themselves; return their exit codes."""
        return self._asked(runs, None)

    def killed_after(self, run: Run, seconds: float) -> bool:
        """Kill a run after a time; return whether it was still at work."""
        return self._asked([run], seconds) == [-signal.SIGKILL]

    def _asked(self, runs: Sequence[Run], seconds: float | None) -> list[int]:
        documents = [run.document(self.folder, self.redis) for run in runs]
        self._process.stdin.write(json.dumps({"runs": documents, "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> list[int]:
        return list(json.loads(self._process.stdout.readline()))


@contextmanager
def serve_redis(folder: Path) -> Iterator[str]:
    """Yield the URL of a server without a database, stopped afterwards.

    A killed run must not leave one of its own behind.
    """
    from optrade.redis import server as redis_server

    try:
        yield redis_server.start(folder).url.removesuffix("/0")
    finally:
        redis_server.stop(folder)


def write_folder(folder: Path) -> Path:
    """Write recorded files of two tickers over a year and a half, and return their folder."""
    days = sessions(FIRST, LAST)
    for number, ticker in enumerate(TICKERS):
        _write(folder / "yahoo" / f"{ticker}.csv", _bars(days, number))
    for number, symbol in enumerate(INDICES):
        requested_index(symbol)
        close = _walk(days, [7, number], 20.0)
        _write(folder / "cboe" / f"{symbol}.csv", pd.DataFrame({"Date": days, "Close": close}))
    for number, name in enumerate(SERIES):
        step = "B" if SERIES[name].day is None else "MS"
        dates = pd.date_range(pd.Timestamp(FIRST) - pd.DateOffset(years=2), LAST, freq=step)
        values = _walk(dates, [9, number], 300.0 if name == "CPIAUCSL" else 4.0)
        columns = {"observation_date": dates, name: values}
        _write(folder / "fred" / f"{name}.csv", pd.DataFrame(columns))
    return folder


def _bars(days: pd.DatetimeIndex, number: int) -> pd.DataFrame:
    close = _walk(days, [5, number], 100.0)
    frame = pd.DataFrame({"Date": days, "Open": np.append(close[:1], close[:-1])})
    frame["High"] = np.maximum(frame["Open"], close) + 0.5
    frame["Low"] = np.minimum(frame["Open"], close) - 0.5
    volume = np.random.default_rng([6, number]).integers(10**6, 9 * 10**6, len(days))
    return frame.assign(
        **{"Close": close, "Adj Close": close, "Volume": volume, "Dividends": 0.0}
    )  # fmt: skip


def _walk(days: pd.DatetimeIndex, seed: list[int], level: float) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0, 0.005, len(days))
    return (level * np.exp(np.cumsum(steps))).round(4)


def _write(path: Path, frame: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, date_format="%Y-%m-%d")
