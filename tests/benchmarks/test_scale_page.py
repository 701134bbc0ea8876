"""The scale page: its tables are those of the kept figures; a new figure replaces its old one."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scale_page import BEGIN, END, PAGE, ROWS, TABLES, filled, record, write_page


def size_row(engine: str, tickers: int, seconds: float) -> dict[str, Any]:
    phase = {"rows": 1_000, "seconds": seconds, "processor_seconds": 2.0, "peak_mib": 100.4}
    return {
        "table": "size",
        "content": f"{tickers} made-up tickers",
        "engine": engine,
        "load": 0.7,
        "build": {**phase, "tickers": tickers},
        "read": phase,
        "disk_mib": 12.0,
        "files": 7,
        "same": None,
    }


def empty_page() -> str:
    marks = (f"{BEGIN.format(table)}\n{END.format(table)}" for table in TABLES)
    return "before\n" + "\nbetween\n".join(marks) + "\nafter\n"


def test_the_page_shows_the_kept_figures() -> None:
    text = PAGE.read_text()
    assert filled(text, json.loads(ROWS.read_text())) == text


def test_a_figure_measured_again_replaces_the_old_one(tmp_path: Path) -> None:
    kept = tmp_path / "scale.json"
    record([size_row("local", 2_000, 30.0), size_row("local", 500, 9.0)], kept)
    rows = record([size_row("local", 500, 8.0), size_row("ray", 500, 7.0)], kept)
    # In the order of their sizes, whatever the order they were measured in.
    shown = [(row["build"]["tickers"], row["engine"], row["build"]["seconds"]) for row in rows]
    assert shown == [(500, "local", 8.0), (500, "ray", 7.0), (2_000, "local", 30.0)]
    assert json.loads(kept.read_text()) == rows


def test_only_the_tables_of_a_page_are_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(empty_page())
    write_page([size_row("local", 500, 9.0)], page)
    once = page.read_text()
    assert "| 500 made-up tickers | local | 1,000 | 9.0 | 2 | 100 | 1,000 |" in once
    assert [line for line in once.splitlines() if line in {"before", "between", "after"}] == [
        "before", "between", "after",
    ]  # fmt: skip
    write_page([size_row("local", 500, 9.0)], page)
    assert page.read_text() == once


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="got no place for daily"):
        filled(empty_page().replace(END.format("daily"), ""), [])
