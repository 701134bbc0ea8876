"""Which sessions of price files say where a folder ends: a date mistyped at an end does not."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from market.calendar import sessions

# A date mistyped by a month or a year leaves a longer hole; a file that truly has one goes on after
# it, for more sessions than are mistyped at once.
HOLE: Final = 10
FEW: Final = 5


def last_standing(files: Sequence[pd.DatetimeIndex]) -> pd.Timestamp:
    """Return the last session that stands with the others, at midnight without a zone.

    Stray are the last rows of a file behind a hole of more than `HOLE` sessions, if they are fewer
    than `FEW` and fewer than the rows before, each but one that another file has as well.

    Parameters
    ----------
    files
        The sessions of each file, ascending, none twice; at least one a file.
    """
    ends = []
    for at, days in enumerate(files):
        first = _stray_from(days)
        others = [held for place, held in enumerate(files) if place != at]
        told = np.any([days.isin(held) for held in others], axis=0) if others else False
        stands = (np.arange(len(days)) < first) | told
        ends.append(days[stands].max())
    return max(ends)


def _stray_from(days: pd.DatetimeIndex) -> int:
    """Return the place of the first row that is stray, their number where none is."""
    places = sessions(days[0], days[-1]).get_indexer(days)
    behind = np.flatnonzero(np.diff(places) > HOLE + 1) + 1
    stray = behind[(len(days) - behind < FEW) & (len(days) - behind < behind)]
    return int(stray[0]) if len(stray) else len(days)
