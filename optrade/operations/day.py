"""One day's work: bring data in, settle what is due, give and record today's signals."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from home.disk import words_of
from home.records.signal import Signal
from market.errors import DamagedFile, InputError, SourceUnavailable, StoreUnavailable
from optrade.flows.data import Ingested, fetch_and_build, publish
from optrade.flows.monitoring import settle_signals
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
    """

    ingested: Ingested
    settled: Settlement | None
    answers: list[Signal | TickerProblem]
    failed: dict[Step, str]

    def failures(self) -> list[str]:
        """Return a line for each cause: what was not done for it, and what to do."""
        causes = dict.fromkeys(self.failed.values())
        return [
            f"{', '.join(NOT_DONE[step] for step, why in self.failed.items() if why == cause)}: "
            f"{cause}"
            for cause in causes
        ]


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
    run: "Runtime", opened: "OpenedSource", tickers: list[str], progress: "Progress"
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
        return fetch_and_build(
            run.home, opened, tickers, progress, placement=run.settings.placement()
        )

    # Without data of an earlier day there is nothing to go on with.
    ingested = steps.take("ingest", ingest, NO_DATA) if _has_landed(run) else ingest()
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
    return Day(replace(ingested, online=online), settled, answers, steps.failed)


def _has_landed(run: "Runtime") -> bool:
    try:
        run.home.origin()
    except InputError:
        return False
    return True
