"""Fetch, gate, land: each table on its own, so that one that fails leaves the others landed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import pandas as pd
import structlog

from feature_repo.availability import SERIES
from feature_repo.errors import SourceUnavailable
from ingestion.expectations import gate
from ingestion.lake import Lake
from ingestion.raw import index_symbols
from ingestion.sources.base import Source
from ingestion.table import Table
from ingestion.tables import INDICES, MACRO_SERIES, PRICES

Progress = Callable[[str, int, int], None]

logger = structlog.get_logger(__name__)

# Keys fetched and gated together: a bound on memory, and few enough runs of the gate.
BATCH: Final = 100
# Failures in a row after which the other keys of a batch are not asked for.
GIVE_UP: Final = 3


@dataclass(frozen=True)
class TableReport:
    """What one landing did to a table; `stale` says why, for the keys that did not land."""

    table: str
    keys: int
    rows_new: int
    rows_corrected: int
    rows_quarantined: int
    rows_held_back: int
    stale_keys: tuple[str, ...]
    stale: str | None

    def document(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {**asdict(self), "stale_keys": list(self.stale_keys)}


def fetch_all(
    lake: Lake,
    source: Source,
    tickers: Sequence[str],
    start: pd.Timestamp | None,
    end: pd.Timestamp,
    landed_at: pd.Timestamp,
    progress: Progress | None = None,
) -> list[TableReport]:
    """Fetch, gate and land the raw tables that the features of tickers need.

    Parameters
    ----------
    lake
        Open for writing.
    source
        Where the rows come from; tables that it does not give are left out.
    tickers
        The underlyings.
    start, end
        The days asked for, both included, without a zone; `start` None means all history. Rows
        dated after `end`, the last complete session, never land.
    landed_at
        The time of the landing, with a zone.
    progress
        Called with (what, done, total) after each batch of keys.

    Returns
    -------
    list
        One report a table. Keys for which the source did not answer are stale, with the reason.

    Raises
    ------
    InputError
        If the home holds another origin, a ticker is unknown, or the data has not the declared
        shape (`SchemaViolation`): what landed before stays.
    """
    lake.check_origin(source.origin)
    keys = needed_keys(tickers)
    batches = [
        (table, keys[table.name][at : at + BATCH])
        for table in (PRICES, INDICES, MACRO_SERIES)
        if table.name in source.tables
        for at in range(0, len(keys[table.name]), BATCH)
    ]
    reports: dict[str, TableReport] = {}
    for done, (table, batch) in enumerate(batches, start=1):
        report = _land_batch(lake, source, table, batch, (start, end), landed_at)
        reports[table.name] = _joined(reports.get(table.name), report)
        if progress is not None:
            progress(f"fetching {table.name}", done, len(batches))
    for report in reports.values():
        log = logger.warning if report.stale else logger.info
        log("table fetched", source=source.name, **report.document())
    return list(reports.values())


def needed_keys(tickers: Sequence[str]) -> dict[str, list[str]]:
    """Return the keys of each raw table that the features of tickers are computed from.

    Raises
    ------
    InputError
        If a ticker is not an underlying.
    """
    symbols = [symbol for ticker in tickers for symbol in index_symbols(ticker).values()]
    return {
        PRICES.name: list(dict.fromkeys(tickers)),
        INDICES.name: list(dict.fromkeys(symbols)),
        MACRO_SERIES.name: list(SERIES),
    }


def _land_batch(
    lake: Lake,
    source: Source,
    table: Table,
    keys: list[str],
    days: tuple[pd.Timestamp | None, pd.Timestamp],
    landed_at: pd.Timestamp,
) -> TableReport:
    frame, failed = _fetch(source, table, keys, days)
    good, bad = gate(table, frame)
    late = (table.days(good) > days[1]) & table.sessional
    landing = lake.land(table, good[~late], source.origin, landed_at, bad)
    return TableReport(
        table.name,
        len(keys),
        landing.rows_new,
        landing.rows_corrected,
        landing.rows_quarantined,
        int(late.sum()),
        tuple(failed),
        next(iter(failed.values()), None),
    )


def _fetch(
    source: Source,
    table: Table,
    keys: list[str],
    days: tuple[pd.Timestamp | None, pd.Timestamp],
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the rows of the keys that the source gives, and why it gives none of the others.

    Keys are asked for together. Where that fails each is asked for alone, so that one of them does
    not keep the others out; after a few failures in a row the vendor is taken to be down.
    """
    try:
        return source.fetch(table.name, keys, *days), {}
    except SourceUnavailable as error:
        if len(keys) == 1:
            return table.empty(), {keys[0]: str(error)}
    frames, failed, in_a_row = [table.empty()], {}, 0
    for key in keys:
        if in_a_row < GIVE_UP:
            frame, reason = _fetch(source, table, [key], days)
            in_a_row = in_a_row + 1 if reason else 0
            frames.append(frame)
            failed |= reason
        else:
            failed[key] = "not asked for: the source had stopped answering"
    return pd.concat(frames, ignore_index=True).astype(table.dtypes), failed


def _joined(one: TableReport | None, other: TableReport) -> TableReport:
    """Return the report of two batches of a table."""
    if one is None:
        return other
    return TableReport(
        one.table,
        one.keys + other.keys,
        one.rows_new + other.rows_new,
        one.rows_corrected + other.rows_corrected,
        one.rows_quarantined + other.rows_quarantined,
        one.rows_held_back + other.rows_held_back,
        one.stale_keys + other.stale_keys,
        one.stale or other.stale,
    )
