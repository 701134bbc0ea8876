"""What is worth a look in the raw tables, in words."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dashboard.queries.data import frame_of
from home.findings import read_findings
from home.layout import DataFiles


@dataclass(frozen=True)
class Told:
    """One finding in words; `key` is None for all keys together, `column` for whole rows."""

    table: str
    key: str | None
    column: str | None
    wrong: str
    act: str


def told_findings(data_dir: Path) -> pd.DataFrame | None:
    """Return the newest findings of each raw table, None where none were kept yet.

    Returns
    -------
    DataFrame
        The fields of `Told`; empty if nothing is worth a look.

    Raises
    ------
    InputError
        If the file of findings is damaged.
    """
    held = read_findings(DataFiles(data_dir).findings)
    if not held:
        return None
    return frame_of(
        Told,
        (
            Told(
                table=found.table,
                key=found.key,
                column=found.column,
                wrong=f"expected is {found.rule}; got {found.detail} ({found.count:,})",
                act=found.action,
            )
            for name in sorted(held)
            for found in held[name]
        ),
    )
