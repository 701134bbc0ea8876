"""From what live came to to what the backtest says, rung by rung, in whole cents. Pure.

What two neighbouring rungs lie apart is one cause's. So the causes come to the difference whatever
the rungs are; that each is called by its right name is up to who climbs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal, NamedTuple, get_args

Cause = Literal[
    "missed session",
    "not in the backtest",
    "exit by hand",
    "known later",
    "data corrected since",
    "calculated otherwise",
    "capital or edge",
    "another model",
    "another price",
    "another fill",
    "another cost",
    "cannot be made again",
]
CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)
CENTS: Final = 100


class Rung(NamedTuple):
    """What a position comes to once a cause is taken away, in cents a contract; `note` says why."""

    cause: Cause
    cents: int
    note: str = ""


class Step(NamedTuple):
    """What a cause adds to what live came to, in cents a contract."""

    cause: Cause
    cents: int
    note: str = ""


@dataclass(frozen=True)
class Ladder:
    """A session of an underlying.

    Attributes
    ----------
    live, backtest
        What a contract came to, in cents; 0 where no position was taken.
    steps
        From the one to the other; those of 0 are left out.
    """

    ticker: str
    session: str
    live: int
    steps: tuple[Step, ...] = ()

    @property
    def backtest(self) -> int:
        """What the backtest says, in cents."""
        return self.live + sum(step.cents for step in self.steps)

    @property
    def apart(self) -> int:
        """What the backtest says above what live came to, in cents."""
        return self.backtest - self.live


def cents_of(profit: float) -> int:
    """Return USD in whole cents; what arithmetic adds beyond a millionth does not round them."""
    return round(round(profit, 6) * CENTS)


def ladder(ticker: str, session: str, live: int, rungs: Sequence[Rung]) -> Ladder:
    """Return the ladder of a session: `live` cents below, the last rung is the backtest's."""
    steps, below = [], live
    for rung in rungs:
        if rung.cents != below:
            steps.append(Step(rung.cause, rung.cents - below, rung.note))
        below = rung.cents
    return Ladder(ticker, session, live, tuple(steps))


class Share(NamedTuple):
    """What a cause comes to: of how many sessions, and cents."""

    cause: Cause
    n: int
    cents: int


class Waiting(NamedTuple):
    """A session whose outcome is not known yet, and why; it is counted, and in no sum."""

    ticker: str
    session: str
    why: str


@dataclass(frozen=True)
class Reconciliation:
    """All sessions.

    Attributes
    ----------
    left_out
        Recorded signals that are no part of it, by why.
    """

    ladders: tuple[Ladder, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def live(self) -> int:
        """What live came to, in cents."""
        return sum(one.live for one in self.ladders)

    @property
    def backtest(self) -> int:
        """What the backtest says, in cents."""
        return sum(one.backtest for one in self.ladders)

    def causes(self) -> list[Share]:
        """Return what each cause comes to, the largest first; they add up to the difference."""
        steps = [
            (step.cause, place, step.cents)
            for place, one in enumerate(self.ladders)
            for step in one.steps
        ]
        found = [
            Share(cause, len({place for _, place, _ in mine}), sum(cents for *_, cents in mine))
            for cause, each in groupby(sorted(steps), key=lambda step: step[0])
            for mine in [list(each)]
        ]
        return sorted(found, key=lambda one: (-abs(one.cents), CAUSES.index(one.cause)))

    def worst(self) -> list[Ladder]:
        """Return the sessions that differ, the furthest apart first."""
        some = (one for one in self.ladders if one.steps)
        return sorted(some, key=lambda one: (-abs(one.apart), one.session, one.ticker))

    def words(self) -> str:
        """Return the sum in one sentence."""
        if not self.ladders:
            return "nothing to reconcile: no session has an outcome that is known"
        apart = self.backtest - self.live
        sums = f"live {usd(self.live)} USD, the backtest {usd(self.backtest)} USD"
        shares = ", ".join(f"{usd(one.cents)} {one.cause}" for one in self.causes())
        if not shares:
            return f"{sums}: the same, session by session"
        return f"{sums}: {abs(apart) / CENTS:,.2f} USD apart, of it {shares}"


def usd(cents: int) -> str:
    """Return an amount of cents in USD with its sign."""
    return f"{cents / CENTS:+,.2f}" if cents else "0.00"
