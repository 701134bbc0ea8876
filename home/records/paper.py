"""What happens in a paper book, event by event; every amount of cash in whole cents."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from home.records.record import Record, json_value
from home.records.signal import Day, SignalKey
from home.records.structure import ExitRule, Structure
from market.errors import InputError

Count = Annotated[int, Field(ge=1)]


class Event(Record):
    """What every event says.

    Attributes
    ----------
    number
        1, 2, 3, of the book.
    session
        At whose open or close it happened.
    cash
        Cents that came in; below 0 where they went out.
    balance
        Cents of cash after it.
    """

    number: Count
    session: Day
    cash: int
    balance: int


class Begun(Event):
    """The book begins; no signal that is filled up to `as_of` is followed."""

    kind: Literal["begun"] = "begun"
    as_of: str
    cap: Annotated[float, Field(gt=0, le=1)]


class OfSignal(Event):
    """What was made of a recorded signal."""

    ticker: str
    signal_session: Day
    direction_version: int
    regime_version: int

    @property
    def signal(self) -> SignalKey:
        """The key of the signal."""
        return SignalKey(
            self.ticker, self.signal_session, self.direction_version, self.regime_version
        )


class Opened(OfSignal):
    """A position is taken at the open, each leg across the spread.

    Attributes
    ----------
    trade
        Its number in the book.
    paid
        USD a share; below 0 where it was received.
    exit
        The plan at that price.
    risk
        Cents that all contracts together can lose.
    structure
        As the signal said it.
    on_quotes
        Whether its price is of the chain that the signal was priced on: its closes are marked by
        quotes then. An event from before it was told is of the smile.
    """

    kind: Literal["opened"] = "opened"
    trade: Count
    contracts: Count
    paid: float
    exit: ExitRule
    risk: Count
    structure: Structure
    on_quotes: bool = False


class Passed(OfSignal):
    """A signal is not followed, and why."""

    kind: Literal["passed"] = "passed"
    why: str


class Marked(Event):
    """Open positions at a close.

    Attributes
    ----------
    marks
        USD a share at mid, by number of the trade; a position that nothing prices keeps its last.
    notes
        What else happened to positions, such as a split or a close without prices.
    quoted
        Numbers of the trades whose marks are of quotes; the others are of the smile.
    """

    kind: Literal["marked"] = "marked"
    marks: dict[str, float]
    notes: list[str]
    quoted: list[int] = Field(default_factory=list)


class Assigned(Event):
    """A short call was exercised for a dividend; the shares are bought back, the rest goes on."""

    kind: Literal["assigned"] = "assigned"
    trade: Count


class Closed(Event):
    """A position is left at a close, across the spread; or it expires and is settled.

    Attributes
    ----------
    expires
        Whether nobody would close it: it is left to expire, and the least that it can bring then is
        booked at once, without the commission of closing.
    """

    kind: Literal["closed"] = "closed"
    trade: Count
    why: Literal["target", "stop", "expiry", "by hand", "stopped"]
    worth: float
    expires: bool = False


class Stopped(Event):
    """No signal is followed from here on."""

    kind: Literal["stopped"] = "stopped"


class Resumed(Event):
    """Signals are followed again."""

    kind: Literal["resumed"] = "resumed"


PaperEvent: TypeAlias = (
    Begun | Opened | Passed | Marked | Assigned | Closed | Stopped | Resumed
)  # fmt: skip
_KINDS: Final[dict[str, type[PaperEvent]]] = {
    str(kind.model_fields["kind"].default): kind
    for kind in (Begun, Opened, Passed, Marked, Assigned, Closed, Stopped, Resumed)
}


def paper_event(text: str) -> PaperEvent:
    """Return an event as the ledger holds it.

    Raises
    ------
    InputError
        If it is no JSON, of no kind that is known, or a field is missing, unknown or wrong.
    """
    source = "an event of the paper book"
    document = json_value(text, source)
    kind = document.get("kind") if isinstance(document, dict) else None
    if kind not in _KINDS:
        raise InputError(f"{source}: kind is {kind!r:.40}, allowed are {', '.join(_KINDS)}")
    return _KINDS[str(kind)].parse(document, source)
