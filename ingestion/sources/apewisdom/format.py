"""ApeWisdom's lists as rows: pages of an answer, and a recorded file of snapshots."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.wire.csv_file import CsvFile
from ingestion.sources.wire.json_answer import (
    Row,
    as_object,
    as_rows,
    field,
    number,
    read_json,
    text,
    whole,
)
from ingestion.tables.catalogue import MENTION_FILTERS

COUNTS: Final = ("rank", "mentions", "upvotes", "rank_24h_ago", "mentions_24h_ago")


def list_page(what: str, answer: str) -> tuple[list[Row], int | None, int]:
    """Return the rows of one page, the number of pages if it is told, and of tickers on them all.

    Raises
    ------
    SourceUnavailable
        If it is no JSON.
    SchemaViolation
        If it cannot be read to the letter.
    """
    found = as_object(what, read_json(what, answer))
    rows = as_rows(what, field(what, found, "results"), ("ticker", *COUNTS))
    count = whole(what, found, "count")
    pages = whole(what, found, "pages") if "pages" in found else None
    for at, row in enumerate(rows):
        text(f"{what}, row {at}", row, "ticker")
    return rows, pages, count


def mentions(what: str, rows: Sequence[Row], tickers: Sequence[str]) -> pd.DataFrame:
    """Return `ticker` and the counts of `mentions`: null for a ticker that no row is about.

    A ticker listed twice with the same numbers comes once.

    Raises
    ------
    SchemaViolation
        If a count of one of the tickers cannot be read.
    """
    own = {
        ticker: [row for row in rows if text(what, row, "ticker") == ticker] for ticker in tickers
    }
    read = [
        {"ticker": ticker, **{name: number(f"{what}, {ticker}", row, name) for name in COUNTS}}
        for ticker in tickers
        for row in own[ticker] or [{}]
    ]
    return pd.DataFrame(read).drop_duplicates()


def recorded_mentions(file: CsvFile) -> pd.DataFrame:
    """Return the columns of `mentions`: the snapshots of the lists in `MENTION_FILTERS`.

    A place of 0 a day before is no place: the list did not hold the ticker then, so that both
    figures of that day are null.
    """
    file.require(["ts", "filter", "ticker", *COUNTS])
    frame = pd.DataFrame(
        {
            "ticker": file.texts("ticker"),
            "filter": file.texts("filter"),
            "recorded_at": file.times("ts"),
            **{name: file.numbers(name) for name in COUNTS},
        }
    )
    absent = frame["rank_24h_ago"] == 0
    frame.loc[absent, ["rank_24h_ago", "mentions_24h_ago"]] = np.nan
    return frame[frame["filter"].isin(MENTION_FILTERS)]


def with_absent(mentions: pd.DataFrame, tickers: Sequence[str]) -> pd.DataFrame:
    """Return the rows of tickers in every snapshot; one that a list does not hold has nulls.

    Parameters
    ----------
    mentions
        Whole lists, of `recorded_mentions`.
    """
    snapshots = mentions[["filter", "recorded_at"]].drop_duplicates()
    asked = pd.DataFrame({"ticker": pd.Series(list(tickers), dtype=object)})
    return snapshots.merge(asked, how="cross").merge(
        mentions, how="left", on=["ticker", "filter", "recorded_at"]
    )
