"""Signals of the last complete session, on the same path as the HTTP service."""

from typing import TYPE_CHECKING

import pandas as pd

from home.records.signal import Signal
from optrade.flows.serve.configuration import served_configuration
from serving.answer.open_home import open_home
from trading.ledger.signals import Ledger, Recorded

if TYPE_CHECKING:
    from optrade.runtime import Runtime


def compute_signals(run: "Runtime", tickers: list[str], as_of: pd.Timestamp) -> list[Signal]:
    """Return the signal of each ticker.

    Raises
    ------
    Refusal
        If one has no answer that can be stood behind.
    """
    run.redis_url()
    home = open_home(run.home.root, served_configuration(run))
    return [home.signal_for(ticker, as_of) for ticker in tickers]


def record_signals(run: "Runtime", signals: list[Signal]) -> list[Recorded]:
    """Write signals into the ledger; on return they are on disk."""
    with Ledger(run.home.ledger) as ledger:
        return [ledger.record(signal, run.now) for signal in signals]
