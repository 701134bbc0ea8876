"""What a contract of a signal's position comes to, entered as live or as a backtest does. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from home.records.structure import Structure
from market.calendar import session_shift
from market.errors import InputError
from market.options.costs import COMMISSION, MULTIPLIER
from trading.backtest.history import History
from trading.backtest.run import Entered, Fill
from trading.ledger.timing import FILLED_AFTER
from trading.paper.fills import at_open, own, plan_of
from trading.paper.seen import until
from trading.paper.walks import Held, leaving, walks

#: What two numbers may lie apart that are one, the arithmetic between them aside.
SAME: Final = 1e-9
#: Columns of a history in which a number may be unknown.
NUMBERS: Final = ("opened", "closed", "index", "long_index", "rate")


class Waits(InputError):
    """What a position comes to is not known yet."""


@dataclass(frozen=True)
class Acted:
    """What live did with a position.

    Attributes
    ----------
    fill
        When it was entered.
    left
        The session at whose close it was left by hand, None where its plan ended it.
    """

    held: Held
    fill: Fill
    left: str | None = None

    def again(self, history: History) -> "Acted | None":
        """Return the same at the prices of a history, None where those give no entry."""
        held = entry(history, self.held.session, self.held.structure, self.fill)
        return None if held is None else replace(self, held=held)

    def profit(self, history: History) -> float:
        """Return USD a contract that it came to; raises as `plan_profit`."""
        if self.left is None:
            return plan_profit(history, self.held)
        found = leaving(history, self.held, self.left)
        if found is None:
            raise InputError(f"nothing prices the close of {self.left}")
        lost = walks(until(history, self.left), [self.held])[0].assigned
        ways = 1.0 if found.expires else 2.0
        commission = ways * COMMISSION * len(self.held.structure.legs)
        return float(MULTIPLIER * (found.worth - self.held.paid) - lost - commission)


def entry(history: History, session: str, structure: Structure, fill: Fill) -> Held | None:
    """Return a position as it is entered: at the close as priced, at the open across the spread.

    None where the open gives no price.
    """
    if fill == "close":
        return as_priced(session, structure)
    day = session_shift(pd.DatetimeIndex([session]), FILLED_AFTER)[0]
    held = at_open(history, session, structure, str(day.date()))
    if not held.possible[0]:
        return None
    paid, plan = float(held.paid[0]), plan_of(held, structure)
    return Held(session, structure, paid, plan, own(structure))


def as_priced(session: str, structure: Structure) -> Held:
    """Return a position at the close that it was priced at, for its natural price."""
    return Held(session, structure, structure.natural.net, structure.exit, own(structure))


def plan_profit(history: History, held: Held | None) -> float:
    """Return USD a contract that a position comes to by its plan, 0 where there is none.

    Raises
    ------
    Waits
        If it has not ended.
    InputError
        If nothing prices the closes that would have ended it.
    """
    if held is None:
        return 0.0
    walk = walks(history, [held])[0]
    if walk.column is not None:
        return walk.profit
    if walk.known == len(walk.days):
        raise InputError("nothing prices the closes that would have ended its position")
    raise Waits(f"its position is open, to {held.structure.expiration} at the latest")


def structure_profit(
    history: History, session: str, structure: Structure | None, fill: Fill
) -> float:
    """Return USD a contract that a signal's position comes to by its plan; see `plan_profit`."""
    if structure is None:
        return 0.0
    return plan_profit(history, entry(history, session, structure, fill))


def entered_profit(entered: Mapping[str, Entered], strategy: str | None, place: int) -> float:
    """Return USD a contract that a strategy came to in a backtest, 0 where it took no position.

    Parameters
    ----------
    place
        Of the session in the history.

    Raises
    ------
    Waits
        If its expiry lies beyond the history.
    """
    if strategy is None:
        return 0.0
    one = entered[strategy]
    row = int(np.searchsorted(one.lives.start, place))
    if row == len(one.lives.start) or one.lives.start[row] != place:
        raise Waits("its expiry lies beyond the history")
    profit = float(one.ends.profit[row])
    return profit if one.held.possible[row] and np.isfinite(profit) else 0.0


def filled_in(then: History, now: History) -> History:
    """Return a history in which what was not known then is as it is now, and all else as it was.

    Sessions that had not come are none.
    """
    at = now.days.get_indexer(then.days)
    columns: dict[str, Any] = {}
    for name in NUMBERS:
        old = getattr(then, name)
        new = np.where(at >= 0, getattr(now, name)[at], np.nan)
        columns[name] = np.where(np.isnan(old), new, old)
    last = then.days[-1]
    quotes = {
        day: {**now.quotes.get(day, {}), **then.quotes.get(day, {})}
        for day in sorted({*then.quotes, *now.quotes})
        if day <= last
    }
    return replace(then, **columns, quotes=quotes)


def later_than(then: History, now: History) -> History:
    """Return what is known now behind what was known then: a history up to the last of now."""
    after = now.days > then.days[-1]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(then, name), values[after]])
        for name, values in vars(now).items()
        if isinstance(values, np.ndarray)
    }
    last, days = then.days[-1], then.days.union(now.days[after])
    quotes = {**then.quotes, **{day: of for day, of in now.quotes.items() if day > last}}
    return replace(then, days=days, **columns, quotes=quotes)


def differing(then: History, now: History, first: str, last: str) -> str:
    """Return in words where numbers of two histories differ between two sessions."""
    found = []
    for day in now.days[(now.days >= pd.Timestamp(first)) & (now.days <= pd.Timestamp(last))]:
        if day not in then.days:
            continue
        if then.quotes.get(day, {}).keys() != now.quotes.get(day, {}).keys():
            found.append(f"quotes of {day.date()} have landed since")
        one, other = then.days.get_loc(day), now.days.get_loc(day)
        for name in (*NUMBERS, "dividend", "split"):
            was, is_ = float(getattr(then, name)[one]), float(getattr(now, name)[other])
            if not np.isclose(was, is_, rtol=SAME, atol=0.0, equal_nan=True):
                found.append(f"{name} of {day.date()} was {was:.6g}, is {is_:.6g}")
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return "".join(found[:1]) + more
