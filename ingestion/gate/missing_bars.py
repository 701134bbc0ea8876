"""Sessions without a bar: what happened to the share in one counts at its next bar.

A row without a whole bar never lands. Were its split or dividend to stay behind with it, every
later price would be at a wrong level, or the payment lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from home.records.finding import Finding
from ingestion.tables.declare import Table

AT_A_BAR = "in the row of a bar"
COUNTED = "nothing, unless the vendor gives that session its bar: then it counts on its own day"


def whole_bars(table: Table, frame: pd.DataFrame) -> pd.Series:
    """Return whether rows have a day, and prices and a split above 0; the frame's index, (n,)."""
    numbers = frame[scaled(table)]
    return ((numbers > 0) & np.isfinite(numbers)).all(axis=1) & frame[table.dated].notna()


def scaled(table: Table) -> list[str]:
    """Return the prices that splits scale, the close last of them, then the column of splits."""
    return [] if table.splits is None else [*table.splits.prices, table.splits.ratio]


def on_whole_bars(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows in which splits and dividends of sessions without a bar stand at the next one.

    The rows without a bar stay as they came. What no bar follows waits for it.

    Parameters
    ----------
    table
        A declaration; without `splits` there is nothing to move.
    frame
        Its rows in its shape, of any number of keys, in any order.
    """
    events = list(_waiting(table, frame))
    if table.splits is None or not events:
        return frame
    ratio, paid = (
        frame[n].to_numpy(copy=True) for n in (table.splits.ratio, table.splits.dividend)
    )
    for event in events:
        # A dividend is of the shares of its own day, which a later split divides.
        paid[event.bar] += event.dividend / frame[table.splits.ratio].to_numpy()[event.bar]
        ratio[event.bar] *= event.split
    return frame.assign(**{table.splits.ratio: ratio, table.splits.dividend: paid})


def counted_later(table: Table, frame: pd.DataFrame) -> list[Finding]:
    """Return what counts at a later bar than its own, see `on_whole_bars`."""
    if table.splits is None:
        return []
    found = []
    for event in _waiting(table, frame):
        bar = frame.iloc[event.bar]
        days = f"on {event.day.date()}, counted on {bar[table.dated].date()}"
        told = {
            table.splits.ratio: (event.split, 1.0),
            table.splits.dividend: (event.dividend, 0.0),
        }
        for column, (value, nothing) in told.items():
            if value != nothing:
                words = f"a {column} of {value:g} {days}"
                key = str(bar[table.partition])
                found.append(Finding(table.name, key, column, AT_A_BAR, 1, words, COUNTED))
    return found


@dataclass(frozen=True)
class _Event:
    """What happened on a day without a bar, in shares of the end of the wait; 1 and 0 for none.

    `bar` is the row of the next bar, by position.
    """

    day: pd.Timestamp
    split: float
    dividend: float
    bar: int


def _waiting(table: Table, frame: pd.DataFrame) -> Iterator[_Event]:
    """Yield the events of each key that a bar follows, by day."""
    if table.splits is None or frame.empty:
        return
    whole = whole_bars(table, frame).to_numpy()
    split, paid = (frame[n].to_numpy() for n in (table.splits.ratio, table.splits.dividend))
    split = np.where((split > 0) & np.isfinite(split), split, 1.0)
    paid = np.where((paid > 0) & np.isfinite(paid), paid, 0.0)
    happened = ~whole & frame[table.dated].notna().to_numpy() & ((split != 1.0) | (paid != 0.0))
    days, keys = frame[table.dated].to_numpy(), frame[table.partition].to_numpy()
    for row in np.flatnonzero(happened):
        bars = np.flatnonzero(whole & (keys == keys[row]) & (days >= days[row]))
        # Of a session that has its bar in another row, that row tells.
        if bars.size and days[bars].min() > days[row]:
            bar = int(bars[np.argmin(days[bars])])
            between = happened & (keys == keys[row]) & (days > days[row]) & (days < days[bar])
            payment = float(paid[row] / np.prod(split[between]))
            yield _Event(pd.Timestamp(days[row]), float(split[row]), payment, bar)
