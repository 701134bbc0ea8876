"""Gate and land what was fetched of a batch, unless it is what landed last."""

import re
from functools import partial
from typing import Final

import pandas as pd

from home.layout import DataFiles
from home.records.finding import Finding
from ingestion.gate.chains import quoted_later
from ingestion.gate.expectations import REASON, SEPARATOR, gate
from ingestion.gate.findings import OF_ANSWERS, findings
from ingestion.gate.missing_bars import counted_later
from ingestion.gate.rules import is_of_quotes
from ingestion.lake.findings import held_findings, keep_findings
from ingestion.lake.lake import Lake
from ingestion.lake.record import landing_fingerprint, read_record, write_record
from ingestion.landing.answers import answers, commit_answers, completely_answered
from ingestion.landing.batch import Batch
from ingestion.landing.fetching import Fetched
from ingestion.landing.report import TableReport
from ingestion.landing.untold_splits import untold_findings
from ingestion.landing.withdrawn import withdrawn
from ingestion.tables.catalogue import EARNINGS_CALENDAR

# The clock of a landing is that of its start: so long after it a vendor may quote while it runs.
RUNNING: Final = pd.Timedelta(hours=1)


def land_new(
    lake: Lake,
    origin: str,
    batch: Batch,
    fetched: Fetched,
    running: pd.Timedelta = RUNNING,
) -> TableReport:
    """Land what was fetched, if it is not what landed last, and record who answered, at once.

    Quotes of options that are of later than `running` after the landing are refused.
    """
    newest = batch.landed_at + running
    record = read_record(DataFiles(lake.data_dir).landed)
    before = record.get(batch.name, "")
    late = _held_back(before)
    # The same rows onto the same rows by the same rules: gate and lake would find nothing new.
    known = batch.table.name in held_findings(lake.data_dir)
    if known and before == _state(lake, batch, fetched, late, newest):
        commit_answers(lake, batch, fetched)
        return TableReport(batch.table.name, len(batch.keys), rows_held_back=late)
    gone = _withdrawn(lake, batch, fetched)
    with lake.all_or_nothing():
        lake.answered(answers(lake.manifest, batch, fetched))
        report = _land(lake, origin, batch, fetched.frame, gone, newest)
        lake.commit()
    keep_findings(lake.data_dir, batch.table.name, report.findings, partial(_is_of_rows, batch))
    state = _state(lake, batch, fetched, report.rows_held_back, newest)
    write_record(DataFiles(lake.data_dir).landed, record | {batch.name: state})
    return report


def _is_of_rows(batch: Batch, finding: Finding) -> bool:
    """Return whether a finding is about rows of a batch that lands."""
    return finding.rule not in OF_ANSWERS and finding.key in (None, *batch.keys)


def _state(lake: Lake, batch: Batch, fetched: Fetched, late: int, newest: pd.Timestamp) -> str:
    """Return what is recorded of a batch: how many rows were held back, and all it depends on."""
    landed = landing_fingerprint(
        lake.manifest, batch.table.name, batch.keys, fetched.frame, batch.end
    )
    quotes = is_of_quotes(batch.table)
    ahead = int(quoted_later(fetched.frame, newest).sum()) if quotes else 0
    # What is quoted ahead may land another time.
    return f"{late} held back {landed}" + (f" {ahead} ahead" if ahead else "")


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
    lake: Lake,
    origin: str,
    batch: Batch,
    frame: pd.DataFrame,
    gone: pd.DataFrame,
    newest: pd.Timestamp,
) -> TableReport:
    """Gate and land the rows up to the end; count those held back, and say what is missing.

    Rows that are `gone` come from the lake itself and pass no gate.
    """
    table = batch.table
    stored = partial(lake.stored, table.name)
    good, bad = gate(table, frame, stored, newest)
    late = (table.days(good) > batch.end) & table.sessional
    rows = good[~late] if late.any() else good
    found = (
        *findings(table, rows, stored),
        *counted_later(table, frame),
        *untold_findings(table, frame, rows, stored),
    )
    if len(gone):
        rows = pd.concat([rows, gone], ignore_index=True).astype(table.dtypes)
    landing = lake.land(table, rows, origin, batch.landed_at, bad)
    return TableReport(
        table.name,
        len(batch.keys),
        rows_new=landing.rows_new,
        rows_corrected=landing.rows_corrected,
        rows_quarantined=landing.rows_quarantined,
        rows_held_back=int(late.sum()),
        findings=found,
        refused=bad[REASON].astype(str).str.split(SEPARATOR).explode().value_counts().to_dict(),
    )
