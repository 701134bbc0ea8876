import numpy as np
import pytest

from market.bootstrap import MEAN_BLOCK, RESAMPLES, interval, resample_weights


def autoregressive(rng: np.random.Generator, count: int, persistence: float) -> np.ndarray:
    series = np.zeros(count)
    for at in range(1, count):
        series[at] = persistence * series[at - 1] + rng.standard_normal()
    return series


def spread(series: np.ndarray, seed: int, resamples: int = 200, mean_block: int = 20) -> tuple:
    weights = resample_weights(len(series), seed, resamples, mean_block)
    found = interval(weights @ series / len(series))
    assert found is not None
    return found


def test_the_block_length_is_that_of_decision_10() -> None:
    assert MEAN_BLOCK == 20
    assert RESAMPLES >= 1000


def test_every_resample_draws_as_many_sessions_as_there_are() -> None:
    weights = resample_weights(137, 1, 50)
    assert weights.shape == (50, 137)
    assert (weights.sum(axis=1) == 137).all()
    assert (weights >= 0).all()


def test_the_seed_decides() -> None:
    one = resample_weights(100, 7, 20)
    assert (one == resample_weights(100, 7, 20)).all()
    assert (one != resample_weights(100, 8, 20)).any()


def test_sessions_are_drawn_in_blocks() -> None:
    # Neighbours are in the same block with probability 1 - 1/20, so their counts go together.
    weights = resample_weights(2000, 3, 20)
    here, ahead = weights[:, :-1].ravel(), weights[:, 1:].ravel()
    assert np.corrcoef(here, ahead)[0, 1] == pytest.approx(1 - 1 / MEAN_BLOCK, abs=0.02)
    single = resample_weights(2000, 3, 20, mean_block=1)
    assert abs(np.corrcoef(single[:, :-1].ravel(), single[:, 1:].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("persistence", [0.0, 0.5])
def test_the_interval_covers_the_mean_about_as_often_as_it_says(persistence: float) -> None:
    rng = np.random.default_rng(11)
    inside = above = 0
    for seed in range(150):
        found = spread(autoregressive(rng, 500, persistence), seed)
        inside += found.low <= 0.0 <= found.high
        above += found.bound > 0.0
    assert 0.86 <= inside / 150 <= 0.99
    # The one-sided bound lies above the true mean in about one series of twenty.
    assert 0.01 <= above / 150 <= 0.12


def test_persistent_series_are_less_sure_than_rows_alone_would_say() -> None:
    series = autoregressive(np.random.default_rng(5), 1000, 0.8)
    blocks, single = spread(series, 1), spread(series, 1, mean_block=1)
    assert blocks.high - blocks.low > 1.5 * (single.high - single.low)


def test_the_bound_is_the_one_sided_one() -> None:
    figures = np.arange(1001) / 1000.0
    found = interval(figures)
    assert found is not None
    assert (found.low, found.bound, found.high) == pytest.approx((0.025, 0.05, 0.975))


def test_an_undefined_figure_has_no_interval() -> None:
    assert interval(np.full(100, np.nan)) is None
    assert interval(np.r_[np.full(10, np.nan), np.ones(90)]) is None
    found = interval(np.r_[np.full(4, np.nan), np.ones(96)])
    assert found is not None
    assert found.low == found.high == 1.0
