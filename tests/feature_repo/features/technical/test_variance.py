"""What scales returns, against plain loops over bars."""

import math

import numpy as np
import pytest

from feature_repo.features.technical.variance import FALL_SESSIONS, VARIANCE, VARIANCE_WINDOWS

LENGTH = 60


@pytest.fixture(scope="module")
def bars():
    rng = np.random.default_rng(2)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, LENGTH)))
    open_ = close * np.exp(rng.normal(0, 0.004, LENGTH))
    high = np.maximum(open_, close) * np.exp(rng.exponential(0.004, LENGTH))
    low = np.minimum(open_, close) * np.exp(-rng.exponential(0.004, LENGTH))
    high[7] = 0.9995 * max(open_[7], close[7])  # a high below the body, as rounding makes them
    return {"open": open_, "high": high, "low": low, "close": close}


def plain_variance(bars, t):
    o, h, low, c = (bars[name][t] for name in ("open", "high", "low", "close"))
    jump = math.log(o / bars["close"][t - 1])
    within = math.log(h / c) * math.log(h / o) + math.log(low / c) * math.log(low / o)
    return jump**2 + max(within, 0.0)


def test_variances_are_means_of_jumps_and_ranges_in_logs(bars):
    found = VARIANCE.compute(bars)
    for n in VARIANCE_WINDOWS:
        expected = np.full(LENGTH, np.nan)
        for t in range(n, LENGTH):
            expected[t] = math.log(
                sum(plain_variance(bars, s) for s in range(t - n + 1, t + 1)) / n
            )
        np.testing.assert_allclose(found[f"log_variance_{n}"], expected, rtol=1e-9)


def test_falls_are_losses_in_deviations_and_gains_are_none(bars):
    found = VARIANCE.compute(bars)
    for n in FALL_SESSIONS:
        expected = np.full(LENGTH, np.nan)
        for t in range(22, LENGTH):
            month = sum(plain_variance(bars, s) for s in range(t - 21, t + 1)) / 22
            loss = -math.log(bars["close"][t] / bars["close"][t - n])
            expected[t] = max(loss, 0.0) / math.sqrt(n * month)
        np.testing.assert_allclose(found[f"fall_{n}d"], expected, rtol=1e-9, atol=1e-12)
        assert (expected == 0).any()


def test_prices_that_do_not_move_have_no_variance(bars):
    level = 100.0 * 1.1 ** np.arange(LENGTH)
    still = {name: np.full(LENGTH, 100.0) * (level / level) for name in bars}
    for values in VARIANCE.compute(still).values():
        assert np.isnan(values).all()
