"""Prices beside what is paid on them: what no adjustment can reinvest, and what the vendor's does.

A row's adjusted return is checked against that of the vendor's own adjusted close, row by row of
one answer, as a vendor states the adjusted closes of all rows anew with every dividend.
"""

from typing import Final

import numpy as np
import pandas as pd

from ingestion.gate.sequences import Stored, newest_bars
from ingestion.tables.declare import Splits, Table
from market.adjust import payable
from market.arrays import BoolArray

# Vendors round prices to a cent at worst.
CENT: Final = 0.005
# What is left of two logs of returns when nothing was rounded to cents.
ROUNDING: Final = 1e-4
# Beyond it one of the two adjustments is grossly wrong: a dividend of one twentieth of the price.
GROSS: Final = 0.05


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
    """Return how far each row's adjusted return lies from the vendor's.

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
        vendor counts, USD per share), `flagged` (the gap is more than rounding) and `refused` (it
        is gross, and not a part of the dividend taken twice); the frame's index, (n_rows, 4).
    """
    columns = {"gap": np.nan, "paid": np.nan, "flagged": False, "refused": False}
    found = pd.DataFrame(columns, index=frame.index)
    if table.splits is None or frame.empty:
        return found
    rows = frame.sort_values([table.partition, table.dated], kind="stable")
    close, dividend, split = (rows[name].to_numpy() for name in _read(table.splits))
    theirs = rows[table.splits.adjusted].to_numpy()
    before, theirs_before = _before(table, rows, close), _before(table, rows, theirs)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.log(close * split / before)
        vendor = np.log(theirs / theirs_before)
        gap = moved - np.log(1.0 - dividend * split / before) - vendor
        # Above the price no dividend can be reinvested: another rule's business.
        gap[~np.isfinite(gap)] = np.nan
        paid = before / split * (1.0 - np.exp(moved - vendor))
        cents = CENT * (1 / close + 1 / before + 1 / theirs + 1 / theirs_before)
        flagged = np.abs(gap) > ROUNDING + cents
    # Yahoo counts a fund's capital gains inside the dividend in some feeds, and takes them twice.
    room = CENT * before
    twice = (dividend - room <= paid) & (paid <= 2 * dividend + room)
    refused = flagged & (np.abs(gap) > np.maximum(GROSS, ROUNDING + cents)) & ~twice
    known = {"gap": gap, "paid": paid, "flagged": flagged, "refused": refused}
    return pd.DataFrame(known, index=rows.index).reindex(frame.index)


def _read(splits: Splits) -> tuple[str, str, str]:
    """Return the columns of the close, the dividend and the split."""
    return splits.prices[-1], splits.dividend, splits.ratio


def _before(table: Table, rows: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Return the value of the session before of the same ticker, NaN where there is none."""
    shifted = np.append(np.nan, values[:-1])
    key, day = rows[table.partition].to_numpy(), rows[table.dated].to_numpy()
    follows: BoolArray = np.append(False, (key[1:] == key[:-1]) & (day[1:] != day[:-1]))
    return np.where(follows & (shifted > 0), shifted, np.nan)
