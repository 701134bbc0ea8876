"""Why live differed from the backtest, as it is printed; every amount in cents a contract."""

from typing import Literal

from home.records.record import Record
from home.records.signal import Day


class StepRow(Record):
    """What a cause adds to what live came to, and what is known of it."""

    cause: str
    cents: int
    note: str


class LadderRow(Record):
    """A session of an underlying: `live` and the steps come to `backtest`."""

    ticker: str
    session: Day
    live: int
    backtest: int
    steps: list[StepRow]


class CauseRow(Record):
    """What a cause comes to, and of how many sessions."""

    cause: str
    sessions: int
    cents: int


class PendingRow(Record):
    """A session whose outcome is not known yet; it is in no sum."""

    ticker: str
    session: Day
    why: str


class ReconcileReport(Record):
    """A reconciliation.

    Attributes
    ----------
    verdict
        In words.
    crossing
        How much of the half-spread the backtest pays.
    live, backtest
        All sessions together: they lie as far apart as the causes add up to.
    causes
        The largest first.
    left_out
        Recorded signals that are no part of it, by why.
    """

    verdict: str
    fill: Literal["open", "close"]
    crossing: float
    live: int
    backtest: int
    causes: list[CauseRow]
    ladders: list[LadderRow]
    pending: list[PendingRow]
    left_out: dict[str, int]
