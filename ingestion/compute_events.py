"""Views computed from events, which a home may lack: sentiment and earnings of a ticker.

All versions of an event count from the time they were known, so that the past of these views does
not change: it need not be computed again as it was before each landing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Array
from feature_repo.markets import basket_symbols, basket_weights
from ingestion.align import Aligned
from ingestion.align_earnings import align_earnings
from ingestion.align_news import align_sentiment
from ingestion.frames import LANDED, SESSION

View = tuple[str, Aligned, dict[str, Array]]


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
    """The reports of the companies that stand for a ticker, and the home's first live landing."""

    ticker: str
    rows: pl.DataFrame
    first_live: datetime | None

    def changes(self) -> list[datetime]:
        """Return when a company first landed after another had: with it came its own past."""
        return _after_the_first(self.rows.partition_by("symbol"))

    def view(self, prices: Aligned, landed: pl.DataFrame, known_by: datetime | None) -> View | None:
        """Return earnings from the rows landed by a time; None if no report was known."""
        rows, weights = (
            _landed_by(self.rows, known_by),
            basket_weights(self.ticker, prices.sessions),
        )
        symbols = basket_symbols(self.ticker)
        aligned = align_earnings(prices, rows, symbols, weights, landed, self.first_live)
        return _view("earnings", aligned)


def _view(name: str, aligned: Aligned | None) -> View | None:
    return None if aligned is None else (name, aligned, GROUPS[name].compute(aligned.arrays))


def _landed_by(rows: pl.DataFrame, time: datetime | None) -> pl.DataFrame:
    return rows if time is None else rows.filter(pl.col(LANDED) <= time)


def _after_the_first(inputs: Sequence[pl.DataFrame]) -> list[datetime]:
    return sorted({rows[LANDED].min() for rows in inputs if rows.height})[1:]
