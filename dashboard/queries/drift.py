"""Drift reports on disk."""

from pathlib import Path
from typing import Final

import pandas as pd

from dashboard.queries.documents import NothingYet, read_json
from home.records.drift import DOCUMENT, DriftReport, FeatureDrift

NOTHING: Final = "No drift report yet: run `optrade drift --ticker SPY`."


def report_names(folder: Path) -> list[str]:
    """Return the names of the reports below a folder, the newest first.

    Raises
    ------
    NothingYet
        If there is none.
    """
    # A report being written lies in a hidden folder until it is whole.
    found = [
        path.parent.relative_to(folder)
        for path in folder.rglob(DOCUMENT)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise NothingYet(NOTHING)
    newest = sorted(found, key=lambda name: (folder / name / DOCUMENT).stat().st_mtime_ns)
    return [name.as_posix() for name in reversed(newest)]


def read_report(path: Path) -> DriftReport:
    """Return a drift report.

    Raises
    ------
    InputError
        If the file is missing, no JSON, or no report of this version.
    """
    return DriftReport.parse(read_json(path), f"drift report {path}")


def feature_table(report: DriftReport) -> pd.DataFrame:
    """Return one row for each feature, its columns the fields of `FeatureDrift`."""
    rows = [row.document() for row in report.features]
    return pd.DataFrame(rows, columns=list(FeatureDrift.model_fields))
