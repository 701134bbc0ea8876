"""Views computed from events, which a home may lack: sentiment and earnings of a ticker.

All versions of an event count from the time they were known, so that the past of these views does
not change: it need not be computed again as it was before each landing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl

from feature_repo.features.catalogue import GROUPS
from home.manifest import Answer
from ingestion.tables.frames import LANDED, SESSION
from ingestion.views.aligned import Aligned, answered_by, up_to
from ingestion.views.earnings import align_earnings
from ingestion.views.sentiment import align_sentiment
from market.arrays import BoolArray, FloatArray
from market.baskets import basket_symbols, basket_weights

View = tuple[str, Aligned, dict[str, FloatArray]]


def first_landings(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the sessions of all versions of prices, ascending, and when each first landed."""
    return rows.group_by(SESSION).agg(pl.col(LANDED).min()).sort(SESSION)


@dataclass(frozen=True)
class SentimentRaw:
    """The market's headlines, and a ticker's premium scores and mentions; each may be empty."""

    news: pl.DataFrame
    premium: pl.DataFrame
    mentions: pl.DataFrame

    def changes(self) -> list[datetime]:
        """Return when an input first landed after another had: with it came its own past."""
        return _after_the_first([self.news, self.premium, self.mentions])

    def view(self, prices: Aligned, landed: pl.DataFrame, known_by: datetime | None) -> View | None:
        """Return sentiment from the rows landed by a time; None if no session was watched."""
        inputs = [_landed_by(rows, known_by) for rows in (self.news, self.premium, self.mentions)]
        return _view("sentiment", align_sentiment(prices, *inputs, landed))


@dataclass(frozen=True)
class EarningsRaw:
    """The reports of the companies that stand for a ticker, and the home's first live landing.

    `answers` say by company up to which session its reports are complete. A session for which one
    of its members did not answer is pending; a member that the plan does not include is none then.
    """

    ticker: str
    rows: pl.DataFrame
    first_live: datetime | None
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def changes(self) -> list[datetime]:
        """Return when a company first landed after another had: with it came its own past."""
        return _after_the_first(self.rows.partition_by("symbol"))

    def view(self, prices: Aligned, landed: pl.DataFrame, known_by: datetime | None) -> View | None:
        """Return earnings from the rows landed by a time; None if no report was known."""
        rows, symbols = _landed_by(self.rows, known_by), basket_symbols(self.ticker)
        weights = basket_weights(self.ticker, prices.sessions)
        silent = ~self._answered(prices.sessions, symbols)
        refused = [symbol in self.answers and self.answers[symbol].refused for symbol in symbols]
        weights[silent & refused] = 0.0
        aligned = align_earnings(prices, rows, symbols, weights, landed, self.first_live)
        if aligned is not None:
            complete = ~(silent & (weights > 0)).any(axis=1)
            aligned = up_to(aligned, complete[-len(aligned.sessions) :])
        return _view("earnings", aligned)

    def _answered(self, sessions: pd.DatetimeIndex, symbols: Sequence[str]) -> BoolArray:
        """Return whether a company's reports are complete, shape (n_sessions, n_symbols)."""
        if not self.answers:
            return np.ones((len(sessions), len(symbols)), dtype=np.bool_)
        # One that was never asked for tells nothing, where others were.
        answers = [self.answers.get(symbol, Answer(None)) for symbol in symbols]
        return np.stack([answered_by(answer, sessions) for answer in answers], axis=1)


def _view(name: str, aligned: Aligned | None) -> View | None:
    return None if aligned is None else (name, aligned, GROUPS[name].compute(aligned.arrays))


def _landed_by(rows: pl.DataFrame, time: datetime | None) -> pl.DataFrame:
    return rows if time is None else rows.filter(pl.col(LANDED) <= time)


def _after_the_first(inputs: Sequence[pl.DataFrame]) -> list[datetime]:
    return sorted({rows[LANDED].min() for rows in inputs if rows.height})[1:]
