"""Raw rows on sessions: holes stay holes, and macro is what was known at the decision time."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ingestion.tables.catalogue import INDICES, MACRO_SERIES, PRICES
from ingestion.tables.declare import Table
from ingestion.tables.frames import LANDED, TIME, typed
from ingestion.views.aligned import align_prices
from ingestion.views.iv import align_indices
from ingestion.views.macro import align_macro, macro_available
from market.adjust import RAW_PRICES, adjust
from market.availability import SERIES
from market.calendar import NEW_YORK, close, decision_time, sessions
from market.errors import InputError

Frame = Callable[..., pd.DataFrame]
LANDING = datetime(2024, 11, 1, 21, tzinfo=UTC)


def stored(table: Table, frame: pd.DataFrame, landed: datetime = LANDING) -> pl.DataFrame:
    return typed(table, frame).with_columns(pl.lit(landed).cast(TIME).alias(LANDED))


def new_york(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz=NEW_YORK).tz_convert("UTC")


def test_prices_are_adjusted_on_their_sessions(prices: Frame) -> None:
    frame = prices(count=9)
    frame.loc[3, "dividend"] = 1.0
    frame.loc[5, "split"] = 2.0
    aligned = align_prices(stored(PRICES, frame))
    expected = adjust(**{name: frame[name].to_numpy() for name in RAW_PRICES})
    assert set(aligned.arrays) == set(expected)
    for name, values in expected.items():
        assert (aligned.arrays[name] == values).all()
    assert aligned.sessions.equals(pd.DatetimeIndex(frame["session"]))
    assert aligned.available.equals(close(aligned.sessions))
    assert aligned.closes.equals(aligned.available)
    assert aligned.landed.equals(pd.DatetimeIndex([LANDING] * 9).as_unit("ns"))
    assert aligned.last == frame["session"].iloc[-1]


def test_an_index_is_null_in_its_holes_and_outside(prices: Frame, index: Frame) -> None:
    days = sessions("2024-01-02", "2024-02-01")
    frame = prices(days=list(days[3:10].astype(str)))
    vix = index("VIX", days[5:].delete(2)).assign(close=lambda rows: np.arange(len(rows)) + 20.0)
    aligned = align_indices(
        align_prices(stored(PRICES, frame)), {"vix_close": stored(INDICES, vix)}
    )
    nan = np.nan
    assert np.array_equal(
        aligned.arrays["vix_close"], [nan, nan, 20.0, 21.0, nan, 22.0, 23.0], equal_nan=True
    )
    assert aligned.available.equals(close(days[3:10]) + pd.Timedelta(minutes=15))
    assert aligned.last == days[-1]


def test_sessions_after_the_end_of_an_index_are_pending(prices: Frame, index: Frame) -> None:
    days = sessions("2024-01-02", "2024-01-31")
    frame = prices(days=list(days.astype(str)))
    indices = {
        "vix_close": stored(INDICES, index("VXN", days[:-2])),
        "vix3m_close": stored(INDICES, index("VIX3M", days[:-1])),
        "spx_vix_close": stored(INDICES, index("VIX", days)),
    }
    aligned = align_indices(align_prices(stored(PRICES, frame)), indices)
    assert aligned.last == days[-3]
    assert np.isnan(aligned.arrays["vix_close"][-2:]).all()


def test_the_landing_of_a_row_is_that_of_its_newest_input(prices: Frame, index: Frame) -> None:
    days = sessions("2024-01-02", "2024-01-10")
    later = LANDING.replace(day=4)
    base = align_prices(stored(PRICES, prices(days=list(days.astype(str)))))
    vix = pl.concat(
        [
            stored(INDICES, index("VIX", days[1:2]), later),
            stored(INDICES, index("VIX", days[3:]), LANDING.replace(year=2023)),
        ]
    )
    landed = align_indices(base, {"vix_close": vix}).landed
    assert landed[1] == later
    assert (landed.delete(1) == LANDING).all()


def observations(series: str, rows: dict[str, float], vintages: object = None) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "series": series,
            "observation_date": pd.to_datetime(list(rows)),
            "vintage_date": pd.to_datetime([None] * len(rows) if vintages is None else vintages),
            "value": list(rows.values()),
        }
    )
    return frame.astype(MACRO_SERIES.dtypes)


def market(days: pd.DatetimeIndex, landed: datetime = LANDING) -> pl.DataFrame:
    return pl.DataFrame({"session": list(days.date)}).with_columns(
        pl.lit(landed).cast(TIME).alias(LANDED)
    )


def known(frame: pd.DataFrame, array: str, start: str, end: str) -> list[float]:
    """Return an aligned array, beside series of which only one observation is known."""
    others = [
        observations(name, {"2000-01-01": 1.0})
        for name in SERIES
        if name not in frame["series"].to_numpy()
    ]
    rows = stored(MACRO_SERIES, pd.concat([frame, *others], ignore_index=True))
    return align_macro(rows, market(sessions(start, end))).arrays[array].tolist()


def test_a_federal_holiday_with_open_markets_delays_the_rates() -> None:
    # Monday 2024-10-14 is Columbus Day: XNYS trades, H.15 is not posted.
    frame = observations(
        "DGS10", {"2024-10-09": 4.06, "2024-10-10": 4.09, "2024-10-11": 4.08, "2024-10-15": 4.03}
    )
    # Sessions of the 10th, 11th, 14th, 15th, 16th, 17th: posted at 18:00, after the decision.
    assert known(frame, "DGS10", "2024-10-11", "2024-10-17") == [4.06, 4.09, 4.09, 4.08, 4.03]


def test_a_market_holiday_between_observation_and_session() -> None:
    rows = {"2024-07-02": 1.0, "2024-07-03": 2.0, "2024-07-05": 3.0}
    # Noon of the next business day is before every decision, half days included.
    assert known(observations("T10Y2Y", rows), "T10Y2Y", "2024-07-03", "2024-07-08") == [
        1.0,  # Wednesday the 3rd closes at 13:00, decided at 13:30
        2.0,  # Friday the 5th: nothing was published on the 4th
        3.0,
    ]
    # 18:00 of the next business day is after: one session later.
    assert known(observations("DFF", rows), "DFF", "2024-07-05", "2024-07-09") == [1.0, 2.0, 3.0]


def test_a_daily_rate_of_a_weekend_waits_for_the_next_business_day() -> None:
    rows = {"2024-09-05": 0.5, "2024-09-06": 1.0, "2024-09-07": 2.0, "2024-09-08": 3.0}
    # Friday's, Saturday's and Sunday's are all posted on Monday the 9th at 18:00.
    assert known(observations("DFF", rows), "DFF", "2024-09-09", "2024-09-11") == [0.5, 3.0, 3.0]


def test_monthly_series_without_vintages_wait_for_their_day() -> None:
    frame = observations("UNRATE", {"2024-05-01": 4.0, "2024-08-01": 4.2, "2024-09-01": 4.1})
    levels = known(frame, "UNRATE", "2024-10-09", "2024-10-11")
    assert levels == [4.2, 4.1, 4.1]  # from the 10th, 12:00
    earlier = known(frame, "UNRATE_3M_EARLIER", "2024-10-09", "2024-10-11")
    assert earlier == [4.0, 4.0, 4.0]  # June never came, and later ones did: May's is carried


def test_a_vintage_counts_from_its_own_day() -> None:
    frame = observations(
        "CPIAUCSL",
        {"2023-09-01": 307.0, "2024-08-01": 314.0, "2024-09-01": 315.0},
        ["2023-10-12", "2024-09-11", "2024-10-10"],
    )
    assert known(frame, "CPI", "2024-10-09", "2024-10-11") == [314.0, 315.0, 315.0]
    assert known(frame, "CPI_1M_EARLIER", "2024-10-10", "2024-10-10") == [314.0]
    assert known(frame, "CPI_12M_EARLIER", "2024-10-10", "2024-10-10") == [307.0]


def test_availability_follows_the_vintage_where_there_is_one() -> None:
    frame = observations("UNRATE", {"2024-09-01": 4.1, "2024-10-01": 4.2}, ["2024-10-04", None])
    assert macro_available("UNRATE", stored(MACRO_SERIES, frame)).to_list() == [
        new_york("2024-10-04 12:00"),
        new_york("2024-11-10 12:00"),
    ]


def test_a_row_is_known_from_its_newest_input_on(macro: Frame) -> None:
    days = sessions("2024-07-01", "2024-07-12")
    aligned = align_macro(stored(MACRO_SERIES, macro(days)), market(days))
    # Daily values come the evening before or at noon, and no session closes before 13:00.
    assert aligned.available.equals(close(days))
    assert (aligned.landed == LANDING).all()
    # A row also waits for the landing of its session, if its inputs landed before that.
    later = LANDING.replace(day=5)
    aligned = align_macro(stored(MACRO_SERIES, macro(days)), market(days, later))
    assert (aligned.landed == later).all()


def test_a_series_that_never_landed_is_an_error(macro: Frame) -> None:
    days = sessions("2024-07-01", "2024-07-12")
    frame = macro(days)
    with pytest.raises(InputError, match="need series DGS2"):
        align_macro(stored(MACRO_SERIES, frame[frame["series"] != "DGS2"]), market(days))


def test_every_level_agrees_with_a_search_by_hand(macro: Frame) -> None:
    days = sessions("2023-05-01", "2024-03-28")
    frame = macro(days).sample(frac=0.7, random_state=3).sort_values(["series", "observation_date"])
    rows = stored(MACRO_SERIES, frame.reset_index(drop=True))
    aligned = align_macro(rows, market(days))
    for name in ("DFF", "DGS10", "T10Y2Y", "VIXCLS"):
        part = frame[frame["series"] == name].reset_index(drop=True)
        available = macro_available(name, stored(MACRO_SERIES, part))
        for number in range(0, len(days), 7):
            seen = part[available <= decision_time(days[[number]])[0]]
            newest = seen.loc[seen["observation_date"].idxmax(), "value"]
            assert aligned.arrays[name][number] == newest
