"""Which session the online store may answer with: pure rules on sessions and one clock."""

from collections.abc import Mapping
from functools import lru_cache

import pandas as pd

from market.calendar import NEW_YORK, close, decision_time, session_shift, sessions
from serving.reading.refusal import SOON, Refusal


@lru_cache(maxsize=64)
def session_closing_at(moment: pd.Timestamp) -> pd.Timestamp | None:
    """Return the session (midnight, no zone) that closes at a moment; None if none does."""
    day = moment.tz_convert(NEW_YORK).tz_localize(None).normalize()
    found = sessions(day, day)
    return day if len(found) and close(found)[0] == moment else None


def answering_session(
    views: Mapping[str, pd.Timestamp],
    published: pd.Timestamp,
    last: pd.Timestamp,
    as_of: pd.Timestamp,
    settle: pd.Timedelta,
) -> pd.Timestamp:
    """Return the session that the service answers with.

    Parameters
    ----------
    views
        The session of every view that the models read.
    published
        The last session that was complete in the store.
    last
        The last complete session at `as_of`.
    as_of
        The clock, with a zone.
    settle
        For how long after a session's decision time the one before it still counts as fresh.

    Raises
    ------
    Refusal
        `ahead`, `mixed_sessions`, `not_published` or `stale`.
    """
    found = set(views.values())
    words = ", ".join(f"{view} {session.date()}" for view, session in sorted(views.items()))
    if max(found) > last:
        raise Refusal(
            "ahead",
            f"the store holds {words}, the last complete session at {as_of.isoformat()} is "
            f"{last.date()}: an answer would look ahead",
        )
    if len(found) > 1:
        raise Refusal("mixed_sessions", f"the views disagree on the session: {words}", SOON)
    (session,) = found
    if session != last:
        _check_fresh(session, published, last, as_of, settle)
    return session


def _check_fresh(
    session: pd.Timestamp,
    published: pd.Timestamp,
    last: pd.Timestamp,
    as_of: pd.Timestamp,
    settle: pd.Timedelta,
) -> None:
    if session != published:
        raise Refusal(
            "not_published",
            f"the views hold {session.date()}, published is {published.date()}",
            SOON,
        )
    due = decision_time(session_shift(pd.DatetimeIndex([session]), 1))[0]
    if as_of - due > settle:
        raise Refusal(
            "stale",
            f"the store holds {session.date()}, the last complete session at "
            f"{as_of.isoformat()} is {last.date()}; run `optrade ingest`",
        )


def age_in_sessions(session: pd.Timestamp, last: pd.Timestamp) -> int:
    """Return how many sessions were completed after one, up to the last complete one."""
    return len(sessions(session, last)) - 1
