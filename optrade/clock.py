"""The clock of a command: what `--as-of` says, else now, else where a home's data ends."""

import pandas as pd

from home.layout import Home
from home.manifest import read_manifest
from market.errors import InputError


def resolve_as_of(home: Home, given: str | None, now: pd.Timestamp) -> pd.Timestamp:
    """Return the clock of a command, in UTC.

    What `--as-of` says, else now for a live home, else the decision time of the home's last
    session: recorded and simulated homes do not age.
    """
    from market.calendar import decision_time

    if given is not None:
        return parse_as_of(given)
    if home.origin() == "live":
        return now
    manifest = read_manifest(home.data)
    last = [entry.last for entry in manifest.entries.values() if entry.table == "prices"]
    if not last:
        raise InputError("no prices in this home, so it has no clock: run `optrade ingest`")
    return decision_time(pd.DatetimeIndex([max(last)]))[0]


def parse_as_of(text: str) -> pd.Timestamp:
    """Return the moment a text names: a session date (its decision time) or a zoned time.

    Raises
    ------
    InputError
        If the text is neither.
    """
    from market.calendar import FIRST_SESSION, calendar, decision_time

    try:
        moment = pd.Timestamp(text)
    except ValueError:
        moment = pd.NaT
    if moment is pd.NaT:
        raise InputError(
            f"--as-of: got {text!r:.40}, allowed are a session date such as 2025-06-30 or a "
            "time with its zone such as 2025-06-30T20:30:00+00:00"
        )
    ends = FIRST_SESSION, str(calendar().last_session.date())
    if not ends[0] <= moment.isoformat()[:10] <= ends[1]:
        raise InputError(f"--as-of: got {text!r:.40}, allowed are days from {' to '.join(ends)}")
    if moment.tzinfo is None:
        if moment != moment.normalize():
            raise InputError(f"--as-of: got {text!r:.40} without a zone; add one, such as +00:00")
        return decision_time(pd.DatetimeIndex([moment]))[0]
    return moment.tz_convert("UTC")


def utc_now() -> pd.Timestamp:
    """Return the time, UTC."""
    return pd.Timestamp.now(tz="UTC")
