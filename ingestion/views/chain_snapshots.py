"""Chains of a key as snapshots: of which session each is, and from when on it is known."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from ingestion.tables.frames import LANDED
from ingestion.views.aligned import later, settled_by, times
from market.calendar import NEW_YORK
from market.options.chain import Chain

TICK: Final = pd.Timedelta(1, "us")


@dataclass(frozen=True)
class Snapshots:
    """The chains of one key, ascending by the time of their quotes.

    Attributes
    ----------
    rows
        Their quotes, sorted by time.
    quoted
        Time of the quotes, UTC; shape (n_snapshots,).
    landed
        When each first landed; what landed of it later is none of it.
    known
        From when on each counts: see `of`.
    places
        Of which session each is, its quotes' day in New York or the last session before: the
        place, -1 before the first; shape (n_snapshots,).
    """

    rows: pl.DataFrame
    quoted: pd.DatetimeIndex
    landed: pd.DatetimeIndex
    known: pd.DatetimeIndex
    places: NDArray[np.intp]
    _bounds: NDArray[np.intp] = field(repr=False)

    @classmethod
    def of(
        cls, rows: pl.DataFrame, sessions: pd.DatetimeIndex, landed: pl.DataFrame
    ) -> "Snapshots":
        """Return the snapshots in rows of `option_chains` of one key.

        A snapshot is known from its quotes on, but in no session that was built before it landed.
        The key's first landing is its backfill: what it brings is as old as it says.

        Parameters
        ----------
        rows
            All versions.
        sessions
            Midnights without a zone, ascending; shape (n_sessions,).
        landed
            Sessions, ascending, and when each first landed with a price (`landed_at`).
        """
        first = pl.col(LANDED).min().over("quote_time")
        rows = rows.filter(pl.col(LANDED) == first).sort("quote_time", maintain_order=True)
        heads = rows.select("quote_time", LANDED).with_row_index()
        heads = heads.unique("quote_time", keep="first", maintain_order=True)
        quoted, came = times(heads["quote_time"]), times(heads[LANDED])
        floor = settled_by(came, landed) + TICK
        known = later(quoted, pd.DatetimeIndex(floor.where(came > came.min())))
        day = quoted.tz_convert(NEW_YORK).tz_localize(None).normalize()
        places = sessions.searchsorted(day, side="right") - 1
        bounds = np.append(heads["index"].to_numpy(), rows.height).astype(np.intp)
        return cls(rows, quoted, came, known, places.astype(np.intp), bounds)

    def newest(self, cut_offs: pd.DatetimeIndex, age: int) -> NDArray[np.intp]:
        """Return the last snapshot known at each cut-off of the session `age` sessions before.

        Its number, -1 where there is none; shape (n_sessions,).
        """
        found = np.full(len(cut_offs), -1, dtype=np.intp)
        ends, known = cut_offs.asi8, self.known.asi8
        for number, place in enumerate(self.places + age):
            if self.places[number] >= 0 and place < len(ends) and known[number] <= ends[place]:
                found[place] = number
        return found

    def chain(self, number: int) -> Chain:
        """Return the quotes of a snapshot."""
        start, end = self._bounds[number : number + 2]
        rows = self.rows[start:end]
        sign = rows.select(pl.when(pl.col("option_type") == "call").then(1.0).otherwise(-1.0))
        return Chain(
            underlying=rows["underlying"][0],
            quote_time=self.quoted[number],
            spot=float("nan"),
            root=rows["root"].to_numpy().astype(str),
            expiration=rows["expiration"].to_numpy().astype("M8[D]"),
            strike=rows["strike"].to_numpy(),
            sign=sign.to_series().to_numpy(),
            bid=rows["bid"].to_numpy(),
            ask=rows["ask"].to_numpy(),
        )
