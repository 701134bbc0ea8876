"""The whole loop, step by step, in a home of its own; nothing is left running."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from home.layout import Home
from home.records.signal import Signal
from market.underlyings import UNDERLYINGS
from optrade.flows import data
from optrade.flows.backfill.signals import Backfilled, asked_days, backfill
from optrade.flows.monitoring import settle_signals
from optrade.flows.serve import service, signals
from optrade.flows.train import models
from optrade.flows.train.jobs import Job, preferred_jobs
from optrade.flows.train.window import Window
from optrade.redis import server as redis_server

if TYPE_CHECKING:
    from home.progress import Progress
    from optrade.runtime import OpenedSource, Runtime
    from trading.ledger.settle import Settlement
    from training.registry.register import Registered

TICKERS: Final = list(UNDERLYINGS)
# The simulated market has every series from its first session on. Of the recorded one, five years
# are what all three underlyings have: the index of IWM starts at the end of 2019.
WINDOWS: Final = {"simulated": Window("max"), "recorded": Window("5y")}
Step = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a demo ends with."""

    home: Home
    trained: "list[Registered]"
    signals: list[Signal]
    past: list[Backfilled]
    settled: "Settlement"


def in_demo(run: "Runtime", origin: str) -> "Runtime":
    """Return the runtime of the home that a demo walks in: `.demo/<origin>` of this one."""
    return replace(run, home=Home(run.home.root / ".demo" / origin))


def run_demo(
    inside: "Runtime", opened: "OpenedSource", step: Step, progress: "Progress"
) -> Outcome:
    """Walk the loop in the home of a demo, on the data of an opened source."""
    window = WINDOWS[opened.source.origin]
    with own_redis(inside):
        step("fetching raw tables, checking and landing them")
        data.fetch(inside.home, opened, TICKERS, progress)
        step("computing features")
        data.build(inside.home, opened.landed_at, progress, inside.settings.placement())
        step("bringing the newest features into the online store")
        data.publish(inside, opened.as_of)
        step(f"training and judging {len(jobs())} models")
        trained = models.train_models(inside, jobs(), window, progress)
        step("asking for signals and recording them")
        found = signals.compute_signals(inside, TICKERS, opened.as_of)
        signals.record_signals(inside, found)
        step("filling the ledger with the year before, as models that had not seen it would")
        past = backfill(inside, TICKERS, asked_days(None, None, opened.as_of), window, progress)
        settled = settle_signals(inside, opened.as_of)
        step("serving over HTTP and asking the same again")
        served = served_signals(inside)
    if served != found:
        raise RuntimeError("the signals over HTTP differ from those of the command line")
    return Outcome(inside.home, trained, found, past, settled)


def jobs() -> list[Job]:
    """Return the trainings of the demo: the preferred models of each ticker."""
    return [job for ticker in TICKERS for job in preferred_jobs(ticker)]


def served_signals(run: "Runtime") -> list[Signal]:
    """Start the HTTP service, ask it for every ticker, and end it."""
    with service.running(run) as base:
        return [service.ask(base, ticker) for ticker in TICKERS]


@contextmanager
def own_redis(run: "Runtime") -> Iterator[None]:
    """Have the home's own server for the time of a `with` block, whatever was there before."""
    running_before = redis_server.status(run.home.data) is not None
    try:
        yield
    finally:
        if not running_before and run.settings.redis_url is None:
            redis_server.stop(run.home.data)


def shown_path(path: Path) -> str:
    """Return a path as seen from the working folder."""
    return os.path.relpath(path)


def next_commands(home: Home) -> list[str]:
    """Return commands that go on in a home, as they are typed in the working folder."""
    start = f"OPTRADE_HOME={shlex.quote(shown_path(home.root))} {shlex.quote(_program())}"
    return [f"{start} {words}" for words in ("signal --ticker SPY", "serve", "dashboard")]


def _program() -> str:
    """Return what starts this `optrade` from the working folder."""
    ours = Path(sys.executable).with_name("optrade")
    on_path = shutil.which("optrade")
    if on_path is not None and ours.exists() and Path(on_path).samefile(ours):
        return "optrade"
    return shown_path(ours)
