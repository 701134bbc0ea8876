"""What was recorded of news and mentions in the window of each session.

The window of a session reaches from the cut-off of the session before, excluded, to its own,
included. Nothing is filled from one window into the next.
"""

from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64
from numpy.typing import NDArray

from feature_repo.features.maths.arithmetic import ratio
from feature_repo.features.maths.times import Times, ascending, nanoseconds, same_length
from market.arrays import BySession, IntArray
from market.errors import InputError

# A headline scored beyond it, either way, is not neutral.
MOOD: Final = 0.05


def news_by_session(
    cut_offs: Times,
    published: Times,
    recorded: Times,
    scores: Float64[np.ndarray, " n_rows"],
    before: pd.Timestamp,
) -> dict[str, BySession]:
    """Count of headlines and their shares scored up and down, by session; null without any.

    A headline counts for the session in whose window it was published, if it was recorded by
    that session's cut-off; one recorded later counts for none. The market is never silent for a
    day, so a session without a headline was not watched: its count is unknown, not zero.

    Parameters
    ----------
    cut_offs
        Ascending, shape (n_sessions,).
    published, recorded
        When each headline was published and first recorded, in any order; shape (n_rows,).
    scores
        Mood of each headline, -1 to 1; shape (n_rows,).
    before
        The cut-off of the session before the first.

    Returns
    -------
    dict
        `headlines`, a count, and `headlines_up` and `headlines_down`, the shares of these scored
        above 0.05 and below -0.05; each of shape (n_sessions,).

    Raises
    ------
    InputError
        If cut-offs do not ascend, columns differ in length, or a time or score is missing.
    """
    same_length("news alignment", published=published, recorded=recorded, scores=scores)
    if np.isnan(scores).any():
        raise InputError(
            f"news alignment: got no score at row {int(np.argmax(np.isnan(scores)))}, allowed "
            "are -1 to 1; an unscored headline would count as neutral"
        )
    windows = _Windows(cut_offs, before)
    seen = nanoseconds("news recorded", recorded)
    place = windows.place(nanoseconds("news published", published))
    place[seen > windows.edges[place + 1]] = -1
    held = windows.count(place)
    count = np.where(held > 0, held, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "headlines": count,
            "headlines_up": ratio(windows.count(place[scores > MOOD]), count),
            "headlines_down": ratio(windows.count(place[scores < -MOOD]), count),
        }


def last_snapshot(cut_offs: Times, before: pd.Timestamp, recorded: Times) -> NDArray[np.intp]:
    """Row of the last snapshot recorded in the window of each session, -1 if there is none.

    Of snapshots recorded at one time it is the one given last.

    Parameters
    ----------
    cut_offs, before
        As in `news_by_session`.
    recorded
        When each snapshot was taken, in any order; shape (n_rows,).

    Raises
    ------
    InputError
        If cut-offs do not ascend or a time is missing.
    """
    windows = _Windows(cut_offs, before)
    seen = nanoseconds("snapshots", recorded)
    order = np.argsort(seen, kind="stable")
    place = windows.place(seen[order])
    rows = np.full(windows.ends.size, -1, dtype=np.intp)
    # Later rows overwrite earlier ones of the same window.
    rows[place[place >= 0]] = order[place >= 0]
    return rows


class _Windows:
    """The windows between cut-offs, and which of them a time lies in."""

    def __init__(self, cut_offs: Times, before: pd.Timestamp) -> None:
        edges = pd.DatetimeIndex([before, *pd.DatetimeIndex(cut_offs)])
        self.edges = ascending("cut-offs, the one before them first", edges)
        self.ends = self.edges[1:]

    def place(self, times: IntArray) -> NDArray[np.intp]:
        """Place of the window of each time, -1 for a time outside all."""
        place = np.searchsorted(self.edges, times, side="left") - 1
        place[place == self.ends.size] = -1
        return place

    def count(self, places: NDArray[np.intp]) -> BySession:
        """How many of the places are each window's."""
        return np.bincount(places[places >= 0], minlength=self.ends.size).astype(np.float64)
