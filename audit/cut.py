"""Raw rows as they stood at the decision of one session: nothing of later sessions is left.

What was known by then is read off the rows themselves and the declared times of publication, not
off the alignment that is audited with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

import pandas as pd
import polars as pl

from ingestion.tables.catalogue import (
    EARNINGS_CALENDAR,
    INDICES,
    MACRO_SERIES,
    MENTIONS,
    NEWS,
    NEWS_SENTIMENT,
    OPTION_CHAINS,
    PRICES,
)
from ingestion.tables.frames import LANDED, SESSION
from ingestion.views.raw import Raw
from market.availability import SERIES, available_at
from market.calendar import NEW_YORK, decision_time, session_shift

# Decision 14: how many sessions before it a report's day is known.
ANNOUNCED: Final = 10
SAME_SESSION: Final = ("bmo", "dmh")
RESULTS: Final = ("eps_actual", "revenue_actual")
OBSERVED: Final = "observation_date"
_PUBLISHED: Final = "__published"


@dataclass(frozen=True)
class Moment:
    """A session, its decision time (UTC), and the last day of which a report is announced."""

    session: date
    decision: datetime
    horizon: date

    @classmethod
    def of(cls, session: date) -> "Moment":
        """Return the moment of a session."""
        day = pd.DatetimeIndex([session])
        horizon = session_shift(day, ANNOUNCED)[0]
        # Beyond the end of the calendar every report is announced.
        last = date.max if pd.isna(horizon) else horizon.date()
        return cls(session, decision_time(day)[0].floor("us").to_pydatetime(), last)


def cut(raw: Raw, moment: Moment) -> Raw:
    """Return the raw rows of a key up to a session: of each table what was known by its decision.

    Parameters
    ----------
    raw
        The rows, those of macro series with their publication, see `with_publications`.
    moment
        The session.
    """
    rows = {name: CUTS[name[0]](versions, moment) for name, versions in raw.rows.items()}
    return replace(raw, rows=rows, sessions=raw.sessions.filter(pl.col(SESSION) <= moment.session))


def with_publications(raw: Raw) -> Raw:
    """Return the rows of a key, those of macro series with their publication by vintage or lag."""
    published = {
        (MACRO_SERIES.name, series): rows.with_columns(_published(rows).alias(_PUBLISHED))
        for series, rows in raw.of(MACRO_SERIES).items()
    }
    return replace(raw, rows={**raw.rows, **published})


def _published(rows: pl.DataFrame) -> pl.Series:
    series = rows["series"][0]
    vintage = pd.DatetimeIndex(rows["vintage_date"].to_numpy()).as_unit("ns")
    at_hour = vintage + pd.Timedelta(hours=SERIES[series].hour)
    modelled = available_at(series, pd.DatetimeIndex(rows[OBSERVED].to_numpy()))
    stated = at_hour.tz_localize(NEW_YORK).tz_convert("UTC").where(vintage.notna(), modelled)
    return pl.Series(stated.tz_convert(None).to_numpy()).dt.replace_time_zone("UTC")


def landed_at(tables: Sequence[pl.DataFrame], session: date) -> datetime | None:
    """Return when the last of some tables first reached a session, None if one never did."""
    reached: list[datetime] = []
    for rows in tables:
        first = rows.filter(pl.col(SESSION) >= session)[LANDED].min()
        if not isinstance(first, datetime):
            return None
        reached.append(first)
    return max(reached)


def _until(rows: pl.DataFrame, kept: pl.Expr, values: Sequence[str]) -> pl.DataFrame:
    """Return the kept rows; of none, the first one without its values.

    A build takes no part where an input is missing altogether. In the full history it is there,
    and only begins later.
    """
    left = rows.filter(kept)
    empty = [pl.lit(None).cast(rows.schema[name]).alias(name) for name in values]
    return rows.head(1).with_columns(empty) if left.is_empty() else left


def _cut_prices(rows: pl.DataFrame, at: Moment) -> pl.DataFrame:
    return rows.filter(pl.col(SESSION) <= at.session)


def _cut_indices(rows: pl.DataFrame, at: Moment) -> pl.DataFrame:
    return _until(rows, pl.col(SESSION) <= at.session, ("open", "high", "low", "close"))


def _cut_macro(rows: pl.DataFrame, at: Moment) -> pl.DataFrame:
    kept = (pl.col(_PUBLISHED) <= at.decision) & (pl.col(OBSERVED) <= at.session)
    return _until(rows, kept, ("value",)).drop(_PUBLISHED)


def _cut_recorded(rows: pl.DataFrame, at: Moment) -> pl.DataFrame:
    return rows.filter(pl.col("recorded_at") <= at.decision)


def _cut_news(rows: pl.DataFrame, at: Moment) -> pl.DataFrame:
    return _cut_recorded(rows, at).filter(pl.col("published") <= at.decision)


def _cut_chains(rows: pl.DataFrame, at: Moment) -> pl.DataFrame:
    return rows.filter(pl.col("quote_time") <= at.decision)


def _cut_reports(rows: pl.DataFrame, at: Moment) -> pl.DataFrame:
    """Return the announced reports, with the results of those that had come out."""
    reported = pl.col("date") + pl.when(pl.col("hour").is_in(SAME_SESSION)).then(
        timedelta(0)
    ).otherwise(timedelta(1))
    out = reported <= at.session
    results = [pl.when(out).then(pl.col(name)).alias(name) for name in RESULTS]
    return rows.filter(pl.col("date") <= at.horizon).with_columns(results)


CUTS: Final = {
    PRICES.name: _cut_prices,
    INDICES.name: _cut_indices,
    MACRO_SERIES.name: _cut_macro,
    NEWS.name: _cut_news,
    NEWS_SENTIMENT.name: _cut_recorded,
    MENTIONS.name: _cut_recorded,
    EARNINGS_CALENDAR.name: _cut_reports,
    OPTION_CHAINS.name: _cut_chains,
}
