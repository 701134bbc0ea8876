"""The level, skew and curvature of smiles that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.options.black import black_76
from market.options.smile import Cubic, Nodes, Smile
from market.options.smile_terms import SmileTerms, at_maturity, smile_terms, strike_at_delta

LEVELS = st.floats(0.05, 1.0)
YEARS = st.floats(5 / 365, 130 / 365)


def smile_of(level: float = 0.2, years: float = 30 / 365, shape: object = None) -> Smile:
    return Smile(5000.0, 0.99, years, level, shape or Cubic(0.0, 0.0, 0.0))


@settings(max_examples=30, deadline=None)
@given(LEVELS, YEARS)
def test_a_flat_smile_has_neither_skew_nor_curvature(level, years):
    terms = smile_terms(smile_of(level, years))
    assert terms == pytest.approx((100 * level, 0.0, 0.0), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(LEVELS, YEARS, st.floats(-0.25, 0.05), st.floats(0.0, 0.06), st.sampled_from([0.1, 0.25]))
def test_the_strike_of_a_delta_has_it(level, years, tilt, bend, delta):
    smile = smile_of(level, years, Cubic(tilt, bend, 0.0))
    for sign in (1.0, -1.0):
        strike = np.array([strike_at_delta(smile, delta, sign)])
        valued = black_76(smile.forward, strike, years, smile.volatility(strike), sign, 1.0)
        assert sign * valued.delta[0] == pytest.approx(delta, abs=2e-5)


def test_a_fall_of_the_smile_is_skew_and_a_bend_is_curvature():
    deviation, quantile = 0.2 * np.sqrt(30 / 365), 0.6744897501960817
    tilted = smile_terms(smile_of(shape=Cubic(-0.2, 0.0, 0.0)))
    # Of a straight line of slope a the depth d solves d = r (q +- r s / 2), r = 1 + a d.
    depths = {}
    for sign in (1.0, -1.0):
        d = 0.0
        for _ in range(200):
            r = 1.0 - 0.2 * d
            d = r * (sign * quantile + r * deviation / 2.0)
        depths[sign] = d
    assert tilted.skew == pytest.approx(20.0 * 0.2 * (depths[1.0] - depths[-1.0]), abs=1e-3)
    bent = smile_terms(smile_of(shape=Cubic(0.0, 0.05, 0.0)))
    assert bent.curvature > 0.4
    assert abs(bent.skew) < 0.1


def test_a_wing_that_was_not_quoted_is_unknown():
    narrow = Nodes(np.array([-2.0, 0.0, 0.3]), np.array([1.3, 1.0, 0.97]))
    terms = smile_terms(smile_of(shape=narrow))
    assert terms.at_the_money == pytest.approx(20.0)
    assert np.isnan([terms.skew, terms.curvature]).all()
    assert np.isfinite(strike_at_delta(smile_of(shape=narrow), 0.25, -1.0))


def test_a_constant_maturity_is_linear_in_total_variance():
    years = np.array([20.0, 45.0]) / 365
    terms = [SmileTerms(16.0, 5.0, 0.5), SmileTerms(18.0, 4.0, 1.0)]
    found = at_maturity(years, terms)
    assert found.at_the_money**2 * 30 == pytest.approx(0.6 * 16**2 * 20 + 0.4 * 18**2 * 45)
    assert found[1:] == pytest.approx((4.6, 0.7))
    assert at_maturity(years, [SmileTerms(17.0, 1.0, 1.0)] * 2).at_the_money == pytest.approx(17.0)


def test_an_unknown_wing_leaves_the_level_known():
    years = np.array([20.0, 45.0]) / 365
    found = at_maturity(years, [SmileTerms(16.0, np.nan, np.nan), SmileTerms(16.0, 4.0, 1.0)])
    assert found.at_the_money == pytest.approx(16.0)
    assert np.isnan(found.skew)


@pytest.mark.parametrize(
    ("days", "level"), [([24.0, 25.0], 18.0), ([36.9, 60.0], 16.0), ([22.0], np.nan), ([], np.nan)]
)
def test_one_expiry_stands_for_a_maturity_within_the_slack_alone(days, level):
    terms = [SmileTerms(16.0, 5.0, 0.5), SmileTerms(18.0, 4.0, 1.0)][: len(days)]
    found = at_maturity(np.array(days) / 365, terms)
    assert found.at_the_money == pytest.approx(level, nan_ok=True)
