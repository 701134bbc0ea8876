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

from ingestion.tables.frames import LANDED, SESSION
from ingestion.views.compute import MacroRaw, TickerRaw
from ingestion.views.events import EarningsRaw, SentimentRaw
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


def cut_ticker(raw: TickerRaw, moment: Moment) -> TickerRaw:
    """Return the raw rows of a ticker up to a session, events as published by its decision."""
    return replace(
        raw,
        prices=raw.prices.filter(pl.col(SESSION) <= moment.session),
        indices={
            name: _until(rows, pl.col(SESSION) <= moment.session, ("open", "high", "low", "close"))
            for name, rows in raw.indices.items()
        },
        events=tuple(_cut_events(events, moment) for events in raw.events),
    )


def cut_macro(published: Sequence[pl.DataFrame], market: pl.DataFrame, moment: Moment) -> MacroRaw:
    """Return the market's sessions up to one, and of macro rows what was published by its decision.

    Parameters
    ----------
    published
        The rows of each series with their publication, see `publications`.
    market
        XNYS sessions, ascending, and when each first landed with a price (`landed_at`).
    moment
        The session.
    """
    kept = (pl.col(_PUBLISHED) <= moment.decision) & (pl.col(OBSERVED) <= moment.session)
    left = pl.concat([_until(part, kept, ("value",)) for part in published])
    return MacroRaw(left.drop(_PUBLISHED), market.filter(pl.col(SESSION) <= moment.session))


def publications(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the rows of each series with their publication: by vintage, else by the lag."""
    parts = rows.partition_by("series", maintain_order=True)
    return [part.with_columns(_published(part).alias(_PUBLISHED)) for part in parts]


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


def _cut_events(events: SentimentRaw | EarningsRaw, at: Moment) -> SentimentRaw | EarningsRaw:
    if isinstance(events, EarningsRaw):
        return replace(events, rows=_cut_reports(events.rows, at))
    recorded = pl.col("recorded_at") <= at.decision
    return SentimentRaw(
        news=events.news.filter(recorded & (pl.col("published") <= at.decision)),
        premium=events.premium.filter(recorded),
        mentions=events.mentions.filter(recorded),
    )


def _cut_reports(rows: pl.DataFrame, at: Moment) -> pl.DataFrame:
    """Return the announced reports, with the results of those that had come out."""
    reported = pl.col("date") + pl.when(pl.col("hour").is_in(SAME_SESSION)).then(
        timedelta(0)
    ).otherwise(timedelta(1))
    out = reported <= at.session
    results = [pl.when(out).then(pl.col(name)).alias(name) for name in RESULTS]
    return rows.filter(pl.col("date") <= at.horizon).with_columns(results)
