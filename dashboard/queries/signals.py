"""What the ledger recorded for one session."""

from pathlib import Path

from dashboard.queries.documents import NothingYet
from dashboard.queries.ledger import NO_SIGNAL, check_ledger
from trading.ledger import read
from trading.ledger.read import DailySignal


def recorded_sessions(ledger: Path) -> list[str]:
    """Return the sessions with a recorded signal as ISO dates, newest first.

    Raises
    ------
    NothingYet
        If no signal has been recorded.
    InputError
        If what is there cannot be used.
    """
    check_ledger(ledger)
    sessions = read.recorded_sessions(ledger)
    if not sessions:
        raise NothingYet(NO_SIGNAL)
    return sessions


def signals_of(ledger: Path, session: str) -> list[DailySignal]:
    """Return the newest signal of each ticker for a session, by ticker.

    Raises
    ------
    NothingYet
        If there is no ledger.
    InputError
        If what is there cannot be used, or a signal lacks a field.
    """
    check_ledger(ledger)
    return read.signals_of(ledger, session)
