"""Events on sessions: windows, versions, and what was settled when a row landed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.features.earnings.reports import ANNOUNCED
from ingestion.tables.catalogue import EARNINGS_CALENDAR, MENTIONS, NEWS, NEWS_SENTIMENT, PRICES
from ingestion.tables.declare import Table
from ingestion.tables.frames import LANDED, SESSION, TIME, TYPES, typed
from ingestion.views.aligned import Aligned, settled_by
from ingestion.views.compute import changes
from ingestion.views.earnings import align_earnings
from ingestion.views.raw import Raw, first_landings
from ingestion.views.report_versions import earnings_versions
from ingestion.views.sentiment import align_sentiment
from market.calendar import close, decision_time, sessions

Frame = Callable[..., pd.DataFrame]
DAYS = sessions("2024-01-02", "2024-03-28")
CUTS = decision_time(DAYS)
HOUR = pd.Timedelta(hours=1)


def stored(table: Table, *landings: tuple[pd.Timestamp, pd.DataFrame]) -> pl.DataFrame:
    """Return versions as the lake stores them: by key, then landing."""
    parts = [
        typed(table, frame).with_columns(pl.lit(at.to_pydatetime()).cast(TIME).alias(LANDED))
        for at, frame in landings
    ]
    schema = {c.name: TYPES[c.dtype] for c in table.columns} | {LANDED: TIME}
    return pl.concat([pl.DataFrame(schema=schema), *parts]).sort(*table.key, LANDED)


def priced(count: int = len(DAYS), landed: pd.DatetimeIndex = CUTS) -> Aligned:
    days, closes = DAYS[:count], close(DAYS[:count])
    return Aligned(days, closes, closes, landed[:count], {}, days[-1])


def market(landed: pd.DatetimeIndex = CUTS) -> pl.DataFrame:
    times = pl.Series(list(landed.to_pydatetime()), dtype=TIME)
    return pl.DataFrame({SESSION: list(DAYS[: len(landed)].date), LANDED: times})


def raw(rows: dict[tuple[str, str], pl.DataFrame]) -> Raw:
    return Raw("ticker", "SPY", rows, market())


def sentiment(**inputs: pl.DataFrame) -> Aligned | None:
    tables = {"news": NEWS, "premium": NEWS_SENTIMENT, "mentions": MENTIONS}
    rows = {name: inputs.get(name, stored(table)) for name, table in tables.items()}
    return align_sentiment(priced(), **rows, landed=market())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=12), st.integers(0, 9))
def test_settled_is_the_last_session_that_landed_before(hours: list[int], at: int) -> None:
    landed = CUTS[20] + pd.to_timedelta(hours, unit="h")
    found = settled_by(pd.DatetimeIndex([CUTS[20] + at * HOUR]), market(landed))
    before = [number for number, hour in enumerate(hours) if hour < at]
    assert found.isna()[0] if not before else found[0] == CUTS[max(before)]


def test_first_landings_are_those_of_first_versions(prices: Frame) -> None:
    frame = prices("SPY", days=list(DAYS[:3].astype(str)))
    rows = stored(PRICES, (CUTS[2], frame), (CUTS[5], frame.tail(1)))
    assert first_landings(rows).rows() == [
        (day.date(), CUTS[2].to_pydatetime()) for day in DAYS[:3]
    ]


def test_nothing_recorded_is_no_view() -> None:
    assert sentiment() is None


def test_what_was_recorded_after_the_last_decision_is_no_view(news: Frame) -> None:
    assert sentiment(news=stored(NEWS, (CUTS[-1], news([CUTS[-1] + HOUR])))) is None


@pytest.mark.parametrize("name", ["news", "premium", "mentions"])
def test_any_input_makes_a_session_watched(name: str, request: pytest.FixtureRequest) -> None:
    make = request.getfixturevalue(name)
    table = {"news": NEWS, "premium": NEWS_SENTIMENT, "mentions": MENTIONS}[name]
    moments = CUTS[[5, 8]] - HOUR
    frame = make(moments) if name == "news" else make("SPY", moments)
    aligned = sentiment(**{name: stored(table, (CUTS[8], frame))})
    assert aligned is not None
    assert aligned.sessions.equals(DAYS[5:])
    assert aligned.last == DAYS[8]
    assert aligned.available.equals(CUTS[5:])
    watched = {"news": "headlines", "premium": "premium_score", "mentions": "mentions"}
    for source, values in aligned.arrays.items():
        assert values.shape == (len(DAYS) - 5,)
        own = source.startswith(watched[name].split("_", maxsplit=1)[0])
        if source != "mentions_24h_ago":
            assert np.flatnonzero(~np.isnan(values)).tolist() == ([0, 3] if own else [])


def test_a_session_lands_with_the_newest_row_of_its_window(news: Frame, mentions: Frame) -> None:
    aligned = sentiment(
        news=stored(NEWS, (CUTS[5] + HOUR, news([CUTS[5] - HOUR]))),
        mentions=stored(MENTIONS, (CUTS[5] + 2 * HOUR, mentions("SPY", [CUTS[5]]))),
    )
    assert aligned is not None
    assert aligned.landed[0] == CUTS[5] + 2 * HOUR


def test_the_first_session_of_the_calendar_has_a_window(news: Frame) -> None:
    days = sessions("1990-01-02", "1990-01-04")
    closes = close(days)
    prices = Aligned(days, closes, closes, closes, {}, days[-1])
    landed = pl.DataFrame({SESSION: list(days.date), LANDED: list(closes.to_pydatetime())})
    rows = stored(NEWS, (closes[2], news([closes[0] - HOUR])))
    aligned = align_sentiment(
        prices, rows, stored(NEWS_SENTIMENT), stored(MENTIONS), landed.cast({LANDED: TIME})
    )
    assert aligned is not None
    assert aligned.arrays["headlines"].tolist()[0] == 1.0


def versions(
    earnings: Frame, first_live: datetime | None, *landings: tuple[pd.Timestamp, str, Any]
) -> Any:
    frames = [
        (at, earnings("AAPL", [day], hour=hour).assign(fiscal_year=2024.0, fiscal_quarter=1.0))
        for at, day, hour in landings
    ]
    rows = stored(EARNINGS_CALENDAR, *frames).sort(LANDED)
    return earnings_versions(rows, ["MSFT", "AAPL"], market(), first_live)


@pytest.mark.parametrize("live", [True, False])
def test_a_backfill_is_known_by_model_but_not_after_its_landing(
    earnings: Frame, live: bool
) -> None:
    first = CUTS[30].to_pydatetime() if live else None
    early, late = str(DAYS[25].date()), str(DAYS[50].date())
    for day, known in ((early, close(DAYS[[25 - ANNOUNCED]])[0]), (late, CUTS[30])):
        found = versions(earnings, first, (CUTS[30], day, "amc"))
        assert found.date_known[0] == known
    assert found.symbol.tolist() == [1]
    assert found.result_known[0] == close(DAYS[[51]])[0]


def test_a_later_version_counts_from_its_landing_in_a_live_home(earnings: Frame) -> None:
    day, at = str(DAYS[35].date()), CUTS[33] - HOUR
    found = versions(earnings, CUTS[30].to_pydatetime(), (CUTS[30], day, "bmo"), (at, day, "amc"))
    assert found.date_known[1] == at
    assert found.result_known.to_list() == close(DAYS[[35, 36]]).to_list()
    late = versions(earnings, CUTS[30].to_pydatetime(), (CUTS[40], day, "bmo"))
    assert late.date_known[0] == late.result_known[0] == CUTS[40]


def test_a_later_version_elsewhere_counts_after_what_had_landed(earnings: Frame) -> None:
    tick = pd.Timedelta(1, "us")
    day, moved = str(DAYS[35].date()), str(DAYS[33].date())
    found = versions(earnings, None, (CUTS[30], day, "bmo"), (CUTS[32], moved, "bmo"))
    assert found.date_known[1] == CUTS[31] + tick
    assert found.result_known[1] == close(DAYS[[33]])[0]


@pytest.mark.parametrize("day", ["1980-02-01", "2099-02-01"])
def test_dates_outside_the_calendar_are_at_its_ends(earnings: Frame, day: str) -> None:
    found = versions(earnings, None, (CUTS[30], day, "bmo"))
    assert not found.date_known.hasnans
    assert found.date_known[0] <= CUTS[30]


def test_reports_that_no_session_knew_are_no_view(earnings: Frame) -> None:
    rows = stored(EARNINGS_CALENDAR, (CUTS[-1] + HOUR, earnings("AAPL", ["2024-06-28"])))
    weights = np.ones((len(DAYS), 1))
    none = align_earnings(priced(), rows, ["AAPL"], weights, market(), None)
    assert none is None


def test_changes_are_the_first_landings_of_later_inputs(
    news: Frame, mentions: Frame, earnings: Frame
) -> None:
    at = [moment.to_pydatetime() for moment in CUTS[[10, 12, 14]]]
    headlines = stored(NEWS, (CUTS[10], news([CUTS[9]])), (CUTS[14], news([CUTS[13]])))
    lists = stored(MENTIONS, (CUTS[12], mentions("SPY", [CUTS[11]])))
    rows = {
        (NEWS.name, "market"): headlines,
        (NEWS_SENTIMENT.name, "SPY"): stored(NEWS_SENTIMENT),
        (MENTIONS.name, "SPY"): lists,
    }
    assert changes(raw(rows)) == [at[1]]
    assert changes(raw(rows | {(MENTIONS.name, "SPY"): stored(MENTIONS)})) == []
    apple = stored(
        EARNINGS_CALENDAR,
        (CUTS[10], earnings("AAPL", ["2024-02-01"])),
        (CUTS[12], earnings("AAPL", ["2024-02-02"])),
    )
    microsoft = stored(EARNINGS_CALENDAR, (CUTS[14], earnings("MSFT", ["2024-02-01"])))
    reports = {(EARNINGS_CALENDAR.name, "AAPL"): apple, (EARNINGS_CALENDAR.name, "MSFT"): microsoft}
    assert changes(raw(reports)) == [at[2]]
