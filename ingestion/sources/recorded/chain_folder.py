"""A folder of option chains.

`<UNDERLYING>_<date>.csv` is read by `chains`, `*.parquet` by `chain_files`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pandas as pd

from ingestion.sources.later import Later
from ingestion.sources.recorded.chain_files import chain_file
from ingestion.sources.recorded.chains import chain_quotes
from ingestion.sources.wire.csv_file import ISO_DATE, read_csv
from ingestion.tables.catalogue import OPTION_CHAINS
from market.errors import SchemaViolation
from market.options.roots import chain_roots

# CSV: a file for each underlying and day; parquet: any days of any underlyings.
CHAIN_FILES: Final = ("*.csv", "*.parquet")


def opened_chains(
    folder: Path, key: str, start: pd.Timestamp | None, end: pd.Timestamp
) -> pd.DataFrame:
    """Return the quotes of an underlying in CSV files of days in [start, end], and in parquet.

    A day without a file was not recorded, and has no quotes.

    Raises
    ------
    InputError
        If the key is of no underlying.
    SchemaViolation
        If a CSV file is of no day, or a file cannot be read.
    """
    days = _days(folder, key)
    asked = [p for p, day in days.items() if day <= end and (start is None or day >= start)]
    named = [f"{folder.name}/{path.name}" for path in asked]
    frames = [chain_quotes(read_csv(folder.parent, name), key) for name in named]
    frames += [chain_file(path, key) for path in sorted(folder.glob("*.parquet"))]
    held = [frame for frame in frames if len(frame)]
    if len(held) == 1:
        return held[0]
    return pd.concat([OPTION_CHAINS.empty(), *held], ignore_index=True)


def unopened_chains(folder: Path, key: str, end: pd.Timestamp) -> Iterator[Later]:
    """Yield how many quotes each CSV file of a day after the end has, by its lines."""
    for path, day in _days(folder, key).items():
        if day > end:
            yield Later(_quotes(path), key, day)


def _days(folder: Path, key: str) -> dict[Path, pd.Timestamp]:
    """Return the CSV files of an underlying, and the day of each."""
    chain_roots(key)
    days = {}
    for path in sorted(folder.glob(f"{key}_*.csv")):
        day = pd.to_datetime(path.stem[len(key) + 1 :], format=ISO_DATE, errors="coerce")
        if pd.isna(day):
            raise SchemaViolation(
                f"got the file {folder.name}/{path.name}, allowed is {key}_<date>.csv with a date "
                "such as 2024-01-31"
            )
        days[path] = day
    return days


def _quotes(path: Path) -> int:
    try:
        return max(len(path.read_bytes().splitlines()) - 1, 1)
    except OSError:
        return 1  # what is wrong with it is told when its day has come
