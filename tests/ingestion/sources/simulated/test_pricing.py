"""The volatility indices price the variance that the law of motion leads one to expect."""

import numpy as np
import pytest

from ingestion.sources.simulated.market import (
    SESSIONS_PER_YEAR,
    Exposure,
    Law,
    Shocks,
    State,
    advance,
)
from ingestion.sources.simulated.pricing import (
    MONTH,
    PREMIUM,
    QUARTER,
    expected_variance,
    index_level,
    quarter_premium,
)

LAW = Law()
FUTURES = 40_000
STATES = {
    "calm": State(-0.5, -0.2, 0.0, 0.0),
    "usual": State(0.0, 0.0, 0.0, 0.0),
    "crisis": State(0.5, 1.0, 0.3, 0.0),
}


def simulated_variance(exposure: Exposure, state: State, horizon: int) -> float:
    """Annualised variance of the coming sessions, by simulating them."""
    rng = np.random.default_rng(1)
    future, total = State(*(np.full(FUTURES, value) for value in state)), 0.0
    for _ in range(horizon):
        normal = rng.standard_normal((6, FUTURES))
        jump = (rng.random(FUTURES) < LAW.jump_rate).astype(float)
        shocks = Shocks(normal[0], normal[1], normal[2], jump, normal[3], normal[4], normal[5])
        future, _, volatility, _ = advance(LAW, exposure, 0.0, future, shocks)
        total += (volatility**2).mean()
    return total / horizon * SESSIONS_PER_YEAR


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("horizon", [1, MONTH, QUARTER])
@pytest.mark.parametrize(("beta", "own"), [(1.0, 0.01), (1.2, 0.3)])
def test_the_closed_form_is_what_simulation_gives(
    state: str, horizon: int, beta: float, own: float
) -> None:
    exposure = Exposure(np.array(beta), np.array(own))
    known = State(*(np.full(1, value) for value in STATES[state]))
    closed = expected_variance(LAW, exposure, known, horizon)
    assert closed.shape == (1,)
    assert closed[0] == pytest.approx(
        simulated_variance(exposure, STATES[state], horizon), rel=0.03
    )


def test_one_session_ahead_is_known_exactly() -> None:
    exposure = Exposure(np.array(1.3), np.array(0.2))
    rng = np.random.default_rng(2)
    states = State(*rng.normal(0.0, 0.4, (4, 20)))
    silence = Shocks(*np.zeros((7, 20)))
    volatility = advance(LAW, exposure, 0.0, states, silence)[2]
    expected = expected_variance(LAW, exposure, states, 1)
    np.testing.assert_allclose(expected, volatility**2 * SESSIONS_PER_YEAR, rtol=1e-12)


def test_the_term_structure_rises_when_calm_and_falls_in_a_crisis() -> None:
    exposure = Exposure(np.array(1.0), np.array(0.01))
    for name, sign in (("calm", 1), ("crisis", -1)):
        known = State(*(np.full(1, value) for value in STATES[name]))
        month = expected_variance(LAW, exposure, known, MONTH)[0]
        quarter = expected_variance(LAW, exposure, known, QUARTER)[0]
        assert np.sign(quarter - month) == sign


def test_an_index_is_volatility_in_points_with_its_premium() -> None:
    level = index_level(np.array([0.04, 0.04]), np.array([0.0, np.log(1.2)]))
    np.testing.assert_allclose(level, [20.0, 24.0])


def test_the_premium_over_a_quarter_moves_less() -> None:
    premium = PREMIUM.path(np.random.default_rng(3).standard_normal(500))
    quarter = quarter_premium(premium)
    assert quarter.std() < premium.std()
    assert np.corrcoef(quarter, premium)[0, 1] == pytest.approx(1.0)
