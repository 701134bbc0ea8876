"""Events that are known beforehand, held against what came."""

import pandas as pd
import pytest

from market.calendar import sessions
from market.events import EX_DIVIDEND, FOMC, fomc_unknown, scheduled
from market.underlyings import UNDERLYINGS, ExDividend


def day(text):
    return pd.Timestamp(text)


def one_of(days, due):
    return any(due.first <= at <= due.last for at in days)


def test_meetings_are_eight_a_year_on_sessions():
    assert FOMC.is_monotonic_increasing
    years = FOMC[FOMC.year < 2028].year.value_counts()
    assert set(years.index) == set(range(2011, 2028))
    assert (years == 8).all()
    known = FOMC[sessions("2011-01-01", "2100-01-01")[-1] >= FOMC]
    assert known.isin(sessions(known[0], known[-1])).all()
    assert not fomc_unknown(FOMC[-1])
    assert fomc_unknown(FOMC[-1] + pd.Timedelta(days=1))


def test_the_funds_rate_moves_after_meetings_alone(recorded_dir):
    rows = pd.read_csv(recorded_dir / "fred" / "DFF.csv", parse_dates=["observation_date"])
    moves = rows.set_index("observation_date")["DFF"].diff()
    moved = moves[(moves.abs() >= 0.19) & (moves.index >= "2015")].index
    eves = [(at - FOMC[at > FOMC][-1]).days for at in moved]
    unscheduled = [str(at.date()) for at, days in zip(moved, eves, strict=True) if days > 1]
    assert unscheduled == ["2020-03-04", "2020-03-16"]  # called overnight
    assert len(moved) > 20


@pytest.mark.parametrize(
    ("ticker", "since", "strays"),
    [("SPY", "2009", []), ("QQQ", "2018", ["2023-12-27"]), ("IWM", "2019-09", [])],
)
def test_ex_dividend_days_of_the_past_lie_where_they_are_told(ticker, since, strays, recorded_dir):
    rows = pd.read_csv(recorded_dir / "yahoo" / f"{ticker}.csv", parse_dates=["Date"])
    paid = rows.loc[(rows["Dividends"] > 0) & (rows["Date"] >= since), "Date"]
    rule = UNDERLYINGS[ticker].options.ex_dividend
    told = scheduled(day(since), day("2025-06-30"), rule)
    told = [one for one in told if one.kind == EX_DIVIDEND]
    unpaid = [str(one.first.date()) for one in told if not one_of(paid, one)]
    assert unpaid == (["2020-09-21"] if ticker == "QQQ" else [])  # which Yahoo lacks
    missed = [at for at in paid if not any(one.first <= at <= one.last for one in told)]
    assert [str(at.date()) for at in missed] == strays


def test_only_what_may_fall_after_the_entry_and_up_to_the_end_is_told():
    rule = ExDividend((6,), after=0)
    found = scheduled(day("2025-06-11"), day("2025-06-20"), rule)
    assert [one.kind for one in found] == ["CPI", "FOMC", EX_DIVIDEND]
    # It may be out by the 12th, or come until the 15th, which is a Sunday.
    assert (found[0].first, found[0].last) == (day("2025-06-12"), day("2025-06-15"))
    assert scheduled(day("2025-06-20"), day("2025-06-27"), rule) == ()
    assert scheduled(day("2025-06-18"), day("2025-06-19"), None) == ()
    across = scheduled(day("2025-12-20"), day("2026-01-30"), None)
    assert [str(one.first.date()) for one in across] == ["2026-01-12", "2026-01-28"]


def test_a_third_friday_without_a_session_moves_the_day():
    rule = UNDERLYINGS["SPY"].options.ex_dividend
    (found,) = [
        one for one in scheduled(day("2008-03-01"), day("2008-03-31"), rule)
        if one.kind == EX_DIVIDEND
    ]  # fmt: skip
    assert found.first == found.last == day("2008-03-20")


RELEASES = (
    "2011-10-19 2013-02-21 2014-02-20 2015-02-26 2016-02-19 "
    "2019-06-12 2022-09-13 2024-10-10 2026-02-13"
)


@pytest.mark.parametrize("released", RELEASES.split())
def test_a_release_of_the_cpi_is_told_on_its_eve_and_not_the_day_after(released):
    at = day(released)
    eve = scheduled(at - pd.Timedelta(days=1), at + pd.Timedelta(days=20), None)
    assert any(one.kind == "CPI" and one.first <= at <= one.last for one in eve)
    later = scheduled(at, at + pd.Timedelta(days=20), None)
    assert all(one.first > at for one in later)


def test_before_a_rule_held_any_day_of_a_quarters_month_or_the_next_may_be_it(recorded_dir):
    rows = pd.read_csv(recorded_dir / "yahoo" / "IWM.csv", parse_dates=["Date"])
    paid = rows.loc[(rows["Dividends"] > 0) & rows["Date"].between("2011", "2019"), "Date"]
    rule = UNDERLYINGS["IWM"].options.ex_dividend
    for at in paid:
        told = scheduled(at - pd.Timedelta(days=1), at + pd.Timedelta(days=20), rule)
        assert any(one.first <= at <= one.last for one in told if one.kind == EX_DIVIDEND)
