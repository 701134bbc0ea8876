"""The volatility expected of 21 sessions: what it was fitted on makes it again."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.realised import FIRST_JUDGED, TICKERS, fitted, rows
from feature_repo.features.option_chain.forecast import FORECAST, expected_volatility


@pytest.mark.recorded
def test_the_coefficients_are_those_of_the_years_before_the_judged_ones(recorded_dir):
    found = pd.concat([rows(recorded_dir, ticker) for ticker in TICKERS])
    assert fitted(found[found["end"] < FIRST_JUDGED]) == FORECAST


def test_a_calm_market_is_expected_to_wake_and_a_wild_one_to_calm_down():
    for points, above in ((6.0, True), (60.0, False)):
        log = np.array([np.log((points / 100) ** 2 / 252)])
        assert (expected_volatility(log, log, log)[0] > points) == above
    assert np.isnan(expected_volatility(np.array([np.nan]), log, log)).all()
