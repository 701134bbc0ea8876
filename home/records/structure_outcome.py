"""What the position of a recorded signal came to by its own exit rule."""

from typing import Literal

from home.records.record import Record
from home.records.signal import Day, SignalKey

ExitReason = Literal["target", "stop", "expiry"]
#: `chain` is quotes of the underlying's own chains, `synthetic` the smile of its index.
MarkedBy = Literal["synthetic", "chain", "mixed"]


class StructureOutcome(Record):
    """What a contract of a signal's position came to, entered at its natural price.

    Attributes
    ----------
    reason
        What ended it.
    end_session
        At whose close, as an ISO date.
    worth
        USD a share that leaving brought, across the spread; at expiry what was settled, and where
        nobody would close it the least that it can bring then.
    profit
        USD a contract, after spreads and commissions.
    assigned
        USD a contract of it that a short call lost by early exercise for a dividend.
    pricing
        What its closes to its end were marked by; that of its entry where none was.
    notes
        What else is to be known of its life, such as a split.
    """

    ticker: str
    session: Day
    direction_version: int
    regime_version: int
    strategy: str
    reason: ExitReason
    end_session: Day
    worth: float
    profit: float
    assigned: float
    pricing: MarkedBy
    notes: list[str]

    @property
    def key(self) -> SignalKey:
        """The key of its signal."""
        return SignalKey(self.ticker, self.session, self.direction_version, self.regime_version)
