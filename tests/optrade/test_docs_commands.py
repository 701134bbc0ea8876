"""The commands that the pages on using it print, run as they are printed in a trained home."""

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("strategies", "labels", "ledger", "operation", "extending", "signal", "structure")
# Printed alone on an indented line, after a line of cron, or as a cell's whole words.
PRINTED = re.compile(
    r"^ {4,}(?:[\d,]+ [\d,]+ \* \* \S+  )?optrade ([^#\n]+)|\| `optrade ([^`|]+)` \|", re.M
)
# What the home was made with, for the commands that fetch and for those of three tickers.
SEED, TICKERS = ("--seed", "3"), ("--tickers", "SPY,IWM")
BESIDE = {
    "run-daily": (*SEED, *TICKERS, "--as-of", "2024-11-19"),
    "run-daily --source simulated --as-of 2024-11-18": (*SEED, *TICKERS),
    "signal-all --record": TICKERS,
    "ingest --source simulated --as-of 2024-11-15": (*SEED, *TICKERS),
    "backfill --start 2024-01-02 --end 2024-12-31": (
        "--tickers",
        "SPY",
        "--start",
        "2024-11-08",
        "--end",
        "2024-11-12",
        "--period",
        "6y",
    ),
    "train-all": ("--tickers", "SPY", "--models", "table", "--period", "3y"),
}
# Shown until it is stopped, or asks a vendor; their own tests start them.
SHOWN = {"dashboard", "record-chains"}


def commands() -> list[tuple[str, ...]]:
    """Return the commands of all pages, each once, in the order in which they are printed."""
    found = {}
    for page in PAGES:
        for match in PRINTED.finditer((DOCS / f"{page}.md").read_text()):
            words = tuple(shlex.split(match[1] or match[2]))
            if words[0] not in SHOWN:
                found[words] = None
    return list(found)


def test_every_page_prints_a_command_that_is_run() -> None:
    assert len(commands()) >= 12
    for page in PAGES:
        assert PRINTED.search((DOCS / f"{page}.md").read_text()), page


def test_the_commands_run_as_printed(copied) -> None:
    for words in commands():
        copied(*words, *BESIDE.get(" ".join(words), ()))
    home = copied.home
    with closing(sqlite3.connect(f"file:{home}/data/ledger.db?mode=ro", uri=True)) as ledger:
        sql = re.search(r'"(SELECT [^"]+)"', (DOCS / "ledger.md").read_text())[1]
        days = {row[0] for row in ledger.execute(sql)}
    backfilled = {"2024-11-08", "2024-11-11", "2024-11-12"}
    assert days == {"2024-11-15", "2024-11-18", "2024-11-19"} | backfilled
