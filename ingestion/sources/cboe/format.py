"""Cboe's histories of volatility indices as rows, in index points: recorded, and as downloaded."""

from collections.abc import Callable
from typing import Final

import pandas as pd

from ingestion.sources.wire.csv_file import CsvFile

# Columns that a history may go without; they are null then.
OPTIONAL: Final = ("open", "high", "low")


def recorded_levels(file: CsvFile, symbol: str) -> pd.DataFrame:
    """Return the columns of `indices` from `Date[,Open,High,Low],Close`, dates as YYYY-MM-DD.

    Raises
    ------
    SchemaViolation
        If a column is missing, or a cell is not what it should be.
    """
    file.require(["Date", "Close"])
    return _levels(file, symbol, file.dates("Date"), str.capitalize)


def downloaded_levels(file: CsvFile, symbol: str) -> pd.DataFrame:
    """Return the columns of `indices` from `DATE[,OPEN,HIGH,LOW],CLOSE`, dates as MM/DD/YYYY.

    Raises
    ------
    SchemaViolation
        If a column is missing, or a cell is not what it should be.
    """
    file.require(["DATE", "CLOSE"])
    days = pd.to_datetime(pd.Series(file.columns["DATE"]), format="%m/%d/%Y", errors="coerce")
    file.refuse(days.isna().to_numpy(), "DATE", "a date such as 01/31/2024")
    return _levels(file, symbol, days.astype("datetime64[ns]"), str.upper)


def _levels(
    file: CsvFile, symbol: str, session: pd.Series, header: Callable[[str], str]
) -> pd.DataFrame:
    frame = pd.DataFrame({"symbol": symbol, "session": session})
    for column in OPTIONAL:
        there = header(column) in file.columns
        frame[column] = file.numbers(header(column)) if there else float("nan")
    return frame.assign(close=file.numbers(header("close")))
