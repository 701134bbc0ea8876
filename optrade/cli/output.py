"""What commands print: one JSON document, or tables for people. Progress goes to stderr."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from home.progress import Progress

WIDTH: Final = 140


def print_json(document: object) -> None:
    """Print one JSON document on stdout; a NaN in it is a bug and raises."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def print_table(title: str, columns: list[str], rows: list[list[Any]], width: int = WIDTH) -> None:
    """Print a table on stdout, `width` characters wide at most where that is no terminal.

    None shows as a dash.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("-" if value is None else str(value) for value in row))
    Console(width=None if sys.stdout.isatty() else width).print(table)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield a callback (what, done, total): a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )
