"""FRED's observations as rows: recorded or downloaded as CSV, and as fredapi gives them."""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.wire.csv_file import CsvFile

DATE: Final = "observation_date"
# What the download called its days until 2024.
OLD_DATE: Final = "DATE"
NULLS: Final = (".", "")


def recorded_observations(file: CsvFile, series: str) -> pd.DataFrame:
    """Return the columns of `macro_series` from `observation_date,SERIES`.

    `.` or an empty cell is a day without an observation, which is absent and gives no row.

    Raises
    ------
    SchemaViolation
        If a column is missing, or a cell is not what it should be.
    """
    file.require([DATE, series])
    frame = pd.DataFrame({"series": series, DATE: file.dates(DATE)})
    return _latest(frame, file.numbers(series, NULLS))


def downloaded_observations(file: CsvFile, series: str) -> pd.DataFrame:
    """Return the same of a download, which may name its days as it once did."""
    columns = {DATE if name == OLD_DATE else name: cells for name, cells in file.columns.items()}
    return recorded_observations(replace(file, columns=columns), series)


def latest_observations(values: pd.Series, series: str) -> pd.DataFrame:
    """Return the same of fredapi's values by day, NaN for a day without an observation."""
    frame = pd.DataFrame({"series": series, DATE: pd.DatetimeIndex(values.index)})
    return _latest(frame, values.to_numpy(float))


def _latest(frame: pd.DataFrame, values: pd.Series | np.ndarray) -> pd.DataFrame:
    """Return rows of the latest revision, whose vintage is not known."""
    frame["vintage_date"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    return frame.assign(value=values).dropna(subset="value")
