"""One day's work: bring data in, settle what is due, give and record today's signals."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from home.records.signal import Signal
from optrade.flows.data import Ingested, fetch_and_build, publish
from optrade.flows.monitoring import settle_signals
from optrade.flows.serve.signals import compute_signals, record_signals
from trading.ledger.settle import Settlement

if TYPE_CHECKING:
    from home.progress import Progress
    from optrade.runtime import OpenedSource, Runtime


@dataclass(frozen=True)
class Day:
    """What was fetched, built and brought online, what was settled, and the signals."""

    ingested: Ingested
    settled: Settlement
    signals: list[Signal]


def run_day(
    run: "Runtime", opened: "OpenedSource", tickers: list[str], progress: "Progress"
) -> Day:
    """Do the day's steps in order; each is safe to repeat, so a day cut short is run again.

    Raises
    ------
    Refusal
        If the data is too old for a signal: what landed and was settled before stays.
    """
    ingested = fetch_and_build(
        run.home, opened, tickers, progress, placement=run.settings.placement()
    )
    ingested = replace(ingested, online=publish(run, opened.as_of))
    settled = settle_signals(run, opened.as_of)
    signals = compute_signals(run, tickers, opened.as_of)
    record_signals(run, signals)
    return Day(ingested, settled, signals)
