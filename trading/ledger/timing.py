"""Which recorded signals were given in time to be followed."""

from functools import cache
from typing import Final

import pandas as pd

from home.records.signal import Signal
from market.calendar import opening, session_shift

#: Sessions from a signal's own to that at whose open it is filled: from then on it is of the past.
FILLED_AFTER: Final = 1


@cache
def fill_time(session: str) -> pd.Timestamp:
    """Return when a signal of a session is filled, UTC; `InputError` where it is no session."""
    day = pd.DatetimeIndex([session])
    opening(day)  # refuses a day that is no session, by its date
    return opening(session_shift(day, FILLED_AFTER))[0]


def is_backfilled(signal: Signal, recorded_at: pd.Timestamp) -> bool:
    """Return whether a signal was written when its fill had passed, by the clock of its home.

    That of a live home is the time of writing. A recorded or simulated one stands at `as_of`,
    where its data ends, and nothing later is known in it.
    """
    as_of = pd.Timestamp(signal.provenance.as_of)
    clock = max(recorded_at, as_of) if signal.provenance.origin == "live" else as_of
    return clock >= fill_time(signal.session)
