"""Days and times in a file of option chains: as its texts say, in UTC."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from market.calendar import NEW_YORK, calendar, close, opening
from market.errors import InputError, SchemaViolation

FORMS: Final = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
ZONE: Final = " ET"
#: What a day may be: nanoseconds of 64 bits reach no further.
RANGE: Final = (pd.Timestamp.min.ceil("D").date(), pd.Timestamp.max.date())


def days_of(path: Path, column: pd.Series) -> pd.Series:
    """Return categories that are dates as midnights without a zone.

    Raises
    ------
    SchemaViolation
        If one is missing, cannot be read, or lies outside `RANGE`.
    """
    allowed = f"allowed is a day such as 2023-02-23, from {RANGE[0]} to {RANGE[1]}"
    if column.isna().any():
        raise SchemaViolation(f"{path.name}: {column.name}: got no date, {allowed}")
    texts = list(column.cat.categories.astype(str))
    days = pd.to_datetime(pd.Series(texts, dtype=object), format="%Y-%m-%d", errors="coerce")
    codes = column.cat.codes.to_numpy()
    unread = np.unique(codes[days.isna().to_numpy()[codes]])
    if unread.size:
        first = sorted(texts[code] for code in unread)[0]
        raise SchemaViolation(f"{path.name}: {column.name}: got the date {first!r:.40}, {allowed}")
    return pd.Series(days.to_numpy("datetime64[ns]")[codes], index=column.index)


def times_of(path: Path, frame: pd.DataFrame) -> pd.Series:
    """Return the times of quotes in UTC: as written, else the close of their day.

    Parameters
    ----------
    frame
        With `quote_date` and `quote_time`, categories.

    Raises
    ------
    SchemaViolation
        If a day or a time cannot be read, a day without a time is no session, or a time is of
        another day: before it, or not before the opening of the session after it.
    """
    texts = frame["quote_time"]
    days = days_of(path, frame["quote_date"])
    unwritten = texts.isna().to_numpy()
    found = np.full(len(frame), np.datetime64("NaT"), dtype="datetime64[ns]")
    if unwritten.any():
        known = pd.DatetimeIndex(days[unwritten].unique())
        try:
            closes = pd.Series(close(known).to_numpy("datetime64[ns]"), index=known)
        except InputError as error:
            raise SchemaViolation(f"{path.name}: quote_date, without a time: {error}") from None
        found[unwritten] = days[unwritten].map(closes).to_numpy("datetime64[ns]")
    if not unwritten.all():
        written = texts.cat.remove_unused_categories().cat
        times = np.array([_time(path, str(text)) for text in written.categories])
        found[~unwritten] = times[written.codes.to_numpy()[~unwritten]]
    quoted = pd.Series(pd.DatetimeIndex(found).tz_localize("UTC"), index=frame.index)
    _check_days(path, days[~unwritten], quoted[~unwritten])
    return quoted


def _check_days(path: Path, days: pd.Series, quoted: pd.Series) -> None:
    """Check that times are of their days: the evening and the night after one belong to it."""
    pairs = pd.DataFrame({"day": days, "quoted": quoted}).drop_duplicates()
    known = calendar().sessions
    after = known.searchsorted(pairs["day"], side="right")
    # Past the last session that we know of nothing is too late here: the gate refuses the future.
    ends = opening(known[np.minimum(after, len(known) - 1)])
    local = pairs["quoted"].dt.tz_convert(NEW_YORK)
    late = (pairs["quoted"] >= ends) & (after < len(known))
    wrong = (local.dt.tz_localize(None) < pairs["day"]) | late
    if wrong.any():
        raise SchemaViolation(
            f"{path.name}: got quote_time {local[wrong].iloc[0]:%Y-%m-%d %H:%M}{ZONE} beside "
            f"quote_date {pairs['day'][wrong].iloc[0].date()}, allowed is a time of that day, or "
            "after it and before the next session opens"
        )


def _time(path: Path, text: str) -> np.datetime64:
    for form in FORMS:
        naive = pd.to_datetime(text.removesuffix(ZONE), format=form, errors="coerce")
        if not pd.isna(naive):
            return _utc(path, text, naive)
    raise SchemaViolation(
        f"{path.name}: quote_time: got {text!r:.40}, allowed is 2023-02-23 21:18 ET"
    )


def _utc(path: Path, text: str, naive: pd.Timestamp) -> np.datetime64:
    """Return a time in New York in UTC, where there is one such time and no other."""
    local = naive.tz_localize(NEW_YORK, ambiguous="NaT", nonexistent="NaT")
    if pd.isna(local):
        skipped = pd.isna(naive.tz_localize(NEW_YORK, ambiguous=True, nonexistent="NaT"))
        why = (
            "does not exist: the clock is put forward"
            if skipped
            else ("is there twice: the clock is put back")
        )
        raise SchemaViolation(
            f"{path.name}: quote_time: got {text!r:.40}, which {why} in New York, allowed is a "
            "time of another hour"
        )
    return local.tz_convert("UTC").tz_localize(None).as_unit("ns").to_datetime64()
