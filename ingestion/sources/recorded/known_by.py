"""What of a history was known at the decision time of a session; nothing later is given.

For sources that hold a whole history at once. A vendor asked on the day knows no more anyway.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from feature_repo.features.earnings.reports import ANNOUNCED, BEFORE_CLOSE
from ingestion.sources.later import Later
from ingestion.tables.catalogue import EARNINGS_CALENDAR
from ingestion.tables.declare import Table
from market.calendar import decision_time, session_shift, sessions

RESULTS: Final = ("eps_actual", "revenue_actual")
# No closure of the exchange since 1990 has lasted as long.
RECENT: Final = pd.Timedelta(days=14)
# Table -> the times that its rows are known from. Those of a table that is not here are dated by
# days, and known on their day.
KNOWN_FROM: Final[Mapping[str, str]] = MappingProxyType(
    {"news": "recorded_at", "mentions": "recorded_at", "option_chains": "quote_time"}
)


def known(table: Table, rows: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Return what of the rows of a table was known by the decision time of the last session.

    Parameters
    ----------
    table
        The declaration.
    rows
        With its columns, numbered once each.
    end
        A day without a zone; the last session up to it is meant.
    """
    if table is EARNINGS_CALENDAR:
        return reports_known(rows, end)
    if table.name in KNOWN_FROM:
        return recorded_by(rows, KNOWN_FROM[table.name], end)
    return rows[table.days(rows) <= end]


def left_out(table: Table, rows: pd.DataFrame, given: pd.DataFrame) -> list[Later]:
    """Return what of each key is among rows and not given, see `known`."""
    rest = rows.drop(index=given.index)
    days = replace(table, dated=KNOWN_FROM.get(table.name, table.dated)).days(rest)
    by_key = days.groupby(rest[table.partition], sort=False)
    return [Later(len(each), str(key), each.min()) for key, each in by_key]


def last_session(end: pd.Timestamp) -> pd.Timestamp | None:
    """Return the last session up to a day, at midnight without a zone; None before the first."""
    recent = sessions(end - RECENT, end)
    return recent[-1].as_unit("ns") if len(recent) else None


def recorded_by(rows: pd.DataFrame, column: str, end: pd.Timestamp) -> pd.DataFrame:
    """Return the rows whose time is not after the decision time of the last session up to `end`.

    Parameters
    ----------
    rows
        With a column of times, datetime64[ns, UTC].
    column
        Its name.
    end
        A day without a zone.
    """
    last = last_session(end)
    if last is None:
        return rows[:0]
    early = rows[column] <= decision_time(pd.DatetimeIndex([last]))[0]
    return rows if early.all() else rows[early]


def reports_known(rows: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Return the `earnings_calendar` rows announced by the decision time of the last session.

    These are dated up to ten sessions after it; what is reported of results is null until the
    results are out.

    Parameters
    ----------
    rows
        With the columns date, hour, eps_actual and revenue_actual.
    end
        A day without a zone; the last session up to it is meant.
    """
    last = last_session(end)
    if last is None:
        return rows[:0]
    announced = rows[rows["date"] <= session_shift(pd.DatetimeIndex([last]), ANNOUNCED)[0]]
    on_the_day = announced["hour"].isin(BEFORE_CLOSE) & (announced["date"] == last)
    out = (announced["date"] < last) | on_the_day
    return announced.assign(**{name: announced[name].where(out, np.nan) for name in RESULTS})
