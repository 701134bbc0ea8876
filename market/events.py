"""What is known beforehand to move prices: meetings of the Fed, releases of the CPI, ex-dividends.

Each is told as it was scheduled in advance, so that a session of the past knows no more than it
could: a meeting that was called off stays, one that was called overnight is not there.
"""

from functools import lru_cache
from typing import Final, Literal, NamedTuple

import pandas as pd

from market.calendar import session_shift
from market.options.expiries import monthly_expirations
from market.underlyings import ExDividend

Kind = Literal["FOMC", "CPI", "ex-dividend"]
EX_DIVIDEND: Final = "ex-dividend"

# Last days of the FOMC's scheduled meetings, when its statement comes at 14:00 New York: month and
# day by year, as the Federal Reserve announced them a year ahead. 2027 is tentative.
_FOMC_DAYS: Final = {
    2011: "01-26 03-15 04-27 06-22 08-09 09-21 11-02 12-13",
    2012: "01-25 03-13 04-25 06-20 08-01 09-13 10-24 12-12",
    2013: "01-30 03-20 05-01 06-19 07-31 09-18 10-30 12-18",
    2014: "01-29 03-19 04-30 06-18 07-30 09-17 10-29 12-17",
    2015: "01-28 03-18 04-29 06-17 07-29 09-17 10-28 12-16",
    2016: "01-27 03-16 04-27 06-15 07-27 09-21 11-02 12-14",
    2017: "02-01 03-15 05-03 06-14 07-26 09-20 11-01 12-13",
    2018: "01-31 03-21 05-02 06-13 08-01 09-26 11-08 12-19",
    2019: "01-30 03-20 05-01 06-19 07-31 09-18 10-30 12-11",
    2020: "01-29 03-18 04-29 06-10 07-29 09-16 11-05 12-16",
    2021: "01-27 03-17 04-28 06-16 07-28 09-22 11-03 12-15",
    2022: "01-26 03-16 05-04 06-15 07-27 09-21 11-02 12-14",
    2023: "02-01 03-22 05-03 06-14 07-26 09-20 11-01 12-13",
    2024: "01-31 03-20 05-01 06-12 07-31 09-18 11-07 12-18",
    2025: "01-29 03-19 05-07 06-18 07-30 09-17 10-29 12-10",
    2026: "01-28 03-18 04-29 06-17 07-29 09-16 10-28 12-09",
    2027: "01-27 03-17 04-28 06-09 07-28 09-15 10-27 12-08",
    2028: "01-26",
}
FOMC: Final = pd.DatetimeIndex(
    [f"{year}-{day}" for year, days in _FOMC_DAYS.items() for day in days.split()]
)
#: Days of the month between which the CPI of the month before is released at 08:30 New York: the
#: 10th to the 15th since 2017, before as late as the 26th. The closures of the government in the
#: autumns of 2013 and 2025 moved it further, which nobody knew beforehand.
CPI_DAYS: Final = (10, 15)
CPI_DAYS_BEFORE: Final = (13, 26)
CPI_SINCE: Final = pd.Timestamp("2017-01-01")
#: The last days that the month of a dividend, or the one after it, may have where no rule holds.
ANY_DAY: Final = (1, 31)


class Due(NamedTuple):
    """An event: what it is, and the days it may fall on, both included; one day where it is known.

    Of several days it may have come before the one that is asked from.

    Days are midnights without a zone.
    """

    kind: Kind
    first: pd.Timestamp
    last: pd.Timestamp


def fomc_unknown(end: pd.Timestamp) -> bool:
    """Return whether meetings up to a day may be missing here: the table ends before it."""
    return end > FOMC[-1]


@lru_cache(maxsize=1024)
def scheduled(start: pd.Timestamp, end: pd.Timestamp, rule: ExDividend | None) -> tuple[Due, ...]:
    """Return the events that may fall after a day and not after another, by their first days.

    Parameters
    ----------
    start, end
        Midnights without a zone.
    rule
        When the underlying goes ex-dividend; None where it pays none or nothing is known.
    """
    days = FOMC[FOMC.searchsorted(start) : FOMC.searchsorted(end, side="right")]
    due = [Due("FOMC", day, day) for day in days]
    for month in _months(start, end):
        between = CPI_DAYS if month >= CPI_SINCE else CPI_DAYS_BEFORE
        due.append(_within("CPI", month, between))
    if rule is not None:
        due += _ex_dividends(rule, start, end)
    ahead = [one for one in due if one.last > start and one.first <= end]
    return tuple(sorted((_after(one, start) for one in ahead), key=_in_time))


def _after(due: Due, start: pd.Timestamp) -> Due:
    """Return what is left of an event's days, on weekdays: it may have come already."""
    first = due.first
    if first != due.last:
        first = max(first, start + pd.Timedelta(days=1))
        while first.dayofweek > 4 and first < due.last:
            first += pd.Timedelta(days=1)
    return due._replace(first=first)


def _in_time(due: Due) -> tuple[pd.Timestamp, str]:
    return due.first, due.kind


def _ex_dividends(rule: ExDividend, start: pd.Timestamp, end: pd.Timestamp) -> list[Due]:
    months = [month for month in _months(start, end) if month.month in rule.months]
    if start < pd.Timestamp(rule.since):
        known = [month for month in _months(start, end) if (month.month - 1) in rule.months]
        return [_within(EX_DIVIDEND, month, ANY_DAY) for month in sorted([*months, *known])]
    if rule.after is None:
        return [_within(EX_DIVIDEND, month, rule.days) for month in months]
    last = months[-1] + pd.offsets.MonthEnd() if months else start
    expiries = monthly_expirations(start.replace(day=1), last)
    days = session_shift(expiries[expiries.month.isin(rule.months)], rule.after)
    return [Due(EX_DIVIDEND, day, day) for day in days]


def _within(kind: Kind, month: pd.Timestamp, days: tuple[int, int]) -> Due:
    last = month + pd.offsets.MonthEnd()
    first, end = (min(month + pd.Timedelta(days=day - 1), last) for day in days)
    return Due(kind, first, end)


def _months(start: pd.Timestamp, end: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the first days of the months that two days lie in or between."""
    return pd.date_range(start.replace(day=1), end, freq="MS")
