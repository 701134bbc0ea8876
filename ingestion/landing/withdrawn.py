"""Reports that a vendor's calendar no longer lists."""

from collections.abc import Iterable

import pandas as pd
import polars as pl

from feature_repo.features.earnings.reports import WITHDRAWN
from home.manifest import latest
from ingestion.gate.sequences import Stored
from ingestion.tables.catalogue import EARNINGS_CALENDAR


def withdrawn(
    listed: pd.DataFrame, symbols: Iterable[str], stored: Stored, end: pd.Timestamp
) -> pd.DataFrame:
    """Return a version for each report that is not listed any more, its hour `withdrawn`.

    That is a report without results which the vendor would list if it stood: one to come, or one
    that is past and not older than the oldest that is listed. How far back a calendar goes is the
    vendor's plan, so an older one may be out of its reach. And it is a report, with results or
    not, whose day is listed under another fiscal quarter: a company reports once a day.

    Parameters
    ----------
    listed
        Rows of `earnings_calendar` as they were fetched, good or bad.
    symbols
        The companies for which the vendor answered.
    stored
        A company to the stored versions of its reports.
    end
        The last complete session, a day without a zone.
    """
    shape = EARNINGS_CALENDAR
    frames = [
        gone
        for symbol in symbols
        for held in [stored(symbol)]
        if held is not None
        for gone in [_gone(listed[listed["symbol"] == symbol], held, end)]
        if gone.height
    ]
    if not frames:
        return shape.empty()
    rows = pl.concat(frames).select(shape.names).to_pandas()
    return shape.check(rows.assign(hour=WITHDRAWN).astype(shape.dtypes))


def _gone(listed: pd.DataFrame, held: pl.DataFrame, end: pd.Timestamp) -> pl.DataFrame:
    """Return the newest versions of a company's reports that should be listed and are not."""
    newest = latest(held, EARNINGS_CALENDAR.key)
    since = min([end, *listed["date"].dropna()])
    quarters = set(zip(listed["fiscal_year"], listed["fiscal_quarter"], strict=True))
    names = zip(newest["fiscal_year"], newest["fiscal_quarter"], strict=True)
    days = pl.Series(listed["date"].dropna().dt.date.tolist(), dtype=pl.Date)
    relabelled = pl.col("date").is_in(days.implode())
    return newest.filter(
        pl.Series([name not in quarters for name in names], dtype=pl.Boolean),
        pl.col("date") >= since.date(),
        (pl.col("eps_actual").is_null() & pl.col("revenue_actual").is_null()) | relabelled,
        pl.col("hour") != WITHDRAWN,
    )
