"""What was known of a macro series at each decision time.

Times are UTC and dates have no zone: `DatetimeIndex`, with or without a zone, or `datetime64`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from feature_repo.features.maths.times import Times, nanoseconds, same_length
from market.arrays import BySession

WHAT: Final = "macro alignment"


def newest_known(decision_times: Times, observed: Times, available: Times) -> NDArray[np.intp]:
    """Return the row of the newest observation known at each decision time, -1 if there is none.

    Among rows of that observation date, corrections included, it is the one that became known
    last, and of those the one given last.

    Parameters
    ----------
    decision_times
        Cut-offs in any order, shape (n_sessions,).
    observed
        Observation dates, shape (n_rows,).
    available
        When each row became known, shape (n_rows,).

    Raises
    ------
    InputError
        If `observed` and `available` differ in length or hold a missing time.
    """
    cut_offs = nanoseconds(WHAT, decision_times)
    dates, known = nanoseconds(WHAT, observed), nanoseconds(WHAT, available)
    same_length(WHAT, observed=dates, available=known)
    order = np.lexsort((dates, known))
    newest = dates[order] == np.maximum.accumulate(dates[order])
    # In order of becoming known, the last row that was no older than all before it.
    last = np.maximum.accumulate(np.where(newest, np.arange(order.size), 0))
    at = np.searchsorted(known[order], cut_offs, side="right") - 1
    return np.append(order[last], -1)[at]


def as_known(
    decision_times: Times, observed: Times, available: Times, values: Float64[np.ndarray, " n_rows"]
) -> BySession:
    """Value of the newest observation known at each decision time; null before the first.

    A row without a value is no observation: holidays carry the value before.

    Parameters
    ----------
    decision_times, observed, available
        As in `newest_known`.
    values
        Level of each row, shape (n_rows,).
    """
    same_length(WHAT, observed=observed, available=available, values=values)
    held = ~np.isnan(values)
    rows = newest_known(decision_times, observed[held], available[held])
    return np.append(values[held], np.nan)[rows]


def monthly_as_known(
    decision_times: Times,
    reference_month: Times,
    available: Times,
    values: Float64[np.ndarray, " n_rows"],
    vintage: Times,
    earlier: Sequence[int] = (1, 3, 12),
) -> dict[int, BySession]:
    """Level of the newest reference month known at each decision time, and of months before it.

    All terms come from the one vintage in force at the cut-off: the newest figure of each month
    among those published by then. Where a dated vintage is in force, figures without a vintage
    date (today's revision of the past) are not mixed in.

    A month that is still missing when a later one is out is overdue by the next release, and taken
    never to come: the month before it is carried into its place (Decision 23), from then on and
    until its own figure is known. Of two in a row the second stays null.

    Parameters
    ----------
    decision_times
        Cut-offs in any order, shape (n_sessions,).
    reference_month
        Any day of the month that a row is about, shape (n_rows,).
    available
        When each row became known, shape (n_rows,).
    values
        Level, shape (n_rows,); a row without one is no observation.
    vintage
        Date of the publication, or missing; shape (n_rows,).
    earlier
        Months before the newest to look up.

    Returns
    -------
    dict
        Months before the newest (0: the newest itself) to levels of shape (n_sessions,), null
        where neither that month nor the one before it was known.

    Raises
    ------
    InputError
        If the rows differ in length or a time other than a vintage is missing.
    """
    months = pd.DatetimeIndex(reference_month).to_numpy().astype("datetime64[M]").astype(np.int64)
    known, cut_offs = nanoseconds(WHAT, available), nanoseconds(WHAT, decision_times)
    dated = ~np.isnat(pd.DatetimeIndex(vintage).to_numpy())
    same_length(WHAT, reference_month=months, available=known, values=values, vintage=dated)
    ages = (0, *earlier)
    terms = np.full((len(ages), cut_offs.size), np.nan)
    for chosen in (dated, ~dated):
        rows = np.flatnonzero(chosen & ~np.isnan(values))
        rows = rows[np.argsort(known[rows], kind="stable")]
        found = _in_force(months[rows], values[rows], ages)
        at = np.searchsorted(known[rows], cut_offs, side="right")
        terms = np.where(np.isnan(terms[0]), found[:, at], terms)
    return dict(zip(ages, terms, strict=True))


def _in_force(
    months: Int64[np.ndarray, " n_rows"],
    values: Float64[np.ndarray, " n_rows"],
    ages: Sequence[int],
) -> Float64[np.ndarray, "n_ages n_rows+1"]:
    """Levels of the newest month and of earlier ones after each row; shape (ages, rows + 1)."""
    levels: dict[int, float] = {}
    newest = 0
    out = np.full((len(ages), values.size + 1), np.nan)
    for row, (month, value) in enumerate(zip(months.tolist(), values.tolist(), strict=True)):
        newest = max(newest, month) if levels else month
        levels[month] = value
        out[:, row + 1] = [_level(levels, newest - age) for age in ages]
    return out


def _level(levels: Mapping[int, float], month: int) -> float:
    """Return the level of a month that a later one follows, carried where it never came."""
    return levels.get(month, levels.get(month - 1, np.nan))
