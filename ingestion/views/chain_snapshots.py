"""Chains of a key as snapshots: of which session each is, and from when on it is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from ingestion.tables.frames import LANDED
from ingestion.views.aligned import later, settled_by, times
from market.calendar import NEW_YORK
from market.options.chain import TRIED, Chain
from market.options.chain_rows import CONTRACT

TICK: Final = pd.Timedelta(1, "us")


@dataclass(frozen=True)
class Snapshots:
    """The chains of one key, ascending by the time of their quotes, of one time by landing.

    Attributes
    ----------
    rows
        All versions of their quotes, sorted by time, of one time by landing.
    quoted
        Time of the quotes, UTC; shape (n_snapshots,).
    landed
        Of which landing each is: it holds what had landed of its time by then, of each contract the
        newest version.
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
        rows = rows.sort("quote_time", LANDED, maintain_order=True)
        heads = rows.group_by("quote_time", LANDED, maintain_order=True).len("count")
        ends = heads["count"].cum_sum()
        heads = heads.with_columns(start=ends - heads["count"], end=ends)
        # A version starts where the first of its time does.
        heads = heads.with_columns(pl.col("start").min().over("quote_time"))
        quoted, came = times(heads["quote_time"]), times(heads[LANDED])
        floor = settled_by(came, landed) + TICK
        known = later(quoted, pd.DatetimeIndex(floor.where(came > came.min())))
        day = quoted.tz_convert(NEW_YORK).tz_localize(None).normalize()
        places = sessions.searchsorted(day, side="right") - 1
        bounds = heads.select("start", "end").to_numpy().astype(np.intp)
        return cls(rows, quoted, came, known, places.astype(np.intp), bounds)

    def newest(
        self, cut_offs: pd.DatetimeIndex, age: int, tells: Callable[[int], bool]
    ) -> NDArray[np.intp]:
        """Return the last snapshot known at each cut-off of the session `age` sessions before.

        Of the newest `TRIED` it is the last that tells of volatility: one may be part of a chain.
        Where none does, it is the last.

        Parameters
        ----------
        tells
            Whether a snapshot, by its number, does.

        Returns
        -------
        ndarray
            Its number, -1 where there is none; shape (n_sessions,).
        """
        found = np.full(len(cut_offs), -1, dtype=np.intp)
        ends, known = cut_offs.asi8, self.known.asi8
        counted: dict[int, dict[pd.Timestamp, int]] = {}
        for number, place in enumerate(self.places + age):
            if self.places[number] >= 0 and place < len(ends) and known[number] <= ends[place]:
                # Of each time the last version takes the place of those before.
                counted.setdefault(place, {})[self.quoted[number]] = number
        for place, by_time in counted.items():
            numbers = list(by_time.values())[::-1][:TRIED]
            found[place] = next(filter(tells, numbers), numbers[0])
        return found

    def chain(self, number: int) -> Chain:
        """Return the quotes of a snapshot."""
        start, end = self._bounds[number]
        rows = self.rows[start:end].unique(list(CONTRACT), keep="last", maintain_order=True)
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
