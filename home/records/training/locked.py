"""What the locked window said of a model family."""

from home.records.record import Record
from home.records.training.judged import Gate
from home.records.training.measured import AllDays, Measured
from home.records.training.words import Absent, Setting


class LockedSessions(Record):
    """The sessions of a locked window, as ISO dates and counts; `decided` ones have a class."""

    start: str
    end: str
    sessions: int
    decided: int
    dropped: int


class LockedFigures(Measured):
    """The figures of a locked window."""

    window: LockedSessions
    all_days: Absent[AllDays] = None
    gate: Gate


class LockedResult(LockedFigures):
    """The figures with what they were made by, and when (UTC)."""

    at: str
    definition_hash: str
    settings: dict[str, Setting]
