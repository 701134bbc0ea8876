"""Fetch, gate, land: each table on its own, so that one that fails leaves the others landed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd
import structlog

from home.layout import DataFiles
from home.progress import Progress
from ingestion.gate.expectations import gate
from ingestion.gate.findings import Finding, findings
from ingestion.lake.lake import Lake
from ingestion.lake.record import landing_fingerprint, read_record, write_record
from ingestion.landing.answers import answers, commit_answers, completely_answered
from ingestion.landing.batch import Batch, batches
from ingestion.landing.fetching import Fetched, fetch_keys
from ingestion.landing.report import TableReport
from ingestion.landing.withdrawn import withdrawn
from ingestion.sources.base import Source
from ingestion.tables.catalogue import EARNINGS_CALENDAR, INDICES, MACRO_SERIES, PRICES
from market.errors import MissingCredential, NotEntitled, SchemaViolation

logger = structlog.get_logger(__name__)

# What every home needs: an answer of another shape stops the run. That of another table leaves its
# view behind, and the others go on.
CORE: Final = (PRICES, INDICES, MACRO_SERIES)
# The rule that a key breaks for which the vendor's plan has no answer.
IN_PLAN: Final = "included in the plan"


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
    due = batches(source, tickers, start, end, landed_at)
    reports: dict[str, TableReport] = {}
    for done, batch in enumerate(due, start=1):
        report, name = _land_batch(lake, source, batch), batch.table.name
        reports[name] = reports[name] + report if name in reports else report
        if progress is not None:
            progress(f"fetching {name}", done, len(due))
    for report in reports.values():
        log = logger.warning if report.stale else logger.info
        log("table fetched", source=source.name, **report.document())
    return list(reports.values())


def _land_batch(lake: Lake, source: Source, batch: Batch) -> TableReport:
    table, keys = batch.table, batch.keys
    try:
        fetched = fetch_keys(source, table, keys, batch.days)
    except (MissingCredential, NotEntitled) as error:
        landed = [key for key in keys if key in lake.manifest.keys(table.name)]
        failed = Fetched(table.empty(), dict.fromkeys(landed, ""))
        commit_answers(lake, replace(batch, keys=tuple(landed)), failed)
        return TableReport(table.name, len(keys), unavailable=str(error))
    except SchemaViolation as error:
        if table in CORE:
            raise
        commit_answers(lake, batch, Fetched(table.empty(), dict.fromkeys(keys, str(error))))
        return TableReport(table.name, len(keys), stale_keys=keys, stale=str(error))
    report = _land_new(lake, source.origin, batch, fetched)
    return replace(
        report,
        stale_keys=tuple(fetched.failed),
        stale=next(iter(fetched.failed.values()), None),
        findings=(
            *report.findings,
            *(Finding(table.name, key, IN_PLAN, 1, why) for key, why in fetched.refused.items()),
        ),
    )


def _land_new(lake: Lake, origin: str, batch: Batch, fetched: Fetched) -> TableReport:
    """Land what was fetched, if it is not what landed last, and record who answered, at once."""
    record = read_record(DataFiles(lake.data_dir).landed)
    before = record.get(batch.name, "")
    late = _held_back(before)
    # The same rows onto the same rows by the same rules: gate and lake would find nothing new.
    if before == _state(lake, batch, fetched, late):
        commit_answers(lake, batch, fetched)
        return TableReport(batch.table.name, len(batch.keys), rows_held_back=late)
    gone = _withdrawn(lake, batch, fetched)
    with lake.all_or_nothing():
        lake.answered(answers(lake.manifest, batch, fetched))
        report = _land(lake, origin, batch, fetched.frame, gone)
        lake.commit()
    state = _state(lake, batch, fetched, report.rows_held_back)
    write_record(DataFiles(lake.data_dir).landed, record | {batch.name: state})
    return report


def _state(lake: Lake, batch: Batch, fetched: Fetched, late: int) -> str:
    """Return what is recorded of a batch: how many rows were held back, and all it depends on."""
    landed = landing_fingerprint(
        lake.manifest, batch.table.name, batch.keys, fetched.frame, batch.end
    )
    return f"{late} held back {landed}"


def _held_back(state: str) -> int:
    """Return how many rows were held back, as a record says."""
    counted = re.match(r"\d+", state)
    return int(counted[0]) if counted else 0


def _withdrawn(lake: Lake, batch: Batch, fetched: Fetched) -> pd.DataFrame:
    """Return versions of reports that are not listed any more; none of another table."""
    if batch.table is not EARNINGS_CALENDAR:
        return batch.table.empty()
    symbols = completely_answered(lake.manifest, batch, fetched)
    return withdrawn(fetched.frame, symbols, partial(lake.stored, batch.table.name), batch.end)


def _land(
    lake: Lake, origin: str, batch: Batch, frame: pd.DataFrame, gone: pd.DataFrame
) -> TableReport:
    """Gate and land the rows up to the end; count those held back, and say what is missing.

    Rows that are `gone` come from the lake itself and pass no gate.
    """
    table = batch.table
    stored = partial(lake.stored, table.name)
    good, bad = gate(table, frame, stored)
    late = (table.days(good) > batch.end) & table.sessional
    missing = tuple(findings(table, good[~late], stored))
    rows = pd.concat([good[~late], gone], ignore_index=True).astype(table.dtypes)
    landing = lake.land(table, rows, origin, batch.landed_at, bad)
    return TableReport(
        table.name,
        len(batch.keys),
        rows_new=landing.rows_new,
        rows_corrected=landing.rows_corrected,
        rows_quarantined=landing.rows_quarantined,
        rows_held_back=int(late.sum()),
        findings=missing,
    )
