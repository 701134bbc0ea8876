"""The simulated economy: identities to the letter, bounded rates, no hold on the future."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.sources.simulated_macro import (
    FUNDS_SPREAD,
    LOWEST_UNEMPLOYMENT,
    MEETING,
    MONTH_DRAWS,
    RATE_DRAWS,
    STEP,
    simulate_economy,
    simulate_rates,
)


def rates(seed: int, days: int = 4000):
    return simulate_rates(np.random.default_rng(seed).standard_normal((days, RATE_DRAWS)))


@pytest.mark.parametrize("seed", range(8))
def test_identities_of_the_published_figures(seed: int) -> None:
    row = rates(seed)
    np.testing.assert_array_equal(row.slope, (row.ten_year - row.two_year).round(2))
    np.testing.assert_array_equal(
        row.ten_year_real, (row.ten_year - row.ten_year_breakeven).round(2)
    )
    for values in row:
        np.testing.assert_array_equal(values, values.round(2))


@pytest.mark.parametrize("seed", range(8))
def test_rates_stay_where_rates_have_been(seed: int) -> None:
    row = rates(seed)
    assert row.funds.min() >= 0.0
    assert row.three_month.min() > 0.0
    for values in row:
        assert values.min() > -6.0
        assert values.max() < 12.0
    # Day to day they move by hundredths, as the recorded yields do (0.03 to 0.06).
    for values in (row.two_year, row.ten_year, row.ten_year_breakeven, row.five_year_breakeven):
        assert 0.02 < np.diff(values).std() < 0.09


@pytest.mark.parametrize("seed", range(4))
def test_the_policy_rate_moves_in_quarter_points_at_meetings(seed: int) -> None:
    funds = rates(seed).funds
    policy = ((funds - FUNDS_SPREAD) / STEP).round()
    moved = np.flatnonzero(np.diff(policy)) + 1
    assert len(moved) > 10
    assert (moved % MEETING == 0).all()
    assert np.abs(np.diff(policy)).max() <= 2


def test_the_economy_is_bounded_and_rounded() -> None:
    for seed in range(8):
        draws = np.random.default_rng(seed).standard_normal((240, MONTH_DRAWS))
        prices, unemployment = simulate_economy(draws)
        np.testing.assert_array_equal(prices, prices.round(3))
        np.testing.assert_array_equal(unemployment, unemployment.round(1))
        assert LOWEST_UNEMPLOYMENT <= unemployment.min() < unemployment.max() < 13.0
        inflation = (prices[-1] / prices[0]) ** (12 / 239) - 1
        assert 0.005 < inflation < 0.055


@given(short=st.integers(0, 80), more=st.integers(0, 80))
def test_more_days_change_nothing_before(short: int, more: int) -> None:
    draws = np.random.default_rng(1).standard_normal((short + more, RATE_DRAWS))
    for long_values, short_values in zip(
        simulate_rates(draws), simulate_rates(draws[:short]), strict=True
    ):
        np.testing.assert_array_equal(long_values[:short], short_values)
    months = draws[:, :MONTH_DRAWS]
    for long_values, short_values in zip(
        simulate_economy(months), simulate_economy(months[:short]), strict=True
    ):
        np.testing.assert_array_equal(long_values[:short], short_values)
