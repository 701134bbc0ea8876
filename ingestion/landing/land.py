"""Fetch, gate, land: each table on its own, so that one that fails leaves the others landed."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, Final

import pandas as pd
import structlog

from home.layout import DataFiles
from home.manifest import Answer
from home.progress import Progress
from ingestion.gate.expectations import gate
from ingestion.gate.findings import Finding, findings
from ingestion.lake.lake import Lake, Landing
from ingestion.lake.record import landing_fingerprint, read_record, write_record
from ingestion.landing.fetching import Days, Fetched, fetch_keys
from ingestion.landing.withdrawn import withdrawn
from ingestion.sources.base import Source
from ingestion.tables.catalogue import (
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
from ingestion.tables.declare import Table
from ingestion.views.compute import CARRIED
from ingestion.views.raw import index_symbols
from market.availability import SERIES
from market.baskets import basket_symbols
from market.errors import MissingCredential, NotEntitled, SchemaViolation
from market.underlyings import underlying

logger = structlog.get_logger(__name__)

# Keys fetched and gated together: a bound on memory, and few enough runs of the gate.
BATCH: Final = 100
# What every home needs: an answer of another shape stops the run. That of another table leaves its
# view behind, and the others go on.
CORE: Final = (PRICES, INDICES, MACRO_SERIES)
# The rule that a key breaks for which the vendor's plan has no answer.
IN_PLAN: Final = "included in the plan"


@dataclass(frozen=True)
class TableReport:
    """What one landing did to a table.

    `stale` says why, for the keys that did not land and may land another time; `unavailable` says
    what has to be set up before the table can land at all. `findings` are of what landed anew, and
    of single keys that the vendor's plan does not include.
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
        got = fetch_keys(source, table, keys, days)
    except (MissingCredential, NotEntitled) as error:
        held = [key for key in keys if key in lake.manifest.keys(table.name)]
        _commit_answers(lake, table, held, Fetched(table.empty(), dict.fromkeys(held, "")), days[1])
        return TableReport(table.name, len(keys), 0, 0, 0, 0, (), None, str(error))
    except SchemaViolation as error:
        if table in CORE:
            raise
        failed = dict.fromkeys(keys, str(error))
        _commit_answers(lake, table, keys, Fetched(table.empty(), failed), days[1])
        return TableReport(table.name, len(keys), 0, 0, 0, 0, tuple(keys), str(error))
    landing, late, found = _land_new(lake, source.origin, table, keys, got, days[1], landed_at)
    return TableReport(
        table.name,
        len(keys),
        landing.rows_new,
        landing.rows_corrected,
        landing.rows_quarantined,
        late,
        tuple(got.failed),
        next(iter(got.failed.values()), None),
        findings=(
            *found,
            *(Finding(table.name, key, IN_PLAN, 1, why) for key, why in got.refused.items()),
        ),
    )


def _land_new(
    lake: Lake,
    origin: str,
    table: Table,
    keys: list[str],
    got: Fetched,
    end: pd.Timestamp,
    landed_at: pd.Timestamp,
) -> tuple[Landing, int, tuple[Finding, ...]]:
    """Land what was fetched, if it is not what landed last, and record who answered, at once."""
    record, name = read_record(DataFiles(lake.data_dir).landed), _batch_name(table, keys)

    def state(late: int) -> str:
        same = landing_fingerprint(lake.manifest, table.name, keys, got.frame, end)
        return f"{late} held back {same}"

    counted = re.match(r"\d+", record.get(name, ""))
    late = int(counted[0]) if counted else 0
    # The same rows onto the same rows by the same rules: gate and lake would find nothing new.
    if record.get(name) == state(late):
        _commit_answers(lake, table, keys, got, end)
        return Landing(table.name, 0, 0, 0, ()), late, ()
    gone = _withdrawn(lake, table, keys, got, end)
    with lake.all_or_nothing():
        lake.answered(_answers(lake, table, keys, got, end))
        landing, late, found = _land(lake, table, got.frame, gone, end, origin, landed_at)
        lake.commit()
    write_record(DataFiles(lake.data_dir).landed, record | {name: state(late)})
    return landing, late, found


def _commit_answers(
    lake: Lake, table: Table, keys: Sequence[str], got: Fetched, end: pd.Timestamp
) -> None:
    with lake.all_or_nothing():
        lake.answered(_answers(lake, table, keys, got, end))
        lake.commit()


def _answers(
    lake: Lake, table: Table, keys: Sequence[str], got: Fetched, end: pd.Timestamp
) -> dict[tuple[str, str], Answer]:
    """Return how the source has answered for the keys of a table that is carried forward."""
    found = {}
    for key in keys if table.name in CARRIED.values() else ():
        before = lake.manifest.answers.get((table.name, key), Answer(None))
        if key in got.refused:
            before = replace(before, refused=True)
        elif key not in got.failed:
            before = Answer(max(str(end.date()), before.through or ""))
        found[table.name, key] = before
    return found


def _withdrawn(
    lake: Lake, table: Table, keys: Sequence[str], got: Fetched, end: pd.Timestamp
) -> pd.DataFrame:
    """Return versions of reports that are not listed any more; none of another table."""
    if table is not EARNINGS_CALENDAR:
        return table.empty()
    # A question about an earlier session than the last one is not answered with all there is.
    asked = [
        key
        for key in keys
        if key not in {*got.failed, *got.refused}
        and (lake.manifest.answers.get((table.name, key), Answer(None)).through or "")
        <= str(end.date())
    ]
    return withdrawn(got.frame, asked, partial(lake.stored, table.name), end)


def _batch_name(table: Table, keys: Sequence[str]) -> str:
    return f"{table.name}/{sha256(','.join(keys).encode()).hexdigest()[:12]}"


def _land(
    lake: Lake,
    table: Table,
    frame: pd.DataFrame,
    gone: pd.DataFrame,
    end: pd.Timestamp,
    origin: str,
    landed_at: pd.Timestamp,
) -> tuple[Landing, int, tuple[Finding, ...]]:
    """Gate and land the rows up to the end; count those held back, and say what is missing.

    Rows that are `gone` come from the lake itself and pass no gate.
    """
    stored = partial(lake.stored, table.name)
    good, bad = gate(table, frame, stored)
    late = (table.days(good) > end) & table.sessional
    found = tuple(findings(table, good[~late], stored))
    rows = pd.concat([good[~late], gone], ignore_index=True).astype(table.dtypes)
    return lake.land(table, rows, origin, landed_at, bad), int(late.sum()), found


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
