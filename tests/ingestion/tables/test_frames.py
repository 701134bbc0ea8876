"""Raw frames as the lake stores them."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from home.manifest import MANIFEST, Answer, Manifest, read_manifest
from ingestion.tables.catalogue import PRICES, TABLES
from ingestion.tables.declare import PANDAS_DTYPES, Column, Table
from ingestion.tables.frames import (
    LANDED,
    TYPES,
    manifest_bytes,
    parquet_bytes,
    partitions,
    quarantined,
    typed,
    utc,
)
from market.errors import InputError

Frame = Callable[..., pd.DataFrame]
EVERY = Table(
    name="every",
    key=("name", "day"),
    partition="name",
    dated="day",
    columns=(
        Column("name", "string", ""),
        Column("day", "date", "", nullable=True),
        Column("moment", "timestamp", "", nullable=True),
        Column("number", "float", "", nullable=True),
        Column("count", "int", ""),
    ),
    known="",
    revision="",
    tier="free",
)


def test_every_declared_type_has_its_stored_type() -> None:
    assert set(TYPES) == set(PANDAS_DTYPES)
    assert set(TYPES) == {column.dtype for column in EVERY.columns}


def test_values_and_nulls_keep_their_meaning() -> None:
    frame = pd.DataFrame(
        {
            "name": ["a", None, 7],
            "day": pd.to_datetime(["2024-02-29", None, "1990-01-02"]),
            "moment": pd.to_datetime(
                ["2024-02-29T21:00:00.000001Z", None, "1990-01-02T00:00:00.0Z"]
            ),
            "number": [0.1, np.nan, -1e300],
            "count": [1, 2, 2**40],
        }
    ).astype(EVERY.dtypes)
    rows = typed(EVERY, frame)
    assert dict(rows.schema) == {column.name: TYPES[column.dtype] for column in EVERY.columns}
    assert rows.rows() == [
        ("a", date(2024, 2, 29), datetime(2024, 2, 29, 21, 0, 0, 1, tzinfo=UTC), 0.1, 1),
        (None, None, None, None, 2),
        ("7", date(1990, 1, 2), datetime(1990, 1, 2, tzinfo=UTC), -1e300, 2**40),
    ]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_an_empty_frame_has_the_types(table: Table) -> None:
    rows = typed(table, table.empty())
    assert dict(rows.schema) == {column.name: TYPES[column.dtype] for column in table.columns}
    assert list(partitions(table, table.empty())) == []


def test_partitions_come_in_the_order_of_the_frame(prices: Frame) -> None:
    frame = pd.concat([prices("SPY", count=2), prices("IWM", count=3)], ignore_index=True)
    shuffled = frame.iloc[[3, 0, 2, 4, 1]]
    parts = dict(partitions(PRICES, shuffled))
    assert list(parts) == ["IWM", "SPY"]
    assert [part.height for part in parts.values()] == [3, 2]


def test_rejected_rows_keep_their_reason(prices: Frame) -> None:
    frame = pd.concat([prices("SPY", count=2), prices("a/b", count=1)], ignore_index=True)
    parts = dict(quarantined(PRICES, frame.assign(reason=["x", "y", "z"]), "reason"))
    assert {key: part["reason"].to_list() for key, part in parts.items()} == {
        "SPY": ["x", "y"],
        "_": ["z"],
    }


def test_moments_are_in_utc_to_the_microsecond() -> None:
    moment = pd.Timestamp("2024-07-01 16:30:00.123456789", tz="America/New_York")
    assert utc(moment) == datetime(2024, 7, 1, 20, 30, 0, 123456, tzinfo=UTC)
    with pytest.raises(InputError, match="without a zone"):
        utc(pd.Timestamp("2024-07-01"))


def test_equal_rows_give_equal_bytes(prices: Frame) -> None:
    rows = typed(PRICES, prices(count=700)).with_columns(pl.lit(1).alias(LANDED))
    copy = pl.DataFrame(rows.to_dict(as_series=False), schema=rows.schema)
    assert parquet_bytes(rows) == parquet_bytes(copy)
    assert len(parquet_bytes(rows)) < rows.estimated_size()


def test_who_answered_comes_back(tmp_path: Path) -> None:
    answers = {
        ("macro_series", "DFF"): Answer("2024-01-02"),
        ("earnings_calendar", "AAPL"): Answer(None, refused=True),
        ("earnings_calendar", "MSFT"): Answer(None),
    }
    (tmp_path / MANIFEST).write_bytes(manifest_bytes(Manifest("live", answers=answers)))
    assert read_manifest(tmp_path).answers == answers


def test_an_empty_manifest_is_json() -> None:
    assert b'"entries": [\n\n]' in manifest_bytes(Manifest())
