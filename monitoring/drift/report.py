"""A drift report on disk: figures as JSON, an index page, and Evidently's pages behind it."""

import json
from pathlib import Path

import pandas as pd

from home.records.drift import DOCUMENT, INDEX, DriftReport
from home.replaced_folder import replaced_folder
from monitoring.drift.evidently_pages import page_name, pages, write_page
from monitoring.drift.index_page import index_page
from monitoring.drift.measure import binned, in_session_order


def write_report(
    folder: Path, report: DriftReport, reference: pd.DataFrame, current: pd.DataFrame
) -> Path:
    """Write a drift report into a folder, all or nothing, and return its index page.

    The folder is replaced: `drift.json`, `index.html`, and for each 40 features `evidently_NN`
    as HTML and JSON. The pages need no network.

    Parameters
    ----------
    folder
        Where the report goes; what is there is removed.
    report
        As `drift_report` gave it for the two windows.
    reference, current
        The windows.

    Raises
    ------
    InputError
        If another process is writing this folder, or it is a file.
    """
    names = [row.name for row in report.features]
    levels = {r.name: r.alarm_level for r in report.features if r.alarm_level is not None}
    before, after = in_session_order(reference, "reference"), in_session_order(current, "current")
    grouped = pages(binned(before, after, names))
    with replaced_folder(folder) as fresh:
        for number, features in enumerate(grouped, start=1):
            write_page(fresh, number, features, levels)
        (fresh / DOCUMENT).write_text(json.dumps(report.document(), indent=1), "utf-8")
        links = {
            feature.name: f"{page_name(number)}.html"
            for number, features in enumerate(grouped, start=1)
            for feature in features
        }
        (fresh / INDEX).write_text(index_page(report, links), "utf-8")
    return folder / INDEX
