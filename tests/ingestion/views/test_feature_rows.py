"""The two times of a feature row."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ingestion.views.aligned import Aligned
from ingestion.views.feature_rows import created_at, feature_rows
from market.calendar import close, sessions

DAYS = sessions("2024-07-01", "2024-07-08")  # 1 2 3 5 8, a half day on the 3rd
QUARTER = pd.Timedelta(minutes=15)
HOUR = pd.Timedelta(hours=1)


def aligned(landed: pd.DatetimeIndex, last: str = "2024-07-08") -> Aligned:
    closes = close(DAYS)
    return Aligned(DAYS, closes, closes + QUARTER, landed, {}, pd.Timestamp(last))


def test_backfill_counts_from_its_modelled_availability() -> None:
    years_later = close(DAYS) + pd.Timedelta(days=400)
    assert created_at(aligned(years_later), None).equals(close(DAYS) + QUARTER)


def test_a_live_home_counts_from_the_landing_once_it_is_live() -> None:
    landed = close(DAYS) + HOUR
    first_live = close(DAYS)[2] - HOUR  # before the close of the 3rd
    created = created_at(aligned(landed), first_live.to_pydatetime())
    assert created[:2].equals((close(DAYS) + QUARTER)[:2])
    assert created[2:].equals(landed[2:])


def test_a_session_that_closed_before_the_first_live_landing_is_backfill() -> None:
    first_live = close(DAYS)[2] + QUARTER
    created = created_at(aligned(close(DAYS) + 2 * HOUR), first_live.to_pydatetime())
    assert created[2] == close(DAYS)[2] + QUARTER
    assert created[3] == close(DAYS)[3] + 2 * HOUR


def test_a_live_landing_before_the_availability_waits_for_it() -> None:
    landed = close(DAYS) + pd.Timedelta(minutes=5)
    created = created_at(aligned(landed), datetime(2024, 1, 1, tzinfo=UTC))
    assert created.equals(close(DAYS) + QUARTER)


def test_a_live_row_without_a_landing_time_keeps_its_availability() -> None:
    missing = pd.DatetimeIndex([pd.NaT] * len(DAYS)).tz_localize("UTC")
    created = created_at(aligned(missing), datetime(2024, 1, 1, tzinfo=UTC))
    assert created.equals(close(DAYS) + QUARTER)


@pytest.mark.parametrize("entity", ["ticker", "market"])
def test_rows_have_the_columns_of_the_store(entity: str) -> None:
    values = np.array([1.0, np.nan, 3.0, 4.0, 5.0])
    rows = feature_rows(entity, "SPY", aligned(close(DAYS)), {"a": values, "b": -values}, None)
    moment = pl.Datetime("us", "UTC")
    assert dict(rows.schema) == {
        entity: pl.String,
        "session": pl.Date,
        "event_timestamp": moment,
        "created_timestamp": moment,
        "a": pl.Float64,
        "b": pl.Float64,
    }
    assert rows[entity].unique().to_list() == ["SPY"]
    assert rows["session"].to_list() == list(DAYS.date)
    assert rows["event_timestamp"].to_list() == close(DAYS).to_pydatetime().tolist()
    assert rows["event_timestamp"][2] == datetime(2024, 7, 3, 17, tzinfo=UTC)
    assert rows["a"].to_list() == [1.0, None, 3.0, 4.0, 5.0]
    assert rows["b"].is_nan().sum() == 0


def test_pending_sessions_have_no_row() -> None:
    rows = feature_rows(
        "ticker", "SPY", aligned(close(DAYS), "2024-07-03"), {"a": np.ones(5)}, None
    )
    assert rows["session"].to_list() == list(DAYS.date[:3])
