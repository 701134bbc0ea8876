"""Rows that read a month which never came say so (Decision 23)."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from home.manifest import read_manifest, read_rows
from ingestion.build.build import build_features
from ingestion.build.carried import carried_months
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, PRICES
from ingestion.tables.frames import CARRIED, CREATED, EVENT, SESSION, TIME, typed
from market.calendar import decision_time, sessions

Frame = Callable[..., pd.DataFrame]
DAYS = sessions("2023-01-03", "2024-03-28")
AT = decision_time(DAYS[[-1]])[0]
MISSING = "2023-10-01"


def without(macro: Frame, *series: str) -> pd.DataFrame:
    frame = macro(DAYS)
    gone = frame["series"].isin(series) & (frame["observation_date"] == MISSING)
    return frame[~gone].reset_index(drop=True)


def landed(frame: pd.DataFrame) -> pl.DataFrame:
    return typed(MACRO_SERIES, frame).with_columns(
        pl.lit(AT.to_pydatetime(), TIME).alias("landed_at")
    )


def spans(marks: list[str | None], mark: str) -> list[str]:
    days = DAYS[[found == mark for found in marks]]
    return [str(day.date()) for day in days[[0, -1]]]


def test_a_row_names_the_months_that_it_carries(macro: Frame) -> None:
    marks = carried_months(landed(without(macro, "CPIAUCSL", "UNRATE")), DAYS)
    both = {"CPIAUCSL 2023-10", "UNRATE 2023-10"}
    assert {mark for mark in marks if mark} == both
    # One month earlier: from the release after it to the one after that.
    assert spans(marks, "CPIAUCSL 2023-10") == ["2023-12-18", "2024-01-17"]
    # Three months earlier.
    assert spans(marks, "UNRATE 2023-10") == ["2024-02-12", "2024-03-08"]


def test_a_row_of_months_of_its_own_names_none(macro: Frame) -> None:
    assert set(carried_months(landed(macro(DAYS)), DAYS)) == {None}


@pytest.fixture
def built(tmp_path: Path, prices: Frame, index: Frame, macro: Frame) -> Path:
    with Lake(tmp_path) as lake:
        lake.land(PRICES, prices(days=list(DAYS.astype(str))), "recorded", AT)
        for symbol in ("VIX", "VIX3M"):
            lake.land(INDICES, index(symbol, DAYS), "recorded", AT)
        lake.land(MACRO_SERIES, without(macro, "CPIAUCSL"), "recorded", AT)
        build_features(lake, ["SPY"], AT)
    return tmp_path


def test_the_mark_stands_in_the_stored_row_beside_its_times(built: Path) -> None:
    rows = read_rows(built, "macro", ["US"])
    assert rows.columns[:5] == ["market", SESSION, EVENT, CREATED, CARRIED]
    marked = rows.filter(pl.col(CARRIED).is_not_null())
    assert marked[CARRIED].unique().to_list() == ["CPIAUCSL 2023-10"]
    assert str(marked[SESSION].min()) == "2023-12-18"
    assert CARRIED not in read_rows(built, "technical", ["SPY"]).columns


def test_rows_of_an_earlier_version_are_marked_at_the_next_build(built: Path) -> None:
    before = read_rows(built, "macro", ["US"])
    hash_before = read_manifest(built).tables["macro"].definition_hash
    with Lake(built) as lake:
        lake.open_view("macro", "market", hash_before or "")
        lake.write_features("macro", "US", before.drop(CARRIED), AT)
        lake.commit()
        build_features(lake, ["SPY"], AT)
    assert read_rows(built, "macro", ["US"]).equals(before)
    with Lake(built) as lake:
        held = lake.manifest.entries
        build_features(lake, ["SPY"], AT)
        assert lake.manifest.entries == held
