"""Quotes of a home's own chains at the closes of positions: read where they are asked for alone."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd
import polars as pl

from home.manifest import read_manifest, read_rows
from home.records.structure import Structure
from market.calendar import DECISION_DELAY, NEW_YORK, close
from market.errors import InputError
from market.options.chain import ExpiryQuotes, by_expiry
from market.options.chain_rows import CONTRACT, chains_of
from trading.backtest.history import History
from trading.paper.fills import own

TABLE: Final = "option_chains"
#: By session and expiry.
Quotes = dict[pd.Timestamp, dict[pd.Timestamp, ExpiryQuotes]]


@dataclass(frozen=True)
class Asked:
    """Whose quotes are asked for: a root and its expiries, from after a session on."""

    root: str
    expirations: frozenset[str]
    first: str


def asked_of(positions: Collection[tuple[str, Structure]]) -> Asked | None:
    """Return what is asked of a ticker's chains by positions that were priced on its quotes.

    Parameters
    ----------
    positions
        Each with the session of its signal. Those that were priced by a smile ask for nothing.
    """
    mine = [(session, one) for session, one in positions if own(one)]
    if not mine:
        return None
    return Asked(
        mine[0][1].root,
        frozenset(one.expiration for _, one in mine),
        min(session for session, _ in mine),
    )


def with_quotes(
    data_dir: Path,
    histories: Mapping[str, History],
    positions: Iterable[tuple[str, str, Structure]],
    as_of: pd.Timestamp,
) -> tuple[dict[str, History], dict[str, str]]:
    """Return histories with the quotes that positions ask for; of what cannot be read, why.

    A ticker whose chains cannot be read has no history: what is settled by a smile since a file is
    damaged would stay so.

    Parameters
    ----------
    positions
        Ticker, session of the signal, and position.
    """
    asked: dict[str, list[tuple[str, Structure]]] = {}
    for ticker, session, structure in positions:
        asked.setdefault(ticker, []).append((session, structure))
    found, unread = dict(histories), {}
    for ticker in found.keys() & asked.keys():
        mine = asked_of(asked[ticker])
        if mine is None:
            continue
        try:
            quotes = quotes_of(data_dir, ticker, mine, as_of)
        except InputError as error:
            unread[ticker] = f"its chains cannot be read: {error}"
            del found[ticker]
        else:
            found[ticker] = replace(found[ticker], quotes=quotes)
    return found, unread


def quotes_of(data_dir: Path, ticker: str, asked: Asked, as_of: pd.Timestamp) -> Quotes:
    """Return the last quotes of each close and expiry that had landed by a clock.

    Those of half an hour before a close to the end of its day count for it. Of an expiry it is the
    last time at which it is quoted: the newest chain may be part of one.

    Raises
    ------
    InputError
        If the file of the chains is missing or damaged.
    """
    if (TABLE, ticker) not in read_manifest(data_dir).entries:
        return {}
    last = as_of.tz_convert("UTC").to_pydatetime()
    first = close(pd.DatetimeIndex([asked.first]))[0].to_pydatetime()
    days = [pd.Timestamp(day).date() for day in sorted(asked.expirations)]

    def part(rows: pl.LazyFrame) -> pl.LazyFrame:
        names = rows.collect_schema().names()
        of_root = pl.col("root") == asked.root if "root" in names else pl.lit(value=True)
        return rows.filter(
            of_root
            & pl.col("expiration").is_in(days)
            & pl.col("quote_time").is_between(first, last)
            & (pl.col("landed_at") <= last)
        )

    rows = read_rows(data_dir, TABLE, [ticker], part=part)
    if "root" not in rows.columns:  # landed before there were indices among them
        rows = rows.with_columns(root=pl.col("underlying"))
        rows = rows.filter(pl.col("root") == asked.root)
    return _by_session(rows)


def _by_session(rows: pl.DataFrame) -> Quotes:
    times = rows["quote_time"].unique().to_list()
    counted = {"quote_time": times, "session": [_session(pd.Timestamp(one)) for one in times]}
    schema = {"quote_time": rows.schema["quote_time"], "session": pl.Date}
    rows = rows.join(pl.DataFrame(counted, schema=schema).drop_nulls(), on="quote_time")
    if rows.is_empty():
        return {}
    newest = pl.col("quote_time") == pl.col("quote_time").max().over("session", "expiration")
    rows = rows.filter(newest).sort("landed_at", maintain_order=True)
    rows = rows.unique([*CONTRACT, "quote_time"], keep="last", maintain_order=True)
    found: Quotes = {}
    for (session,), mine in rows.sort("session").group_by("session", maintain_order=True):
        for chain in chains_of(mine.to_pandas()):
            quotes = {one.expiration: one for one in by_expiry(chain)}
            found.setdefault(pd.Timestamp(str(session)), {}).update(quotes)
    return found


def _session(moment: pd.Timestamp) -> date | None:
    """Return the session whose close quotes of a moment stand for, as a date; None of no one."""
    day = pd.DatetimeIndex([moment.tz_convert(NEW_YORK).tz_localize(None).normalize()])
    try:
        closed = close(day)[0]
    except InputError:
        return None  # no session
    return day[0].date() if moment >= closed - DECISION_DELAY else None
