"""Times as whole nanoseconds, for alignments that compare them."""

from collections.abc import Sized

import numpy as np
import pandas as pd

from market.arrays import DateArray, IntArray
from market.errors import InputError

Times = pd.DatetimeIndex | DateArray


def nanoseconds(what: str, times: Times) -> IntArray:
    """Nanoseconds since 1970 UTC; shape as given. A time without a zone is in UTC.

    Raises
    ------
    InputError
        If a time is missing; `what` names them in the message.
    """
    index = pd.DatetimeIndex(times)
    if index.hasnans:
        raise InputError(
            f"{what}: got a missing time at row {int(np.argmax(index.isna()))}, "
            "allowed are times; drop or correct the row"
        )
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return index.as_unit("ns").asi8


def ascending(what: str, times: Times) -> IntArray:
    """Nanoseconds since 1970 UTC of times that must ascend, none twice.

    Raises
    ------
    InputError
        If a time is missing or not later than the one before.
    """
    ticks = nanoseconds(what, times)
    if (ticks[1:] <= ticks[:-1]).any():
        row = int(np.argmax(ticks[1:] <= ticks[:-1])) + 1
        raise InputError(
            f"{what}: got {pd.Timestamp(ticks[row])} after {pd.Timestamp(ticks[row - 1])} at row "
            f"{row}, allowed are ascending times; sort them and drop doubles"
        )
    return ticks


def same_length(what: str, **columns: Sized) -> None:
    """Check that columns have one length.

    Raises
    ------
    InputError
        If they differ, naming all.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{what}: got lengths {lengths}, allowed is one length")
