"""The distribution of returns, trained by the command in a home, and read as serving reads it."""

import pandas as pd
import pytest

from feature_repo.features.definition_hash import definition_hash
from home.layout import Home
from optrade.runtime import Runtime
from optrade.settings import Settings
from serving.reading.artifact import load_artifact
from training.frames.dataset import load_frame

pytestmark = pytest.mark.integration


def test_it_is_judged_registered_and_served(copied) -> None:
    evidence = copied.json("train-distribution", "--ticker", "SPY", "--period", "6y")
    assert evidence["name"] == "distribution_SPY"
    assert evidence["gate"]["metric"] == "crps"
    assert evidence["window"]["locked_sessions"] > 400
    assert (copied.home / "reports" / "models" / "distribution_SPY_v1.html").is_file()
    settings = Settings(OPTRADE_HOME=copied.home)
    run = Runtime(settings, Home(copied.home), pd.Timestamp.now(tz="UTC"))
    model = load_artifact(run.home.models, "distribution", "SPY", definition_hash())
    session = pd.DatetimeIndex(["2024-11-15"])
    frame = load_frame(run.feature_store(online=False), model.feature_service, ["SPY"], session)
    found = model.distribution(frame.drop(columns=["ticker", "session"]).iloc[0].to_dict())
    assert 0 < found.deviation(5) < found.deviation(21) < 1
    listed = {one["name"] for one in copied.json("champions")}
    assert "distribution_SPY" in listed
