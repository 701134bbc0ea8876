"""The law of motion: exact expected returns, stationary volatility, and the planted signal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources.simulated.draws import Ornstein, stream
from ingestion.sources.simulated.market import (
    MAX_STRENGTH,
    SESSIONS_PER_YEAR,
    Exposure,
    Law,
    Paths,
    Shocks,
    State,
    advance,
    signal_gain,
    volatilities,
    walk,
)
from market.errors import InputError
from market.targets import HORIZON

LAW = Law()
THREE = Exposure(np.array([1.0, 1.1, 1.2]), np.array([0.01, 0.08, 0.10]))


def draws(seed: int, shape: tuple[int, ...], law: Law = LAW) -> Shocks:
    rng = np.random.default_rng(seed)
    market, slow, fast, size, own, volatility = rng.standard_normal((6, *shape))
    jump = (rng.random(shape) < law.jump_rate).astype(float)
    return Shocks(market, slow, fast, jump, size, own, volatility)


def still(count: int) -> State:
    return State(*np.zeros((4, count)))


def history(seed: int, count: int, exposure: Exposure = THREE, gain: float = 0.0) -> Paths:
    tickers = len(exposure.beta)
    return walk(LAW, exposure, gain, still(tickers), draws(seed, (count, tickers)))


states = st.builds(
    State,
    slow=st.floats(-1.2, 1.2),
    fast=st.floats(-0.8, 1.5),
    own=st.floats(-0.6, 0.6),
    trend=st.floats(-3.0, 3.0),
)


@settings(max_examples=25)
@given(
    state=states,
    beta=st.floats(0.5, 1.6),
    own=st.floats(0.0, 0.4),
    gain=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_the_expected_return_is_the_drift_less_the_planted_reversal(
    state: State, beta: float, own: float, gain: float
) -> None:
    exposure = Exposure(np.array(beta), np.array(own))
    state = State(*(np.full(1, value) for value in state))
    _, log_return, volatility, _ = advance(LAW, exposure, gain, state, draws(1, (200_000,)))
    expected = np.exp(LAW.drift / SESSIONS_PER_YEAR - gain * volatility * state.trend)[0]
    grown = np.exp(log_return)
    error = grown.std() / np.sqrt(len(grown))
    assert abs(grown.mean() - expected) < 4.5 * error


@settings(max_examples=15)
@given(state=states)
def test_the_surprise_is_standard_whatever_the_state(state: State) -> None:
    state = State(*(np.full(1, value) for value in state))
    exposure = Exposure(np.array(1.1), np.array(0.1))
    surprise = advance(LAW, exposure, 0.0, state, draws(2, (400_000,)))[3]
    assert abs(surprise.mean()) < 0.008
    assert surprise.std() == pytest.approx(1.0, abs=0.01)


def test_volatility_is_floored_and_grows_with_its_factors() -> None:
    exposure = Exposure(np.array(1.0), np.array(0.0))
    factors = np.linspace(-8.0, 2.0, 50)
    market, own = volatilities(LAW, exposure, still(50)._replace(slow=factors))
    assert (np.diff(market) > 0).all()
    assert market[0] * np.sqrt(SESSIONS_PER_YEAR) == pytest.approx(LAW.floor, rel=1e-3)
    assert (own == 0.0).all()


def test_factors_are_stationary_with_the_spread_declared() -> None:
    paths = history(3, 20_000, Exposure(np.ones(8), np.full(8, 0.1)))
    late = State(*(column[1000:] for column in paths.states))
    assert late.slow.std() == pytest.approx(LAW.slow_spread, rel=0.10)
    assert late.own.std() == pytest.approx(LAW.own_spread, rel=0.08)
    assert late.trend.std() == pytest.approx(1.0, rel=0.05)
    lift = LAW.jump_lift * np.sqrt(LAW.jump_rate / (1.0 - LAW.fast_persistence**2))
    assert late.fast.std() == pytest.approx(np.hypot(LAW.fast_spread, lift), rel=0.06)
    for factor, spread in ((late.slow, 0.08), (late.fast, 0.04), (late.own, 0.04)):
        assert abs(factor.mean()) < spread


def test_losses_raise_volatility_and_gains_lower_it() -> None:
    paths = history(4, 8000)
    change = np.diff(np.log(paths.volatility[:, 0]))
    assert np.corrcoef(paths.surprise[:-1, 0], change)[0, 1] < -0.5


def test_a_jump_raises_volatility_and_is_usually_a_loss() -> None:
    shocks = draws(5, (100_000,))
    jumped = shocks._replace(jump=np.ones(100_000))
    calm = shocks._replace(jump=np.zeros(100_000))
    exposure = Exposure(np.array(1.0), np.array(0.01))
    after, loss, _, _ = advance(LAW, exposure, 0.0, still(1), jumped)
    usual, gain, _, _ = advance(LAW, exposure, 0.0, still(1), calm)
    np.testing.assert_allclose(after.fast - usual.fast, LAW.jump_lift)
    assert loss.mean() < gain.mean() - 1.5 * np.std(gain)


def test_the_walk_is_the_step_repeated() -> None:
    shocks = draws(6, (5, 3))
    paths = walk(LAW, THREE, 0.1, still(3), shocks)
    state = still(3)
    for row in range(5):
        np.testing.assert_array_equal(np.array([c[row] for c in paths.states]), np.array(state))
        state, log_return, volatility, surprise = advance(
            LAW, THREE, 0.1, state, Shocks(*(column[row] for column in shocks))
        )
        np.testing.assert_array_equal(paths.log_return[row], log_return)
        np.testing.assert_array_equal(paths.volatility[row], volatility)
        np.testing.assert_array_equal(paths.surprise[row], surprise)
    assert paths.log_return.shape == (5, 3)
    assert all(column.shape == (6, 3) for column in paths.states)


def test_a_longer_walk_starts_the_same() -> None:
    shocks = draws(7, (60, 3))
    short = walk(LAW, THREE, 0.1, still(3), Shocks(*(column[:40] for column in shocks)))
    long = walk(LAW, THREE, 0.1, still(3), shocks)
    np.testing.assert_array_equal(long.log_return[:40], short.log_return)


def test_a_ticker_does_not_depend_on_its_neighbours() -> None:
    shocks = draws(8, (50, 3))
    alone = walk(
        LAW,
        Exposure(THREE.beta[1:2], THREE.own[1:2]),
        0.1,
        still(1),
        Shocks(*(column[:, 1:2] for column in shocks)),
    )
    together = walk(LAW, THREE, 0.1, still(3), shocks)
    np.testing.assert_array_equal(together.log_return[:, 1], alone.log_return[:, 0])


def test_tickers_move_with_the_market_by_their_beta() -> None:
    rng = np.random.default_rng(9)
    shared = rng.standard_normal((4, 6000, 1))
    own = rng.standard_normal((2, 6000, 2))
    jump = np.zeros((6000, 1))
    shocks = Shocks(shared[0], shared[1], shared[2], jump, shared[3], own[0], own[1])
    exposure = Exposure(np.array([1.0, 1.5]), np.array([0.0, 0.1]))
    returns = walk(LAW, exposure, 0.0, still(2), shocks).log_return
    slope = np.cov(returns.T)[0, 1] / returns[:, 0].var()
    assert slope == pytest.approx(1.5, rel=0.03)


# ---------------------------------------------------------------- the planted signal


def test_no_strength_is_no_gain() -> None:
    assert signal_gain(0.0) == 0.0


@given(a=st.floats(0.0, MAX_STRENGTH), b=st.floats(0.0, MAX_STRENGTH))
def test_more_strength_is_more_gain(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert signal_gain(low) <= signal_gain(high)
    assert signal_gain(high) >= 0.0


@pytest.mark.parametrize("strength", [-0.01, 0.61, 1.0, float("nan"), float("inf")])
def test_a_strength_out_of_range_is_refused(strength: float) -> None:
    with pytest.raises(InputError) as caught:
        signal_gain(strength)
    assert str(caught.value) == (
        f"signal strength: got {strength}, allowed is a correlation from 0 (no signal) to 0.6"
    )


@pytest.mark.parametrize("strength", [0.05, 0.1, 0.3, 0.5, 0.6])
def test_strength_is_the_correlation_with_the_five_session_return(strength: float) -> None:
    # At constant volatility, without the machinery of the model: trend and return by hand.
    rng = np.random.default_rng(10)
    gain, keep = signal_gain(strength), LAW.trend_persistence
    trend = np.zeros(400_000)
    for _ in range(100):  # until the start is forgotten
        moved = rng.standard_normal(len(trend)) - gain * trend
        trend = keep * trend + np.sqrt(1 - keep**2) * moved
    first, total = trend.copy(), np.zeros_like(trend)
    for _ in range(HORIZON):
        moved = rng.standard_normal(len(trend)) - gain * trend
        total += moved
        trend = keep * trend + np.sqrt(1 - keep**2) * moved
    assert np.corrcoef(-first, total)[0, 1] == pytest.approx(strength, abs=0.005)


@pytest.mark.parametrize("strength", [0.0, 0.2, 0.5])
def test_the_model_has_the_strength_asked_for(strength: float) -> None:
    exposure = Exposure(np.ones(8), np.full(8, 0.2))
    paths = history(11, 6000, exposure, signal_gain(strength))
    scaled = (paths.log_return - LAW.drift / SESSIONS_PER_YEAR) / paths.volatility
    ahead = np.lib.stride_tricks.sliding_window_view(scaled, HORIZON, axis=0).sum(axis=-1)
    known = -paths.states.trend[: len(ahead)]
    assert np.corrcoef(known.ravel(), ahead.ravel())[0, 1] == pytest.approx(strength, abs=0.03)


def test_the_trend_is_that_of_the_returns_alone() -> None:
    paths = history(12, 400, Exposure(np.ones(1), np.full(1, 0.2)), signal_gain(0.5))
    # The surprise plus what the reversal took: the return in units of its volatility.
    moved = paths.surprise[:, 0] - signal_gain(0.5) * paths.states.trend[:-1, 0]
    keep = LAW.trend_persistence
    weights = np.sqrt(1 - keep**2) * keep ** np.arange(400)[::-1]
    assert paths.states.trend[-1, 0] == pytest.approx(weights @ moved)


# ---------------------------------------------------------------- draws


def test_a_stream_is_its_seed_and_names() -> None:
    first = stream(1, "split", "SPY").random(4)
    np.testing.assert_array_equal(first, stream(1, "split", "SPY").random(4))
    for other in (stream(2, "split", "SPY"), stream(1, "split", "QQQ"), stream(1, "range", "SPY")):
        assert not np.isclose(other.random(4), first).any()


@given(short=st.integers(0, 50), more=st.integers(0, 50), columns=st.integers(1, 4))
def test_longer_draws_start_the_same(short: int, more: int, columns: int) -> None:
    few = stream(1, "x").standard_normal((short, columns))
    many = stream(1, "x").standard_normal((short + more, columns))
    np.testing.assert_array_equal(many[:short], few)


def test_a_mean_reverting_series_has_its_moments_from_the_first_value_on() -> None:
    series = Ornstein(mean=2.0, spread=0.5, persistence=0.9)
    many = np.array(
        [series.path(row) for row in np.random.default_rng(12).standard_normal((5000, 30))]
    )
    np.testing.assert_allclose(many.mean(axis=0), 2.0, atol=0.03)
    np.testing.assert_allclose(many.std(axis=0), 0.5, atol=0.02)
    steps = np.corrcoef(many[:, 10], many[:, 11])[0, 1]
    assert steps == pytest.approx(0.9, abs=0.01)
    assert series.path(np.empty(0)).shape == (0,)
