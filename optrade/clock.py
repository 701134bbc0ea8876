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
    newest = newest_session(home)
    if newest is None:
        raise InputError("no prices in this home, so it has no clock: run `optrade ingest`")
    return decision_time(pd.DatetimeIndex([newest]))[0]


def newest_session(home: Home) -> pd.Timestamp | None:
    """Return the last session of which prices have landed, None where none have."""
    entries = read_manifest(home.data).entries.values()
    last = [entry.last for entry in entries if entry.table == "prices"]
    return pd.Timestamp(max(last)) if last else None


def check_forward(home: Home, given: str, session: pd.Timestamp) -> None:
    """Refuse to fetch up to a session before the newest that has landed.

    Parameters
    ----------
    given
        What `--as-of` says.
    session
        The last that is complete by then.

    Raises
    ------
    InputError
        Naming the newest.
    """
    newest = newest_session(home)
    if newest is not None and session < newest:
        raise InputError(
            f"--as-of: got {given!r:.40}, but this home has landed up to {newest.date()} and goes "
            "forward alone: allowed is that session or a later one; enter the past in another "
            "home (OPTRADE_HOME)"
        )


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
        try:
            return decision_time(pd.DatetimeIndex([moment]))[0]
        except InputError as error:
            raise InputError(f"--as-of: {error}, or a time with its zone") from None
    return moment.tz_convert("UTC")


def utc_now() -> pd.Timestamp:
    """Return the time, UTC."""
    return pd.Timestamp.now(tz="UTC")
