"""One day's work: bring data in, settle what is due, give and record today's signals."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from home.records.signal import Signal
from optrade.flows.data import Ingested, fetch_and_build, publish
from optrade.flows.monitoring import settle_signals
from optrade.flows.serve.signals import answer_each, record_signals
from serving.http.schema import TickerProblem
from trading.ledger.settle import Settlement

if TYPE_CHECKING:
    from home.progress import Progress
    from optrade.runtime import OpenedSource, Runtime


@dataclass(frozen=True)
class Day:
    """What was fetched, built and brought online, what was settled, and each ticker's answer."""

    ingested: Ingested
    settled: Settlement
    answers: list[Signal | TickerProblem]


def run_day(
    run: "Runtime", opened: "OpenedSource", tickers: list[str], progress: "Progress"
) -> Day:
    """Do the day's steps in order; each is safe to repeat, so a day cut short is run again.

    A ticker without a signal says why; what landed, was settled and recorded stays.
    """
    ingested = fetch_and_build(
        run.home, opened, tickers, progress, placement=run.settings.placement()
    )
    if not any(view.keys for view in ingested.built or ()):
        # A new home whose vendors did not answer: the fetch says why.
        return Day(ingested, Settlement((), 0, ()), [])
    ingested = replace(ingested, online=publish(run, opened.as_of))
    settled = settle_signals(run, opened.as_of)
    answers = answer_each(run, tickers, opened.as_of)
    record_signals(run, [row for row in answers if isinstance(row, Signal)])
    return Day(ingested, settled, answers)
