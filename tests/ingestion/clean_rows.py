"""Rows of any declared table that keep all of its rules."""

from typing import Any

import numpy as np
import pandas as pd

from ingestion.tables.declare import Column, Table
from market.calendar import NEW_YORK, sessions

DAYS = sessions("2024-01-02", "2024-12-31")
MONTH = pd.Timedelta(days=30)


def clean(table: Table, count: int = 12) -> pd.DataFrame:
    """Return rows that keep every rule, whatever the table is; no value twice where it may vary."""
    columns = {column.name: plain(table, column, count) for column in table.columns}
    return pd.DataFrame(columns).astype(table.dtypes)


def plain(table: Table, column: Column, count: int) -> Any:
    """Return possible values of a column; shape (count,)."""
    days = DAYS[:count].as_unit("ns")
    if column.dtype == "date":
        # What an option expires on lies after its quotes.
        return days if column.session or column.name == table.dated else days + MONTH
    if column.dtype == "timestamp":
        return (days + pd.Timedelta(hours=16)).tz_localize(NEW_YORK).tz_convert("UTC")
    if column.dtype == "string":
        only = (column.allowed or ("SPY",))[0]
        named = column.name == table.partition or column.formerly == table.partition
        alone = not named and column.allowed is None
        return [f"{column.name} {row}" if alone else only for row in range(count)]
    low, high = column.minimum, column.maximum
    if column.dtype == "int":
        return int(low) + np.arange(count) % int(high - low)
    if table.splits is not None and column.name == table.splits.ratio:
        return np.ones(count)
    if table.splits is not None and column.name == table.splits.dividend:
        return np.zeros(count)
    spread = 100.0 if low is None or high is None else min(high - low, 100.0)
    return 0.1 * spread * (1.0 + np.arange(count) / 1000) + (0.0 if low is None or low < 0 else low)
