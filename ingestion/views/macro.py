"""The macro view: each series' level as known at the decision time of the market's sessions."""

from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from feature_repo.features.macro.group import DAILY, MACRO, MONTHLY
from feature_repo.features.macro.known import as_known, monthly_as_known, newest_known
from home.manifest import latest
from ingestion.tables.catalogue import MACRO_SERIES
from ingestion.views.aligned import Aligned, answered_by, days, later, taken, times, up_to
from ingestion.views.declare import Input, View
from ingestion.views.raw import Raw
from market.arrays import FloatArray
from market.availability import SERIES, available_at
from market.calendar import DECISION_DELAY, NEW_YORK, close
from market.errors import InputError


def align_macro(rows: pl.DataFrame, market: pl.DataFrame) -> Aligned:
    """Return each series' level, and earlier months of monthly ones, as known at decision times.

    Parameters
    ----------
    rows
        The newest version of each observation (and vintage) of every series.
    market
        XNYS sessions, ascending, and when each first landed with a price (`landed_at`).

    Raises
    ------
    InputError
        If a series that features need has no row.
    """
    sessions = days(market["session"])
    closes = close(sessions)
    cut_offs = closes + DECISION_DELAY
    arrays: dict[str, FloatArray] = {}
    available, landed = closes, times(market["landed_at"])
    for series in (*DAILY, *MONTHLY):
        part = rows.filter(pl.col("series") == series)
        if part.is_empty():
            raise InputError(f"macro features need series {series}: nothing of it has landed")
        known = macro_available(series, part)
        arrays |= _levels(series, part, known, cut_offs)
        newest = newest_known(cut_offs, days(part["observation_date"]), known)
        available = later(available, taken(known, newest))
        landed = later(landed, taken(times(part["landed_at"]), newest))
    return Aligned(sessions, closes, available, landed, arrays, sessions[-1])


def macro_available(series: str, rows: pl.DataFrame) -> pd.DatetimeIndex:
    """Return when each row of a series was known: by its vintage if it has one, else by the lag.

    A vintage counts from the hour of its day at which the series' releases count.
    """
    modelled = available_at(series, days(rows["observation_date"]))
    vintage = days(rows["vintage_date"])
    at_hour = (vintage + pd.Timedelta(hours=SERIES[series].hour)).tz_localize(NEW_YORK)
    return at_hour.tz_convert("UTC").where(vintage.notna(), modelled)


def _levels(
    series: str, rows: pl.DataFrame, known: pd.DatetimeIndex, cut_offs: pd.DatetimeIndex
) -> dict[str, FloatArray]:
    observed, values = days(rows["observation_date"]), rows["value"].to_numpy()
    if series in DAILY:
        return {series: as_known(cut_offs, observed, known, values)}
    terms = MONTHLY[series]
    vintage = days(rows["vintage_date"])
    earlier = tuple(months for months in terms if months)
    levels = monthly_as_known(cut_offs, observed, known, values, vintage, earlier)
    return {name: levels[months] for months, name in terms.items()}


def _align(raw: Raw) -> Aligned:
    """Return the series as far as all that were asked for have answered."""
    aligned = align_macro(latest(raw.versions(MACRO_SERIES), MACRO_SERIES.key), raw.sessions)
    complete = np.ones(len(aligned.sessions), dtype=np.bool_)
    for answer in raw.answers_of(MACRO_SERIES).values():
        complete &= answered_by(answer, aligned.sessions)
    return up_to(aligned, complete)


VIEW: Final = View(
    groups=(MACRO,),
    inputs=(Input(MACRO_SERIES, lambda _market: SERIES, MACRO.sources, carried=True),),
    align=_align,
)
