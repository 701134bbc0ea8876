"""Levels that only a misprint explains: of another unit, far away for days, or told again.

The limits are beyond all that the indices, the series and the funds have shown since they exist.
"""

from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from home.manifest import latest
from ingestion.gate.sequences import SOON, Stored
from ingestion.tables.catalogue import INDICES, PRICES
from ingestion.tables.declare import Table
from market.arrays import BoolArray, FloatArray

BAR: Final = ("open", "high", "low", "close")
# An implied volatility: VIX has been 9 to 83, and that of the hundred largest 150 in October 1987.
VOLATILITY: Final = (3.0, 160.0)
_RATE, _SPREAD = (-5.0, 30.0), (-10.0, 15.0)
RANGES: Final = MappingProxyType(
    {
        **dict.fromkeys(("DFF", "DGS2", "DGS10", "DGS3MO"), _RATE),
        **dict.fromkeys(("T10Y2Y", "T10YIE", "T5YIE", "DFII10"), _SPREAD),
        "VIXCLS": VOLATILITY,
        "UNRATE": (0.5, 40.0),
        "CPIAUCSL": (5.0, 1000.0),
    }
)
_ANY: Final = (-np.inf, np.inf)
# A volatility is away and back within days by so much at no time: 1.4 times is the most seen.
AWAY: Final = np.log(1.6)
# A series of points is away by at least so much, and by so many times the steps around.
POINTS: Final = 1.5
TIMES: Final = 8.0
AROUND: Final = 60
# Times the median of the sessions around; SPY's busiest day was 21 times it, its idlest one 43rd.
VOLUMES: Final = 50.0
MEDIAN_OF: Final = 21
# A normal variable's standard deviation is so many times its median absolute deviation.
MAD: Final = 1.4826
SPREADS: Final = 6.0


def in_range(table: Table, frame: pd.DataFrame, stored: Stored) -> pd.Series:
    """Return whether each level is possible in the unit of its key; see `not_away`.

    An unknown level is another rule's business.
    """
    column, key = _level(table), frame[table.partition]
    ranges = key.map(lambda name: VOLATILITY if table is INDICES else RANGES.get(name, _ANY))
    low, high = (ranges.map(lambda pair, side=side: pair[side]).astype(float) for side in (0, 1))
    right = ~((frame[column] < low) | (frame[column] > high))
    for name, part in frame[~right].groupby(table.partition, sort=False):
        right.loc[part.index] = _held(table, part, stored, str(name), (column,))
    return right


def not_away(table: Table, frame: pd.DataFrame, stored: Stored) -> pd.Series:
    """Return whether no level is one that was left and come back to within days, by two leaps.

    A level that the lake holds has been vouched for.

    Parameters
    ----------
    table
        `INDICES` or `MACRO_SERIES`.
    frame
        Its rows, of any number of keys, in any order.
    stored
        What the lake holds.

    Returns
    -------
    pd.Series
        bool, the frame's index; a row that is one of several vintages is True. Shape (n_rows,).
    """
    right = pd.Series(data=True, index=frame.index)
    column = _level(table)
    vintages = frame.duplicated([table.partition, table.dated], keep=False)
    rows = frame[frame[column].notna() & ~vintages].sort_values(table.dated, kind="stable")
    for key, part in rows.groupby(table.partition, sort=False):
        levels = part[column].to_numpy()
        leaps = (np.log(levels), AWAY, 0.0) if table is INDICES else (levels, POINTS, TIMES)
        held = _held(table, part, stored, str(key), (column,))
        right.loc[part.index] = ~_away(*leaps) | held
    return right


def _level(table: Table) -> str:
    return "close" if table is INDICES else "value"


def not_repeated(table: Table, frame: pd.DataFrame, stored: Stored) -> pd.Series:
    """Return whether each bar is another one than that of the session before.

    Open, high, low and close that are all those of the session before, as well as the volume where
    there is one, are a bar that was told again; one without a range may stand still. Parameters and
    the result as in `not_away`.
    """
    columns = (*BAR, "volume") if table is PRICES else BAR
    right = pd.Series(data=True, index=frame.index)
    bars = frame[frame["high"] > frame["low"]].sort_values(table.dated, kind="stable")
    for key, part in bars.groupby(table.partition, sort=False):
        levels = part[list(columns)].to_numpy()
        again = np.append(False, (levels[1:] == levels[:-1]).all(axis=1))
        if table is INDICES:
            # Without a volume, rounded levels are the same once by chance, as in derived bars.
            again &= np.append(False, again[:-1]) | np.append(again[1:], False)
        if again.any():
            right.loc[part.index] = ~again | _held(table, part, stored, str(key), columns)
    return right


def strange_volumes(frame: pd.DataFrame) -> pd.Series:
    """Return whether each volume of prices is far from those around it; the index, (n_rows,).

    A thin stock's volumes vary more than those of a fund, and so may a single one: far is also
    beyond `SPREADS` of the key's own robust standard deviations of the logarithm.
    """
    strange = pd.Series(data=False, index=frame.index)
    for _, part in frame.sort_values(PRICES.dated).groupby(PRICES.partition, sort=False):
        around = part["volume"].rolling(MEDIAN_OF, center=True, min_periods=MEDIAN_OF // 2).median()
        # A session without a trade counts as one share.
        ratio = (part["volume"].clip(lower=1.0) / around.clip(lower=1.0)).to_numpy()
        away = np.abs(np.log(ratio))
        spread = MAD * np.nanmedian(away) if np.isfinite(away).any() else 0.0
        strange.loc[part.index] = away > max(np.log(VOLUMES), SPREADS * spread)
    return strange


def _away(levels: FloatArray, least: float, times: float) -> BoolArray:
    """Return which levels lie between two leaps that undo each other; shape (n_levels,)."""
    away = np.zeros(len(levels), dtype=np.bool_)
    steps = np.diff(levels)
    leaps = np.flatnonzero(np.abs(steps) > least).tolist()
    back = 0
    for first, last in pairwise(leaps):
        undone = steps[first] * steps[last] < 0
        undone &= abs(levels[last + 1] - levels[first]) < abs(steps[first]) / 4
        if first < back or last - first > SOON or not undone:
            continue
        around = np.abs(np.delete(steps[: last + AROUND], [first, last])[max(first - AROUND, 0) :])
        if min(abs(steps[first]), abs(steps[last])) > times * around.max(initial=0.0):
            away[first + 1 : last + 1], back = True, last + 1
    return away


def _held(
    table: Table, part: pd.DataFrame, stored: Stored, key: str, columns: tuple[str, ...]
) -> BoolArray:
    """Return whether the lake holds each row of a key with the same values; shape (n_rows,)."""
    rows = stored(key)
    if rows is None:
        return np.zeros(len(part), dtype=np.bool_)
    names = [table.dated, *columns]
    newest = latest(rows, table.key).select(names).to_pandas()
    newest = newest.astype({table.dated: table.dtypes[table.dated]})
    newest = newest.drop_duplicates(table.dated, keep="last").set_index(table.dated)
    there = newest.reindex(part[table.dated])[list(columns)]
    same: BoolArray = (part[list(columns)].to_numpy() == there.to_numpy()).all(axis=1)
    return same
