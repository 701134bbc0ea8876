"""Recorded positions along the closes that came since, as far as these are known. Pure.

The walk is the backtest's: a close is marked by the smile of its session's index, and where target
and stop are seen at one close, the stop counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from jaxtyping import Float64

from home.records.structure import ExitRule, Structure
from home.records.structure_outcome import ExitReason
from market.calendar import sessions
from trading.backtest.entries import Quoted
from trading.backtest.history import History
from trading.backtest.lives import Lives, market_at
from trading.backtest.positions import CROSSED, Positions, of_legs
from trading.backtest.run import closes_of, dividends_of
from trading.backtest.walk import Ends, Scene, ends
from trading.structures.exits import EXPIRY, STOP, TARGET

REASONS: Final[dict[int, ExitReason]] = {TARGET: "target", STOP: "stop", EXPIRY: "expiry"}
#: A dividend of so many usual ones is a special one: contracts are adjusted for it, and not here.
SPECIAL: Final = 3.0
#: USD a share that any position is worth at least.
LEAST: Final = -1e12
#: Dates of sessions, numpy's `datetime64[D]`.
Day64: TypeAlias = np.ndarray
#: What an unknown session is filled with; the rest of it is not a number.
_UNKNOWN: Final = {"dividend": 0.0, "split": 1.0}


@dataclass(frozen=True)
class Held:
    """A position that was entered: at what price, and by which plan it is left.

    Attributes
    ----------
    session
        Of its signal; the closes after it count.
    paid
        USD a share; below 0 where it was received.
    """

    session: str
    structure: Structure
    paid: float
    exit: ExitRule


@dataclass(frozen=True)
class Walk:
    """What became of a position.

    Attributes
    ----------
    days
        The sessions of its life, as dates.
    marks
        USD a share at mid at their closes; NaN where nothing prices it.
    known
        Of how many closes the price is known, one after the other.
    column
        Of the close that ended it, None while none has.
    worth, profit, assigned
        See `trading.backtest.walk.Ends`; USD a share, and twice USD a contract.
    unmarked
        Sessions before the end, or the last one known, that lack a price or an index.
    """

    days: Day64
    marks: Float64[np.ndarray, " n_closes"]
    known: int
    column: int | None
    reason: ExitReason | None
    worth: float
    profit: float
    assigned: float
    unmarked: Day64
    notes: tuple[str, ...]


def walks(history: History, held: Sequence[Held]) -> list[Walk]:
    """Return what became of positions on an underlying, in the order given.

    Parameters
    ----------
    history
        From the session of the oldest on; a session that is not known holds no number.
    """
    if not held:
        return []
    last = max(pd.Timestamp(one.structure.expiration) for one in held)
    history = padded(history, last)
    found: dict[int, Walk] = {}
    for strategy in {one.structure.strategy for one in held}:
        places = [at for at, one in enumerate(held) if one.structure.strategy == strategy]
        mine = [held[at] for at in places]
        found |= zip(places, _walks(history, strategy, mine), strict=True)
    return [found[at] for at in range(len(held))]


def padded(history: History, last: pd.Timestamp) -> History:
    """Return a history of every session from its first one to the last, unknown ones empty."""
    days = sessions(history.days[0], max(last, history.days[-1]))
    at = history.days.get_indexer(days)
    columns: dict[str, Any] = {"days": days}
    for name, values in vars(history).items():
        if isinstance(values, np.ndarray):
            columns[name] = np.where(at >= 0, values[at], _UNKNOWN.get(name, np.nan))
    return replace(history, **columns)


def positions_of(strategy: str, held: Sequence[Held]) -> Positions:
    """Return positions as the backtest knows them, at the prices and by the plans they have."""
    legs = [
        Quoted(*(np.array(values) for values in zip(*each, strict=True)))
        for each in zip(
            *(
                [(leg.strike, leg.bid, leg.ask) for leg in one.structure.legs]
                for one in held
            ),
            strict=True,
        )
    ]  # fmt: skip
    spot = np.array([one.structure.spot for one in held])
    entered = of_legs(strategy, legs, spot, CROSSED)
    plans = [one.exit for one in held]
    return replace(
        entered,
        paid=np.array([one.paid for one in held]),
        target=np.array([plan.target for plan in plans]),
        below=np.array([-np.inf if (at := plan.stop_below) is None else at for plan in plans]),
        above=np.array([np.inf if (at := plan.stop_above) is None else at for plan in plans]),
        possible=np.ones(len(held), np.bool_),
    )


def _walks(history: History, strategy: str, held: Sequence[Held]) -> list[Walk]:
    at = history.days.get_indexer(pd.DatetimeIndex([one.session for one in held]))
    expiration = pd.DatetimeIndex([one.structure.expiration for one in held])
    lives = Lives.to(history, at.astype(np.int64), expiration)
    entered = market_at(history, lives.start, lives.years, history.closed[lives.start])
    scene = Scene(
        history.listing, entered, closes_of(history, lives), lives.last,
        dividends_of(history, lives), CROSSED,
    )  # fmt: skip
    ended = ends(positions_of(strategy, held), scene)
    days = history.days.to_numpy("datetime64[D]")
    return [_walk(history, days, lives, ended, row) for row in range(len(held))]


def _walk(history: History, days: Day64, lives: Lives, ended: Ends, row: int) -> Walk:
    place = lives.place[row, : int(lives.last[row]) + 1]
    priced = np.isfinite(history.closed[place])
    known = int(np.flatnonzero(priced).max(initial=-1)) + 1
    column = int(ended.column[row])
    over = column < known and bool(np.isfinite(ended.profit[row]))
    seen = column + 1 if over else known
    marks = ended.marks[row, : len(place)]
    return Walk(
        days=days[place],
        marks=marks,
        known=known,
        column=column if over else None,
        reason=REASONS[int(ended.reason[row])] if over else None,
        worth=float(ended.worth[row]),
        profit=float(ended.profit[row]),
        assigned=float(ended.assigned[row]),
        unmarked=days[place[:seen]][np.isnan(marks[:seen])],
        notes=tuple(notes_of(history, place[:seen])),
    )


def notes_of(history: History, places: Sequence[int] | np.ndarray) -> list[str]:
    """Return what befell shares at sessions that contracts are adjusted for: splits, specials."""
    at = np.asarray(places, dtype=np.int64)
    usual = history.listing.dividend_share * history.closed[np.maximum(at - 1, 0)]
    split, paid = history.split[at], history.dividend[at]
    special = (paid > SPECIAL * usual) & (usual > 0.0)
    found = []
    for row in map(int, np.flatnonzero((split != 1.0) | special)):
        day = history.days[at[row]].date()
        if split[row] != 1.0:
            found.append(
                f"{day}: split of {split[row]:g} for 1, strikes are kept in shares of before"
            )
        if special[row]:
            found.append(
                f"{day}: a dividend of {paid[row]:.2f} USD is {paid[row] / usual[row]:.0f} times "
                "the usual one; strikes would be adjusted for it, and are not here"
            )
    return found


def worth_leaving(history: History, held: Held, session: str) -> float:
    """Return what leaving a position at a close brings in USD a share, across the spread.

    NaN where nothing prices that close.
    """
    day = pd.Timestamp(session)
    # What was not marked reaches no target, and from that close on any worth does.
    unseen = replace(history, index=np.where(history.days < day, np.nan, history.index))
    plan = ExitRule(target=LEAST, stop_below=None, stop_above=None, last_day=held.exit.last_day)
    found = walks(until(unseen, session), [replace(held, exit=plan)])[0]
    return found.worth if found.column is not None else float("nan")


def until(history: History, session: str) -> History:
    """Return a history as it was known after a session."""
    kept = history.days <= pd.Timestamp(session)
    columns: dict[str, Any] = {
        name: values[kept]
        for name, values in vars(history).items()
        if isinstance(values, np.ndarray | pd.DatetimeIndex)
    }
    return replace(history, **columns)
