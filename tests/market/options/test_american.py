"""What early exercise is worth at most, and when a short call is assigned."""

import numpy as np
import pytest

from market.errors import InputError
from market.options.american import assignment_risk, dividends_bound, premium_bound


def test_without_what_is_earned_there_is_no_premium() -> None:
    calls = premium_bound(100.0, [80.0, 100.0, 120.0], 0.5, 0.2, 1.0, 0.05, 0.0)
    puts = premium_bound(100.0, [80.0, 100.0, 120.0], 0.5, 0.2, -1.0, 0.0, 0.03)
    assert (calls == 0.0).all()
    assert (puts == 0.0).all()
    assert premium_bound(100.0, 90.0, 0.0, 0.2, [1.0, -1.0], 0.05, 0.02).tolist() == [0.0, 0.0]
    assert np.isfinite(premium_bound(100.0, 90.0, 0.5, 0.0, [1.0, -1.0], 0.05, 0.02)).all()


def test_in_the_money_it_is_the_interest_or_the_dividends() -> None:
    put = premium_bound(100.0, 130.0, 0.5, 0.2, -1.0, 0.05, 0.0)
    assert put == pytest.approx(130.0 * (1 - np.exp(-0.025)))
    call = premium_bound(100.0, 80.0, 0.5, 0.2, 1.0, 0.0, 0.04)
    assert call == pytest.approx(100.0 * (1 - np.exp(-0.02)))
    assert premium_bound(100.0, 80.0, 0.5, 0.2, -1.0, 0.05, 0.0) < 0.1 * put


def test_a_dividend_is_worth_what_it_is_less_the_interest_to_the_next_chance() -> None:
    amounts, until = np.array([1.0, 1.5, 9.0]), np.array([0.1, 0.35, 0.8])
    bound = dividends_bound(100.0, 0.6, 0.02, amounts, until)
    first, second = (100.0 * (1 - np.exp(-0.02 * 0.25)) for _ in range(2))
    told = (1.0 - first) * np.exp(-0.002) + (1.5 - second) * np.exp(-0.007)
    assert bound == pytest.approx(told)
    assert dividends_bound(100.0, 0.6, 0.10, amounts, until) == 0.0
    assert dividends_bound(100.0, 0.6, 0.02, np.empty(0), np.empty(0)) == 0.0
    with pytest.raises(InputError, match="dividends: got 3 at the years"):
        dividends_bound(100.0, 0.6, 0.02, amounts, until[::-1])


def test_a_call_in_the_money_whose_put_costs_less_than_the_dividend_is_at_risk() -> None:
    strike = np.array([500.0, 540.0, 548.0, 560.0])
    put = np.array([0.2, 1.6, 3.0, 12.0])
    found = assignment_risk(550.0, strike, put, 1.7, 10 / 365, 0.04)
    assert found.at_risk.tolist() == [True, True, False, False]
    interest = strike * (1 - np.exp(-0.04 * 10 / 365))
    np.testing.assert_allclose(found.gain, 1.7 - put - interest)
    assert (found.gain > 0).tolist() == [True, False, False, False]


def test_without_a_dividend_there_is_no_risk_and_an_unknown_put_is_one() -> None:
    found = assignment_risk(550.0, 500.0, [0.0, np.nan], [0.0, 1.7], 0.1, 0.04)
    assert found.at_risk.tolist() == [False, True]
    assert np.isnan(found.gain).tolist() == [False, True]
