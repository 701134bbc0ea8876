"""`optrade ingest` in this process, for what only a process that is limited itself can show."""

import sys
from pathlib import Path

import pytest

import optrade.cli


def ingest(folder: Path) -> int:
    """Ingest SPY from a recorded folder, and return the exit code."""
    sys.argv = ["optrade", "ingest", "--source", "recorded", "--recorded-dir", str(folder),
                "--tickers", "SPY"]  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        optrade.cli.main()
    return int(ended.value.code or 0)
