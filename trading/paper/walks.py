"""Recorded positions along the closes that came since, as far as these are known. Pure.

The walk is the backtest's: where target and stop are seen at one close, the stop counts. What was
entered on quotes of its own chain is marked by those of the chains that follow, and by the smile of
the session's index where a close has none; what was entered by a smile is marked by it to its end,
as the level of a chain beside it would be a profit of no one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from home.records.structure import ExitRule, Structure
from home.records.structure_outcome import ExitReason
from market.options.costs import COMMISSION
from trading.backtest.entries import Quoted
from trading.backtest.history import History
from trading.backtest.lives import Lives, Market, market_at
from trading.backtest.positions import CROSSED, Positions, of_legs
from trading.backtest.quoted import marks_of
from trading.backtest.run import closes_of, dividends_of
from trading.backtest.walk import Ends, Scene, ends, leg_prices
from trading.paper.seen import notes_of, padded, quotes_by_place, seen_from, until
from trading.structures.exits import EXPIRY, STOP, TARGET

REASONS: Final[dict[int, ExitReason]] = {TARGET: "target", STOP: "stop", EXPIRY: "expiry"}
#: USD a share that any position is worth at least.
LEAST: Final = -1e12
#: Dates of sessions, numpy's `datetime64[D]`.
Day64: TypeAlias = np.ndarray


@dataclass(frozen=True)
class Held:
    """A position that was entered: at what price, and by which plan it is left.

    Attributes
    ----------
    session
        Of its signal; the closes after it count.
    paid
        USD a share; below 0 where it was received.
    on_quotes
        Whether that price is of its own chain: then its closes are marked by quotes.
    """

    session: str
    structure: Structure
    paid: float
    exit: ExitRule
    on_quotes: bool = False


@dataclass(frozen=True)
class Walk:
    """What became of a position.

    Attributes
    ----------
    days
        The sessions of its life, as dates.
    marks
        USD a share at mid at their closes; NaN where nothing prices it.
    quoted
        Which of them are of quotes; the others are of the smile.
    known
        Of how many closes the price is known, one after the other.
    column
        Of the close that ended it, None while none has.
    worth, profit, assigned
        See `trading.backtest.walk.Ends`; USD a share, and twice USD a contract.
    expires
        Whether nobody would close it there: it is left to expire, for the least it can bring.
    unmarked
        Sessions before the end, or the last one known, that lack a price or an index.
    """

    days: Day64
    marks: Float64[np.ndarray, " n_closes"]
    quoted: Bool[np.ndarray, " n_closes"]
    known: int
    column: int | None
    reason: ExitReason | None
    worth: float
    profit: float
    assigned: float
    expires: bool
    unmarked: Day64
    notes: tuple[str, ...]

    @property
    def counted(self) -> tuple[int, int]:
        """How many of the closes that marked it to its end are of quotes, and how many there are.

        At expiry it is settled: that close marks nothing.
        """
        end = self.known if self.column is None else self.column + (self.reason != "expiry")
        marked = np.isfinite(self.marks[:end])
        return int((self.quoted[:end] & marked).sum()), int(marked.sum())


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
    positions = positions_of(strategy, held)
    on_quotes = np.array([one.on_quotes for one in held])
    own = replace(positions, possible=on_quotes)
    quotes = marks_of(own, lives, history.shares, quotes_by_place(history))
    ended = ends(positions, scene, quotes)
    quoted = np.isfinite(quotes.bid).all(axis=2)
    apart = np.zeros(len(held))
    if on_quotes.any():
        column = Market(*(values[:, None] for values in vars(entered).values()))
        smile = leg_prices(positions, column, history.listing)[:, 0] @ positions.side
        apart = smile - [one.structure.mid.net for one in held]
    days = history.days.to_numpy("datetime64[D]")
    one_way = COMMISSION * len(positions.side)
    found = [_walk(history, days, lives, ended, quoted, one_way, row) for row in range(len(held))]
    return [
        _with_jump(walk, float(apart[row])) if on_quotes[row] else walk
        for row, walk in enumerate(found)
    ]


def _walk(
    history: History, days: Day64, lives: Lives, ended: Ends,
    quoted: Bool[np.ndarray, "n n_closes"], one_way: float, row: int,
) -> Walk:  # fmt: skip
    place = lives.place[row, : int(lives.last[row]) + 1]
    priced = np.isfinite(history.closed[place])
    known = int(np.flatnonzero(priced).max(initial=-1)) + 1
    column = int(ended.column[row])
    over = column < known and bool(np.isfinite(ended.profit[row]))
    seen = column + 1 if over else known
    marks = ended.marks[row, : len(place)]
    reason = REASONS[int(ended.reason[row])] if over else None
    return Walk(
        days=days[place],
        marks=marks,
        quoted=quoted[row, : len(place)],
        known=known,
        column=column if over else None,
        reason=reason,
        worth=float(ended.worth[row]),
        profit=float(ended.profit[row]),
        assigned=float(ended.assigned[row]),
        # Entering alone cost a commission.
        expires=reason in ("target", "stop") and bool(ended.commission[row] <= one_way),
        unmarked=days[place[:seen]][np.isnan(marks[:seen])],
        notes=tuple(notes_of(history, place[:seen])),
    )


def _with_jump(walk: Walk, apart: float) -> Walk:
    """Return a walk that says what it owes to being entered on quotes and left by the smile.

    Parameters
    ----------
    apart
        USD a share that the smile of the entry's close priced it above its quotes.
    """
    at = walk.column
    if at is None or walk.reason == "expiry" or walk.expires or walk.quoted[at]:
        return walk
    return replace(walk, notes=(
        *walk.notes,
        f"{walk.days[at]}: entered on quotes, left by the smile, which at the entry's close was "
        f"{apart:+.2f} USD a share beside them: about that much of its profit is no one's",
    ))  # fmt: skip


def leaving(history: History, held: Held, session: str) -> Walk | None:
    """Return a position that is left at a close, across the spread; None where nothing prices it.

    Of its profit and what was assigned only what that close brings is known.
    """
    # What was not seen reaches no target, and from that close on any worth does.
    plan = ExitRule(target=LEAST, stop_below=None, stop_above=None, last_day=held.exit.last_day)
    ahead = seen_from(until(history, session), held.session, session, held.structure.expiration)
    found = walks(ahead, [replace(held, exit=plan)])[0]
    return None if found.column is None else found
