"""What the ledger recorded for one session."""

from pathlib import Path

from dashboard.queries.documents import NothingYet
from dashboard.queries.ledger import NO_SIGNAL, check_ledger
from home.records.signal import SignalKey
from home.records.structure_outcome import StructureOutcome
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


def signals_of(ledger: Path, session: str) -> tuple[list[DailySignal], list[str]]:
    """Return the newest signal of each ticker for a session, by ticker, and what is damaged of it.

    Raises
    ------
    NothingYet
        If there is no ledger.
    InputError
        If what is there cannot be used.
    """
    check_ledger(ledger)
    daily, damaged = read.signals_of(ledger, session)
    return daily, [str(row) for row in damaged]


def positions_of(ledger: Path, session: str) -> tuple[dict[SignalKey, StructureOutcome], list[str]]:
    """Return what positions of a session's signals came to, and what is damaged of any.

    Raises
    ------
    NothingYet
        If there is no ledger.
    InputError
        If what is there cannot be used.
    """
    check_ledger(ledger)
    found, damaged = read.each_settled_structure(ledger)
    return {one.key: one for one, _ in found if one.session == session}, [*damaged.values()]
