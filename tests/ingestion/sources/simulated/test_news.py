"""Simulated headlines and premium sentiment: times, moods, and what they may know."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources.headlines.scores import open_scorer
from ingestion.sources.simulated.history import History
from ingestion.sources.simulated.news import FEWEST, FORESIGHT, MOST, TONES, headlines, market_mood
from ingestion.sources.simulated.sentiment import news_sentiment
from ingestion.sources.simulated.source import Simulated
from market.calendar import decision_time, session_shift, sessions
from market.errors import InputError

Make = Callable[..., Simulated]


@cache
def long_history(seed: int, strength: float) -> History:
    """Return a history from 2010 to mid-2025."""
    as_of = pd.Timestamp("2025-06-30 20:30", tz="UTC")
    return Simulated(seed, strength, as_of, "2010-01-04").history


class Counted:
    """A scorer that remembers how much it was asked."""

    name = "counted 1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[float]:
        self.asked += texts
        return [0.5] * len(texts)


def forward(history: History, horizon: int = 5) -> np.ndarray:
    """Return the log return of the first ticker over the sessions from each one on."""
    growth = np.append(0.0, np.cumsum(history.paths.log_return[:, 0]))
    return growth[horizon:] - growth[:-horizon]


def moved(history: History, session: int, size: float = 3.0) -> History:
    """Return the history with another surprise at a session, and what its close revealed."""
    surprise, trend = history.paths.surprise.copy(), history.paths.states.trend.copy()
    surprise[session:] += size
    trend[session + 1 :] += size
    states = history.paths.states._replace(trend=trend)
    return replace(history, paths=history.paths._replace(surprise=surprise, states=states))


# ---------------------------------------------------------------- times


def test_every_session_is_watched_and_has_a_few_headlines(simulated: Make) -> None:
    history = simulated().history
    frame = headlines(history)
    cuts = decision_time(history.sessions)
    of_session = cuts.searchsorted(frame["recorded_at"])
    counts = np.bincount(of_session, minlength=len(cuts))
    assert counts.min() == FEWEST
    assert counts.max() == MOST
    assert abs(counts.mean() - (FEWEST + MOST) / 2) < 0.25
    assert len(counts) == len(cuts)


def test_headlines_lie_in_the_window_of_the_session_they_are_read_in(simulated: Make) -> None:
    history = simulated().history
    frame = headlines(history)
    cuts, before = (
        decision_time(history.sessions),
        decision_time(session_shift(history.sessions, -1)),
    )
    of_session = cuts.searchsorted(frame["recorded_at"])
    assert (frame["published"] > before[of_session]).all()
    assert (frame["published"] < frame["recorded_at"]).all()
    assert (frame["recorded_at"] - frame["published"]).max() < pd.Timedelta(minutes=30)
    assert (cuts[of_session] - frame["recorded_at"]).min() >= pd.Timedelta(minutes=10)
    assert (frame["published"].dt.dayofweek >= 5).mean() > 0.1
    assert (frame["published"] == frame["published"].dt.floor("s")).all()


def test_the_numbers_of_headlines_are_their_own(simulated: Make) -> None:
    frame = headlines(simulated().history)
    assert frame["news_id"].is_unique
    assert frame["news_id"].str.fullmatch(r"\d{9}").all()


# ---------------------------------------------------------------- texts and scores


def test_each_text_is_scored_once(simulated: Make) -> None:
    scorer = Counted()
    history = Simulated(
        7, 0.0, pd.Timestamp("2024-12-31 21:30", tz="UTC"), "2022-01-03", scorer=scorer
    )
    frame = history.fetch("news", ["market"], None, history.last_session())
    assert len(scorer.asked) == len(set(scorer.asked)) == frame["headline"].nunique()
    assert frame["headline"].nunique() > len(frame) / 3
    assert set(frame["scorer"]) == {"counted 1"}
    assert set(frame["score"]) == {0.5}


def test_the_default_scorer_tells_the_tones_apart() -> None:
    scorer = open_scorer()
    means = [np.mean(scorer([f"Stocks {phrase}" for phrase in tone])) for tone in TONES]
    assert np.all(np.diff(means) > 0.1)
    assert max(scorer([f"Stocks {phrase}" for tone in TONES[:2] for phrase in tone])) < -0.05
    assert min(scorer([f"Stocks {phrase}" for tone in TONES[3:] for phrase in tone])) > 0.05


def test_scores_follow_the_mood(simulated: Make) -> None:
    source = simulated()
    history = source.history
    frame = source.fetch("news", ["market"], None, source.last_session())
    of_session = decision_time(history.sessions).searchsorted(frame["recorded_at"])
    mean = frame.groupby(of_session)["score"].mean()
    assert np.corrcoef(mean, market_mood(history))[0, 1] > 0.7
    assert frame["score"].abs().max() < 1.0


# ---------------------------------------------------------------- what mood knows


@pytest.mark.parametrize("strength", [0.0, 0.2])
def test_mood_is_as_wide_as_a_standard_one(strength: float) -> None:
    moods = [market_mood(long_history(seed, strength)) for seed in range(2)]
    assert 0.8 < np.std(moods) < 1.2


@pytest.mark.parametrize("strength", [0.0, 0.3])
@pytest.mark.parametrize("make", [market_mood, lambda h: news_sentiment(h, "SPY").iloc[:, 2]])
def test_the_mood_of_a_session_knows_nothing_of_it(
    simulated: Make, strength: float, make: Callable[[History], np.ndarray]
) -> None:
    history = simulated(strength=strength).history
    before, after = (np.asarray(make(h)) for h in (history, moved(history, 300)))
    np.testing.assert_array_equal(before[:301], after[:301])
    assert (before[301:310] != after[301:310]).any()


def test_headlines_written_before_a_surprise_do_not_tell_it(simulated: Make) -> None:
    history = simulated(strength=0.3).history
    before, after = headlines(history), headlines(moved(history, 300))
    changed = (before["headline"] != after["headline"]).to_numpy()
    assert changed.any()
    assert before.loc[changed, "published"].min() > decision_time(history.sessions)[300]
    pd.testing.assert_frame_equal(before.drop(columns="headline"), after.drop(columns="headline"))


def relation(strength: float, seeds: range) -> float:
    """Return the mean correlation of mood with the coming returns."""
    found = []
    for seed in seeds:
        history = long_history(seed, strength)
        ahead = forward(history) / history.paths.volatility[: len(forward(history)), 0]
        found.append(np.corrcoef(market_mood(history)[: len(ahead)], ahead)[0, 1])
    return float(np.mean(found))


def test_without_a_signal_mood_tells_nothing_of_coming_returns() -> None:
    # Mood and returns of five sessions both overlap: their count is that of separate ones.
    assert abs(relation(0.0, range(4))) < 3.5 / np.sqrt(4 * 3900 / 5)


def test_with_a_signal_mood_tells_its_share_of_it() -> None:
    small, large = relation(0.1, range(4)), relation(0.5, range(4))
    assert 0.02 < small < FORESIGHT * 0.1 * 1.3
    assert 0.12 < large < FORESIGHT * 0.5 * 1.1
    assert large > 2 * small


def test_mood_follows_past_returns() -> None:
    history = long_history(0, 0.0)
    mood, surprise = market_mood(history), history.paths.surprise[:, 0]
    assert 0.25 < np.corrcoef(mood[1:], surprise[:-1])[0, 1] < 0.45
    assert abs(np.corrcoef(mood, surprise)[0, 1]) < 0.06


# ---------------------------------------------------------------- determinism and refusals

days_of_2024 = st.sampled_from(sessions("2023-02-01", "2024-12-30").tolist())


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**64), strength=st.floats(0.0, 0.6), day=days_of_2024)
def test_a_later_clock_adds_rows_and_changes_none(
    seed: int, strength: float, day: pd.Timestamp
) -> None:
    at = (pd.Timestamp("2024-12-31 21:30", tz="UTC"), decision_time(pd.DatetimeIndex([day]))[0])
    late, early = (Simulated(seed, strength, as_of, "2023-01-03", Counted()) for as_of in at)
    for table, key in (("news", "market"), ("news_sentiment", "QQQ"), ("mentions", "IWM")):
        before = early.fetch(table, [key], None, day)
        after = late.fetch(table, [key], None, late.last_session())
        assert len(after) > len(before) > 0
        known = after[after["recorded_at"] <= at[1]].reset_index(drop=True)
        pd.testing.assert_frame_equal(before, known, check_exact=True)
        # Asked about that day, the later clock says what the earlier one said.
        pd.testing.assert_frame_equal(late.fetch(table, [key], None, day), before)


def test_another_seed_has_other_news(simulated: Make) -> None:
    one, other = (headlines(simulated(seed).history) for seed in (1, 2))
    assert len(set(one["published"]) & set(other["published"])) < len(one) / 100


def test_only_the_market_has_news(simulated: Make) -> None:
    source = simulated()
    with pytest.raises(InputError, match="unknown scope of news: got 'SPY', allowed is market"):
        source.fetch("news", ["SPY"], None, source.last_session())


# ---------------------------------------------------------------- premium sentiment


def test_shares_are_shares_and_leave_room_for_the_undecided() -> None:
    frame = news_sentiment(long_history(0, 0.0), "SPY")
    total = frame["bullish_percent"] + frame["bearish_percent"]
    assert ((total > 0.8) & (total < 0.9)).all()
    assert frame[["bullish_percent", "bearish_percent"]].min(axis=None) >= 0.0
    assert frame["articles_in_last_week"].min() >= 0


def test_tickers_differ_and_share_the_mood() -> None:
    history = long_history(0, 0.0)
    shares = [news_sentiment(history, ticker)["bullish_percent"] for ticker in ("SPY", "QQQ")]
    assert 0.2 < np.corrcoef(shares)[0, 1] < 0.9
    sector = news_sentiment(history, "SPY")["sector_bullish_percent"]
    assert sector.equals(news_sentiment(history, "QQQ")["sector_bullish_percent"])
