"""When a macro observation became known: one row a series.

H.15 rates are posted at 16:15 New York on the next federal business day; 18:00 leaves room.
The series FRED derives or copies follow by noon of the next business day (conservative,
unverified). Monthly series without vintages use a fixed day of the following month.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar

from feature_repo.errors import InputError
from feature_repo.markets import NEW_YORK


@dataclass(frozen=True)
class Series:
    """A FRED series: the feature that carries its level, and when a value is published.

    `day` is the day of the following month for a monthly series, None for a daily one, which
    is published on the next federal business day.
    """

    name: str
    hour: int
    day: int | None = None


SERIES: Final = {
    row.name: row
    for row in (
        *(Series(name, 18) for name in ("DFF", "DGS2", "DGS10", "DGS3MO", "DFII10")),
        *(Series(name, 12) for name in ("VIXCLS", "T10Y2Y", "T10YIE", "T5YIE")),
        Series("UNRATE", 12, day=10),
        Series("CPIAUCSL", 12, day=18),
    )
}


@cache
def federal_holidays() -> np.ndarray:
    """Return the US federal holidays, as `datetime64[D]`."""
    days = USFederalHolidayCalendar().holidays("1950-01-01", "2060-12-31")
    return days.to_numpy().astype("datetime64[D]")


def available_at(series: str, observed: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return when observations of a series became known, in UTC.

    Parameters
    ----------
    series
        A FRED series of `SERIES`.
    observed
        Observation dates, without a zone; shape (n,).

    Raises
    ------
    InputError
        If the series is not in the table: an unknown lag must not be guessed.
    """
    if series not in SERIES:
        raise InputError(
            f"no availability known for series {series!r:.40}, allowed are {', '.join(SERIES)}; "
            "add a row to feature_repo/availability.py"
        )
    row = SERIES[series]
    dates = pd.DatetimeIndex(observed)
    if row.day is None:
        days = np.busday_offset(
            dates.to_numpy().astype("datetime64[D]"),
            1,
            roll="preceding",
            holidays=federal_holidays(),
        )
    else:
        months = dates.to_numpy().astype("datetime64[M]") + 1
        days = months.astype("datetime64[D]") + (row.day - 1)
    local = pd.DatetimeIndex(days.astype("datetime64[ns]")) + timedelta(hours=row.hour)
    return local.tz_localize(NEW_YORK).tz_convert("UTC").as_unit("ns")
