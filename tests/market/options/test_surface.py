"""Smiles from quotes: what chains made of a known smile give back."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import InputError
from market.options.black import price_76
from market.options.chain import Chain, ExpiryQuotes, Side, by_expiry
from market.options.chain_rows import chains_of
from market.options.costs import half_spread
from market.options.parity import parity
from market.options.smile import Cubic, Moves, Nodes, Smile
from market.options.surface import quoted_smile
from market.options.synthetic_smile import (
    FUND_FORM,
    INDEX_FORM,
    Terms,
    levels,
    moves_of,
    synthetic_smile,
)

EXPIRATION = pd.Timestamp("2025-07-18")
YEARS, DISCOUNT = 21 / 365, 0.9976


def quotes_of(smile: Smile, step: float = 5.0, spread: float = 0.02) -> ExpiryQuotes:
    """Return the quotes that a smile's prices and a spread make."""
    first, last = 0.8 * smile.forward, 1.15 * smile.forward
    strike = np.arange(np.ceil(first / step), last / step) * step
    sides = []
    for sign in (1.0, -1.0):
        mid = price_76(
            smile.forward, strike, smile.years, smile.volatility(strike), sign, smile.discount
        )
        half = half_spread(mid, spread, 0.01)
        sides.append(Side(np.maximum(mid - half, 0.0), mid + half))
    return ExpiryQuotes("SPX", EXPIRATION, strike, *sides)


def smile_of(forward: float = 6000.0, index: float = 17.0, slope: float = 1.1) -> Smile:
    """Return a synthetic smile of three weeks."""
    return synthetic_smile(INDEX_FORM, index, index * slope, Terms(forward, DISCOUNT, YEARS))


@settings(max_examples=40, deadline=None)
@given(st.floats(1000.0, 9000.0), st.floats(10.0, 60.0), st.floats(0.9, 1.2))
def test_the_smile_that_made_the_quotes_comes_back(forward, index, slope):
    made = smile_of(forward, index, slope)
    found = quoted_smile(quotes_of(made, forward / 1000), YEARS, DISCOUNT)
    assert found.parity.inside == 1.0
    assert found.smile.forward == pytest.approx(forward, rel=2e-4)
    assert found.smile.at_the_money == pytest.approx(made.at_the_money, rel=0.02)
    near = found.strike[np.abs(made.depth(found.strike)) < 1.5]
    assert found.smile.volatility(near) == pytest.approx(made.volatility(near), rel=0.02)
    assert found.arbitrage == 0
    assert not found.smile.extrapolated(near).any()
    assert found.smile.extrapolated(np.array([forward / 3, forward * 3])).all()


def test_a_forward_is_read_where_the_spot_is_of_another_moment():
    quotes = quotes_of(smile_of(6030.0))
    assert parity(quotes, DISCOUNT).forward == pytest.approx(6030.0, abs=0.5)


def test_quotes_without_a_market_make_no_smile():
    quotes = quotes_of(smile_of())
    dead = Side(np.zeros_like(quotes.strike), np.full_like(quotes.strike, 5.0))
    with pytest.raises(InputError, match="SPX 2025-07-18: got 0 strikes near the money"):
        quoted_smile(replace(quotes, calls=dead), YEARS, DISCOUNT)
    with pytest.raises(InputError, match="expired at the time of its quotes"):
        quoted_smile(quotes, 0.0, DISCOUNT)


def test_strikes_beyond_two_without_a_bid_are_not_taken():
    quotes = quotes_of(smile_of(), step=10.0)
    low = quotes.strike < 5500.0
    bid = quotes.puts.bid.copy()
    bid[np.flatnonzero(low)[-3:-1]] = 0.0
    found = quoted_smile(replace(quotes, puts=Side(bid, quotes.puts.ask)), YEARS, DISCOUNT)
    assert found.strike[0] == quotes.strike[np.flatnonzero(low)[-1]]


def test_a_butterfly_for_less_than_nothing_is_counted():
    quotes = quotes_of(smile_of(), step=10.0)
    at = len(quotes.strike) // 2
    bid, ask = quotes.calls.bid.copy(), quotes.calls.ask.copy()
    bid[at] += 20.0
    ask[at] += 20.0
    found = quoted_smile(replace(quotes, calls=Side(bid, ask)), YEARS, DISCOUNT)
    assert found.arbitrage >= 1


def test_the_form_by_hand():
    form, years = INDEX_FORM, 30 / 365
    at_30 = synthetic_smile(form, 20.0, 22.0, Terms(100.0, 1.0, years))
    assert at_30.at_the_money == pytest.approx(0.20 * np.exp(-0.15))
    at_93 = synthetic_smile(form, 20.0, 22.0, Terms(100.0, 1.0, 93 / 365))
    assert at_93.at_the_money == pytest.approx(0.20 * np.exp(-0.15) * 1.1)
    steep = synthetic_smile(form, 20.0, 60.0, Terms(100.0, 1.0, 93 / 365))
    assert steep.at_the_money == pytest.approx(0.20 * np.exp(-0.15 + 0.178))
    deep = 100.0 * np.exp(np.array([-1.0, 0.0, 2.5, 9.0]) * at_30.at_the_money * np.sqrt(years))
    ratios = at_30.volatility(deep) / at_30.at_the_money
    edge, level = (1 - 0.215 * d + 0.044 * d**2 + 0.012 * d**3 for d in (2.5, 3.3))
    assert ratios == pytest.approx([1 + 0.215 + 0.044 - 0.012, 1.0, edge, level], rel=1e-6)
    fund = synthetic_smile(FUND_FORM, 25.0, np.nan, Terms(100.0, 1.0, years))
    assert fund.at_the_money == pytest.approx(0.25 * np.exp(-0.16))
    anchored = synthetic_smile(form, 20.0, 22.0, Terms(100.0, 1.0, years), anchor=0.15)
    assert anchored.at_the_money == pytest.approx(0.15)
    assert at_30.lifted(1.0).at_the_money == pytest.approx(at_30.at_the_money + 0.01)


@pytest.mark.parametrize(("index", "long"), [(0.0, 20.0), (np.nan, 20.0), (20.0, np.nan)])
def test_a_missing_index_is_refused_by_name(index, long):
    with pytest.raises(InputError, match="volatility index"):
        synthetic_smile(INDEX_FORM, index, long, Terms(100.0, 1.0, YEARS))


def test_no_arbitrage_in_any_synthetic_smile():
    """Butterflies and call spreads over the grid of indices, slopes and days that are seen."""
    for index in (9.0, 15.0, 25.0, 40.0, 80.0):
        for slope in (-0.3, -0.1, 0.0, 0.1, 0.3):
            for days in (7, 14, 28, 45):
                terms = Terms(600.0, 1.0, days / 365)
                smile = synthetic_smile(INDEX_FORM, index, index * np.exp(slope), terms)
                reach = 4.0 * smile.at_the_money * np.sqrt(smile.years)
                strike = np.arange(np.ceil(600.0 * np.exp(-reach)), 600.0 * np.exp(reach))
                calls = price_76(600.0, strike, smile.years, smile.volatility(strike), 1.0, 1.0)
                steps = np.diff(calls)
                assert (steps <= 1e-9).all()
                assert (steps >= -1.0 - 1e-9).all()
                # In USD, a tenth of a tick.
                assert (np.diff(steps) >= -0.001).all(), (index, slope, days)


def test_chains_are_parted_by_root_and_expiry_and_the_last_quote_counts():
    rows = pd.DataFrame(
        [
            ("SPX", "SPXW", "2025-07-18", 100.0, "call", 1.0, 1.2),
            ("SPX", "SPX", "2025-07-18", 100.0, "call", 2.0, 2.2),
            ("SPX", "SPXW", "2025-07-18", 100.0, "put", 3.0, 3.2),
            ("SPX", "SPXW", "2025-07-11", 105.0, "put", 4.0, np.nan),
        ],
        columns=["underlying", "root", "expiration", "strike", "option_type", "bid", "ask"],
    ).assign(
        underlying_price=101.0, quote_time=pd.Timestamp("2025-06-27T20:00Z"),
        expiration=lambda frame: pd.to_datetime(frame["expiration"]),
    )  # fmt: skip
    (chain,) = chains_of(rows)
    assert isinstance(chain, Chain)
    found = {(one.root, str(one.expiration.date())): one for one in by_expiry(chain)}
    assert list(found) == [("SPXW", "2025-07-11"), ("SPX", "2025-07-18"), ("SPXW", "2025-07-18")]
    weekly = found["SPXW", "2025-07-18"]
    assert weekly.calls.bid.tolist() == [1.0]
    assert weekly.puts.mid.tolist() == [3.1]
    assert not found["SPXW", "2025-07-11"].puts.two_sided.any()


def test_nodes_are_joined_by_lines_and_flat_beyond():
    nodes = Nodes(np.array([-1.0, 0.0, 1.0]), np.array([1.3, 1.0, 0.9]))
    assert nodes.ratio(np.array([-2.0, -0.5, 2.0])).tolist() == [1.3, 1.15, 0.9]
    assert nodes.extrapolated(np.array([-2.0, -0.5, 2.0])).tolist() == [True, False, True]
    assert Cubic(0.0, 0.0, -1.0).ratio(np.array([2.0]))[0] == 0.3


@pytest.mark.parametrize(("index", "long"), [(15.0, 18.0), (40.0, 33.0)])
def test_the_roll_of_a_level_is_that_of_its_form(index, long):
    years = np.array([YEARS, YEARS / 3])
    said = levels(INDEX_FORM, np.full(2, index), np.full(2, long), years)
    moved = moves_of(INDEX_FORM, index, long).ratio(np.zeros(1), np.array([1.0, 1 / 3]))
    np.testing.assert_allclose(moved[:, 0], said / said[0], rtol=1e-12)
    assert moves_of(FUND_FORM, index, long).roll == moves_of(INDEX_FORM, index, np.nan).roll == 0.0


def test_a_level_follows_the_underlying_as_far_as_it_was_seen_to():
    moves = Moves(sway=0.2)
    found = moves.ratio(np.array([-9.0, -3.0, 0.0, 1.0, 2.0, 9.0]), np.ones(1))[0]
    np.testing.assert_allclose(found, np.exp(-0.2 * np.array([-3, -3, 0, 1, 2, 2])))


def test_a_contract_that_is_there_twice_counts_with_its_last_quote():
    chain = Chain(
        "SPX", pd.Timestamp("2019-06-03 20:00", tz="UTC"), 100.0,
        root=np.array(["SPXW", "SPX", "SPXW", "SPXW", "SPXW"]),
        expiration=np.array(["2019-06-21"] * 5, dtype="datetime64[ns]"),
        strike=np.array([105.0, 100.0, 95.0, 105.0, 105.0]),
        sign=np.array([1.0, 1.0, -1.0, 1.0, -1.0]),
        bid=np.array([1.0, 3.0, 0.5, 1.5, 6.0]), ask=np.array([1.2, 3.2, np.nan, 1.7, 6.2]),
    )  # fmt: skip
    morning, afternoon = by_expiry(chain)
    assert (morning.root, morning.strike.tolist()) == ("SPX", [100.0])
    assert (afternoon.root, afternoon.strike.tolist()) == ("SPXW", [95.0, 105.0])
    np.testing.assert_array_equal(afternoon.calls.bid, [np.nan, 1.5])
    np.testing.assert_array_equal(afternoon.calls.ask, [np.nan, 1.7])
    np.testing.assert_array_equal(afternoon.puts.bid, [0.5, 6.0])
    np.testing.assert_array_equal(afternoon.puts.ask, [np.nan, 6.2])
