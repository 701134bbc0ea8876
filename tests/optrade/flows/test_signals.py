"""Recording signals: the ledger says when it was written."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from home.layout import Home
from optrade.flows.serve.signals import record_signals
from tests.trading.ledger.test_signals import a_signal

STARTED, WRITTEN = (pd.Timestamp(f"2025-07-01 {at}", tz="UTC") for at in ("14:00", "14:02"))


def test_a_signal_is_recorded_at_the_time_of_writing_not_at_the_start_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optrade.flows.serve.signals.utc_now", lambda: WRITTEN)
    run = SimpleNamespace(home=Home(tmp_path), now=STARTED)
    assert [row.recorded_at for row in record_signals(run, [a_signal()])] == [WRITTEN]
