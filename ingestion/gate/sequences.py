"""What a row must be beside the row before it: in order, and at a level that no split explains."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from home.manifest import latest
from ingestion.tables.declare import Table
from market.arrays import BoolArray, FloatArray

# A key of a table to all stored versions of its rows, None where none has landed.
Stored = Callable[[str], pl.DataFrame | None]

# New shares per old share that companies choose, up to the largest seen, and the same reversed.
_WHOLE: Final = np.array([1.5, *range(2, 101)])
LOG_RATIOS: Final = np.sort(np.log(np.append(_WHOLE, 1.0 / _WHOLE)))
# How far the first trade or the close may lie from where the split alone would put it.
NEAR: Final = np.log(1.02)
# Back at the level before: what is left of two splits is less than half of the smallest one.
BACK: Final = np.log(1.5) / 2
# A stored bar that the vendor gives again; vendors round to six digits.
SAME: Final = 1e-6


def nothing_stored(_key: str) -> None:
    """Return None: no key has stored rows."""
    return


def in_order(table: Table, frame: pd.DataFrame) -> pd.Series:
    """Return whether each row of a partition stands in order with its neighbours; shape (n_rows,).

    The sessions of a partition are strictly monotone, from the oldest to the newest or the other
    way. Of two rows in the wrong order neither is known to have the right date, so both are out of
    order. Rows without a date, and equal dates, are other rules' business.
    """
    ordered = pd.Series(data=True, index=frame.index)
    dated = frame[frame[table.dated].notna()]
    for _, days in dated[table.dated].groupby(dated[table.partition], sort=False):
        steps = np.sign(np.diff(days.to_numpy().astype("int64")))
        wrong = np.flatnonzero(steps == (-1 if steps.sum() >= 0 else 1))
        ordered.loc[days.index[np.union1d(wrong, wrong + 1)]] = False
    return ordered


def no_split_missing(table: Table, frame: pd.DataFrame, stored: Stored) -> pd.Series:
    """Return whether no split lies between a row and the rows known, that none of them declares.

    Open, high, low and close that jump together by the ratio of a split, of which the row's split
    column does not tell (or a split it tells of by which prices do not jump), put that row and all
    later ones of the ticker at a wrong level, until a jump back. A bar that the lake already holds
    with the same prices and split has been vouched for, by the gate or by whoever released it.

    Parameters
    ----------
    table
        A declaration with `splits`.
    frame
        Its rows, of any number of tickers, in any order.
    stored
        What the lake holds.

    Returns
    -------
    pd.Series
        bool, the frame's index; a row without a whole bar is True. Shape (n_rows,).
    """
    right = pd.Series(data=True, index=frame.index)
    if table.splits is None:
        return right
    columns = [table.partition, table.dated, *_scaled(table)]
    rows = frame.loc[_whole(table, frame), columns].sort_values(table.dated, kind="stable")
    for key, bars in rows.groupby(table.partition, sort=False):
        right.loc[bars.index] = _at_level(table, bars, _newest(table, stored(str(key))))
    return right


def log_split(moves: FloatArray) -> FloatArray:
    """Return the log of the split that bars jumped by, 0 for none.

    Parameters
    ----------
    moves
        log(price / the close before, in the same shares): the opening first, the close last;
        shape (n_rows, n_prices).

    Returns
    -------
    np.ndarray
        Shape (n_rows,).
    """
    found = np.zeros(len(moves))
    for move in (moves[:, 0], moves[:, -1]):
        ratio = _nearest(move)
        # The whole bar lies on the split's side of halfway.
        jumped = (moves * np.sign(ratio)[:, None] > np.abs(ratio)[:, None] / 2).all(axis=1)
        found = np.where(jumped & (np.abs(move - ratio) <= NEAR), ratio, found)
    return found


def _nearest(moves: FloatArray) -> FloatArray:
    after = np.clip(np.searchsorted(LOG_RATIOS, moves), 1, len(LOG_RATIOS) - 1)
    low, high = LOG_RATIOS[after - 1], LOG_RATIOS[after]
    return np.where(moves - low < high - moves, low, high)


def _at_level(table: Table, bars: pd.DataFrame, newest: pd.DataFrame) -> BoolArray:
    """Return whether each bar of one ticker is at the level of what is known; shape (n_bars,)."""
    *prices, ratio = _scaled(table)
    unchanged = _unchanged(table, bars, newest)
    close = bars[prices[-1]].to_numpy()
    before = np.append(_close_before(table, bars, newest), close[:-1])
    scale = bars[ratio].to_numpy() / before
    jumps = log_split(np.log(bars[prices].to_numpy() * scale[:, None]))
    level = np.cumsum(np.where(unchanged, 0.0, jumps))
    back: BoolArray = np.abs(level) < BACK
    return unchanged | back


def _unchanged(table: Table, bars: pd.DataFrame, newest: pd.DataFrame) -> BoolArray:
    """Return whether the lake holds each bar as it is."""
    names = _scaled(table)
    there = newest.set_index(table.dated)[names].reindex(bars[table.dated])
    same = np.isclose(bars[names].to_numpy(), there.to_numpy(), rtol=SAME, atol=0.0)
    unchanged: BoolArray = same.all(axis=1)
    return unchanged


def _close_before(table: Table, bars: pd.DataFrame, newest: pd.DataFrame) -> float:
    """Return the close that is held before the first bar, if that bar is a new one; else NaN."""
    first = bars[table.dated].iloc[0]
    earlier = newest[newest[table.dated] < first]
    if earlier.empty or (newest[table.dated] == first).any():
        return np.nan
    return float(earlier[_scaled(table)[-2]].iloc[-1])


def _newest(table: Table, rows: pl.DataFrame | None) -> pd.DataFrame:
    names = [table.dated, *_scaled(table)]
    if rows is None:
        return table.empty()[names]
    frame = latest(rows, table.key).sort(table.dated).select(names).to_pandas()
    return frame.astype({table.dated: table.dtypes[table.dated]})


def _whole(table: Table, frame: pd.DataFrame) -> pd.Series:
    numbers = frame[_scaled(table)]
    return ((numbers > 0) & np.isfinite(numbers)).all(axis=1) & frame[table.dated].notna()


def _scaled(table: Table) -> list[str]:
    """Return the prices that splits scale, the close last of them, then the column of splits."""
    return [] if table.splits is None else [*table.splits.prices, table.splits.ratio]
