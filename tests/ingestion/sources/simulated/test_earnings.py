"""Simulated reports: a calendar of sessions, known ten sessions before, results once out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources.simulated.earnings import earnings
from ingestion.sources.simulated.source import Simulated
from ingestion.tables.catalogue import EARNINGS_CALENDAR
from market.baskets import basket_symbols
from market.calendar import session_shift, sessions
from market.errors import InputError
from market.underlyings import UNDERLYINGS

Make = Callable[..., Simulated]
FIRST, LAST = pd.Timestamp("2010-01-04"), pd.Timestamp("2025-06-30")
COMPANIES = tuple(dict.fromkeys([*basket_symbols("SPY"), *basket_symbols("QQQ")]))
FIGURES = ["eps_actual", "eps_estimate", "revenue_actual", "revenue_estimate"]


@pytest.fixture(scope="module")
def reports() -> pd.DataFrame:
    return pd.concat([earnings(5, s, FIRST, LAST) for s in COMPANIES], ignore_index=True)


def test_a_company_reports_each_quarter_once(reports: pd.DataFrame) -> None:
    assert not reports.duplicated(list(EARNINGS_CALENDAR.key)).any()
    for _, rows in reports.groupby("symbol"):
        number = rows["fiscal_year"] * 4 + rows["fiscal_quarter"]
        assert (number.diff().dropna() == 1).all()
        gaps = rows["date"].diff().dropna().dt.days
        assert gaps.between(70, 115).all()


def test_reports_are_on_sessions_weeks_after_the_quarter(reports: pd.DataFrame) -> None:
    days = sessions(reports["date"].min(), reports["date"].max())
    assert reports["date"].isin(days).all()
    ended = pd.PeriodIndex.from_fields(
        year=reports["fiscal_year"], quarter=reports["fiscal_quarter"], freq="Q"
    ).end_time.normalize()
    delay = (reports["date"] - ended).dt.days
    assert delay.min() >= 7
    assert delay.max() <= 50


def test_a_company_keeps_its_hour_most_of_the_time(reports: pd.DataFrame) -> None:
    assert set(reports["hour"]) == {"bmo", "amc", ""}
    for _, rows in reports.groupby("symbol"):
        assert rows["hour"].value_counts(normalize=True).max() > 0.75
    usual = reports.groupby("symbol")["hour"].agg(lambda hours: hours.mode()[0])
    assert 0.2 < (usual == "bmo").mean() < 0.8
    assert 0.01 < (reports["hour"] == "").mean() < 0.06


def test_figures_are_rounded_and_beat_more_often_than_not(reports: pd.DataFrame) -> None:
    known = reports.dropna(subset="eps_actual")
    for column in ("eps_actual", "eps_estimate"):
        np.testing.assert_allclose(known[column], known[column].round(2), atol=1e-12)
        assert (known[column] > 0).all()
    surprise = 100 * (known["eps_actual"] - known["eps_estimate"]) / known["eps_estimate"]
    assert 1 < surprise.mean() < 6
    assert 4 < surprise.std() < 12
    assert 0.55 < (surprise > 0).mean() < 0.8
    revenue = known["revenue_actual"] / known["revenue_estimate"] - 1
    assert 0.01 < revenue.std() < 0.04


def test_the_first_session_has_four_quarters_behind_it() -> None:
    for symbol in COMPANIES[:5]:
        assert earnings(5, symbol, FIRST, FIRST)["eps_actual"].notna().sum() >= 4


def test_surprises_say_nothing_of_the_market(simulated: Make) -> None:
    # The same reports whatever the market does: they draw from streams of their own.
    calm, other = simulated(strength=0.0), simulated(strength=0.6)
    table = EARNINGS_CALENDAR.name
    frames = [s.fetch(table, ["AAPL"], None, s.last_session()) for s in (calm, other)]
    pd.testing.assert_frame_equal(*frames)


# ---------------------------------------------------------------- the clock

days = st.sampled_from(sessions("2015-01-02", "2025-06-20").tolist())


@settings(max_examples=40, deadline=None)
@given(day=days, later=st.integers(0, 400), symbol=st.sampled_from(COMPANIES))
def test_a_later_clock_adds_reports_and_results_and_moves_no_date(
    day: pd.Timestamp, later: int, symbol: str
) -> None:
    early = earnings(5, symbol, FIRST, day)
    until = min(session_shift(pd.DatetimeIndex([day]), later)[0], LAST)
    late = earnings(5, symbol, FIRST, until).iloc[: len(early)]
    fixed = [name for name in EARNINGS_CALENDAR.names if not name.endswith("actual")]
    pd.testing.assert_frame_equal(early[fixed], late[fixed])
    for name in ("eps_actual", "revenue_actual"):
        out = early[name].notna()
        pd.testing.assert_series_equal(early.loc[out, name], late.loc[out, name])


@settings(max_examples=40, deadline=None)
@given(day=days, symbol=st.sampled_from(COMPANIES))
def test_dates_are_ten_sessions_ahead_at_most_and_results_past(
    day: pd.Timestamp, symbol: str
) -> None:
    frame = earnings(5, symbol, FIRST, day)
    assert frame["date"].max() <= session_shift(pd.DatetimeIndex([day]), 10)[0]
    out = frame["eps_actual"].notna()
    assert out.equals(frame["revenue_actual"].notna())
    assert (frame.loc[out, "date"] <= day).all()
    assert out[frame["date"] < day].all()
    assert (frame.loc[out & (frame["date"] == day), "hour"] == "bmo").all()
    assert frame[["eps_estimate", "revenue_estimate"]].notna().all(axis=None)


def test_some_reports_are_ahead_and_without_results() -> None:
    ahead = [
        (earnings(5, symbol, FIRST, day)["date"] > day).sum()
        for symbol in COMPANIES[:6]
        for day in sessions("2024-01-02", "2024-03-28")[::5]
    ]
    assert 0 < sum(ahead) < len(ahead)


def test_before_the_history_there_is_no_report() -> None:
    assert earnings(5, "AAPL", FIRST, pd.Timestamp("1980-01-02")).empty
    assert earnings(5, "AAPL", FIRST, pd.Timestamp("1999-01-04")).empty


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize("ticker", UNDERLYINGS)
def test_an_underlying_is_a_company_of_its_own(ticker: str) -> None:
    assert len(earnings(5, ticker, FIRST, LAST)) > 60


def test_an_unknown_company_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        earnings(5, "NOPE", FIRST, LAST)
    assert str(caught.value).startswith("unknown company: got 'NOPE', allowed are the underlyings")


def test_companies_and_seeds_differ() -> None:
    one, other = (earnings(5, symbol, FIRST, LAST)["eps_estimate"] for symbol in ("AAPL", "MSFT"))
    assert (one != other).all()
    assert (one != earnings(6, "AAPL", FIRST, LAST)["eps_estimate"]).mean() > 0.9
