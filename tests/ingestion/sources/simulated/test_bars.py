"""Bars contain their prices, dividends and splits leave the return as it was drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.sources.simulated.bars import (
    INDEX_VOLATILITY,
    OVERNIGHT,
    SPLIT_RATIOS,
    Bars,
    corporate_actions,
    index_bars,
    price_bars,
    traded_volume,
)

COUNT = 40_000


def price_history(seed: int, count: int = COUNT) -> tuple[Bars, np.ndarray, np.ndarray]:
    """Bars of 100 USD a session at 1 % volatility, without drift."""
    rng = np.random.default_rng(seed)
    surprise = rng.standard_normal(count)
    volatility = np.full(count, 0.01)
    bars = price_bars(
        np.full(count, 100.0), surprise * volatility, surprise, volatility,
        rng.random((count, 2)), rng.standard_normal(count),
    )  # fmt: skip
    return bars, surprise, volatility


@given(
    moves=st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=20),
    volatility=st.floats(1e-4, 0.1),
    seed=st.integers(0, 99),
)
def test_high_and_low_contain_open_and_close(
    moves: list[float], volatility: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    log_return = np.array(moves)
    count = len(moves)
    bars = price_bars(
        rng.uniform(10, 500, count), log_return, log_return / volatility,
        np.full(count, volatility), rng.random((count, 2)), rng.standard_normal(count),
    )  # fmt: skip
    # The extremes are sums of logarithms: equal to a price up to the last digit.
    slack = 1.0 + 1e-12
    for inside in (bars.open, bars.close):
        assert (bars.high * slack >= inside).all()
        assert (bars.low <= inside * slack).all()
    assert (bars.low > 0).all()


def test_the_close_is_the_return_drawn() -> None:
    bars, surprise, volatility = price_history(1)
    np.testing.assert_allclose(np.log(bars.close / 100.0), surprise * volatility, atol=1e-15)


def test_the_variance_is_split_between_the_night_and_the_day() -> None:
    bars, _, _ = price_history(2)
    gap, day = np.log(bars.open / 100.0), np.log(bars.close / bars.open)
    assert gap.var() == pytest.approx(OVERNIGHT * 1e-4, rel=0.03)
    assert day.var() == pytest.approx((1 - OVERNIGHT) * 1e-4, rel=0.03)
    assert abs(np.corrcoef(gap, day)[0, 1]) < 0.02


def test_the_range_is_that_of_a_brownian_path() -> None:
    # E[ln H/L] = sqrt(8 / pi) sigma, E[(ln H/L)^2] = 4 ln 2 sigma^2 (Parkinson 1980).
    bars, _, _ = price_history(3)
    spread = np.log(bars.high / bars.low)
    day = np.sqrt(1 - OVERNIGHT) * 0.01
    assert spread.mean() == pytest.approx(np.sqrt(8 / np.pi) * day, rel=0.01)
    assert (spread**2).mean() == pytest.approx(4 * np.log(2) * day**2, rel=0.10)


def test_index_bars_have_the_closes_given() -> None:
    rng = np.random.default_rng(4)
    level = 17.0 * np.exp(0.05 * rng.standard_normal(500))
    bars = index_bars(level, rng.random((500, 2)), rng.standard_normal(500))
    np.testing.assert_allclose(bars.close, level)
    assert (bars.high >= np.maximum(bars.open, bars.close) * (1 - 1e-12)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close) * (1 + 1e-12)).all()
    assert np.log(bars.high / bars.low).mean() > INDEX_VOLATILITY


@given(
    moves=st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=40),
    pay=st.lists(st.sampled_from([0.0, 0.0, 0.004]), min_size=40, max_size=40),
    due=st.lists(st.booleans(), min_size=40, max_size=40),
    first=st.floats(5.0, 900.0),
)
def test_adjusting_the_traded_prices_gives_the_returns_drawn(
    moves: list[float], pay: list[float], due: list[bool], first: float
) -> None:
    log_return = np.array(moves)
    payout, drawn = np.array(pay[: len(moves)]), np.array(due[: len(moves)])
    paid = corporate_actions(log_return, payout, drawn, first)
    close = paid.base * np.exp(log_return)
    before = np.append(first, close[:-1]) / paid.split
    # What a holder has: the new shares at the close, and the dividend.
    np.testing.assert_allclose(close / (before - paid.dividend), np.exp(log_return))
    np.testing.assert_allclose(paid.dividend, payout * before)
    assert not ((paid.split != 1.0) & (paid.dividend > 0.0)).any()
    assert (paid.split[~drawn] == 1.0).all()


@pytest.mark.parametrize(
    ("price", "ratio"), [(10.0, 0.5), (40.0, 1.0), (100.0, 1.5), (200.0, 2.0), (600.0, 3.0)]
)
def test_the_ratio_of_a_split_follows_the_price(price: float, ratio: float) -> None:
    paid = corporate_actions(np.zeros(2), np.zeros(2), np.array([False, True]), price)
    assert paid.split.tolist() == [1.0, ratio]
    assert paid.base.tolist() == [price, price / ratio]


def test_ratios_cover_every_price_in_order() -> None:
    prices = [price for price, _ in SPLIT_RATIOS]
    assert prices == sorted(prices)
    assert prices[0] == 0.0


def test_splits_keep_the_price_near_the_usual_range() -> None:
    rng = np.random.default_rng(5)
    log_return = 0.0005 + 0.01 * rng.standard_normal(10_000)
    drawn = rng.random(10_000) < 0.004
    close = corporate_actions(log_return, np.zeros(10_000), drawn, 100.0).base
    assert np.quantile(close, 0.05) > 15.0
    assert np.quantile(close, 0.95) < 400.0


def test_volume_rises_with_volatility_and_with_the_move() -> None:
    rng = np.random.default_rng(6)
    volatility = 0.01 * np.exp(0.4 * rng.standard_normal(COUNT))
    surprise = rng.standard_normal(COUNT)
    volume = traded_volume(1e8, volatility, surprise, rng.standard_normal(COUNT), 0.01)
    assert (volume > 0).all()
    assert np.median(volume) == pytest.approx(1e8, rel=0.05)
    assert np.corrcoef(np.log(volume), np.log(volatility))[0, 1] > 0.5
    assert np.corrcoef(np.log(volume), np.abs(surprise))[0, 1] > 0.2
