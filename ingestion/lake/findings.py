"""What is worth a look in the raw tables, kept until the rows concerned land anew.

A fact beside the manifest, written after it: where it is lost or was not reached, the next landing
finds it again.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from home.files import write_durably
from home.findings import findings_bytes, read_findings
from home.layout import DataFiles
from home.records.finding import Finding
from market.errors import DamagedFile

logger = structlog.get_logger(__name__)


def held_findings(data_dir: Path) -> dict[str, list[Finding]]:
    """Return the findings of a home by table; none where they cannot be read."""
    try:
        return read_findings(DataFiles(data_dir).findings)
    except DamagedFile as error:
        logger.warning("findings damaged, all are found again", error=f"{error!s:.120}")
        return {}


def keep_findings(
    data_dir: Path, table: str, found: Sequence[Finding], replaced: Callable[[Finding], bool]
) -> None:
    """Keep findings of a table, in the place of those they replace.

    Parameters
    ----------
    data_dir
        The data folder, held for writing.
    table
        The raw table.
    found
        What was found of it now.
    replaced
        Whether an earlier finding of the table is about what was looked at now.
    """
    held = held_findings(data_dir)
    kept = [finding for finding in held.get(table, ()) if not replaced(finding)]
    now = {**held, table: [*kept, *found]}
    if now != held:
        write_durably(DataFiles(data_dir).findings, findings_bytes(now))
