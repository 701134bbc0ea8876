"""The sentiment view: headlines, premium scores and mentions, as recorded in a session's window.

Pure functions. The window of a session reaches from the decision time of the session before to its
own. A session in whose window nothing was recorded was not watched: its values are NaN.
"""

from typing import Final

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from feature_repo.features.sentiment.group import SENTIMENT
from feature_repo.features.sentiment.windows import last_snapshot, news_by_session
from ingestion.tables.catalogue import MARKET_SCOPE, MENTION_FILTERS, MENTIONS, NEWS, NEWS_SENTIMENT
from ingestion.views.aligned import Aligned, later, taken, times
from ingestion.views.declare import Input, View, own
from ingestion.views.raw import Raw
from ingestion.views.recorded_in import Windows, unsettled
from market.arrays import FloatArray

HEADLINES: Final = ("headlines", "headlines_up", "headlines_down")
PREMIUM: Final = ("premium_score", "premium_sector_score")
COUNTS: Final = ("mentions", "mentions_24h_ago")


def align_sentiment(
    prices: Aligned,
    news: pl.DataFrame,
    premium: pl.DataFrame,
    mentions: pl.DataFrame,
    landed: pl.DataFrame,
) -> Aligned | None:
    """Return the sources of the sentiment group, from the first watched session on.

    A row counts from its window's decision time, and in no session that was built before it
    landed: what is recorded in one window is known to all later builds alike.

    Parameters
    ----------
    prices
        The ticker's prices, aligned: its sessions.
    news, premium, mentions
        All versions of the market's headlines, and of the ticker's snapshots; each may be empty.
    landed
        Sessions, ascending, and when each first landed with a price (`landed_at`).

    Returns
    -------
    Aligned or None
        Up to the last watched session; later ones are pending. None if none was watched.
    """
    windows = Windows.of(prices)
    inputs = [unsettled(rows, landed) for rows in (news, premium, mentions)]
    newest = [windows.landed(rows) for rows in inputs]
    watched = np.flatnonzero(np.any([landings.notna() for landings in newest], axis=0))
    if not watched.size:
        return None
    news, premium, mentions = inputs
    arrays = _headlines(windows, news) | _premium(windows, premium) | _mentions(windows, mentions)
    recorded = later(later(newest[0], newest[1]), newest[2])
    # An unwatched session shows as one when a later one is watched.
    recorded = pd.DatetimeIndex(recorded.to_series().bfill())
    since = slice(watched[0], None)
    return Aligned(
        sessions=prices.sessions[since],
        closes=prices.closes[since],
        available=windows.cut_offs[since],
        landed=later(prices.landed, recorded)[since],
        arrays={name: values[since] for name, values in arrays.items()},
        last=prices.sessions[watched[-1]],
    )


def _headlines(windows: Windows, news: pl.DataFrame) -> dict[str, FloatArray]:
    rows = _as_worded(windows, news)
    return news_by_session(
        windows.cut_offs,
        times(rows["published"]),
        times(rows["recorded_at"]),
        rows["score"].to_numpy(),
        windows.before,
    )


def _as_worded(windows: Windows, news: pl.DataFrame) -> pl.DataFrame:
    """Return each headline once a session: as it was last worded by the session's cut-off."""
    place = windows.place(times(news["published"]))
    in_time = times(news["recorded_at"]) <= taken(windows.cut_offs, place)
    # A version recorded later counts for no session, but tells that one was watched.
    own = np.where(in_time, -1, np.arange(news.height))
    ordered = news.with_columns(_place=place, _own=own).sort("recorded_at", "landed_at")
    return ordered.unique([*NEWS.key, "_place", "_own"], keep="last", maintain_order=True)


def _premium(windows: Windows, premium: pl.DataFrame) -> dict[str, FloatArray]:
    rows = last_snapshot(windows.cut_offs, windows.before, times(premium["recorded_at"]))
    bullish, bearish, sector = (
        _at(premium, name, rows)
        for name in ("bullish_percent", "bearish_percent", "sector_bullish_percent")
    )
    return dict(zip(PREMIUM, (bullish - bearish, 2.0 * sector - 1.0), strict=True))


def _mentions(windows: Windows, mentions: pl.DataFrame) -> dict[str, FloatArray]:
    """Sum of both lists at the last snapshot; unknown where one is missing or lacks the ticker."""
    ordered = mentions.sort("landed_at").unique(["filter", "recorded_at"], keep="last")
    snapshots = ordered.group_by("recorded_at").agg(
        pl.when(pl.col(name).count() == len(MENTION_FILTERS)).then(pl.col(name).sum())
        for name in COUNTS
    )
    rows = last_snapshot(windows.cut_offs, windows.before, times(snapshots["recorded_at"]))
    return {name: _at(snapshots, name, rows) for name in COUNTS}


def _at(frame: pl.DataFrame, name: str, rows: NDArray[np.intp]) -> FloatArray:
    """Return a column at rows, NaN for a null and for row -1."""
    return np.append(frame[name].cast(pl.Float64).to_numpy(), np.nan)[rows]


def _align(raw: Raw) -> Aligned | None:
    news, premium, mentions = (raw.versions(t) for t in (NEWS, NEWS_SENTIMENT, MENTIONS))
    return align_sentiment(raw.priced, news, premium, mentions, raw.sessions)


VIEW: Final = View(
    groups=(SENTIMENT,),
    inputs=(
        Input(NEWS, lambda _ticker: (MARKET_SCOPE,), HEADLINES),
        Input(NEWS_SENTIMENT, own, PREMIUM),
        Input(MENTIONS, own, COUNTS),
    ),
    align=_align,
    events=True,
)
