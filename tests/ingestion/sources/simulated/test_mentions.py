"""Simulated mentions: one snapshot a session, absent where a list is too short."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ingestion.sources.simulated.mentions import FEWEST_LISTED, mentions, snapshot_times
from ingestion.sources.simulated.source import Simulated
from ingestion.tables.catalogue import MENTION_FILTERS
from market.calendar import decision_time
from market.underlyings import UNDERLYINGS

Make = Callable[..., Simulated]
NUMBERS = ["rank", "mentions", "upvotes", "rank_24h_ago", "mentions_24h_ago"]


@pytest.fixture(scope="module")
def rows(simulated: Make) -> dict[str, pd.DataFrame]:
    """Fifteen years of each ticker."""
    history = simulated(as_of="2025-06-30 20:30", first_session="2010-01-04").history
    return {ticker: mentions(history, ticker) for ticker in UNDERLYINGS}


@pytest.mark.parametrize("ticker", UNDERLYINGS)
def test_every_session_has_one_snapshot_of_each_list(simulated: Make, ticker: str) -> None:
    history = simulated().history
    frame = mentions(history, ticker)
    assert set(frame["filter"]) == set(MENTION_FILTERS)
    for _, part in frame.groupby("filter"):
        early = decision_time(history.sessions) - pd.DatetimeIndex(part["recorded_at"])
        assert early.min() >= pd.Timedelta(minutes=2)
        assert early.max() <= pd.Timedelta(minutes=20)


def test_all_tickers_and_lists_share_a_snapshot(simulated: Make) -> None:
    history = simulated().history
    times = snapshot_times(history)
    for ticker in UNDERLYINGS:
        assert set(mentions(history, ticker)["recorded_at"]) == set(times)


def test_what_a_list_does_not_hold_is_null_throughout(rows: dict[str, pd.DataFrame]) -> None:
    for frame in rows.values():
        absent = frame["mentions"].isna()
        assert frame.loc[absent, NUMBERS].isna().all(axis=None)
        assert frame.loc[~absent, ["rank", "upvotes"]].notna().all(axis=None)
        assert frame["mentions"].min() >= FEWEST_LISTED
        assert frame["rank"].min() >= 1


def test_the_small_fund_is_sometimes_absent_and_mostly_there(
    rows: dict[str, pd.DataFrame],
) -> None:
    share = {
        t: f["mentions"].isna().groupby(f["recorded_at"]).any().mean() for t, f in rows.items()
    }
    assert 0.02 < share["IWM"] < 0.3  # Decision 15: enough are there for a feature to be kept
    assert share["SPY"] == share["QQQ"] == 0.0


def test_counts_are_whole_and_of_a_usual_size(rows: dict[str, pd.DataFrame]) -> None:
    for ticker, (low, high) in {"SPY": (250, 800), "QQQ": (50, 160), "IWM": (6, 25)}.items():
        frame = rows[ticker]
        first = frame[frame["filter"] == MENTION_FILTERS[0]]
        assert low < first["mentions"].median() < high
        numbers = frame[NUMBERS].stack()  # noqa: PD013
        assert (numbers % 1 == 0).all()
    assert (rows["SPY"]["rank"].median()) < rows["QQQ"]["rank"].median() < 30


def test_the_day_before_is_the_last_session_s_where_that_was_yesterday(
    simulated: Make,
) -> None:
    history = simulated().history
    frame = mentions(history, "SPY")
    one = frame[frame["filter"] == MENTION_FILTERS[0]].set_axis(history.sessions)
    yesterday = np.diff(history.sessions) == np.timedelta64(1, "D")
    before, now = one["mentions"].to_numpy()[:-1], one["mentions_24h_ago"].to_numpy()[1:]
    np.testing.assert_array_equal(before[yesterday], now[yesterday])
    assert np.median(now[~yesterday] / before[~yesterday]) < 0.5  # a quiet weekend


def test_attention_follows_moves_of_either_sign(simulated: Make) -> None:
    history = simulated(as_of="2025-06-30 20:30", first_session="2010-01-04").history
    frame = mentions(history, "SPY")
    counts = np.log(frame[frame["filter"] == MENTION_FILTERS[0]]["mentions"].to_numpy())
    surprise = history.paths.surprise[:, 0]
    assert np.corrcoef(counts, np.abs(surprise))[0, 1] > 0.2
    assert 0.5 < np.corrcoef(counts[1:], counts[:-1])[0, 1] < 0.95


def test_a_snapshot_knows_its_session_and_no_later_one(simulated: Make) -> None:
    history = simulated().history
    surprise = history.paths.surprise.copy()
    surprise[300:] *= 3.0
    other = replace(history, paths=history.paths._replace(surprise=surprise))
    before, after = (mentions(h, "SPY").set_index("recorded_at") for h in (history, other))
    changed = before.index[(before["mentions"] != after["mentions"]).to_numpy()]
    assert changed.min() > decision_time(history.sessions)[299]
    assert len(changed) > 500
