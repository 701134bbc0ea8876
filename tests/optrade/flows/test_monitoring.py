"""What a drift report reads of the served model: the model whole, or one clear line."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from home.layout import Home
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
