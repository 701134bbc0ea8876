"""The scale page's tables: kept as JSON beside the page, written between its marks."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE, ROWS = DOCS / "scale.md", DOCS / "scale.json"
BEGIN, END = "<!-- {0}: written by the command above -->", "<!-- {0}: end -->"
Row = dict[str, Any]


def record(rows: Sequence[Row], to: Path = ROWS) -> list[Row]:
    """Add measured rows to those kept, in the place of what was measured of the same."""
    kept = json.loads(to.read_text()) if to.is_file() else []
    by_name = {name(row): row for row in [*kept, *rows]}
    merged = sorted(by_name.values(), key=_order)
    to.write_text(json.dumps(merged, indent=1) + "\n")
    return merged


def name(row: Row) -> tuple[str, str]:
    """Return what a row is of: its home and its engine."""
    return row["content"], row["engine"]


def _order(row: Row) -> tuple[str, int, str]:
    size = row["daily"] if "daily" in row else row["build"]
    return row["table"], size["tickers"], row["engine"]


def write_page(rows: Sequence[Row], page: Path = PAGE) -> None:
    """Write the tables of the rows into the page, what stands around them as it was."""
    page.write_text(filled(page.read_text(), rows))


def filled(text: str, rows: Sequence[Row]) -> str:
    """Return a page with its tables written anew.

    Raises
    ------
    ValueError
        If the page lacks a table's marks.
    """
    for table, write in TABLES.items():
        begin, end = BEGIN.format(table), END.format(table)
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"page: got no place for {table}; it stands between {begin} and {end}")
        before, rest = text.split(begin)
        after = rest.split(end)[1]
        body = write(results_of(rows, table))
        text = f"{before}{begin}\n\n{body}\n\n{end}{after}"
    return text


def results_of(rows: Sequence[Row], table: str) -> list[Row]:
    """Return the rows of one table."""
    return [row for row in rows if row["table"] == table]


def size_table(rows: Sequence[Row]) -> str:
    """Return what building and reading took by size of home, as Markdown."""
    head = ["home", "engine", "build rows", "s", "processor s", "peak MiB",
            "read rows", "s", "processor s", "peak MiB",
            "disk MiB", "files", "load", "same"]  # fmt: skip
    return _markdown(head, [_size_cells(row) for row in rows])


def _size_cells(row: Row) -> list[str]:
    def took(phase: Mapping[str, Any]) -> list[str]:
        return [
            f"{phase['rows']:,}",
            f"{phase['seconds']:.1f}",
            f"{phase['processor_seconds']:.0f}",
            f"{phase['peak_mib']:,.0f}",
        ]

    return [
        row["content"],
        row["engine"],
        *took(row["build"]),
        *took(row["read"]),
        f"{row['disk_mib']:,.0f}",
        f"{row['files']:,}",
        f"{row['load']:.0f}",
        "" if row["same"] is None else "yes" if row["same"] else "no",
    ]


def daily_table(rows: Sequence[Row]) -> str:
    """Return how many files daily runs leave, as Markdown."""
    head = ["tickers", "days", "s a day", "files named", "files on day 2", "most files",
            "files at the end", "MiB on day 2", "MiB at the end"]  # fmt: skip
    return _markdown(head, [_daily_cells(row["daily"]) for row in rows])


def _daily_cells(took: Mapping[str, Any]) -> list[str]:
    counts = (took["named"], took["second"]["files"], took["most_files"], took["last"]["files"])
    return [
        str(took["tickers"]),
        str(took["days"]),
        f"{took['seconds'] / took['days']:.2f}",
        *(f"{count:,}" for count in counts),
        f"{took['second']['disk_mib']:.1f}",
        f"{took['last']['disk_mib']:.1f}",
    ]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])


TABLES: dict[str, Callable[[Sequence[Row]], str]] = {"size": size_table, "daily": daily_table}
