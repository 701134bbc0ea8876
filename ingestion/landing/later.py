"""What a source holds after the clock: it does not land, and is told in a line a table."""

from typing import Final

from home.records.finding import Finding
from ingestion.gate.findings import KNOWN_YET
from ingestion.landing.batch import Batch
from ingestion.landing.fetching import Fetched
from ingestion.sources.base import Source
from ingestion.sources.later import HoldsLater, Later

CHECK_DATES: Final = (
    "correct the source where a date is mistyped; else nothing, a later `--as-of` lands them"
)


def held_later(source: Source, batch: Batch, fetched: Fetched) -> Later | None:
    """Return what a source holds of the keys it answered for, after the clock; None if nothing."""
    if not isinstance(source, HoldsLater):
        return None
    answered = [key for key in batch.keys if key not in {*fetched.failed, *fetched.refused}]
    return source.later(batch.table.name, answered)


def later_findings(batch: Batch, later: Later | None) -> list[Finding]:
    """Return the finding on what lies after the clock: how many rows, and which is the first."""
    if later is None:
        return []
    table, ended = batch.table, batch.end.date()
    words = f"rows after that of {ended}, the first {later.key} of {later.day.date()}"
    return [Finding(table.name, later.key, table.dated, KNOWN_YET, later.rows, words, CHECK_DATES)]
