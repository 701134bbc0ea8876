"""Feature rows with their two times: when what they describe happened, and when it was known."""

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
import polars as pl

from ingestion.tables.frames import CREATED, EVENT, SESSION, TIME
from ingestion.views.aligned import Aligned
from market.arrays import FloatArray


def created_at(aligned: Aligned, first_live: datetime | None) -> pd.DatetimeIndex:
    """Return when each session's row counts as known, UTC; shape (n_sessions,).

    (a) A session that closed before the home's first live landing is backfill, and so is every
    session of a home that is not live: the modelled availability of its newest input. (b) A later
    session: the later of that and the landing of its newest input.

    Parameters
    ----------
    aligned
        The sessions, and when their inputs were available and landed.
    first_live
        The home's first live landing, None where there was none.
    """
    if first_live is None:
        return aligned.available
    live = aligned.closes >= pd.Timestamp(first_live)
    late = live & (aligned.landed > aligned.available)
    return aligned.available.where(~late, aligned.landed)


def feature_rows(
    entity: str,
    key: str,
    aligned: Aligned,
    features: Mapping[str, FloatArray],
    first_live: datetime | None,
) -> pl.DataFrame:
    """Return the rows of a view for one key, from its first session to the last complete one.

    Parameters
    ----------
    entity, key
        The entity column, and its value.
    aligned
        Sessions and times.
    features
        Name to values, shape (n_sessions,); NaN becomes null.
    first_live
        As in `created_at`.
    """
    columns = {
        entity: pl.Series([key], dtype=pl.String).new_from_index(0, len(aligned.sessions)),
        SESSION: _column(aligned.sessions).dt.date(),
        EVENT: _column(aligned.closes),
        CREATED: _column(created_at(aligned, first_live)),
        **features,
    }
    rows = pl.DataFrame(columns).with_columns(pl.col(*features).fill_nan(None))
    first = aligned.sessions[0] if aligned.first is None else aligned.first
    return rows.filter(pl.col(SESSION).is_between(first, aligned.last))


def _column(times: pd.DatetimeIndex) -> pl.Series:
    naive = times.tz_convert(None) if times.tz is not None else times
    return pl.Series(naive.to_numpy()).dt.replace_time_zone("UTC").cast(TIME)
