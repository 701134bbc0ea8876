"""What a drift report reads of the served model: the model whole, or one clear line."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from home.layout import Home
from home.records.drift import FeatureDrift
from optrade.cli.run.monitoring import by_alarm
from optrade.flows.monitoring import report_drift
from serving.reading.artifact import artifact_path
from serving.reading.refusal import Refusal


@pytest.fixture
def run(tmp_path: Path) -> Any:
    return SimpleNamespace(home=Home(tmp_path / "home"))


@pytest.mark.parametrize("content", ["{}", "[", '{"trained": {"start": "2024-01-02"}}'])
def test_a_damaged_model_is_refused(run: Any, content: str) -> None:
    path = artifact_path(run.home.models, "direction", "SPY")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(Refusal, match="train it again"):
        report_drift(run, "SPY", 63)


def drift(name: str, psi: float | None, level: float | None) -> FeatureDrift:
    alarm = None if psi is None or level is None else psi > level
    return FeatureDrift(
        name=name, view="technical", status="ok", psi=psi, alarm_level=level, alarm=alarm,
        null_share=0.0, reference_null_share=0.0,
    )  # fmt: skip


def test_what_is_alarmed_comes_first_however_low_its_index() -> None:
    rows = [drift("quiet", 8.0, 9.0), drift("unknown", None, None), drift("loud", 0.5, 0.4)]
    assert [row.name for row in by_alarm(rows)] == ["loud", "quiet", "unknown"]
