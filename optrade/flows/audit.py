"""Audits of a home: what its frames and features hold, against what they should."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audit.lookahead import LookaheadReport, check_built, leaks
from audit.parity import ParityReport, audit_parity
from audit.pit import PitReport, audit_pit
from audit.warmup import WarmupReport, warmup
from home.manifest import read_manifest
from home.records.pointer import SessionPointer
from market.calendar import sessions
from market.errors import InputError
from optrade.flows.serve.online import ready_store

if TYPE_CHECKING:
    from optrade.runtime import Runtime


def point_in_time(run: "Runtime", service: str, tickers: Sequence[str]) -> PitReport:
    """Return the point-in-time audit of a service over all sessions of the tickers.

    Raises
    ------
    InputError
        If a ticker has not landed, or there is no such service.
    """
    entries = read_manifest(run.home.data).entries
    missing = [ticker for ticker in tickers if ("prices", ticker) not in entries]
    if missing:
        raise InputError(
            f"no prices of {', '.join(missing)} in this home: run "
            f"`optrade ingest --tickers {','.join(tickers)}` first, or name others by --tickers"
        )
    held = [entries["prices", ticker] for ticker in tickers]
    days = sessions(min(entry.first for entry in held), max(entry.last for entry in held))
    store = run.feature_store(online=False)
    return audit_pit(store, run.home.data, service, tickers, days)


def look_ahead(run: "Runtime", tickers: Sequence[str], cuts: int, seed: int) -> LookaheadReport:
    """Return the look-ahead audit of the tickers' features and of the market's.

    Raises
    ------
    InputError
        If nothing was built for a ticker, or by definitions of another version.
    """
    return leaks(run.home.data, tickers, cuts, seed)


def warm_up(run: "Runtime", tickers: Sequence[str]) -> WarmupReport:
    """Return the history that each feature needs, against what it declares.

    Raises
    ------
    InputError
        If nothing was built for a ticker, or by definitions of another version.
    """
    return warmup(run.home.data, tickers)


def parity(run: "Runtime", tickers: Sequence[str], count: int) -> ParityReport:
    """Return the parity audit of the last sessions, of the online store and of recorded signals.

    Raises
    ------
    InputError
        If nothing was built for a ticker.
    StoreUnavailable
        If the online store does not answer.
    """
    from feature_repo.store.repo_config import SESSION_POINTER
    from ingestion.online.materialize import connect
    from trading.ledger.connection import is_new
    from trading.ledger.read import read_signals

    entries = read_manifest(run.home.data).entries
    check_built(read_manifest(run.home.data), tickers)
    built = [entries["technical", ticker] for ticker in tickers]
    days = sessions(max(entry.first for entry in built), min(entry.last for entry in built))
    ready_store(run)
    store = run.feature_store()
    published: Any = connect(store).get(SESSION_POINTER)
    pointer = (
        None
        if published is None
        else SessionPointer.from_json(published, "the online store's session pointer")
    )
    recorded = [] if is_new(run.home.ledger) else read_signals(run.home.ledger)
    signals = [row.signal for row in recorded if row.signal.ticker in tickers]
    return audit_parity(store, run.home.models, tickers, days[-count:], pointer, signals)
