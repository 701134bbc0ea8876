"""The simulated mood of the market and the headlines that tell of it.

Mood follows the last sessions' surprises, a slow process of its own and, only where a signal is
planted, the best forecast of coming returns: its correlation with them is `FORESIGHT` times the
signal's strength, less what the day of delay costs and what the mood of the last surprise takes
back: after a rise, mood is better and the forecast worse. It is made of what the close before
reveals and of noise, so no model that reads it can beat the score that the state allows.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingestion.sources.simulated.draws import Ornstein, stream
from ingestion.sources.simulated.history import History
from ingestion.sources.simulated.market import trend_spread
from ingestion.tables.catalogue import MARKET_SCOPE
from market.arrays import BoolArray, FloatArray
from market.calendar import decision_time, session_shift

# Correlation of mood with the best forecast, where there is one to be made.
FORESIGHT: Final = 0.6
# How a session's surprise moves the mood of the next, and what is left for its own process.
REACTION: Final = 0.35
OWN_MOOD: Final = Ornstein(0.0, 1.0, 0.85)
# Headlines of one session differ from its mood, whose mean is that of a calm market.
CALM: Final = 0.25
DISAGREEMENT: Final = 0.9

FEWEST, MOST = 3, 8
# A headline is dated up to 40 minutes before the decision time and read within half an hour.
LAST_WORD: Final = pd.Timedelta(minutes=40)
READ_WITHIN: Final = 29 * 60
PUBLISHERS: Final = ("Reuters", "MarketWatch", "CNBC", "Bloomberg", "Associated Press")

SUBJECTS: Final = (
    "Stocks", "Wall Street", "Technology shares", "Bank stocks", "Chipmakers", "Retailers",
    "Small caps", "Energy shares", "Airlines", "Drugmakers", "Industrial stocks", "Homebuilders",
    "Carmakers", "Utilities", "Insurers", "Software makers",
)  # fmt: skip
OCCASIONS: Final = (
    "", " after Fed minutes", " ahead of jobs data", " as bond yields move",
    " following inflation report", " as oil moves", " in morning trading", " before the weekend",
    " as quarter draws to an end", " on trade talks",
)  # fmt: skip
# From the worst news to the best; words that lexicons of mood know.
TONES: Final = (
    (
        "crash as investors panic over terrible losses",
        "plunge in disastrous sell-off, crisis fears grow",
        "collapse amid fraud probe and bankruptcy fear",
        "suffer worst loss of the year as fear spreads",
    ),
    (
        "fall on weak demand and lower guidance",
        "slip as worry about growth hurts",
        "lose ground on disappointing results",
        "drop as analysts warn of trouble",
    ),
    (
        "trade flat with little news",
        "are mixed in quiet session",
        "hold near last week's levels",
        "await the next set of figures",
    ),
    (
        "gain on good demand and solid guidance",
        "rise as confidence improves",
        "advance on better results",
        "climb as analysts like the outlook",
    ),
    (
        "soar to best day of the year on great earnings, delighting investors",
        "surge on excellent profit and strong growth",
        "rally to record high, a wonderful win for optimistic investors",
        "celebrate outstanding success as profit beats every hope",
    ),
)
# Between which moods a tone is taken.
TONE_BOUNDS: Final = (-1.5, -0.5, 0.5, 1.5)


class _Draws(NamedTuple):
    """Uniform draws of each possible headline; arrays of shape (n_sessions, MOST)."""

    time: FloatArray
    delay: FloatArray
    subject: FloatArray
    phrase: FloatArray
    occasion: FloatArray
    publisher: FloatArray


def market_mood(history: History) -> FloatArray:
    """Return the mood of each session's news, of about unit variance; shape (n_sessions,).

    Known at the close before the session, but for noise.
    """
    paths = history.paths
    market = 0  # every ticker moves with the market; the first one stands for it
    surprise = np.append(0.0, paths.surprise[:-1, market])
    own = OWN_MOOD.path(stream(history.seed, "mood").standard_normal(len(history.sessions)))
    forecast = -paths.states.trend[:-1, market] / trend_spread(history.gain, history.law)
    foresight = FORESIGHT if history.gain > 0.0 else 0.0
    rest = np.sqrt(1.0 - foresight**2 - REACTION**2)
    mood: FloatArray = CALM + foresight * forecast + REACTION * surprise + rest * own
    return mood


def headlines(history: History) -> pd.DataFrame:
    """Return the columns of `news` but the score: three to eight headlines a session.

    Published between the decision time before and shortly before the session's own, weekends
    included, and read minutes later.
    """
    count = len(history.sessions)
    shape = (count, MOST)
    size = stream(history.seed, "news", "count").random(count)
    tones = stream(history.seed, "news", "tone").standard_normal(shape)
    draws = _Draws(*(stream(history.seed, "news", name).random(shape) for name in _Draws._fields))
    mood = market_mood(history)[:, None] + DISAGREEMENT * tones
    written = np.arange(MOST) < FEWEST + np.floor(size * (MOST - FEWEST + 1))[:, None]
    session, place = np.nonzero(written)
    published, recorded = _times(history.sessions, draws, written)
    days = history.sessions[session]
    number = (days.year * 10_000 + days.month * 100 + days.day) * 10 + place
    return pd.DataFrame(
        {
            "scope": MARKET_SCOPE,
            "news_id": number.astype(str).astype(object),
            "published": published,
            "recorded_at": recorded,
            "headline": _texts(mood[written], _Draws(*(drawn[written] for drawn in draws))),
            "source": _picked(PUBLISHERS, draws.publisher[written]),
        }
    )


def _times(
    sessions: pd.DatetimeIndex, draws: _Draws, written: BoolArray
) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Return when each headline is published and read, to the second."""
    session = np.nonzero(written)[0]
    before = decision_time(session_shift(sessions, -1))
    window = (decision_time(sessions) - LAST_WORD - before).total_seconds().to_numpy()
    # From the second after: the window is open at its beginning.
    passed = np.ceil(1.0 + draws.time[written] * (window[session] - 1.0))
    delay = np.ceil(1.0 + draws.delay[written] * (READ_WITHIN - 1.0))
    published = before[session] + pd.to_timedelta(passed, unit="s")
    return published, published + pd.to_timedelta(delay, unit="s")


def _texts(mood: FloatArray, draws: _Draws) -> list[str]:
    tones = np.searchsorted(TONE_BOUNDS, mood)
    phrases = np.array(TONES)[tones, (draws.phrase * len(TONES[0])).astype(int)]
    subjects, occasions = _picked(SUBJECTS, draws.subject), _picked(OCCASIONS, draws.occasion)
    return [
        f"{who} {what}{when}" for who, what, when in zip(subjects, phrases, occasions, strict=True)
    ]


def _picked(choices: tuple[str, ...], uniform: FloatArray) -> npt.NDArray[np.object_]:
    picked: npt.NDArray[np.object_] = np.array(choices, dtype=object)[
        (uniform * len(choices)).astype(int)
    ]
    return picked
