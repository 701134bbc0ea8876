"""When what a vendor says now counts as recorded: when its answer was there."""

from collections.abc import Callable

import pandas as pd

from market.errors import InputError

Clock = Callable[[], pd.Timestamp]


def recording_time(now: Clock) -> pd.Timestamp:
    """Return what a clock says, in UTC.

    Raises
    ------
    InputError
        If it has no zone.
    """
    moment = now()
    if moment.tzinfo is None:
        raise InputError(
            f"time of recording: got {moment} without a zone, allowed is a time with one"
        )
    return moment.tz_convert("UTC").as_unit("ns")
