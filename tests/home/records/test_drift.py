"""A drift report as a record: it comes back from its JSON as it was, and refuses what it is not."""

import json
from typing import Any

import pytest

from home.records.drift import DriftReport
from market.errors import InputError

MOVED = {
    "name": "rsi_14", "view": "technical", "status": "ok", "psi": 0.9, "alarm_level": 0.3,
    "alarm": True, "null_share": 0.25, "reference_null_share": 0.0,
}  # fmt: skip
GONE = MOVED | {
    "name": "vix", "view": "macro", "status": "all_null", "psi": None, "alarm_level": None,
    "alarm": None, "null_share": 1.0, "reference_null_share": None,
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "ticker": "SPY",
    "reference": {"start": "2021-01-04", "end": "2024-06-28", "rows": 870},
    "current": {"start": None, "end": None, "rows": 0},
    "alert": None,
    "compared": 1,
    "alarmed": 1,
    "alarmed_level": None,
    "method": {
        "deciles": 10, "level": 0.99, "mean_block": 63, "resamples": 1000, "seed": 0,
        "orientation": [0.1, 0.25],
    },
    "features": [MOVED, GONE],
}  # fmt: skip


def test_a_report_comes_back_as_it_was() -> None:
    report = DriftReport.parse(DOCUMENT, "drift report")
    text = json.dumps(report.document(), allow_nan=False)
    assert DriftReport.from_json(text, "drift report") == report
    assert text == json.dumps(DOCUMENT)  # field for field, in the order of the file


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": [MOVED | {"psi": float("nan")}]}, r"features\.0\.psi"),
        ({"features": [MOVED | {"psi": float("inf")}]}, r"features\.0\.psi"),
        ({"features": [MOVED | {"status": "fine"}]}, r"features\.0\.status"),
        ({"features": [MOVED | {"null_share": 1.1}]}, r"features\.0\.null_share"),
        ({"current": {"start": "today", "end": None, "rows": 1}}, r"current\.start"),
        ({"alarmed": "1"}, "alarmed"),
        ({"mood": "calm"}, "mood"),
    ],
)
def test_what_is_no_report_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=f"drift report: {words}"):
        DriftReport.parse(DOCUMENT | changes, "drift report")
