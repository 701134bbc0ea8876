"""Evidently's pages and JSON of a drift report, from features that are binned already."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from market.arrays import IntArray
from monitoring.drift.measure import Binned

if TYPE_CHECKING:
    from evidently import Run

#: Evidently draws every column, and one page of 158 takes a browser long to show.
COLUMNS_A_PAGE: Final = 40


def pages(features: Sequence[Binned]) -> list[list[Binned]]:
    """Return the comparable features in groups of at most 40, one page each.

    The others are not for Evidently: a column without a value stops its whole report.
    """
    comparable = [feature for feature in features if feature.psi is not None]
    starts = range(0, len(comparable), COLUMNS_A_PAGE)
    return [comparable[start : start + COLUMNS_A_PAGE] for start in starts]


def page_name(number: int) -> str:
    """Return the file name of a page, counted from 1, without its ending."""
    return f"evidently_{number:02d}"


def write_page(
    folder: Path, number: int, features: Sequence[Binned], levels: Mapping[str, float]
) -> None:
    """Write one page as HTML, which carries its own scripts and styles, and as JSON.

    Evidently compares columns of up to 20 categories value by value, so its PSI of decile bins is
    the decile PSI. It calls a feature drifted at its alarm level.
    """
    run = evidently_run(features, levels)
    run.save_html(str(folder / f"{page_name(number)}.html"))
    run.save_json(str(folder / f"{page_name(number)}.json"))


def evidently_run(features: Sequence[Binned], levels: Mapping[str, float]) -> "Run":
    """Return Evidently's run over binned features: one `ValueDrift` each, in their order."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    columns = DataDefinition(categorical_columns=[feature.name for feature in features])
    reference, current = (
        Dataset.from_pandas(frame, data_definition=columns) for frame in _frames(features)
    )
    metrics = [
        ValueDrift(column=feature.name, method="psi", threshold=_threshold(levels[feature.name]))
        for feature in features
    ]
    return Report(metrics, include_tests=False).run(current, reference)


def _threshold(level: float) -> float:
    # Evidently calls drift what reaches its threshold, an alarm has to pass its level.
    return math.nextafter(level, math.inf)


def _frames(features: Sequence[Binned]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the bins' labels, reference and current; known values only, so of any length."""
    reference = {row.name: _categories(row, row.reference_codes) for row in features}
    current = {row.name: _categories(row, row.current_codes) for row in features}
    return pd.DataFrame(reference), pd.DataFrame(current)


def _categories(feature: Binned, codes: IntArray | None) -> pd.Series:
    if codes is None:
        raise TypeError(f"{feature.name} is {feature.status}: it has no bins")
    return pd.Series([feature.labels[code] for code in codes], dtype=object)
