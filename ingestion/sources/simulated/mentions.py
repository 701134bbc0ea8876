"""Simulated mentions on Reddit: attention with a memory, drawn by moves of either sign.

Attention follows the size of surprises and not their sign, so it carries no information about
the direction of coming returns.
"""

from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.simulated.draws import Ornstein, stream
from ingestion.sources.simulated.history import History
from ingestion.tables.catalogue import MENTION_FILTERS
from market.arrays import FloatArray
from market.calendar import decision_time

# The second list has fewer readers.
SHARES: Final = (1.0, 0.25)
ATTENTION: Final = Ornstein(0.0, 0.35, 0.9)
ON_SURPRISE: Final = 0.25
NOISE: Final = 0.2
# A list ends at its last place; what has fewer mentions is not in it.
FEWEST_LISTED: Final = 2
# Log-log line through ApeWisdom's lists of May 2026: 86 mentions are place 12, 6 place 77.
FIRST_PLACE, PLACE_POWER = 270.0, -0.7
UPVOTES: Final = 3.9
# Reddit on the day before a session that follows a weekend or holiday.
QUIET: Final = 0.3
SNAPSHOT_BEFORE: Final = (2 * 60, 20 * 60)  # seconds before the decision time


def snapshot_times(history: History) -> pd.DatetimeIndex:
    """Return when each session's snapshot is taken, minutes before the decision time."""
    first, last = SNAPSHOT_BEFORE
    drawn = stream(history.seed, "mentions", "time").random(len(history.sessions))
    seconds = np.floor(first + drawn * (last - first))
    return decision_time(history.sessions) - pd.to_timedelta(seconds, unit="s")


def mentions(history: History, ticker: str) -> pd.DataFrame:
    """Return the columns of `mentions` of a ticker: a snapshot of each list every session.

    A list that does not hold the ticker has it with nulls.
    """
    count = len(history.sessions)
    attention = ATTENTION.path(stream(history.seed, "attention", ticker).standard_normal(count))
    moved = ON_SURPRISE * (np.abs(history.paths.surprise[:, history.tickers.index(ticker)]) - 0.8)
    usual = np.log(history.profile(ticker).mentions)  # in the first list
    times = snapshot_times(history)
    lists = [
        _list(history, ticker, name, np.exp(usual + np.log(share) + attention + moved))
        for name, share in zip(MENTION_FILTERS, SHARES, strict=True)
    ]
    return pd.concat(
        [frame.assign(ticker=ticker, recorded_at=times) for frame in lists], ignore_index=True
    )


def _list(history: History, ticker: str, name: str, expected: FloatArray) -> pd.DataFrame:
    """Return the numbers of a ticker in one list; mentions expected of shape (n_sessions,)."""
    noise = stream(history.seed, "mentions", ticker, name).standard_normal((len(expected), 3))
    counted = np.round(expected * np.exp(NOISE * noise[:, 0]))
    quiet = np.round(QUIET * expected * np.exp(NOISE * noise[:, 1]))
    follows = np.append(False, np.diff(history.sessions) == np.timedelta64(1, "D"))
    before = np.where(follows, np.append(quiet[:1], counted[:-1]), quiet)
    listed, listed_before = counted >= FEWEST_LISTED, before >= FEWEST_LISTED
    upvotes = np.round(UPVOTES * counted * np.exp(2.0 * NOISE * noise[:, 2]))
    return pd.DataFrame(
        {
            "filter": name,
            "rank": np.where(listed, _place(counted), np.nan),
            "mentions": np.where(listed, counted, np.nan),
            "upvotes": np.where(listed, upvotes, np.nan),
            "rank_24h_ago": np.where(listed & listed_before, _place(before), np.nan),
            "mentions_24h_ago": np.where(listed & listed_before, before, np.nan),
        }
    )


def _place(count: FloatArray) -> FloatArray:
    place: FloatArray = np.maximum(
        np.round(FIRST_PLACE * np.maximum(count, 1.0) ** PLACE_POWER), 1.0
    )
    return place
