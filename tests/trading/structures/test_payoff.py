"""Payoffs at expiry: bounds and breakevens beside a search over prices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.structures.legs import STRUCTURES
from trading.structures.payoff import Legs, bounds, breakevens, value_at_expiry

PRICES = np.arange(0.0, 400.0, 0.0625)


@st.composite
def positions(draw) -> Legs:
    """Draw the legs of a strategy at ascending strikes."""
    plan = STRUCTURES[draw(st.sampled_from(sorted(STRUCTURES)))]
    count = len(plan.legs)
    strikes = draw(
        st.lists(st.integers(50, 150), min_size=count, max_size=count, unique=True).map(sorted)
    )
    sign, side = (np.array([leg[at] for leg in plan.legs]) for at in (0, 1))
    return Legs(np.array(strikes, dtype=float), sign, side)


@given(positions(), st.floats(-40.0, 40.0))
def test_bounds_and_breakevens_are_those_of_a_search(legs, paid):
    worth = value_at_expiry(legs, PRICES)
    within = bounds(legs)
    assert within.least == pytest.approx(worth.min())
    if np.isfinite(within.most):
        assert within.most == pytest.approx(worth.max())
    else:
        assert worth[-1] > worth[-2]
    found = breakevens(legs, paid)
    assert value_at_expiry(legs, found) == pytest.approx(np.full(len(found), paid), abs=1e-9)
    turns = np.sign(worth - paid)
    crossed = PRICES[:-1][turns[:-1] * turns[1:] < 0]
    for price in crossed:
        assert np.abs(found - price).min() <= 0.0625


@given(positions())
def test_no_strategy_can_lose_without_end(legs):
    assert np.isfinite(bounds(legs).least)
    assert bounds(legs).least >= -(legs.strike.max() - legs.strike.min())


def test_a_naked_call_would_lose_without_end():
    naked = Legs(np.array([100.0]), np.array([1.0]), np.array([-1.0]))
    assert bounds(naked) == (-np.inf, 0.0)


def test_a_bull_put_spread_by_hand():
    legs = Legs(np.array([95.0, 100.0]), np.array([-1.0, -1.0]), np.array([1.0, -1.0]))
    assert value_at_expiry(legs, np.array([90.0, 97.0, 101.0])).tolist() == [-5.0, -3.0, 0.0]
    assert bounds(legs) == (-5.0, 0.0)
    assert breakevens(legs, -1.5).tolist() == [98.5]
