"""Numbers and days out of a table's texts: what is not plainly one is refused, by its row. Pure.

Rows are counted as an editor shows them: the header is row 1.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64

from market.arrays import DateArray
from market.errors import InputError

#: What stands for no value.
NONE: Final = frozenset({"", "nan", "nat", "none", "null", "n/a", "<na>"})
DAY: Final = r"^\d{4}-\d{2}-\d{2}(?:$|[T ])"
OFFSET: Final = r"(Z|[+-]\d{2}:?\d{2})$"
HOUR: Final = 3600.0
#: Amounts beyond which, or risks and stakes below which, no sum of squares is a number.
MOST: Final = 1e15
LEAST: Final = 1e-9


class Span(NamedTuple):
    """The days, as written, on which trades were entered and left."""

    entered: DateArray
    left: DateArray


def empty(column: pd.Series) -> pd.Series:
    """Return where a column holds no value."""
    return column.str.lower().isin(NONE)


def numbers(frame: pd.DataFrame, name: str) -> Float64[np.ndarray, " n"]:
    """Return a column's numbers.

    Raises
    ------
    InputError
        If a row holds none of a size that money has: nothing, a word, a decimal comma.
    """
    found = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~(np.abs(found) <= MOST)  # a NaN neither
    if wrong.any():
        at = int(wrong.argmax())
        advice = " (a decimal point, no comma)" if "," in frame[name].iloc[at] else ""
        raise refused(frame, name, at, f"a number{advice}")
    return found


def above_nothing(frame: pd.DataFrame, name: str) -> Float64[np.ndarray, " n"]:
    """Return a column's numbers, each of a size above 0; see `numbers`."""
    found = numbers(frame, name)
    if (found < LEAST).any():
        raise refused(frame, name, int((found < LEAST).argmax()), "an amount above 0")
    return found


def span(frame: pd.DataFrame, entry: str, exit_: str) -> Span:
    """Return the days of entries and exits, in the time zone that they are written in.

    Raises
    ------
    InputError
        If a time is none, in another zone than the others, or an exit comes before its entry.
    """
    starts, ends = _local(frame, entry), _local(frame, exit_)
    _one_zone(frame, entry, exit_, starts, ends)
    lasted = (ends.time - starts.time).dt.total_seconds()
    before = lasted < (ends.offset - starts.offset).fillna(0.0)
    if before.any():
        at = int(np.asarray(before).argmax())
        raise refused(frame, exit_, at, f"a time not before {entry}, {frame[entry].iloc[at]!r:.40}")
    entered = starts.time.to_numpy("datetime64[D]")
    return Span(entered, np.maximum(ends.time.to_numpy("datetime64[D]"), entered))


class _Local(NamedTuple):
    """Times on the clock they were written by, and that clock's seconds ahead of UTC, or NaN."""

    time: pd.Series
    offset: pd.Series


def _local(frame: pd.DataFrame, name: str) -> _Local:
    text = frame[name].str.strip()
    zone = text.str.extract(OFFSET, expand=False).where(text.str.len() > len("2024-01-02"))
    clock = text.str.replace(OFFSET, "", regex=True).where(zone.notna(), text)
    plain = text.str.contains(DAY, regex=True)
    time = pd.to_datetime(clock.where(plain), format="ISO8601", errors="coerce")
    if time.isna().any():
        at = int(time.isna().to_numpy().argmax())
        raise refused(frame, name, at, "a day or time such as 2024-03-28 or 2024-03-28T15:30:00Z")
    return _Local(time, zone.map(_seconds, na_action="ignore").astype(np.float64))


def _seconds(zone: str) -> float:
    if zone == "Z":
        return 0.0
    digits = zone[1:].replace(":", "")
    ahead = HOUR * int(digits[:2]) + 60.0 * int(digits[2:])
    return -ahead if zone[0] == "-" else ahead


def _one_zone(frame: pd.DataFrame, entry: str, exit_: str, starts: _Local, ends: _Local) -> None:
    """Refuse times of several zones; an hour apart are the summer and winter of one."""
    offset = pd.concat([starts.offset, ends.offset], ignore_index=True)
    text = pd.concat([frame[entry], frame[exit_]], ignore_index=True)
    known = offset.notna()
    if known.any() and not known.all():
        got = f"{text[known].iloc[0]!r:.40} and {text[~known].iloc[0]!r:.40}"
        raise InputError(
            f"{entry}, {exit_}: got {got}, allowed are times that all have a zone, or none has"
        )
    if known.any() and offset.max() - offset.min() > HOUR:
        ends_ = (text.iloc[int(at)] for at in (offset.argmin(), offset.argmax()))
        got = " and ".join(f"{one!r:.40}" for one in ends_)
        raise InputError(f"{entry}, {exit_}: got {got}, allowed are times of one zone")


def refused(frame: pd.DataFrame, name: str, at: int, allowed: str) -> InputError:
    """Return the error of a value, by its row in the file."""
    row = frame.index[at] + 2
    return InputError(f"row {row}: {name}: got {frame[name].iloc[at]!r:.40}, allowed is {allowed}")
