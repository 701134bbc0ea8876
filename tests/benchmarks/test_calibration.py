"""How the calibration of chances is counted."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration import calibration_error, figures, past_share, reliability


def trades(said: np.ndarray, came: np.ndarray) -> pd.DataFrame:
    """Return trades of one structure, a session each, which expire two sessions later."""
    days = pd.bdate_range("2020-01-01", periods=len(said))
    frame = pd.DataFrame(
        {"ticker": "SPY", "strategy": "Buy Calls", "session": days, "target": said,
         "expiration": days + pd.offsets.BDay(2), "target_came": came.astype(float)}
    )  # fmt: skip
    return frame.assign(target_past=past_share(frame, "target_came"))


def test_a_share_of_the_past_knows_only_what_had_expired():
    came = np.array([1, 0, 1, 1, 0])
    past = trades(np.full(5, 0.5), came)["target_past"]
    assert past.isna().tolist() == [True, True, True, False, False]
    assert past.iloc[3:].tolist() == [1.0, 0.5]


def test_what_says_the_truth_errs_by_its_draws_alone_and_beats_the_past():
    rng = np.random.default_rng(1)
    said = rng.uniform(0.05, 0.95, 4_000)
    came = rng.uniform(size=len(said)) < said
    table = reliability(said, came)
    assert table["n"].tolist() == [400] * 10
    assert calibration_error(said, came.astype(float)) < 0.03
    assert calibration_error(np.full(len(said), 0.9), came.astype(float)) == pytest.approx(
        0.4, abs=0.03
    )
    found = figures(trades(said, came), "target")
    assert found["low"] > 0.0
    assert found["gain"] == pytest.approx(found["beside"] - found["brier"])
