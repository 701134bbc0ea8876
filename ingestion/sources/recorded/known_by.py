"""What of a history was known at the decision time of a session; nothing later is given.

For sources that hold a whole history at once. A vendor asked on the day knows no more anyway.
"""

from typing import Final

import numpy as np
import pandas as pd

from feature_repo.features.earnings.reports import ANNOUNCED, BEFORE_CLOSE
from market.calendar import decision_time, session_shift, sessions

RESULTS: Final = ("eps_actual", "revenue_actual")
# No closure of the exchange since 1990 has lasted as long.
RECENT: Final = pd.Timedelta(days=14)


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
    return rows[rows[column] <= decision_time(pd.DatetimeIndex([last]))[0]]


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
