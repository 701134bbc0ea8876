"""Mood and earnings against implied volatility: truth tables, bounds and nulls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.features.cross import CROSS

NAN = np.nan
NEUTRAL = {
    "sentiment_bullish": 0.0,
    "sentiment_bearish": 0.0,
    "sentiment_score": 0.0,
    "earnings_within_5d": 0.0,
    "iv_rank": 50.0,
    "iv_hv_spread": 0.0,
}


def compute(**values):
    arrays = {name: np.array([value]) for name, value in (NEUTRAL | values).items()}
    return {name: array[0] for name, array in CROSS.compute(arrays).items()}


@pytest.mark.parametrize(
    ("flag", "rank", "name", "expected"),
    [
        ("sentiment_bullish", 60.0, "sentiment_bullish_high_iv", 0),
        ("sentiment_bullish", 60.01, "sentiment_bullish_high_iv", 1),
        ("sentiment_bearish", 30.0, "sentiment_bearish_low_iv", 0),
        ("sentiment_bearish", 29.99, "sentiment_bearish_low_iv", 1),
    ],
)
def test_the_flag_and_the_rank_are_both_needed(flag, rank, name, expected):
    assert compute(**{flag: 1.0, "iv_rank": rank})[name] == expected
    assert compute(**{flag: 0.0, "iv_rank": rank})[name] == 0
    # A flag that is off does not make up for a rank that is not known, nor the other way round.
    assert np.isnan(compute(**{flag: 0.0, "iv_rank": NAN})[name])
    assert np.isnan(compute(**{flag: NAN, "iv_rank": 50.0})[name])


@pytest.mark.parametrize(
    ("score", "rank", "expected"),
    [(0.5, 100.0, 0.5), (-0.5, 0.0, 0.5), (0.5, 0.0, -0.5), (0.5, 50.0, 0.0), (-1.0, 75.0, -0.5)],
)
def test_divergence_is_positive_for_dear_options_in_a_good_mood(score, rank, expected):
    assert compute(sentiment_score=score, iv_rank=rank)["sentiment_iv_divergence"] == expected


def test_earnings_against_rank_and_spread():
    near = {"earnings_within_5d": 1.0, "iv_rank": 80.0, "iv_hv_spread": 2.0}
    assert compute(**near)["earnings_iv_runup"] == 0.8
    assert compute(**near)["earnings_iv_crush_setup"] == 1
    for change in (
        {"earnings_within_5d": 0.0},
        {"iv_rank": 60.0},
        {"iv_hv_spread": 0.0},
        {"iv_hv_spread": -1.0},
    ):
        assert compute(**(near | change))["earnings_iv_crush_setup"] == 0
    assert compute(**(near | {"earnings_within_5d": 0.0}))["earnings_iv_runup"] == 0


@given(st.dictionaries(st.sampled_from(list(NEUTRAL)), st.just(NAN), min_size=1))
def test_a_feature_is_null_if_and_only_if_one_of_its_inputs_is(unknown):
    values = compute(**unknown)
    for row in CROSS.features:
        assert np.isnan(values[row.name]) == bool(set(row.inputs) & set(unknown)), row.name
