"""Levels that only a misprint explains are refused, and what vendors have shown passes."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ingestion.gate.expectations import gate
from ingestion.gate.findings import findings
from ingestion.gate.levels import RANGES
from ingestion.gate.sequences import nothing_stored
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, PRICES
from ingestion.tables.declare import Table
from ingestion.tables.frames import LANDED, typed
from market.availability import SERIES
from market.calendar import sessions
from tests.ingestion.conftest import Recordings

Frame = Callable[..., pd.DataFrame]
BAR = ["open", "high", "low", "close"]
DAYS = sessions("2024-01-02", "2024-06-28")
AGAIN = "open, high, low, close: another bar than that of the session before"
LANDED_AT = pl.lit(pd.Timestamp("2024-07-01T20:30Z").to_pydatetime()).alias(LANDED)


def series(name: str, values: object) -> pd.DataFrame:
    frame = pd.DataFrame({"series": name, "observation_date": DAYS, "vintage_date": pd.NaT})
    return frame.assign(value=values).astype(MACRO_SERIES.dtypes)


def rates(level: float, step: float = 0.03) -> np.ndarray:
    return level + np.cumsum(np.random.default_rng(5).normal(0, step, len(DAYS)))


def refused(table: Table, frame: pd.DataFrame, held: pd.DataFrame | None = None) -> list[int]:
    stored = None if held is None else typed(table, held).with_columns(LANDED_AT)
    _, bad = gate(table, frame, lambda _key: stored)
    days = frame[table.dated].tolist()
    return [days.index(day) for day in bad[table.dated]]


@pytest.mark.parametrize("times", [2, 4])
def test_a_bar_told_again_is_refused_and_the_next_one_lands(
    prices: Frame, index: Frame, times: int
) -> None:
    for table, frame in ((PRICES, prices(count=20)), (INDICES, index("VIX", DAYS[:20]))):
        again = frame.copy()
        columns = [*BAR, *({"volume"} & set(frame))]
        again.loc[6 : 4 + times, columns] = frame.loc[5, columns].to_numpy()
        chance = table is INDICES and times == 2
        assert refused(table, again) == ([] if chance else list(range(6, 5 + times)))
        assert set(gate(table, again)[1]["reason"]) == (set() if chance else {AGAIN})
        # What was released from quarantine is not refused anew.
        assert refused(table, again, held=again) == []


def test_the_same_levels_at_another_volume_are_another_bar(prices: Frame) -> None:
    frame = prices(count=20)
    frame.loc[6, BAR] = frame.loc[5, BAR].to_numpy()
    assert refused(PRICES, frame) == []


def test_a_level_without_a_range_may_stand_still(index: Frame) -> None:
    frame = index("VIX", DAYS[:20])
    for column in BAR:
        frame.loc[5:8, column] = 17.0
    assert refused(INDICES, frame) == []


@pytest.mark.parametrize("factor", [100.0, 10.0, 2.0, 0.5, 0.1, 0.01])
@pytest.mark.parametrize("days", [1, 3])
def test_a_volatility_of_another_unit_is_refused_alone(
    index: Frame, factor: float, days: int
) -> None:
    frame = index("VIX", DAYS)
    frame.loc[40 : 39 + days, BAR] *= factor
    assert refused(INDICES, frame) == list(range(40, 40 + days))


@pytest.mark.parametrize("factor", [0.01, 0.1, 10.0])
def test_a_whole_index_of_another_unit_lands_not_at_all(index: Frame, factor: float) -> None:
    frame = index("VIX", DAYS)
    frame[BAR] *= factor
    assert refused(INDICES, frame) == list(range(len(DAYS)))


def test_the_leap_of_february_2018_passes(index: Frame) -> None:
    frame = index("VIX", DAYS[:20])
    closes = [13.5, 17.3, 37.3, 30.0, 27.7, 33.5, 29.1, 25.6, 25.0, 19.3, 19.1]
    for column in BAR:
        frame.loc[5:15, column] = closes
    assert refused(INDICES, frame) == []


@pytest.mark.parametrize("name", ["DGS10", "DFF", "UNRATE", "VIXCLS", "CPIAUCSL", "T10Y2Y"])
@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_value_of_another_unit_is_refused_alone(name: str, factor: float) -> None:
    level = {"CPIAUCSL": 300.0, "VIXCLS": 17.0, "T10Y2Y": -2.0}.get(name, 4.2)
    frame = series(name, rates(level))
    frame.loc[40, "value"] *= factor
    assert refused(MACRO_SERIES, frame) == [40]
    # What was released from quarantine is not refused anew, but for a value that nothing may have.
    impossible = not -25 <= frame["value"][40] <= 1000
    assert refused(MACRO_SERIES, frame, held=frame) == ([40] if impossible else [])


def test_moves_that_series_have_made_pass() -> None:
    still = series("DFF", np.where(np.arange(len(DAYS)) % 20 == 19, 0.06, 0.12))
    falling = np.linspace(11, 6, len(DAYS) - 62)
    covid = series("UNRATE", np.r_[np.full(60, 4.0), 14.8, 13.2, falling])
    eighties = rates(15.0, 0.6)
    eighties[50] += 3.2
    for frame in (still, covid, series("DFF", eighties), series("T5YIE", rates(2.0))):
        assert refused(MACRO_SERIES, frame) == []


def test_a_file_of_another_series_is_refused() -> None:
    assert len(refused(MACRO_SERIES, series("UNRATE", rates(310.0)))) == len(DAYS)
    assert len(refused(MACRO_SERIES, series("CPIAUCSL", rates(4.0)))) == len(DAYS)


def test_every_series_has_a_range() -> None:
    assert RANGES.keys() == SERIES.keys()


@pytest.mark.parametrize("factor", [0.0, 0.001, 1000.0])
def test_a_volume_far_from_those_around_is_told_and_lands(prices: Frame, factor: float) -> None:
    frame = prices(count=60)
    frame.loc[30, "volume"] *= factor
    good, bad = gate(PRICES, frame)
    assert bad.empty
    (found,) = findings(PRICES, good, nothing_stored)
    assert (found.column, found.count) == ("volume", 1)
    assert found.detail.startswith(str(frame["session"][30].date()))


def test_volumes_that_are_usual_for_a_thin_stock_are_not_told(prices: Frame) -> None:
    frame = prices(count=500)
    drawn = np.random.default_rng(5).lognormal(6.0, 1.5, 500).round()
    frame["volume"] = np.where(np.arange(500) % 9 == 0, 0.0, drawn)
    assert findings(PRICES, frame, nothing_stored) == []
    frame.loc[250, "volume"] = 1e9
    (found,) = findings(PRICES, frame, nothing_stored)
    assert (found.key, found.column, found.count) == ("SPY", "volume", 1)


def test_what_vendors_gave_in_thirty_years_keeps_these_rules(recordings: Recordings) -> None:
    told = [finding for table in recordings.fetched for finding in table.findings]
    (thin,) = [one for one in told if one.column == "volume"]
    assert thin.key == "IWM"
    assert thin.detail.endswith("2019-07-30 1200")  # of 17 million a day
    assert {report.table: report.rows_quarantined for report in recordings.fetched}["indices"] == 2
    assert {report.table: report.rows_quarantined for report in recordings.fetched}["prices"] == 0
    assert not any(r.rows_quarantined for r in recordings.fetched if r.table == "macro_series")
