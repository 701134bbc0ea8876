"""A vendor's answer in CSV, told apart from the pages, stumps and nothings sent in its place."""

import csv
from collections import Counter
from io import StringIO

import numpy as np

from ingestion.sources.wire.csv_file import CsvFile, lines_from_header
from market.errors import SchemaViolation, SourceUnavailable

SHOWN = 60


def read_answer(what: str, text: str) -> CsvFile:
    """Return the columns of a CSV answer with one header line; blank lines are passed over.

    Parameters
    ----------
    what
        The vendor and what it was asked for, for messages.
    text
        The answer.

    Raises
    ------
    SourceUnavailable
        If it is empty, a web page, without rows, or cut short in its last line: the vendor did
        not mean it, and sends the real one later.
    SchemaViolation
        If it is no CSV, has a column twice, or a row of another length.
    """
    start = text.strip()
    if not start:
        raise SourceUnavailable(f"{what}: got an empty answer, allowed is CSV; try again later")
    if start.startswith("<"):
        raise SourceUnavailable(
            f"{what}: got a web page in place of CSV ({start[:SHOWN]!r}), as vendors send when "
            "they are down or block a client; try again later"
        )
    header, *rows = lines_from_header(what, _lines(what, text))
    if not rows:
        raise SourceUnavailable(
            f"{what}: got one line ({start[:SHOWN]!r}), allowed is a header and rows; "
            "try again later"
        )
    names = [name.strip() for name in header[1]]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SchemaViolation(f"{what}: got column {', '.join(twice):.200} more than once")
    _refuse_ragged(what, len(names), rows)
    cells = np.array([row for _, row in rows], dtype=object).T
    lines = np.array([line for line, _ in rows])
    return CsvFile(what, dict(zip(names, cells, strict=True)), lines)


def _lines(what: str, text: str) -> list[tuple[int, list[str]]]:
    """Return the cells of every line that is not blank, with the line's number."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        return [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        reason = f"{what}, line {reader.line_num}: {error}, allowed is CSV"
    raise SchemaViolation(reason)


def _refuse_ragged(what: str, length: int, rows: list[tuple[int, list[str]]]) -> None:
    for at, (line, row) in enumerate(rows, start=1):
        if len(row) == length:
            continue
        got = f"{what}, line {line}: got {len(row)} cells, allowed are {length} as in the header"
        if at == len(rows) and len(row) < length:
            raise SourceUnavailable(f"{got}; the answer was cut short, try again later")
        raise SchemaViolation(got)
