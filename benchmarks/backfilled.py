"""What `optrade backfill` of a year costs beside the trainings that its forecasts need.

`python -m benchmarks.backfilled HOME` takes a home with data. In a copy of it the models of each
underlying are walked and fitted, nothing else; in another a year is backfilled and settled from
nothing. What its forecasts cost is the whole but for making signals of them, positions priced, and
for settling.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from unittest import mock

from home.layout import Home
from home.records.signal import Signal
from optrade.clock import utc_now
from optrade.flows.backfill.signals import asked_days, backfill
from optrade.flows.backtest.walks import walks_of
from optrade.flows.monitoring import settle_signals
from optrade.flows.train.window import Window
from optrade.runtime import Runtime
from optrade.settings import Settings
from serving.answer.signals import build_signal

#: Times the trainings that a backfill may cost.
ALLOWED: Final = 1.2
TICKERS: Final = ("SPY", "QQQ", "IWM")
PERIOD: Final = Window("5y")


def opened(home: Path, folder: str, name: str) -> Runtime:
    """Return a copy of a home without any walk and ledger."""
    path = Path(folder, name)
    shutil.copytree(home, path, ignore=shutil.ignore_patterns("walked", "ledger.db*"))
    return Runtime(Settings(OPTRADE_HOME=path), Home(path), utc_now())


def train(run: Runtime) -> float:
    """Walk and fit the models of each underlying."""
    store = run.feature_store(online=False)
    for ticker in TICKERS:
        walks_of(run, store, ticker, PERIOD)
    return 0.0


def fill(run: Runtime) -> float:
    """Backfill a year and settle it; return the seconds that no forecast took."""
    clock, made = run.as_of(None), build_signal
    spent = 0.0

    def timed_signal(*args: object, **rest: object) -> Signal:
        nonlocal spent
        began = time.process_time()
        try:
            return made(*args, **rest)
        finally:
            spent += time.process_time() - began

    with mock.patch("optrade.flows.backfill.signals.build_signal", timed_signal):
        backfill(run, list(TICKERS), asked_days(None, None, clock), PERIOD, lambda *_: None)
    began = time.process_time()
    settle_signals(run, clock)
    return spent + time.process_time() - began


def timed(body: Callable[[Runtime], float], run: Runtime) -> tuple[float, float]:
    """Return seconds of a processor, and those that no forecast took."""
    began = time.process_time()
    rest = body(run)
    return time.process_time() - began, rest


def main() -> None:
    """Print both, and their ratio."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("home", type=Path)
    home = asked.parse_args().home
    with tempfile.TemporaryDirectory() as folder:
        timed(train, opened(home, folder, "once"))  # what a process does once is no part of either
        needed, _ = timed(train, opened(home, folder, "trained"))
        whole, rest = timed(fill, opened(home, folder, "filled"))
    print("| three underlyings, a year | seconds of a processor |")
    print("|---|---|")
    print(f"| their trainings | {needed:.1f} |")
    print(f"| the forecasts of a backfill | {whole - rest:.1f} |")
    print(f"| signals of them, priced and settled | {rest:.1f} |")
    ratio = (whole - rest) / needed
    print(f"forecasts, times the trainings: {ratio:.2f}, allowed {ALLOWED}")
    assert ratio <= ALLOWED


if __name__ == "__main__":
    main()
