"""Drift reports on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from dashboard.queries.documents import NothingYet, known, pick, read_json

DOCUMENT: Final = "drift.json"
PAGE: Final = "index.html"
NOTHING: Final = "No drift report yet: run `optrade drift --ticker SPY`."


@dataclass(frozen=True)
class DriftReport:
    """A drift report, every field checked.

    Attributes
    ----------
    reference, current
        `start`, `end`, `rows` of the windows.
    alert, compared, alarmed, alarmed_level
        As the report says; None where it does not.
    features
        `name`, `view`, `status`, `psi`, `alarm_level`, `alarm`, `null_share`,
        `reference_null_share`; null where not known.
    """

    reference: dict[str, Any]
    current: dict[str, Any]
    alert: bool | None
    compared: int | None
    alarmed: int | None
    alarmed_level: float | None
    features: pd.DataFrame


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
        If the file is missing, no JSON, or lacks a field.
    """
    document, source = read_json(path), f"drift report {path}"
    rows = [_feature(row, source) for row in pick(document, "features", list, source)]
    return DriftReport(
        reference=_window(document, "reference", source),
        current=_window(document, "current", source),
        alert=known(document, "alert", bool, source),
        compared=known(document, "compared", int, source),
        alarmed=known(document, "alarmed", int, source),
        alarmed_level=known(document, "alarmed_level", float, source),
        features=pd.DataFrame(rows, columns=_COLUMNS),
    )


_COLUMNS: Final = [
    "name", "view", "status", "psi", "alarm_level", "alarm", "null_share", "reference_null_share",
]  # fmt: skip


def _window(document: Mapping[str, Any], name: str, source: str) -> dict[str, Any]:
    kinds: dict[str, type] = {"start": str, "end": str, "rows": int}
    return {key: known(document, f"{name}.{key}", kind, source) for key, kind in kinds.items()}


def _feature(row: Mapping[str, Any], source: str) -> dict[str, Any]:
    figure, level = (known(row, name, float, source) for name in ("psi", "alarm_level"))
    return {
        "name": pick(row, "name", str, source),
        "view": pick(row, "view", str, source),
        "status": known(row, "status", str, source),
        "psi": figure,
        "alarm_level": level,
        "alarm": None if figure is None or level is None else figure > level,
        "null_share": known(row, "null_share", float, source),
        "reference_null_share": known(row, "reference_null_share", float, source),
    }
