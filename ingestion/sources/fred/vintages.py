"""All vintages of a series out of ALFRED, window by window.

ALFRED answers at most 2,000 vintages a question, so it is asked by windows of its real time. Of
its four kinds of output the first, by real-time period, is taken: one row for each value and the
days on which it stood, where the second and third give a column for each vintage (700 of them)
and the fourth forgets revisions. A vintage therefore holds only what it changed, and what a
session knew is what had been published by then.

ALFRED cuts the period of a value to the window: what stood already when a window begins comes
again, dated on the window's first day. That is no publication, and it is taken out here: a row
that repeats the value before it is none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

import pandas as pd

from market.errors import SourceUnavailable

# The first and the last day that ALFRED has a word for.
EARLIEST: Final = date(1776, 7, 4)
LATEST: Final = date(9999, 12, 31)
# Where windows begin: two decades of a monthly series hold about 250 vintages.
WINDOW_STARTS: Final = tuple(date(year, 1, 1) for year in range(1980, 2200, 20))


class Published(NamedTuple):
    """A value of ALFRED: of which day or month, and from which day on it stood."""

    observation_date: date
    vintage_date: date
    value: float


@dataclass(frozen=True)
class Window:
    """Days of ALFRED's real time, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class TooManyVintages(Exception):
    """ALFRED refuses a window for its number of vintages: a shorter one will do."""


# What ALFRED published in a window, in any order. Raises `TooManyVintages`.
Ask = Callable[[Window], Sequence[Published]]


def windows(until: date) -> list[Window]:
    """Return windows that follow one another from ALFRED's first day to its last.

    Parameters
    ----------
    until
        A day that is not in the future: ALFRED refuses a window that begins after today.
    """
    starts = [EARLIEST, *(start for start in WINDOW_STARTS if start <= until)]
    ends = [_before(start) for start in starts[1:]]
    return [Window(first, last) for first, last in zip(starts, [*ends, LATEST], strict=True)]


def all_vintages(what: str, ask: Ask, until: date) -> pd.DataFrame:
    """Return every publication of a series: one row for each value when it was new or revised.

    Parameters
    ----------
    what
        The vendor and the series, for messages.
    ask
        Returns what was published in a window.
    until
        As in `windows`.

    Returns
    -------
    pd.DataFrame
        `observation_date`, `vintage_date` (day of publication), `value`; shape (n_rows, 3).

    Raises
    ------
    SourceUnavailable
        If nothing was published at all, or nothing stands in a window after one in which
        something does: a series does not vanish.
    """
    answers = [answer for window in windows(until) for answer in _answers(what, ask, window, until)]
    for (_, before), (window, rows) in pairwise(answers):
        if before and not rows:
            raise SourceUnavailable(
                f"{what}: got no observation in the vintages of {window}, after such before; "
                "try again later"
            )
    published = [row for _, rows in answers for row in rows]
    if not published:
        raise SourceUnavailable(f"{what}: got no observation in any vintage; try again later")
    return stitched(published)


def stitched(published: Sequence[Published]) -> pd.DataFrame:
    """Return the rows of windows, overlapping or not, without those that change nothing.

    Two values of one observation on one day both stay: the gate refuses them.
    """
    frame = pd.DataFrame(published, columns=list(Published._fields))
    for name in ("observation_date", "vintage_date"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[ns]")
    rows = frame.drop_duplicates().sort_values(["observation_date", "vintage_date"], kind="stable")
    before = rows.groupby("observation_date")["value"].shift()
    return rows[rows["value"] != before].reset_index(drop=True)


def _answers(
    what: str, ask: Ask, window: Window, until: date
) -> list[tuple[Window, Sequence[Published]]]:
    """Return the answer for a window, or for its two halves where it is too long."""
    try:
        return [(window, ask(window))]
    except TooManyVintages as error:
        reason = f"{what}, vintages of {window}: {error}; try again later"
    middle = window.first + (min(window.last, until) - window.first) / 2
    if middle <= window.first:
        raise SourceUnavailable(reason)
    halves = Window(window.first, _before(middle)), Window(middle, window.last)
    return [answer for half in halves for answer in _answers(what, ask, half, until)]


def _before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)
