"""Versions of earnings reports as the lake holds them, and when each became known."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from feature_repo.features.earnings.known import report_sessions
from feature_repo.features.earnings.reports import ANNOUNCED, BEFORE_CLOSE, EarningsVersions
from ingestion.views.aligned import days, later, settled_by, times
from market.calendar import calendar, close

FIGURES: Final = ("eps_actual", "eps_estimate", "revenue_actual", "revenue_estimate")


def earnings_versions(
    rows: pl.DataFrame,
    symbols: Sequence[str],
    landed: pl.DataFrame,
    first_live: datetime | None,
) -> EarningsVersions:
    """Return versions of reports and when their dates and results became known.

    A backfill's date is known from the close of the session 10 sessions before its report, but not
    later than it landed; its results from the close of the report's session, or of the next one
    after an amc report or one of unknown hour. Backfill is what landed in a live home by its first
    live landing; in another home, the first landing of a company. Any later version counts from
    its landing in a live home; in another one as a backfill does, but in no session that had
    landed before it.

    Parameters
    ----------
    rows
        All versions, in the order of their landing; see `earnings.align_earnings` for the others.
    """
    place = report_sessions(calendar().sessions, days(rows["date"]))
    hour = rows["hour"].to_numpy()
    date_known, result_known = _known(place, hour, rows, landed, first_live)
    names = {symbol: number for number, symbol in enumerate(symbols)}
    figures = {name: rows[name].cast(pl.Float64).to_numpy() for name in FIGURES}
    return EarningsVersions(
        symbol=np.array([names[symbol] for symbol in rows["symbol"]], dtype=np.intp),
        event=(rows["fiscal_year"] * 4 + rows["fiscal_quarter"]).to_numpy().astype(np.intp),
        session=place,
        date_known=date_known,
        result_known=result_known,
        hour=hour,
        **figures,
    )


def _known(
    place: NDArray[np.intp],
    hour: NDArray[np.object_],
    rows: pl.DataFrame,
    landed: pl.DataFrame,
    first_live: datetime | None,
) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Return when each version's date and its results were known."""
    landings = times(rows["landed_at"])
    announced = _close_at(place - ANNOUNCED)
    announced = announced.where(announced < landings, landings)
    published = _close_at(place + ~np.isin(hour, BEFORE_CLOSE))
    after = settled_by(landings, landed) + pd.Timedelta(1, "us")
    if first_live is None:
        first = rows.select(pl.col("landed_at").min().over("symbol")).to_series()
        backfill = landings == times(first)
        floor = after
    else:
        backfill = landings <= pd.Timestamp(first_live)
        floor = later(landings, after)
    floor = cast("pd.DatetimeIndex", floor.where(~backfill))
    return later(announced, floor), later(published, floor)


def _close_at(place: NDArray[np.intp]) -> pd.DatetimeIndex:
    """Return the close of sessions of the calendar by place, the first or last beyond its ends."""
    known = calendar().sessions
    return close(known[np.clip(place, 0, len(known) - 1)])
