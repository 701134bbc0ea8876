"""Signals of the last complete session, on the same path as the HTTP service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from home.records.chain import ChainView
from home.records.signal import Signal
from home.records.structure import Structure
from market.errors import InputError
from optrade.clock import utc_now
from optrade.flows.serve.configuration import served_configuration
from optrade.flows.serve.online import ready_store, refill, tell
from serving.answer.open_home import OpenHome, open_home
from serving.http.schema import TickerProblem
from serving.reading.refusal import LOST_ROWS, Refusal
from trading.ledger.checked import DamagedRow

if TYPE_CHECKING:
    from optrade.runtime import Runtime
    from trading.ledger.signals import Recorded

Found = TypeVar("Found")


def compute_signals(run: "Runtime", tickers: list[str], as_of: pd.Timestamp) -> list[Signal]:
    """Return the signal of each ticker.

    Raises
    ------
    Refusal
        If one has no answer that can be stood behind.
    """
    asked = _Asked(run, _opened(run))
    return [asked.signal(ticker, as_of) for ticker in tickers]


def compute_price(run: "Runtime", ticker: str, strategy: str, as_of: pd.Timestamp) -> Structure:
    """Return one strategy's position; see `OpenHome.price_for`."""
    asked = _Asked(run, _opened(run))
    return asked.asked(lambda: asked.home.price_for(ticker, strategy, as_of))


def compute_chain(
    run: "Runtime", ticker: str, as_of: pd.Timestamp, expiry: str | None
) -> ChainView:
    """Return what a position is priced on; see `OpenHome.chain_for`."""
    asked = _Asked(run, _opened(run))
    return asked.asked(lambda: asked.home.chain_for(ticker, as_of, expiry))


def answer_each(
    run: "Runtime", tickers: list[str], as_of: pd.Timestamp
) -> list[Signal | TickerProblem]:
    """Return for each ticker, in the order asked, its signal or why there is none (Decision 24)."""
    asked = _Asked(run, _opened(run))
    return [asked.answer(ticker, as_of) for ticker in tickers]


def _opened(run: "Runtime") -> OpenHome:
    ready_store(run)
    return open_home(run.home.root, served_configuration(run))


@dataclass
class _Asked:
    """A home that is asked; a store that lost rows is filled anew, once, and asked again."""

    run: "Runtime"
    home: OpenHome
    filled: bool = False

    def signal(self, ticker: str, as_of: pd.Timestamp) -> Signal:
        return self.asked(lambda: self.home.signal_for(ticker, as_of))

    def asked(self, ask: Callable[[], Found]) -> Found:
        try:
            return ask()
        except Refusal as refusal:
            if self.filled or refusal.error not in LOST_ROWS:
                raise
            self.filled = True
            done = refill(self.run)
            why = refusal.detail.partition(";")[0].partition(": run")[0]
            tell(f"{why}: filled from parquet, session {done.session}")
            return ask()

    def answer(self, ticker: str, as_of: pd.Timestamp) -> Signal | TickerProblem:
        try:
            return self.signal(ticker, as_of)
        except Refusal as refusal:
            return TickerProblem(ticker=ticker, error=refusal.error, detail=refusal.detail)
        except InputError as error:
            # A file of the home that this ticker needs: as the service answers it.
            return TickerProblem(ticker=ticker, error="not_configured", detail=str(error))


def record_signals(run: "Runtime", signals: list[Signal]) -> "list[Recorded]":
    """Write signals into the ledger; on return they are on disk. None leaves no file.

    Raises
    ------
    StoreUnavailable
        If the ledger does not take them all; what it took stays. One whose row is damaged leaves
        the others to be written.
    """
    if not signals:
        return []
    from trading.ledger.signals import Ledger  # SQLAlchemy, which an answer does without

    recorded, damaged = [], None
    with Ledger(run.home.ledger) as ledger:
        for signal in signals:
            try:
                # The time of writing, not the start of the command: it may have trained before.
                recorded.append(ledger.record(signal, utc_now()))
            except DamagedRow as error:
                damaged = damaged or error
    if damaged is not None:
        raise damaged
    return recorded
