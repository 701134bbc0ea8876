"""One row an underlying: whatever depends on one is made from it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from market.underlyings import UNDERLYINGS

ROOT = Path(__file__).resolve().parents[2]
ROW = (
    'Underlying("XYZ", "VXYZ", Profile(1.1, 0.08, 0.01, 50.0, 1e7, 20.0), '
    '_baskets({"2012-01-01": "AAA 9"})),'
)
SEEN = """
import json
import pandas as pd
from ingestion.sources.simulated.source import Simulated
from market.baskets import basket_symbols
from market.underlyings import UNDERLYINGS, VOLATILITY_INDICES
from optrade.cli.options import EVERY_TICKER
at = pd.Timestamp("2024-12-31 22:00", tz="UTC")
source = Simulated(7, 0.0, at, "2023-01-03")
prices = source.fetch("prices", ["XYZ"], None, at.tz_localize(None).normalize())
print(json.dumps({
    "tickers": list(UNDERLYINGS), "indices": VOLATILITY_INDICES, "basket": basket_symbols("XYZ"),
    "simulated": sorted(set(prices["ticker"])), "first": float(prices["open"].iloc[0]),
    "default": EVERY_TICKER,
}))
"""


def test_another_underlying_is_one_row(tmp_path):
    for file in (ROOT / "market").rglob("*.py"):
        copy = tmp_path / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text())
    rows = tmp_path / "market" / "underlyings.py"
    before = rows.read_text()
    rows.write_text(before.replace("_ROWS: Final = (\n", f"_ROWS: Final = (\n    {ROW}\n"))
    assert rows.read_text() != before
    seen = subprocess.run(
        [sys.executable, "-c", SEEN], cwd=tmp_path, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert seen.returncode == 0, seen.stderr
    answer = json.loads(seen.stdout)
    assert answer.pop("first") == pytest.approx(50.0, rel=0.1)
    assert answer == {
        "tickers": ["XYZ", *UNDERLYINGS],
        "indices": ["VXYZ", "VIX", "VXN", "RVX", "VIX3M"],
        "basket": ["AAA"],
        "simulated": ["XYZ"],
        "default": ",".join(["XYZ", *UNDERLYINGS]),
    }
