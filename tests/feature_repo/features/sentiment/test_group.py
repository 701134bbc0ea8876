"""Mood, buzz and mentions against plain loops, their bounds and their nulls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.features.sentiment.group import SENTIMENT, mean_before

NAN = np.nan


def compute(rows=1, **arrays):
    """Values of the group; what is not given is unknown on every session."""
    given_ = {name: np.asarray(array, dtype=float) for name, array in arrays.items()}
    rows = next((array.size for array in given_.values()), rows)
    return SENTIMENT.compute({name: np.full(rows, NAN) for name in SENTIMENT.sources} | given_)


def mood(score):
    score = np.atleast_1d(np.asarray(score, dtype=float))
    return compute(headlines_up=np.maximum(score, 0), headlines_down=np.maximum(-score, 0))


unknown_or_count = st.one_of(st.just(NAN), st.integers(0, 30).map(float))


@given(st.lists(unknown_or_count, max_size=60))
def test_mean_of_the_twenty_sessions_before_of_which_fifteen_are_known(values):
    got = mean_before(np.array(values, dtype=float))
    for t in range(len(values)):
        known = [x for x in values[max(t - 20, 0) : t] if not np.isnan(x)]
        expected = sum(known) / len(known) if t >= 20 and len(known) >= 15 else NAN
        np.testing.assert_allclose(got[t], expected, rtol=1e-12)


@pytest.mark.parametrize(("unknown", "known"), [(5, True), (6, False)])
def test_five_sessions_of_twenty_may_be_unknown(unknown, known):
    count = np.full(21, 10.0)
    count[2 : 2 + unknown] = NAN
    assert np.isfinite(compute(headlines=count)["news_buzz_score"][-1]) == known


def test_the_mean_holds_to_the_last_bit_whatever_was_loaded_before():
    x = np.random.default_rng(0).normal(0, 0.3, 300)
    full = mean_before(x)
    for start in (0, 7, 100, 279):
        np.testing.assert_array_equal(mean_before(x[start:])[20:], full[start:][20:])


def test_the_score_is_the_share_up_less_the_share_down():
    values = compute(headlines_up=[0.65, 0.2, 0.0, NAN], headlines_down=[0.5, 0.7, 0.0, NAN])
    np.testing.assert_array_equal(values["sentiment_score"], [0.15, -0.5, 0.0, NAN])
    # In floating point 0.65 - 0.5 is above 0.15.
    assert values["sentiment_bullish"][0] == 0
    assert values["sentiment_neutral"][0] == 1


@pytest.mark.parametrize(
    ("score", "flags"),
    [
        (0.36, (1, 0, 0, 1, 0)),
        (0.35, (1, 0, 0, 0, 0)),
        (0.16, (1, 0, 0, 0, 0)),
        (0.15, (0, 0, 1, 0, 0)),
        (0.0, (0, 0, 1, 0, 0)),
        (-0.15, (0, 0, 1, 0, 0)),
        (-0.16, (0, 1, 0, 0, 0)),
        (-0.35, (0, 1, 0, 0, 0)),
        (-0.36, (0, 1, 0, 0, 1)),
        (NAN, (NAN,) * 5),
    ],
)
def test_moods(score, flags):
    values = mood(score)
    for name, flag in zip(
        ("bullish", "bearish", "neutral", "extreme_bullish", "extreme_bearish"), flags, strict=True
    ):
        np.testing.assert_array_equal(values[f"sentiment_{name}"], [flag], err_msg=name)


def test_the_paid_score_replaces_that_of_the_headlines_where_there_is_one():
    values = compute(
        headlines_up=[0.5, 0.5, NAN],
        headlines_down=[0.1, 0.1, NAN],
        premium_score=[NAN, -0.2, 0.3],
        premium_sector_score=[NAN, 0.1, NAN],
    )
    np.testing.assert_array_equal(values["sentiment_score"], [0.4, -0.2, 0.3])
    # Against the sector of the vendor; without its figure it is unknown, not the own past.
    np.testing.assert_allclose(values["sentiment_vs_sector"], [NAN, -0.3, NAN])


def test_without_the_paid_score_the_mood_is_compared_with_its_own_past():
    rng = np.random.default_rng(1)
    score = rng.uniform(-0.9, 0.9, 60).round(3)
    values = mood(score)
    for t in range(60):
        expected = score[t] - score[t - 20 : t].mean() if t >= 20 else NAN
        np.testing.assert_allclose(values["sentiment_vs_sector"][t], expected, atol=1e-12)


def test_a_paid_score_of_one_session_alone_is_against_its_sector_at_once():
    values = compute(premium_score=[0.5], premium_sector_score=[-0.25])
    assert values["sentiment_vs_sector"][0] == 0.75


def test_buzz_is_the_count_against_twice_its_mean_at_most_one():
    count = np.array([*[10.0] * 20, 5, 10, 20, 40, 0, NAN])
    buzz = compute(headlines=count)["news_buzz_score"]
    for t in range(count.size):
        before = count[max(t - 20, 0) : t]
        expected = min(1.0, count[t] / (2 * before.mean())) if t >= 20 else NAN
        np.testing.assert_allclose(buzz[t], NAN if np.isnan(count[t]) else expected)
    assert buzz[20] == 0.25
    assert buzz[23] == 1.0


def test_buzz_after_twenty_sessions_without_a_headline_is_unknown():
    assert np.isnan(compute(headlines=[*[0.0] * 20, 7.0])["news_buzz_score"]).all()


def test_mentions():
    values = compute(mentions=[50, 51, 12, 0, 7, NAN], mentions_24h_ago=[100, 17, 0, 1, NAN, 4])
    np.testing.assert_array_equal(values["reddit_mentions"], [50, 51, 12, 0, 7, NAN])
    np.testing.assert_array_equal(values["reddit_momentum"], [-0.5, 2, 11, -1, NAN, NAN])
    np.testing.assert_array_equal(values["high_social_attention"], [0, 1, 0, 0, 0, NAN])


def test_an_unwatched_session_is_null_in_every_feature():
    for name, array in compute(rows=40).items():
        assert np.isnan(array).all(), name
