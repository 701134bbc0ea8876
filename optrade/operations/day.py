"""One day's work: bring data in, settle what is due, give and record today's signals."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import pandas as pd

from home.disk import words_of
from home.origin import Origin
from home.records.signal import Signal
from market.calendar import last_complete_session
from market.errors import DamagedFile, InputError, SourceUnavailable, StoreUnavailable
from optrade.clock import check_forward
from optrade.flows.data import Ingested, fetch_and_build, publish
from optrade.flows.monitoring import settle_signals
from optrade.flows.serve.shadows import Shadow, record_shadows
from optrade.flows.serve.signals import answer_each, record_signals
from serving.http.schema import TickerProblem
from trading.ledger.settle import Settlement

if TYPE_CHECKING:
    from home.progress import Progress
    from optrade.runtime import OpenedSource, Runtime

Done = TypeVar("Done")
Step = Literal["ingest", "publish", "settle", "signals", "record"]
# What did not happen where a step failed.
NOT_DONE: Final[dict[Step, str]] = {
    "ingest": "no new data came in",
    "publish": "the features were not published",
    "settle": "outcomes were not all settled",
    "signals": "no signal was given",
    "record": "the signals were not all recorded",
}
UNNAMED: Final = (
    "recorded data needs --recorded-dir, the folder of CSV files it is read from; name it to take "
    "the home on"
)
Carried = tuple[type[Exception], ...]
# How a step fails without a fault of ours.
FAILS: Final[Carried] = (InputError, SourceUnavailable)
# Other bad input to an ingest is what the command was asked for, and ends it.
NO_DATA: Final[Carried] = (DamagedFile, StoreUnavailable, SourceUnavailable)


@dataclass(frozen=True)
class Day:
    """What became of each step of a day.

    Attributes
    ----------
    ingested
        What was fetched, built and brought online.
    settled
        None where that failed.
    answers
        Each ticker's signal, or why there is none.
    failed
        Why a step was not done, by its name, in the order of the steps.
    shadows
        What became of what rivals say, beside each signal that was recorded.
    """

    ingested: Ingested
    settled: Settlement | None
    answers: list[Signal | TickerProblem]
    failed: dict[Step, str]
    shadows: tuple[Shadow, ...] = ()

    def failures(self) -> list[str]:
        """Return a line for each cause: what was not done for it, and what to do."""
        causes = dict.fromkeys(self.failed.values())
        return [
            f"{', '.join(NOT_DONE[step] for step, why in self.failed.items() if why == cause)}: "
            f"{cause}"
            for cause in causes
        ]


@dataclass(frozen=True)
class NotOpened:
    """A source that cannot be read today, why, and the clock of the day all the same."""

    as_of: pd.Timestamp
    why: str


def source_of_day(
    run: "Runtime",
    source: str | None,
    recorded_dir: Path | None,
    seed: int | None,
    signal_strength: float | None,
    as_of: str | None,
) -> "OpenedSource | NotOpened":
    """Open the source of a day; see `Runtime.source`.

    A recorded home whose folder is not named goes on with what has landed in it.
    """
    recorded = recorded_dir is None and source in (None, "recorded")
    if recorded and _origin(run) == "recorded":
        clock = run.as_of(as_of)
        if as_of is not None:
            check_forward(run.home, as_of, last_complete_session(clock))
        return NotOpened(clock, UNNAMED)
    return run.source(source, recorded_dir, seed, signal_strength, as_of)


@dataclass
class _Steps:
    """A day that goes on where a step fails, and keeps why it did."""

    failed: dict[Step, str] = field(default_factory=dict)

    def take(self, step: Step, work: Callable[[], Done], carried: Carried = FAILS) -> Done | None:
        """Return what a step gives, None where it fails in a way that the day can go on from."""
        try:
            return work()
        except carried as error:
            self.failed[step] = str(error)
        except OSError as error:
            if (words := words_of(error)) is None:
                raise
            self.failed[step] = words
        return None


def run_day(
    run: "Runtime", opened: "OpenedSource | NotOpened", tickers: list[str], progress: "Progress"
) -> Day:
    """Do the day's steps in order; each is safe to repeat, so a day cut short is run again.

    A step that fails leaves the others to do what they can, and is named. A ticker without a
    signal says why; what landed, was settled and recorded stays.

    Raises
    ------
    InputError
        If what was asked for is no day of this home.
    """
    steps = _Steps()

    def ingest() -> Ingested:
        if isinstance(opened, NotOpened):
            raise SourceUnavailable(opened.why)
        return fetch_and_build(
            run.home, opened, tickers, progress, placement=run.settings.placement()
        )

    # Without data of an earlier day there is nothing to go on with.
    ingested = steps.take("ingest", ingest, NO_DATA) if _origin(run) else ingest()
    ingested = ingested or Ingested()
    if ingested.built is not None and not any(view.keys for view in ingested.built):
        # A new home whose vendors did not answer: the fetch says why.
        return Day(ingested, Settlement((), 0, ()), [], steps.failed)
    online = steps.take("publish", lambda: publish(run, opened.as_of))
    settled = steps.take("settle", lambda: settle_signals(run, opened.as_of))
    if settled is not None and settled.unread:
        steps.failed["settle"] = "; ".join(dict.fromkeys(settled.unread.values()))
    answers = steps.take("signals", lambda: answer_each(run, tickers, opened.as_of)) or []
    given = [row for row in answers if isinstance(row, Signal)]
    steps.take("record", lambda: record_signals(run, given))
    shadows = () if "record" in steps.failed else tuple(record_shadows(run, given))
    return Day(replace(ingested, online=online), settled, answers, steps.failed, shadows)


def _origin(run: "Runtime") -> Origin | None:
    """Return what a home holds, None where nothing has landed."""
    try:
        return run.home.origin()
    except InputError:
        return None
