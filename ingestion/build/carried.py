"""Which levels of a macro row are of a month before their own: those that were carried.

Beside the features, and no part of their definitions: it says where a value comes from.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import polars as pl

from feature_repo.features.macro.group import MACRO, MONTHLY
from feature_repo.features.macro.known import monthly_as_known
from home.manifest import latest
from ingestion.tables.catalogue import MACRO_SERIES
from ingestion.tables.frames import CARRIED, CREATED, SEPARATOR, SESSION
from ingestion.views.aligned import days
from ingestion.views.macro import macro_available
from ingestion.views.raw import Raw
from market.calendar import DECISION_DELAY, close


def with_carried(view: str, rows: pl.DataFrame, raw: Raw) -> pl.DataFrame:
    """Return rows of a view with what they carry (Decision 23) beside the times of their own.

    Parameters
    ----------
    view
        A view that reads no monthly series has no such column.
    rows
        Feature rows.
    raw
        The raw rows that they are computed from.
    """
    if view != MACRO.name:
        return rows
    series = latest(raw.versions(MACRO_SERIES), MACRO_SERIES.key)
    marks = pl.Series(CARRIED, carried_months(series, days(rows[SESSION])), dtype=pl.String)
    return rows.clone().insert_column(rows.get_column_index(CREATED) + 1, marks)


def carried_months(rows: pl.DataFrame, sessions: pd.DatetimeIndex) -> list[str | None]:
    """Return the months that stand in for by the one before at each session's decision time.

    Parameters
    ----------
    rows
        The newest version of each observation (and vintage) of every macro series.
    sessions
        XNYS sessions, in any order; shape (n_sessions,).

    Returns
    -------
    list
        Series and months as text, None where every level is of its own month.
    """
    found: list[list[str]] = [[] for _ in sessions]
    for series, terms in MONTHLY.items():
        for place, month in _carried(series, rows, sessions, [age for age in terms if age]):
            found[place].append(f"{series} {month}")
    return [SEPARATOR.join(marks) or None for marks in found]


def _carried(
    series: str, rows: pl.DataFrame, sessions: pd.DatetimeIndex, earlier: Sequence[int]
) -> list[tuple[int, np.datetime64]]:
    """Return the places of sessions, and the months that one of their levels is not of."""
    part = rows.filter(pl.col("series") == series)
    observed = days(part["observation_date"])
    # The months themselves in the place of their levels: which one stands where is then told.
    months = observed.to_numpy().astype("datetime64[M]").astype(np.float64)
    months[part["value"].is_null().to_numpy()] = np.nan
    used = monthly_as_known(
        close(sessions) + DECISION_DELAY,
        observed,
        macro_available(series, part),
        months,
        days(part["vintage_date"]),
        earlier,
    )
    return [
        (int(place), np.datetime64(int(used[0][place]) - age, "M"))
        for age in earlier
        for place in np.flatnonzero(used[age] < used[0] - age)
    ]
