"""What the service counts beside BentoML's own requests, statuses and seconds."""

from functools import cache
from typing import TYPE_CHECKING, Final

from home.records.signal import Signal
from serving.http.schema import PredictAnswer

if TYPE_CHECKING:
    from prometheus_client import Counter

# Every label has few values: tickers are underlyings, strategies rows of the matrix, reasons ours.
COUNTERS: Final = {
    "optrade_signals": ("Signals given.", ("ticker", "strategy", "position_size")),
    "optrade_predictions": ("Answers of /predict.", ("ticker", "direction")),
    "optrade_refusals": (
        "Answers that are none, those within the list of /signals included.",
        ("endpoint", "reason"),
    ),
}


def count_signal(signal: Signal) -> None:
    """Count a signal given."""
    labels = {name: getattr(signal, name) for name in ("ticker", "strategy", "position_size")}
    _counter("optrade_signals").labels(**labels).inc()


def count_prediction(answer: PredictAnswer) -> None:
    """Count an answer of /predict."""
    direction = answer.prediction.direction
    _counter("optrade_predictions").labels(ticker=answer.ticker, direction=direction).inc()


def count_refusal(endpoint: str, reason: str) -> None:
    """Count an answer that is none, by its word."""
    _counter("optrade_refusals").labels(endpoint=endpoint, reason=reason).inc()


@cache
def _counter(name: str) -> "Counter":
    # Imported late: a worker's share of a counter is lost if BentoML has not yet said where.
    from prometheus_client import Counter

    documentation, labels = COUNTERS[name]
    return Counter(name, documentation, labels)
