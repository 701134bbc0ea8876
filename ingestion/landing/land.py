"""Fetch and land: each table on its own, so that one that fails leaves the others landed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd
import structlog

from home.progress import Progress
from home.records.finding import Finding
from ingestion.gate.findings import IN_PLAN, OF_ANSWERS, absent
from ingestion.gate.sequences import wrong_splits
from ingestion.lake.findings import keep_findings
from ingestion.lake.lake import Lake
from ingestion.lake.quarantine import FOLDER
from ingestion.landing.answers import commit_answers
from ingestion.landing.batch import Batch, batches
from ingestion.landing.fetching import NOT_ASKED, Fetched, fetch_keys
from ingestion.landing.land_new import land_new
from ingestion.landing.later import held_later, later_findings
from ingestion.landing.report import TableReport, reasons
from ingestion.sources.base import Source
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, PRICES
from ingestion.tables.frames import UNNAMEABLE
from market.errors import MissingCredential, NotEntitled, SchemaViolation

logger = structlog.get_logger(__name__)

# What every home needs: an answer of another shape stops the run. That of another table leaves its
# view behind, and the others go on.
CORE: Final = (PRICES, INDICES, MACRO_SERIES)
CHANGE_PLAN: Final = "nothing, or take a plan that includes it"


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
        of sessions after `end`, the last complete one, never land. Option chains that were not
        recorded are asked for at `end` only.
    landed_at
        The time of the landing, with a zone.
    progress
        Called with (what, done, total) after each batch of keys.

    Returns
    -------
    list
        One report a table. Keys for which the source did not answer, or of which a file is
        damaged, are stale, with the reason;
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
    """Land the keys of a batch whose files are whole; name the others (Decision 24)."""
    name = batch.table.name
    damaged = {key: why for key in batch.keys if (why := _fault(lake, name, key)) is not None}
    left_out = TableReport(
        name, len(damaged), stale_keys=tuple(damaged), stale=reasons(damaged.values())
    )
    whole = tuple(key for key in batch.keys if key not in damaged)
    return _land_whole(lake, source, replace(batch, keys=whole)) + left_out if whole else left_out


def _fault(lake: Lake, table: str, key: str) -> str | None:
    """Return which file that a landing of a key may add to is damaged, None where none is."""
    refused = FOLDER + table
    faults = (lake.fault(*name) for name in ((table, key), (refused, key), (refused, UNNAMEABLE)))
    return next((fault for fault in faults if fault is not None), None)


def _land_whole(lake: Lake, source: Source, batch: Batch) -> TableReport:
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
    stored = partial(lake.stored, table.name)
    fetched = fetched.without(table, wrong_splits(table, fetched.frame, stored))
    report = land_new(lake, source.origin, batch, fetched)
    refused = [
        Finding(table.name, key, None, IN_PLAN, 1, why, CHANGE_PLAN)
        for key, why in fetched.refused.items()
    ]
    later = held_later(source, batch, fetched)
    without = _without_rows(lake, batch, fetched)
    of_answers = [*refused, *without, *later_findings(batch, later)]
    keep_findings(lake.data_dir, table.name, of_answers, partial(_is_of_answers, batch))
    return replace(
        report,
        rows_held_back=report.rows_held_back + (0 if later is None else later.rows),
        stale_keys=tuple(fetched.failed),
        stale=reasons(why for why in fetched.failed.values() if why != NOT_ASKED),
        findings=(*report.findings, *of_answers),
    )


def _is_of_answers(batch: Batch, finding: Finding) -> bool:
    """Return whether a finding is about how a source answered for the keys of a batch."""
    return finding.rule in OF_ANSWERS and finding.key in batch.keys


def _without_rows(lake: Lake, batch: Batch, fetched: Fetched) -> list[Finding]:
    """Return the keys that features cannot do without and of which nothing has landed."""
    if batch.table not in CORE:
        return []
    answered = [key for key in batch.keys if key not in {*fetched.failed, *fetched.refused}]
    return absent(batch.table, answered, partial(lake.stored, batch.table.name))
