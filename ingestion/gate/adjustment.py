"""Prices beside what is paid on them: what no adjustment can reinvest, and what the vendor's does.

A row's adjusted return is checked against that of the vendor's own adjusted close, row by row of
one answer, as a vendor states the adjusted closes of all rows anew with every dividend.
"""

from typing import Final

import numpy as np
import pandas as pd

from ingestion.gate.sequences import SOON, Stored, newest_bars
from ingestion.tables.declare import Splits, Table
from market.adjust import payable
from market.arrays import BoolArray, FloatArray

# Vendors round prices to a cent at worst.
CENT: Final = 0.005
# What is left of two logs of returns when nothing was rounded to cents.
ROUNDING: Final = 1e-4
# Beyond it one of the two adjustments is grossly wrong: a dividend of one twentieth of the price.
GROSS: Final = 0.05
_VERDICTS: Final = ("flagged", "refused", "misprint")


def reinvestable(table: Table, frame: pd.DataFrame, stored: Stored) -> pd.Series:
    """Return whether each row leaves prices that can be adjusted, see `market.adjust.payable`.

    A row whose dividend is not below the close before cannot be, and neither can one whose close
    is not above the dividend of the stored row after it.

    Parameters
    ----------
    table
        A declaration with `splits`.
    frame
        Its rows, of any number of tickers, in any order, no session of one twice.
    stored
        What the lake holds.

    Returns
    -------
    pd.Series
        bool, the frame's index; shape (n_rows,).
    """
    right = pd.Series(data=True, index=frame.index)
    if table.splits is None:
        return right
    names = [table.dated, *_read(table.splits)]
    for key, rows in frame.groupby(table.partition, sort=False):
        held = newest_bars(table, stored(str(key)))
        held = held.loc[~held[table.dated].isin(rows[table.dated]), names]
        both = pd.concat([rows[names], held.set_axis([-1] * len(held))])
        both = both.sort_values(table.dated, kind="stable")
        close, dividend, split = (both[name].to_numpy() for name in _read(table.splits))
        wrong = ~payable(close, dividend, split)
        # Of a stored row that cannot be adjusted any more, the new one before it is the cause.
        new = both.index.to_numpy() != -1
        cause = np.append((wrong & ~new)[1:], False) & new
        right.loc[both.index[(wrong & new) | cause]] = False
    return right


def disagreement(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return how far each row's adjusted return lies from the vendor's, and who is wrong.

    Of two returns that differ grossly the farther one is wrong: ours, by the prices or the dividend
    of the row, or the vendor's, by a misprint of its adjusted close, which nothing is computed
    from. Where the difference is undone within days, what lies between is wrong, and nothing else.

    Parameters
    ----------
    table
        A declaration with `splits`.
    frame
        Rows as one answer gives them, of any number of tickers, in any order.

    Returns
    -------
    pd.DataFrame
        `gap` (log of our return over the vendor's, NaN where one is unknown), `paid` (what the
        vendor counts, USD per share), `flagged` (the gap is more than rounding), `refused` (ours is
        grossly wrong, and not by a part of the dividend taken twice) and `misprint` (the gap comes
        from the adjusted close alone); the frame's index, (n_rows, 5).
    """
    columns = {"gap": np.nan, "paid": np.nan, **dict.fromkeys(_VERDICTS, False)}
    found = pd.DataFrame(columns, index=frame.index)
    if table.splits is None or frame.empty:
        return found
    # A row without a close has no return; the next one is held against the row before it.
    priced = frame[frame[table.splits.prices[-1]] > 0]
    rows = priced.sort_values([table.partition, table.dated], kind="stable")
    close, dividend, split = (rows[name].to_numpy() for name in _read(table.splits))
    theirs = rows[table.splits.adjusted].to_numpy()
    before, theirs_before = _before(table, rows, close), _before(table, rows, theirs)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.log(close * split / before)
        vendor = np.log(theirs / theirs_before)
        ours = moved - np.log(1.0 - dividend * split / before)
        gap = ours - vendor
        # Above the price no dividend can be reinvested: another rule's business.
        gap[~np.isfinite(gap)] = np.nan
        paid = before / split * (1.0 - np.exp(moved - vendor))
        cents = CENT * (1 / close + 1 / before + 1 / theirs + 1 / theirs_before)
        flagged = np.abs(gap) > ROUNDING + cents
    # Yahoo counts a fund's capital gains inside the dividend in some feeds, and takes them twice.
    room = CENT * before
    twice = (dividend - room <= paid) & (paid <= 2 * dividend + room)
    gross = flagged & (np.abs(gap) > np.maximum(GROSS, ROUNDING + cents)) & ~twice
    refused, misprint = _verdicts(rows[table.partition].to_numpy(), gap, gross, ours, vendor)
    values = (gap, paid, flagged, refused, misprint)
    for name, known in zip(found.columns, values, strict=True):
        found.loc[rows.index, name] = known
    return found


def _verdicts(
    keys: np.ndarray, gap: FloatArray, gross: BoolArray, ours: FloatArray, vendor: FloatArray
) -> tuple[BoolArray, BoolArray]:
    """Return which rows are wrong by our return, and by the adjusted close alone; (n_rows,) each.

    Rows are in order of their keys, then sessions.
    """
    refused, misprint = np.zeros(len(gap), dtype=np.bool_), np.zeros(len(gap), dtype=np.bool_)
    due = np.flatnonzero(gross).tolist()
    while due:
        first = due.pop(0)
        undone = (
            row for row in due
            if row <= first + SOON and keys[row] == keys[first]
            and abs(gap[first] + gap[row]) < GROSS / 2
        )  # fmt: skip
        last = next(undone, None)
        pair = [first] if last is None else [first, last]
        if np.abs(vendor[pair]).sum() > np.abs(ours[pair]).sum():
            misprint[pair] = True
        else:
            refused[first : first + 1 if last is None else last] = True
        due = [row for row in due if last is None or row > last]
    return refused, misprint


def _read(splits: Splits) -> tuple[str, str, str]:
    """Return the columns of the close, the dividend and the split."""
    return splits.prices[-1], splits.dividend, splits.ratio


def _before(table: Table, rows: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Return the value of the session before of the same ticker, NaN where there is none."""
    shifted = np.append(np.nan, values[:-1])
    key, day = rows[table.partition].to_numpy(), rows[table.dated].to_numpy()
    follows: BoolArray = np.append(False, (key[1:] == key[:-1]) & (day[1:] != day[:-1]))
    return np.where(follows & (shifted > 0), shifted, np.nan)
