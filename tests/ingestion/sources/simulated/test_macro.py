"""The simulated economy: identities to the letter, bounded rates, no hold on the future."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.releases import from_rows, vintage_audit
from ingestion.sources.simulated.macro import (
    FUNDS_SPREAD,
    LOWEST_UNEMPLOYMENT,
    MEETING,
    MONTH_DRAWS,
    RATE_DRAWS,
    REVISED,
    STEP,
    monthly_series,
    monthly_vintages,
    simulate_economy,
    simulate_rates,
)
from ingestion.sources.simulated.source import Simulated
from market.availability import available_at
from market.calendar import sessions


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


MONTHS = pd.date_range("2015-01-01", "2024-12-01", freq="MS")


@pytest.mark.parametrize("name", REVISED)
def test_figures_are_published_revised_and_final_after_a_year(name: str) -> None:
    rows = monthly_vintages(3, name, MONTHS)
    assert not rows.duplicated(["observation_date", "vintage_date"]).any()
    by_month = rows.groupby("observation_date")["value"]
    assert by_month.count().between(1, 3).all()
    assert (by_month.count() > 1).mean() > 0.4
    final = monthly_series(3, name, MONTHS).to_numpy()
    np.testing.assert_array_equal(by_month.last(), final)
    assert 0 < np.abs(by_month.first() - final).max() < 1.0
    first = rows.groupby("observation_date")["vintage_date"].first()
    due = available_at(name, MONTHS).tz_convert("America/New_York").tz_localize(None).normalize()
    late = (pd.DatetimeIndex(first) - due).days
    assert (late.min(), late.max()) == (0, 5)
    assert 0.03 < (late > 0).mean() < 0.25


@pytest.mark.parametrize("name", REVISED)
def test_two_months_that_come_out_on_one_day_are_one_row_each(name: str) -> None:
    """As October and November of 2025, when nobody published for weeks."""
    rows = monthly_vintages(3, name, pd.date_range("2015-01-01", "2026-10-01", freq="MS"))
    assert not rows.duplicated(["observation_date", "vintage_date"]).any()
    assert (rows["observation_date"] == "2025-10-01").sum() >= 1


@pytest.mark.parametrize("name", REVISED)
def test_more_months_publish_nothing_else_of_those_before(name: str) -> None:
    less, more = (monthly_vintages(3, name, MONTHS[:count]) for count in (60, 120))
    same = more[more["observation_date"].isin(MONTHS[:60])].reset_index(drop=True)
    pd.testing.assert_frame_equal(less, same, check_exact=True)


@pytest.mark.parametrize("name", REVISED)
def test_the_audit_of_vintages_shows_what_a_fixed_lag_would_change(name: str) -> None:
    source = Simulated(7, 0.0, pd.Timestamp("2024-12-31 21:30", tz="UTC"), "2022-01-03")
    rows = source.series(name).assign(landed_at=source.as_of)
    report = vintage_audit(from_rows(name, rows), sessions("2022-01-03", "2024-12-31"))
    assert report.vintages > 36
    assert 0 < report.differing < report.sessions
    assert report.unpublished > 0
