"""What `optrade backfill` of a year costs beside the trainings that its forecasts need.

`python -m benchmarks.backfilled HOME` takes a home with data. In a copy of it the models of each
underlying are walked and fitted, nothing else; in another a year is backfilled and settled from
nothing. Both in seconds of a processor, and of the clock.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from home.layout import Home
from optrade.clock import utc_now
from optrade.flows.backfill.signals import asked_days, backfill
from optrade.flows.backtest.walks import walks_of
from optrade.flows.monitoring import settle_signals
from optrade.flows.train.window import Window
from optrade.runtime import Runtime
from optrade.settings import Settings

#: Times the trainings that a backfill may cost.
ALLOWED: Final = 1.2
TICKERS: Final = ("SPY", "QQQ", "IWM")
PERIOD: Final = Window("5y")


def opened(home: Path, folder: str, name: str) -> Runtime:
    """Return a copy of a home without any walk and ledger."""
    path = Path(folder, name)
    shutil.copytree(home, path, ignore=shutil.ignore_patterns("walked", "ledger.db*"))
    return Runtime(Settings(OPTRADE_HOME=path), Home(path), utc_now())


def train(run: Runtime) -> None:
    """Walk and fit the models of each underlying."""
    store = run.feature_store(online=False)
    for ticker in TICKERS:
        walks_of(run, store, ticker, PERIOD)


def fill(run: Runtime) -> None:
    """Backfill a year, and settle it."""
    clock = run.as_of(None)
    backfill(run, list(TICKERS), asked_days(None, None, clock), PERIOD,
             lambda *_: None)  # fmt: skip
    settle_signals(run, clock)


def timed(body: Callable[[Runtime], None], run: Runtime) -> tuple[float, float]:
    """Return seconds of a processor and of the clock."""
    spent, passed = time.process_time(), time.perf_counter()
    body(run)
    return time.process_time() - spent, time.perf_counter() - passed


def main() -> None:
    """Print both, and their ratio."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("home", type=Path)
    home = asked.parse_args().home
    with tempfile.TemporaryDirectory() as folder:
        once = opened(home, folder, "once")
        timed(train, once)  # what a process does once is no part of either
        needed = timed(train, opened(home, folder, "trained"))
        whole = timed(fill, opened(home, folder, "filled"))
    print("| three underlyings, a year | seconds of a processor | seconds |")
    print("|---|---|---|")
    print(f"| their trainings | {needed[0]:.1f} | {needed[1]:.1f} |")
    print(f"| the whole backfill | {whole[0]:.1f} | {whole[1]:.1f} |")
    ratio = whole[0] / needed[0]
    print(f"times the trainings: {ratio:.2f}, allowed {ALLOWED}")
    assert ratio <= ALLOWED


if __name__ == "__main__":
    main()
