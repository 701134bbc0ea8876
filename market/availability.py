"""When a macro observation became known: one row a series, and the releases that came later.

H.15 rates are posted at 16:15 New York on the next federal business day; 18:00 leaves room.
The series FRED derives or copies follow by noon of the next business day (conservative,
unverified). Monthly series without vintages use a fixed day of the following month, unless
`LATE_RELEASES` knows a later one, and in the years whose releases are not known one by one the
first day of the month after that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar

from market.arrays import DateArray
from market.calendar import NEW_YORK
from market.errors import UnknownName


@dataclass(frozen=True)
class Series:
    """A FRED series: the hour in New York, and the day, at which a value counts as published.

    Attributes
    ----------
    name
        FRED's name of the series.
    hour
        Hour in New York on the day of publication.
    day
        Day of the following month for a monthly series, None for a daily one, which is published
        on the next federal business day.
    releases_from
        The first month, as ISO text, from which every release later than `day` stands in
        `LATE_RELEASES`; None for all. Months before count from the month after the following one.
    """

    name: str
    hour: int
    day: int | None = None
    releases_from: str | None = None


SERIES: Final = {
    row.name: row
    for row in (
        *(Series(name, 18) for name in ("DFF", "DGS2", "DGS10", "DGS3MO", "DFII10")),
        *(Series(name, 12) for name in ("VIXCLS", "T10Y2Y", "T10YIE", "T5YIE")),
        Series("UNRATE", 12, day=10),
        # One release in five of 2004 to 2016 came after the 18th, so those before are not trusted
        # to it.
        Series("CPIAUCSL", 12, day=18, releases_from="2004-01"),
    )
}

# Month observed to day of release, where that lies after the series' day. UNRATE: the closures of
# the government of 1995/96, 2013, 2025 and 2026. CPIAUCSL: the list of archived releases of the
# Bureau of Labor Statistics, which begins in 2004. Were a value of October 2025 to appear, it was
# not known before that of November.
LATE_RELEASES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "UNRATE": MappingProxyType(
            {
                "1995-12": "1996-01-19",
                "2013-09": "2013-10-22",
                "2025-09": "2025-11-20",
                "2025-10": "2025-12-16",
                "2025-11": "2025-12-16",
                "2026-01": "2026-02-11",
            }
        ),
        "CPIAUCSL": MappingProxyType(
            {
                "2004-01": "2004-02-20",
                "2004-09": "2004-10-19",
                "2004-12": "2005-01-19",
                "2005-01": "2005-02-23",
                "2005-02": "2005-03-23",
                "2005-03": "2005-04-20",
                "2006-01": "2006-02-22",
                "2006-03": "2006-04-19",
                "2006-06": "2006-07-19",
                "2007-01": "2007-02-21",
                "2007-08": "2007-09-19",
                "2008-01": "2008-02-20",
                "2008-10": "2008-11-19",
                "2009-01": "2009-02-20",
                "2010-01": "2010-02-19",
                "2010-04": "2010-05-19",
                "2011-09": "2011-10-19",
                "2011-12": "2012-01-19",
                "2013-01": "2013-02-21",
                "2013-09": "2013-10-30",
                "2013-10": "2013-11-20",
                "2014-01": "2014-02-20",
                "2014-06": "2014-07-22",
                "2014-07": "2014-08-19",
                "2014-09": "2014-10-22",
                "2014-10": "2014-11-20",
                "2015-01": "2015-02-26",
                "2015-02": "2015-03-24",
                "2015-04": "2015-05-22",
                "2015-07": "2015-08-19",
                "2015-12": "2016-01-20",
                "2016-01": "2016-02-19",
                "2025-09": "2025-10-24",
                "2025-10": "2025-12-18",
            }
        ),
    }
)

# Months that are known never to have been published (Decision 23): the government was closed, and
# nothing was collected. Features carry the month before into their place, as into that of any
# month that is overdue by the next release.
NEVER_PUBLISHED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"UNRATE": ("2025-10",), "CPIAUCSL": ("2025-10",)}
)


def missing_months(series: str, observed: pd.DatetimeIndex) -> list[str]:
    """Return the months between the first and the last of a monthly series that have no value.

    Parameters
    ----------
    series
        A FRED series of `SERIES`; one that is not monthly misses none.
    observed
        Observation dates, without a zone, in any order; shape (n,).

    Returns
    -------
    list
        Months as ISO text, ascending.
    """
    if SERIES[series].day is None or not len(observed):
        return []
    months = pd.DatetimeIndex(observed).to_period("M")
    expected = pd.period_range(months.min(), months.max(), freq="M")
    return [str(month) for month in expected.difference(months)]


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
        raise UnknownName(
            "no availability known for series",
            series,
            SERIES,
            "add a row to market/availability.py",
        )
    row = SERIES[series]
    dates = pd.DatetimeIndex(observed).to_numpy()
    days = _posted(dates) if row.day is None else _released(row, dates, row.day)
    local = pd.DatetimeIndex(days.astype("datetime64[ns]")) + timedelta(hours=row.hour)
    return local.tz_localize(NEW_YORK).tz_convert("UTC").as_unit("ns")


def _posted(dates: DateArray) -> DateArray:
    """Return the next federal business day of each date, as `datetime64[D]`."""
    days = dates.astype("datetime64[D]")
    return np.busday_offset(days, 1, roll="preceding", holidays=federal_holidays())


def _released(row: Series, dates: DateArray, day: int) -> DateArray:
    """Return the day of release of the month of each date, as `datetime64[D]`."""
    months = dates.astype("datetime64[M]")
    released = (months + 1).astype("datetime64[D]") + (day - 1)
    if row.releases_from is not None:
        unproven = months < np.datetime64(row.releases_from, "M")
        released = np.where(unproven, (months + 2).astype("datetime64[D]"), released)
    for month, late in LATE_RELEASES.get(row.name, {}).items():
        released[months == np.datetime64(month, "M")] = np.datetime64(late, "D")
    return released
