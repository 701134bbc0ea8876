"""Training windows in words: `5y`, `24mo`, or explicit dates."""

import re
from typing import Final

import pandas as pd

from market.errors import InputError

PERIOD: Final = re.compile(r"(?P<count>[1-9][0-9]?)(?P<unit>y|mo)")


def training_window(
    period: str, start: str | None, end: str | None, first: str, last: str
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and last day of a training window, both included.

    Parameters
    ----------
    period
        Length that ends at `end`, such as `5y` or `24mo`; `max` is all there is. `start`
        takes its place.
    start, end
        Dates asked for, None where not.
    first, last
        The sessions that the home holds.

    Raises
    ------
    InputError
        If a word or date cannot be read, or the window holds no session of the home.
    """
    stop = min(parse_day("--end", end), pd.Timestamp(last)) if end else pd.Timestamp(last)
    if start is not None:
        begin = parse_day("--start", start)
    elif period == "max":
        begin = pd.Timestamp(first)
    else:
        begin = stop - _length(period)
    begin = max(begin, pd.Timestamp(first))
    if begin > stop:
        raise InputError(
            f"the training window {start or period} to {end or last} holds no session: "
            f"this home has {first} to {last}"
        )
    return begin, stop


def parse_day(name: str, text: str) -> pd.Timestamp:
    """Return the day that an option names.

    Raises
    ------
    InputError
        If the text is no date of the calendar.
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise InputError(f"{name}: got {text!r:.40}, allowed is a date such as 2024-11-15")
    try:
        return pd.Timestamp(text).as_unit("ns")
    except pd.errors.OutOfBoundsDatetime:
        first, last = pd.Timestamp.min.date(), pd.Timestamp.max.date()
        raise InputError(f"{name}: got {text}, allowed are days {first} to {last}") from None
    except ValueError:
        raise InputError(f"{name}: got {text!r:.40}, which is no day of the calendar") from None


def _length(period: str) -> pd.DateOffset:
    found = PERIOD.fullmatch(period)
    if not found:
        raise InputError(
            f"--period: got {period!r:.40}, allowed are lengths such as 5y or 24mo, or max"
        )
    count = int(found["count"])
    return pd.DateOffset(years=count) if found["unit"] == "y" else pd.DateOffset(months=count)
