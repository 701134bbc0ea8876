"""Fetch, gate, land: each table on its own, so that one that fails leaves the others landed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

import pandas as pd
import structlog

from feature_repo.availability import SERIES
from feature_repo.errors import MissingCredential, NotEntitled, SchemaViolation, SourceUnavailable
from feature_repo.markets import basket_symbols, underlying
from ingestion.build_record import LANDED, landing_fingerprint, read_record, write_record
from ingestion.expectations import gate
from ingestion.lake import Lake, Landing
from ingestion.raw import index_symbols
from ingestion.sources.base import Source
from ingestion.table import Table
from ingestion.table_rules import Finding, findings
from ingestion.tables import (
    EARNINGS_CALENDAR,
    INDICES,
    MACRO_SERIES,
    MARKET_SCOPE,
    MENTIONS,
    NEWS,
    NEWS_SENTIMENT,
    OPTION_CHAINS,
    PRICES,
    TABLES,
)

Progress = Callable[[str, int, int], None]
Days = tuple[pd.Timestamp | None, pd.Timestamp]

logger = structlog.get_logger(__name__)

# Keys fetched and gated together: a bound on memory, and few enough runs of the gate.
BATCH: Final = 100
# What every home needs: an answer of another shape stops the run. That of another table leaves its
# view behind, and the others go on.
CORE: Final = (PRICES, INDICES, MACRO_SERIES)
# Failures in a row after which the other keys of a batch are not asked for.
GIVE_UP: Final = 3


@dataclass(frozen=True)
class TableReport:
    """What one landing did to a table.

    `stale` says why, for the keys that did not land and may land another time; `unavailable` says
    what has to be set up before the table can land at all. `findings` are of what landed anew.
    """

    table: str
    keys: int
    rows_new: int
    rows_corrected: int
    rows_quarantined: int
    rows_held_back: int
    stale_keys: tuple[str, ...]
    stale: str | None
    unavailable: str | None = None
    findings: tuple[Finding, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {
            **asdict(self),
            "stale_keys": list(self.stale_keys),
            "findings": [finding.document() for finding in self.findings],
        }


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
        of sessions after `end`, the last complete one, never land. Option chains are asked for
        at `end` only.
    landed_at
        The time of the landing, with a zone.
    progress
        Called with (what, done, total) after each batch of keys.

    Returns
    -------
    list
        One report a table. Keys for which the source did not answer are stale, with the reason;
        a table that needs a key or a plan that is not there is unavailable.

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
        for table in TABLES.values()
        if table.name in source.tables
        for at in range(0, len(keys[table.name]), BATCH)
    ]
    reports: dict[str, TableReport] = {}
    for done, (table, batch) in enumerate(batches, start=1):
        days = (end if table is OPTION_CHAINS else start, end)
        report = _land_batch(lake, source, table, batch, days, landed_at)
        reports[table.name] = _joined(reports.get(table.name), report)
        if progress is not None:
            progress(f"fetching {table.name}", done, len(batches))
    for report in reports.values():
        log = logger.warning if report.stale else logger.info
        log("table fetched", source=source.name, **report.document())
    return list(reports.values())


def needed_keys(tickers: Sequence[str]) -> dict[str, list[str]]:
    """Return the keys of each raw table that tickers need: for their features, and their chains.

    Raises
    ------
    InputError
        If a ticker is not an underlying.
    """
    known = [underlying(ticker).ticker for ticker in tickers]
    symbols = [symbol for ticker in known for symbol in index_symbols(ticker).values()]
    companies = [symbol for ticker in tickers for symbol in basket_symbols(ticker)]
    keys = {
        PRICES: tickers,
        INDICES: symbols,
        MACRO_SERIES: SERIES,
        NEWS: (MARKET_SCOPE,),
        NEWS_SENTIMENT: tickers,
        MENTIONS: tickers,
        EARNINGS_CALENDAR: companies,
        OPTION_CHAINS: tickers,
    }
    return {table.name: list(dict.fromkeys(wanted)) for table, wanted in keys.items()}


def _land_batch(
    lake: Lake,
    source: Source,
    table: Table,
    keys: list[str],
    days: Days,
    landed_at: pd.Timestamp,
) -> TableReport:
    try:
        frame, failed = _fetch(source, table, keys, days)
    except (MissingCredential, NotEntitled) as error:
        return TableReport(table.name, len(keys), 0, 0, 0, 0, (), None, str(error))
    except SchemaViolation as error:
        if table in CORE:
            raise
        return TableReport(table.name, len(keys), 0, 0, 0, 0, tuple(keys), str(error))
    record, name = read_record(lake.data_dir / LANDED), _batch_name(table, keys)

    def state(late: int) -> str:
        same = landing_fingerprint(lake.manifest, table.name, keys, frame, days[1])
        return f"{late} held back {same}"

    counted = re.match(r"\d+", record.get(name, ""))
    late = int(counted[0]) if counted else 0
    landing = Landing(table.name, 0, 0, 0, ())
    found: tuple[Finding, ...] = ()
    # The same rows onto the same rows by the same rules: gate and lake would find nothing new.
    if record.get(name) != state(late):
        landing, late, found = _land(lake, table, frame, days[1], source.origin, landed_at)
        write_record(lake.data_dir / LANDED, record | {name: state(late)})
    return TableReport(
        table.name,
        len(keys),
        landing.rows_new,
        landing.rows_corrected,
        landing.rows_quarantined,
        late,
        tuple(failed),
        next(iter(failed.values()), None),
        findings=found,
    )


def _batch_name(table: Table, keys: Sequence[str]) -> str:
    return f"{table.name}/{sha256(','.join(keys).encode()).hexdigest()[:12]}"


def _land(
    lake: Lake,
    table: Table,
    frame: pd.DataFrame,
    end: pd.Timestamp,
    origin: str,
    landed_at: pd.Timestamp,
) -> tuple[Landing, int, tuple[Finding, ...]]:
    """Gate and land the rows up to the end; count those held back, and say what is missing."""
    stored = partial(lake.stored, table.name)
    good, bad = gate(table, frame, stored)
    late = (table.days(good) > end) & table.sessional
    found = tuple(findings(table, good[~late], stored))
    return lake.land(table, good[~late], origin, landed_at, bad), int(late.sum()), found


def _fetch(
    source: Source,
    table: Table,
    keys: list[str],
    days: Days,
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
        one.unavailable or other.unavailable,
        one.findings + other.findings,
    )
