"""What the prices of a row must be beside those before it: at a level that no split explains."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from home.manifest import latest
from ingestion.gate.missing_bars import on_whole_bars, scaled, whole_bars
from ingestion.tables.declare import Table
from market.arrays import BoolArray, FloatArray

# A key of a table to all stored versions of its rows, None where none has landed.
Stored = Callable[[str], pl.DataFrame | None]

# New shares per old share that companies choose, up to the largest seen, and the same reversed.
_WHOLE: Final = np.array([1.5, *range(2, 101)])
LOG_RATIOS: Final = np.sort(np.log(np.append(_WHOLE, 1.0 / _WHOLE)))
# How far the first trade or the close may lie from where the split alone would put it, and how far
# both of them where the ratio is 2 or more: a real move by half or to the double is that close to
# a whole ratio once in many.
NEAR: Final = np.log(1.02)
BOTH_NEAR: Final = 0.07
TWO: Final = np.log(2.0) - 1e-9
# No share that is traded here opens or closes so far from its last close, whatever the ratio.
TOO_FAR: Final = np.log(2.75)
# Back at the level before: what is left of two splits is less than half of the smallest one.
BACK: Final = np.log(1.5) / 2
# No company splits by the same ratio twice within two weeks.
TWICE_WITHIN: Final = timedelta(days=14)
FIX: Final = "try again later, or correct the recorded file"
# Sessions after which a vendor has corrected prices of another unit.
SOON: Final = 10
# A stored bar that the vendor gives again; vendors round to six digits.
SAME: Final = 1e-6


def nothing_stored(_key: str) -> None:
    """Return None: no key has stored rows."""
    return


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
    columns = [table.partition, table.dated, *scaled(table)]
    rows = frame.loc[whole_bars(table, frame), columns].sort_values(table.dated, kind="stable")
    for key, bars in rows.groupby(table.partition, sort=False):
        right.loc[bars.index] = _at_level(table, bars, newest_bars(table, stored(str(key))))
    return right


def wrong_splits(table: Table, frame: pd.DataFrame, stored: Stored) -> dict[str, str]:
    """Return the tickers whose declared splits cannot be right, and why.

    One wrong split falsifies every price before it, without any single row looking wrong, so the
    whole answer of the ticker is refused. Vendors are known to give a split twice, to scale a part
    of the history by it only, twice, or not at all, and to correct that within days. A bar that
    the lake holds with the same prices and split has been vouched for.

    A split that is left out while the prices are scaled by it cannot be seen in one answer: the
    prices are then consistent, in the shares of a later day.

    Parameters
    ----------
    table, frame, stored
        As in `no_split_missing`.
    """
    shape = {str(name): str(dtype) for name, dtype in frame.dtypes.items()}
    if table.splits is None or any(shape.get(name) != table.dtypes[name] for name in table.dtypes):
        return {}  # a frame of another shape is the gate's to refuse
    columns = [table.partition, table.dated, *scaled(table)]
    frame = on_whole_bars(table, frame)
    rows = frame.loc[whole_bars(table, frame), columns].sort_values(table.dated, kind="stable")
    splitting = rows.loc[rows[table.splits.ratio] != 1.0, table.partition].unique()
    reasons = {
        str(key): _wrong_split(table, bars, newest_bars(table, stored(str(key))))
        for key, bars in rows[rows[table.partition].isin(splitting)].groupby(table.partition)
    }
    return {key: f"{key}: {why}; {FIX}" for key, why in reasons.items() if why is not None}


def _wrong_split(table: Table, bars: pd.DataFrame, newest: pd.DataFrame) -> str | None:
    *prices, ratio = scaled(table)
    days, split = bars[table.dated].dt.date.to_numpy(), bars[ratio].to_numpy()
    new = ~_unchanged(table, bars, newest)
    events = np.flatnonzero(split != 1.0)
    for first, second in pairwise(events):
        near = days[second] - days[first] <= TWICE_WITHIN
        if near and new[second] and np.isclose(split[first], split[second]):
            return (
                f"got the split {split[first]:g} on {days[first]} and again on {days[second]}, "
                "allowed is once"
            )
    close, jumps = bars[prices[-1]].to_numpy(), _jumps(table, bars, newest)
    sizes = np.abs(np.log(split[events]))
    for at in np.flatnonzero(new & (jumps != 0.0)):
        if split[at] == 1.0 and np.min(np.abs(np.abs(jumps[at]) - sizes)) < BOTH_NEAR:
            return (
                f"split not applied evenly: got a close of {close[at]:g} on {days[at]} after "
                f"{close[at - 1]:g}, by the ratio of a split that is given on another day"
            )
        if split[at] != 1.0:
            return (
                f"split not applied: got the split {split[at]:g} on {days[at]}, and prices that do "
                f"not show it: a close of {close[at]:g} after {close[at - 1]:g}, in shares of "
                "their own day"
            )
    return None


def log_split(moves: FloatArray, declared: FloatArray) -> FloatArray:
    """Return the log of the split that bars jumped by, 0 for none.

    Where a split is declared, prices that move by more than half of it after it is allowed for
    were not scaled by it, however the market moved that day. Elsewhere bars jump by a ratio of a
    split, up to a day's own move, or farther than a market does.

    Parameters
    ----------
    moves
        log(price / the close before, in the same shares): the opening first, the close last;
        shape (n_rows, n_prices).
    declared
        Log of the split that each row declares, 0 for none; shape (n_rows,).

    Returns
    -------
    np.ndarray
        Shape (n_rows,).
    """
    opening, closing = moves[:, 0], moves[:, -1]
    far = np.where(np.abs(opening) >= np.abs(closing), opening, closing)
    unscaled = (declared != 0.0) & _as_one(moves, np.maximum(np.abs(declared) / 2, BACK))
    found = np.where(unscaled | (_as_one(moves, TOO_FAR / 2) & (np.abs(far) >= TOO_FAR)), far, 0.0)
    ratio = _nearest(closing)
    apart = np.maximum(np.abs(opening - ratio), np.abs(closing - ratio))
    near = (np.abs(ratio) >= TWO) & (apart < BOTH_NEAR) & _as_one(moves, np.abs(ratio) / 2)
    found = np.where(near, far, found)
    for move in (opening, closing):
        ratio = _nearest(move)
        near = (np.abs(move - ratio) <= NEAR) & _as_one(moves, np.abs(ratio) / 2)
        found = np.where(near, ratio, found)
    return found


def _as_one(moves: FloatArray, least: FloatArray | float) -> BoolArray:
    """Return whether the whole bar lies farther than that, on one side; shape (n_rows,)."""
    sides = moves * np.sign(moves[:, -1])[:, None]
    return np.asarray((sides > np.broadcast_to(least, len(moves))[:, None]).all(axis=1))


def _nearest(moves: FloatArray) -> FloatArray:
    after = np.clip(np.searchsorted(LOG_RATIOS, moves), 1, len(LOG_RATIOS) - 1)
    low, high = LOG_RATIOS[after - 1], LOG_RATIOS[after]
    return np.where(moves - low < high - moves, low, high)


def _at_level(table: Table, bars: pd.DataFrame, newest: pd.DataFrame) -> BoolArray:
    """Return whether each bar of one ticker is at the level of what is known; shape (n_bars,)."""
    unchanged = _unchanged(table, bars, newest)
    level = np.cumsum(np.where(unchanged, 0.0, _jumps(table, bars, newest)))
    back: BoolArray = np.abs(level) < BACK
    return unchanged | back


def _jumps(table: Table, bars: pd.DataFrame, newest: pd.DataFrame) -> FloatArray:
    """Return the log of the split by which each bar of one ticker jumps; shape (n_bars,)."""
    *prices, ratio = scaled(table)
    close, split = bars[prices[-1]].to_numpy(), bars[ratio].to_numpy()
    before = np.append(_close_before(table, bars, newest), close[:-1])
    moves = np.log(bars[prices].to_numpy() * (split / before)[:, None])
    return _with_ways_back(log_split(moves, np.log(split)), moves)


def _with_ways_back(jumps: FloatArray, moves: FloatArray) -> FloatArray:
    """Return the jumps, and the moves by which bars go to such a level or leave it again.

    On one of the two days the market may have moved so much that the ratio alone tells nothing.
    """
    found = jumps.copy()
    for at in np.flatnonzero(jumps).tolist():
        days = np.arange(max(at - SOON, 0), min(at + SOON + 1, len(jumps)))
        undone = np.abs(moves[days, 0] + jumps[at]) < BACK
        undone &= _as_one(moves[days], BACK)
        if undone.any() and not (undone & (found[days] != 0.0)).any():
            other = days[undone][np.argmin(np.abs(days[undone] - at))]
            found[other] = moves[other, 0]
    return found


def _unchanged(table: Table, bars: pd.DataFrame, newest: pd.DataFrame) -> BoolArray:
    """Return whether the lake holds each bar as it is."""
    names = scaled(table)
    there = newest.set_index(table.dated)[names].reindex(bars[table.dated])
    same = np.isclose(bars[names].to_numpy(), there.to_numpy(), rtol=SAME, atol=0.0)
    unchanged: BoolArray = same.all(axis=1)
    return unchanged


def held(table: Table, frame: pd.DataFrame, stored: Stored) -> pd.Series:
    """Return whether the lake holds each row with the same prices; the frame's index, (n_rows,)."""
    found = pd.Series(data=False, index=frame.index)
    for key, bars in frame.groupby(table.partition, sort=False):
        found.loc[bars.index] = _unchanged(table, bars, newest_bars(table, stored(str(key))))
    return found


def _close_before(table: Table, bars: pd.DataFrame, newest: pd.DataFrame) -> float:
    """Return the close that is held before the first bar, if that bar is a new one; else NaN."""
    first = bars[table.dated].iloc[0]
    earlier = newest[newest[table.dated] < first]
    if earlier.empty or (newest[table.dated] == first).any():
        return np.nan
    return float(earlier[scaled(table)[-2]].iloc[-1])


def newest_bars(table: Table, rows: pl.DataFrame | None) -> pd.DataFrame:
    """Return the newest stored bars of a ticker by session: prices, split and dividend.

    Parameters
    ----------
    rows
        All stored versions, None where there are none.
    """
    paid = [] if table.splits is None else [table.splits.dividend]
    names = [table.dated, *scaled(table), *paid]
    if rows is None:
        return table.empty()[names]
    frame = latest(rows, table.key).sort(table.dated).select(names).to_pandas()
    return frame.astype({table.dated: table.dtypes[table.dated]})
