"""Which session a recorded row is of: the one in whose window it was recorded."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from ingestion.views.aligned import Aligned, settled_by, taken, times
from market.calendar import DECISION_DELAY, decision_time, session_shift


@dataclass(frozen=True)
class Windows:
    """Decision times of sessions, and that of the session before the first."""

    cut_offs: pd.DatetimeIndex
    before: pd.Timestamp

    @classmethod
    def of(cls, prices: Aligned) -> "Windows":
        """Return the windows of the sessions of prices."""
        before = session_shift(prices.sessions[:1], -1)
        # The calendar's first session has none before it: its window starts with its day.
        start = (
            prices.sessions[0].tz_localize("UTC") if before.hasnans else decision_time(before)[0]
        )
        return cls(prices.closes + DECISION_DELAY, start)

    def place(self, moments: pd.DatetimeIndex) -> NDArray[np.intp]:
        """Place of the session in whose window each time lies, -1 for none."""
        edges = self.cut_offs.insert(0, self.before)
        place = edges.searchsorted(moments, side="left") - 1
        return np.where(place < len(self.cut_offs), place, -1)

    def landed(self, rows: pl.DataFrame) -> pd.DatetimeIndex:
        """When the newest row recorded in each window landed, NaT where none was recorded."""
        order = rows.sort("landed_at")
        place = self.place(times(order["recorded_at"]))
        newest = np.full(len(self.cut_offs), -1)
        newest[place[place >= 0]] = np.flatnonzero(place >= 0)
        if order.is_empty():
            return pd.DatetimeIndex(np.full(newest.size, "NaT", "M8[ns]")).tz_localize("UTC")
        return taken(times(order["landed_at"]), newest)


def unsettled(rows: pl.DataFrame, landed: pl.DataFrame) -> pl.DataFrame:
    """Return the rows but those that landed after their session was built.

    The first landing of an input is its backfill: what it brings is as old as it says.
    """
    landings = times(rows["landed_at"])
    late = landings > landings.min()
    late &= times(rows["recorded_at"]) <= settled_by(landings, landed)
    return rows.filter(~pl.Series(late))
