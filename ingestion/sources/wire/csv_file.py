"""A vendor's CSV file read to the letter: what cannot be read is refused with its place."""

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from market.errors import KeyUnavailable, SchemaViolation

ISO_DATE = "%Y-%m-%d"
# A time without a zone is no time.
ZONED = r".*\d(?:Z|[+-]\d\d:?\d\d)"
# Lines that a vendor writes before the header, at most.
PROSE = 10
# Seconds since 1970 up to the year 2100: milliseconds lie far beyond.
LAST_SECOND = 4_102_444_800


@dataclass(frozen=True)
class CsvFile:
    """The text of a CSV file, by column.

    Attributes
    ----------
    name
        The file's name in messages, such as `yahoo/SPY.csv`.
    columns
        The cells of every column, as strings; each of shape (n_rows,).
    lines
        The line of the file each row ends on (the header is line 1); shape (n_rows,).
    """

    name: str
    columns: dict[str, np.ndarray]
    lines: np.ndarray

    def dates(self, column: str) -> pd.Series:
        """Return the days of a column, at midnight without a zone.

        Raises
        ------
        SchemaViolation
            At the first cell that is not a date in the form YYYY-MM-DD.
        """
        cells = self.columns[column]
        days = pd.to_datetime(pd.Series(cells), format=ISO_DATE, errors="coerce")
        self.refuse(days.isna().to_numpy(), column, "a date such as 2024-01-31")
        return days.astype("datetime64[ns]")

    def times(self, column: str) -> pd.Series:
        """Return the times of a column, in UTC.

        Raises
        ------
        SchemaViolation
            At the first cell that is not a time with a zone in the form of ISO 8601.
        """
        cells = pd.Series(self.columns[column], dtype=object)
        zoned = cells.where(cells.str.fullmatch(ZONED))
        times = pd.to_datetime(zoned, format="ISO8601", utc=True, errors="coerce")
        self.refuse(times.isna().to_numpy(), column, "a time such as 2024-01-31T21:30:00Z")
        return times.astype("datetime64[ns, UTC]")

    def seconds(self, column: str) -> pd.Series:
        """Return the times of a column of whole seconds since 1970, in UTC.

        Raises
        ------
        SchemaViolation
            At the first cell that is not such a number.
        """
        counts = self.numbers(column).to_numpy()
        possible = (counts == np.floor(counts)) & (counts >= 0) & (counts <= LAST_SECOND)
        self.refuse(~possible, column, "whole seconds since 1970 such as 1706736600")
        times = pd.to_datetime(pd.Series(counts.astype("int64")), unit="s", utc=True)
        return times.astype("datetime64[ns, UTC]")

    def texts(self, column: str) -> pd.Series:
        """Return the texts of a column, an empty cell as None."""
        cells = pd.Series(self.columns[column], dtype=object)
        return cells.where(cells != "", None)

    def numbers(self, column: str, nulls: Collection[str] = ("",)) -> pd.Series:
        """Return the numbers of a column as float64, its null marks as NaN.

        Raises
        ------
        SchemaViolation
            At the first cell that is neither a number nor one of `nulls`.
        """
        cells = self.columns[column]
        values = pd.to_numeric(pd.Series(cells), errors="coerce").astype("float64")
        null = np.isin(cells, list(nulls))
        marks = " or ".join("an empty cell" if mark == "" else repr(mark) for mark in nulls)
        self.refuse(values.isna().to_numpy() & ~null, column, f"a number, or {marks} for null")
        return values.where(~null)

    def require(self, names: Sequence[str]) -> None:
        """Refuse the file unless it has every one of the named columns; others are ignored.

        Raises
        ------
        SchemaViolation
            Naming the columns that are missing.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise SchemaViolation(
                f"{self.name}, line 1: missing column {', '.join(missing)}; "
                f"got {', '.join(self.columns):.200}, allowed are at least {', '.join(names)}"
            )

    def refuse(self, wrong: np.ndarray, column: str, allowed: str) -> None:
        """Refuse the file at the first wrong cell of a column.

        Raises
        ------
        SchemaViolation
            Naming the file, the line, the column, the cell and what is allowed.
        """
        if wrong.any():
            at = int(wrong.argmax())
            raise SchemaViolation(
                f"{self.name}, line {self.lines[at]}, column {column}: "
                f"got {str(self.columns[column][at])!r:.60}, allowed is {allowed}"
            )


def read_csv(folder: Path, name: str) -> CsvFile:
    """Return a CSV file of UTF-8 text with one header line; blank lines are passed over.

    Raises
    ------
    KeyUnavailable
        If the file is not there or cannot be opened.
    SchemaViolation
        If it is not UTF-8, empty, has a column twice, or a row of another length.
    """
    header, rows, lines = _rows(name, _text(folder, name))
    if header is None:
        raise SchemaViolation(f"{name}: the file is empty, allowed is a header and rows")
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        raise SchemaViolation(
            f"{name}, line 1: got column {', '.join(twice):.200} more than once, allowed is once"
        )
    if not rows:
        raise SchemaViolation(f"{name}: got a header and no row, allowed is at least one row")
    cells = np.array(rows, dtype=object).T
    return CsvFile(name, dict(zip(header, cells, strict=True)), np.array(lines))


def _text(folder: Path, name: str) -> str:
    path = folder / name
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        there = ", ".join(sorted(file.name for file in path.parent.glob("*.csv")))
        raise KeyUnavailable(
            f"no file {name} in {folder}: {path.parent.name}/ holds {there or 'no CSV file'}"
        ) from None
    except OSError as error:
        raise KeyUnavailable(f"cannot read {name} in {folder}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SchemaViolation(
            f"{name}: got byte 0x{error.object[error.start]:02x} at position {error.start}, "
            "allowed is UTF-8 text"
        ) from None


def lines_from_header(name: str, lines: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Return the lines from the header on: lines of one cell before it are prose.

    Parameters
    ----------
    name
        The file or vendor, for messages.
    lines
        The number and the cells of every line that is not blank.

    Raises
    ------
    SchemaViolation
        If all lines after the first are of one other length: it is no header of theirs.
    """
    wide = next((at for at, (_, row) in enumerate(lines[: PROSE + 1]) if len(row) > 1), 0)
    header, *rows = lines[wide:]
    lengths = {len(row) for _, row in rows}
    if len(rows) > 1 and len(lengths) == 1 and lengths != {len(header[1])}:
        raise SchemaViolation(
            f"{name}, line {header[0]}: got {', '.join(header[1])!r:.60}, no header of the "
            f"{lengths.pop()} cells in each line below; allowed is one that names every column"
        )
    return lines[wide:]


def _rows(name: str, text: str) -> tuple[list[str] | None, list[list[str]], list[int]]:
    """Return the header, the rows and the line each ends on."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise SchemaViolation(f"{name}, line {reader.line_num}: {error}") from None
    if not lines:
        return None, [], []
    (_, header), *rows = lines_from_header(name, lines)
    for line, row in rows:
        if len(row) != len(header):
            raise SchemaViolation(
                f"{name}, line {line}: got {len(row)} cells, "
                f"allowed are {len(header)} as in the header"
            )
    return header, [row for _, row in rows], [line for line, _ in rows]
