"""Baskets: what is configured, and which weights are in force when."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.baskets import basket_symbols, basket_weights
from market.calendar import sessions
from market.underlyings import UNDERLYINGS, Basket, Member, Underlying

BASKETS = {ticker: row.baskets for ticker, row in UNDERLYINGS.items()}

ALL = [
    pytest.param(ticker, basket, id=f"{ticker}-{basket.since}")
    for ticker, baskets in BASKETS.items()
    for basket in baskets
]
DAYS = sessions("2011-12-20", "2026-12-31")


def test_spy_and_qqq_have_baskets_and_iwm_has_none():
    assert {ticker for ticker in BASKETS if BASKETS[ticker]} == {"SPY", "QQQ"}
    assert basket_symbols("IWM") == ()
    assert basket_weights("IWM", DAYS).shape == (len(DAYS), 0)


@pytest.mark.parametrize("ticker", [ticker for ticker in BASKETS if BASKETS[ticker]])
def test_baskets_ascend_from_2012_and_are_renewed(ticker):
    since = [pd.Timestamp(basket.since) for basket in BASKETS[ticker]]
    assert since[0] == pd.Timestamp("2012-01-01")
    assert since == sorted(set(since))
    assert since[-1].year == 2026
    assert max(np.diff(since)).days < 1200


@pytest.mark.parametrize(("ticker", "basket"), ALL)
def test_a_basket_is_ten_companies_that_are_part_of_the_fund(ticker, basket):
    symbols = [member.symbol for member in basket.members]
    assert len(symbols) == len(set(symbols)) == 10
    assert all(0.005 < member.weight < 0.16 for member in basket.members)
    assert 0.15 < sum(member.weight for member in basket.members) < 0.65
    # The two classes of Alphabet are one company.
    assert not {"GOOG", "GOOGL"} <= set(symbols)


@pytest.mark.parametrize(("ticker", "basket"), ALL)
def test_symbols_are_those_of_their_time(ticker, basket):
    symbols = {member.symbol for member in basket.members}
    assert "META" not in symbols or basket.since >= "2022"
    assert "FB" not in symbols or basket.since < "2022"
    assert "GOOGL" not in symbols or basket.since >= "2014-04-03"


@pytest.mark.parametrize("ticker", BASKETS)
def test_weights_are_those_of_the_newest_basket_of_the_day(ticker):
    weights, symbols = basket_weights(ticker, DAYS), basket_symbols(ticker)
    assert len(set(symbols)) == len(symbols) == weights.shape[1]
    for at in range(0, len(DAYS), 5):
        started = [b for b in BASKETS[ticker] if pd.Timestamp(b.since) <= DAYS[at]]
        members = {m.symbol: m.weight for m in started[-1].members} if started else {}
        assert {s: w for s, w in zip(symbols, weights[at], strict=True) if w} == members


def test_a_basket_is_in_force_from_its_day_on(monkeypatch):
    first = Basket("2024-01-03", (Member("A", 0.2), Member("B", 0.1)))
    second = Basket("2024-01-05", (Member("C", 0.3), Member("A", 0.1)))
    monkeypatch.setitem(UNDERLYINGS, "X", Underlying("X", "VIX", baskets=(first, second)))
    assert basket_symbols("X") == ("A", "B", "C")
    days = pd.DatetimeIndex(["2024-01-05", "2024-01-02", "2024-01-04", "2024-01-03", "2030-01-02"])
    np.testing.assert_array_equal(
        basket_weights("X", days),
        [[0.1, 0, 0.3], [0, 0, 0], [0.2, 0.1, 0], [0.2, 0.1, 0], [0.1, 0, 0.3]],
    )


@given(st.text(max_size=5))
def test_a_single_stock_is_its_own_basket_without_a_row(ticker):
    if ticker not in BASKETS:
        assert basket_symbols(ticker) == (ticker,)
        np.testing.assert_array_equal(basket_weights(ticker, DAYS[:2]), np.ones((2, 1)))


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("ticker", "basket"), [case for case in ALL if case.values[1].since < "2019"]
)
def test_companies_of_the_recorded_years_are_in_the_recorded_calendar(ticker, basket, recorded_dir):
    frame = pd.read_csv(recorded_dir / "finnhub" / "earnings_calendar.csv")
    reported = frame[frame["date"] >= basket.since]["symbol"].value_counts()
    for member in basket.members:
        # Berkshire's are mostly missing there.
        assert reported.get(member.symbol, 0) >= (2 if member.symbol == "BRK.B" else 6), member
