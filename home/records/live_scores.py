"""How two versions of a model fared on the same sessions, each judged by its live forecasts."""

from typing import Annotated, Literal

from pydantic import Field

from home.records.record import Record


class Side(Record):
    """A version of the two: which, and of which type."""

    version: int
    model: str | None


class Compared(Record):
    """A figure of both, and the second's above the first's.

    Attributes
    ----------
    serves, rival
        Null where no session decided.
    interval
        Of the difference, 95 %, by the stationary block bootstrap of sessions; null below the
        sessions that it needs.
    """

    serves: float | None
    rival: float | None
    difference: float | None
    interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None


class LiveScores(Record):
    """What serves and its rival, scored on the sessions that both answered in time.

    Attributes
    ----------
    sessions
        That both answered, and that are settled.
    waiting
        That both answered, and that are not settled yet.
    n
        Sessions that decided: of a direction those that went UP or DOWN, of a regime those with a
        rank.
    share_right
        Of the calls.
    log_loss
        Mean of -log of the probability given to what came, nats: less is better.
    interval_from
        Settled sessions from which there is an interval.
    damaged
        Rows of the ticker that were left out; `optrade doctor` names them.
    """

    name: str
    task: Literal["direction", "regime"]
    ticker: str
    serves: Side
    rival: Side
    sessions: int
    waiting: int
    n: int
    share_right: Compared
    log_loss: Compared
    interval_from: int
    damaged: int = 0


class NoLiveScores(Record):
    """Why two versions are not scored live, and how they come to be."""

    name: str
    why_none: Annotated[str, Field(min_length=1)]
