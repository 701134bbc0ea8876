"""Bands, classes and moves of Decisions 3 and 7, at and around every boundary."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.calendar import sessions
from market.errors import InputError
from market.iv_rank import (
    BAND_CUTS,
    REGIME_CUTS,
    REGIMES,
    band,
    expected_iv_direction,
    forecast_class,
    regime_codes,
)
from market.targets import move_label, session_return

# Every cut, the numbers just below and above it, and any rank.
EDGES = [
    rank
    for cut in (0.0, *BAND_CUTS, *REGIME_CUTS)
    for rank in (math.nextafter(cut, -1), cut, math.nextafter(cut, 101))
    if 0 <= rank <= 100
]
ranks = st.sampled_from(EDGES) | st.floats(0, 100)
DAYS = sessions("2018-06-01", "2018-07-02")


def below(value: float) -> float:
    return math.nextafter(value, 0.0)


@pytest.mark.parametrize(
    ("rank", "name"),
    [
        (0.0, "LOW"), (below(25), "LOW"), (25.0, "NORMAL"), (below(50), "NORMAL"),
        (50.0, "ELEVATED"), (below(75), "ELEVATED"), (75.0, "HIGH"), (100.0, "HIGH"),
    ],
)  # fmt: skip
def test_bands_are_half_open(rank, name):
    assert band(rank) == name


@pytest.mark.parametrize(
    ("rank", "name"),
    [
        (0.0, "LOW"), (below(30), "LOW"), (30.0, "NORMAL"), (below(60), "NORMAL"),
        (60.0, "HIGH"), (100.0, "HIGH"),
    ],
)  # fmt: skip
def test_classes_are_half_open(rank, name):
    assert forecast_class(rank) == name


@given(st.lists(ranks, min_size=1))
def test_bands_and_classes_are_what_pandas_cuts(values):
    bands = pd.cut(values, [0, 25, 50, 75, math.inf], right=False,
                   labels=["LOW", "NORMAL", "ELEVATED", "HIGH"])  # fmt: skip
    classes = pd.cut(values, [0, 30, 60, math.inf], right=False, labels=list(REGIMES))
    assert [band(v) for v in values] == list(bands)
    assert [forecast_class(v) for v in values] == list(classes)


@given(st.sampled_from(REGIMES), ranks)
def test_iv_direction_is_the_sign_of_the_step_between_classes(predicted, rank):
    step = np.digitize({"LOW": 15, "NORMAL": 45, "HIGH": 80}[predicted], [30, 60]) - np.digitize(
        rank, [30, 60]
    )
    words = {1: "EXPANDING", 0: "STABLE", -1: "CONTRACTING"}
    assert expected_iv_direction(predicted, rank) == words[int(np.sign(step))]


def test_iv_direction_compares_classes_and_not_bands():
    # Rank 55 is ELEVATED today and in the class NORMAL: a forecast of NORMAL is stable.
    assert expected_iv_direction("NORMAL", 55.0) == "STABLE"
    assert expected_iv_direction("NORMAL", 27.0) == "EXPANDING"


@pytest.mark.parametrize("rank", [float("nan"), -0.001, 100.001, float("inf")])
@pytest.mark.parametrize("read", [band, forecast_class, lambda r: expected_iv_direction("LOW", r)])
def test_an_impossible_rank_is_refused(read, rank):
    with pytest.raises(InputError, match=r"iv_rank: got .*, allowed is a number from 0 to 100"):
        read(rank)


def test_an_unknown_class_is_refused():
    with pytest.raises(InputError, match=r"ELEVATED.*allowed are LOW, NORMAL, HIGH"):
        expected_iv_direction("ELEVATED", 10.0)


@given(st.lists(ranks, min_size=1))
def test_codes_of_many_ranks_are_their_classes(values):
    codes = regime_codes(np.array(values))
    assert [REGIMES[code] for code in codes] == [forecast_class(value) for value in values]


@pytest.mark.parametrize(
    ("rank", "name"),
    [(0, "LOW"), (29.999, "LOW"), (30, "NORMAL"), (59.999, "NORMAL"), (60, "HIGH"), (100, "HIGH")],
)
def test_regime_intervals_are_half_open(rank, name):
    assert REGIMES[regime_codes(np.array([rank], dtype=np.float64))[0]] == name


def test_an_unknown_rank_has_no_class():
    assert regime_codes(np.array([np.nan, 10.0])).tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("realised_return", "expected"),
    [
        (0.01, "FLAT"),
        (0.010000000001, "UP"),
        (-0.01, "FLAT"),
        (-0.010000000001, "DOWN"),
        (0.0, "FLAT"),
        (3.0, "UP"),
        (-1.0, "DOWN"),
    ],
)
def test_exactly_one_percent_is_no_move(realised_return, expected):
    assert move_label(realised_return) == expected


def test_a_return_that_is_not_known_has_no_label():
    with pytest.raises(InputError, match="forward return: got nan"):
        move_label(math.nan)


def test_a_return_looking_back_is_keyed_by_its_last_session():
    found = session_return(pd.Series([100.0, 1.0, 1.0, 1.0, 1.0, 110.0], DAYS[:6]), -5)
    assert found.iloc[:5].isna().all()
    assert found.iloc[5] == pytest.approx(0.10)
