"""One day's work: bring data in, settle what is due, give and record today's signals."""

from typing import TYPE_CHECKING, Any

from home.records.signal import Signal
from optrade.flows.data import fetch_and_build, publish
from optrade.flows.monitoring import settle_signals
from optrade.flows.serve.signals import compute_signals, record_signals

if TYPE_CHECKING:
    from home.progress import Progress
    from optrade.runtime import OpenedSource, Runtime


def run_day(
    run: "Runtime", opened: "OpenedSource", tickers: list[str], progress: "Progress"
) -> tuple[dict[str, Any], list[Signal]]:
    """Do the day's steps in order; each is safe to repeat, so a day cut short is run again.

    Returns
    -------
    tuple
        What was fetched, built, brought online and settled, and the signals.

    Raises
    ------
    Refusal
        If the data is too old for a signal: what landed and was settled before stays.
    """
    report = fetch_and_build(
        run.home, opened, tickers, progress, placement=run.settings.placement()
    )
    online = publish(run, opened.as_of)
    settled = settle_signals(run, opened.as_of)
    signals = compute_signals(run, tickers, opened.as_of)
    record_signals(run, signals)
    settlement = {"new": len(settled.new), "pending": len(settled.pending)}
    return {**report, "online": online, "settled": settlement}, signals
