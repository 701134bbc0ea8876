"""Whole `optrade ingest` processes for the tests of crashes and of several at once."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ingestion.sources.base import requested_index
from market.availability import SERIES
from market.calendar import sessions
from tests.commands import Command, Commands, read

TICKERS = ("SPY", "IWM")
INDICES = ("VIX", "RVX", "VIX3M")
FIRST, LAST = "2023-06-01", "2024-11-15"


@dataclass
class Run:
    """One run of `optrade ingest` into a home, and the database of Redis that it publishes to."""

    home: Path
    database: int = 0
    name: str = "run"
    tickers: tuple[str, ...] = field(default=TICKERS)

    def said(self, stream: str = "stderr") -> str:
        """Return what the run wrote."""
        return read(self._output, stream)

    def command(self, folder: Path, redis: str) -> Command:
        """Return the run as a command of its own process."""
        arguments = ("ingest", "--source", "recorded", "--recorded-dir", str(folder), "--json")
        kept = {name: v for name, v in os.environ.items() if not name.endswith("_API_KEY")}
        return Command(
            (*arguments, "--tickers", ",".join(self.tickers)),
            kept | {"OPTRADE_HOME": str(self.home), "REDIS_URL": f"{redis}/{self.database}"},
            self._output,
        )

    @property
    def _output(self) -> str:
        return str(self.home.with_name(f"{self.home.name}.{self.name}"))


@dataclass(frozen=True)
class Ingests:
    """Runs over one folder of recorded data.

    Parameters
    ----------
    folder
        Recorded data.
    redis
        The URL of a server, without a database.
    commands
        What the runs are started by.
    """

    folder: Path
    redis: str
    commands: Commands

    def to_the_end(self, *runs: Run) -> list[int]:
        """Let runs start at once and end by themselves; return their exit codes."""
        return self.commands.run(*self._commands(runs))

    def killed_after(self, run: Run, seconds: float) -> bool:
        """Kill a run after a time; return whether it was still at work."""
        return self.commands.run(*self._commands([run]), seconds=seconds) == [-signal.SIGKILL]

    def _commands(self, runs: Sequence[Run]) -> list[Command]:
        return [run.command(self.folder, self.redis) for run in runs]


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
