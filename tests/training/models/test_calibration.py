import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from forecasters.calls import IDENTITY
from market.errors import InputError
from training.models.calibration import fit_platt


def sample(seed: int, slope: float, count: int = 800) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    decision = 2.0 * rng.standard_normal(count)
    up = rng.random(count) < 1.0 / (1.0 + np.exp(-(slope * decision + 0.4)))
    return decision, up


def smoothed_fit(decision: np.ndarray, up: np.ndarray) -> tuple[float, float]:
    """Platt's smoothed targets as two weighted rows each, fitted without a penalty."""
    high, low = (up.sum() + 1) / (up.sum() + 2), 1 / ((~up).sum() + 2)
    share = np.where(up, high, low)
    rows = np.r_[decision, decision][:, None]
    labels = np.r_[np.ones(len(up)), np.zeros(len(up))]
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    model.fit(rows, labels, sample_weight=np.r_[share, 1 - share])
    return model.coef_[0, 0], model.intercept_[0]


@pytest.mark.parametrize("slope", [0.3, 1.0, 2.5])
def test_the_curve_is_the_smoothed_maximum_likelihood(slope: float) -> None:
    decision, up = sample(1, slope)
    curve = fit_platt(decision, up)
    expected = smoothed_fit(decision, up)
    assert (curve.slope, curve.intercept) == pytest.approx(expected, abs=1e-4)


def test_the_curve_is_the_one_scikit_learn_calibrates_with() -> None:
    decision, up = sample(2, 0.7)
    base = LogisticRegression().fit(decision[:, None], up)
    check_is_fitted(base)
    from sklearn.frozen import FrozenEstimator

    peer = CalibratedClassifierCV(FrozenEstimator(base), method="sigmoid")
    peer.fit(decision[:, None], up)
    expected = peer.predict_proba(decision[:, None])[:, 1]
    ours = fit_platt(base.decision_function(decision[:, None]), up)
    found = ours.probability(base.decision_function(decision[:, None]))
    np.testing.assert_allclose(found, expected, atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 500), slope=st.floats(-2, 2), scale=st.floats(1e-3, 1e3))
def test_more_decision_never_means_less_probability(seed: int, slope: float, scale: float) -> None:
    decision, up = sample(seed, slope, 80)
    curve = fit_platt(decision * scale, up)
    steps = curve.probability(np.linspace(-5, 5, 50) * scale)
    assert (np.diff(steps) >= 0).all()
    assert ((steps >= 0) & (steps <= 1)).all()


def test_backward_decisions_give_the_base_rate_not_an_inverted_model() -> None:
    decision, up = sample(3, -1.0)
    curve = fit_platt(decision, up)
    assert curve.slope == 0.0
    high, low = (up.sum() + 1) / (up.sum() + 2), 1 / ((~up).sum() + 2)
    rate = np.where(up, high, low).mean()
    np.testing.assert_allclose(curve.probability(decision), rate, atol=1e-6)


def test_rescaled_decisions_give_the_same_probabilities() -> None:
    decision, up = sample(4, 1.0)
    one = fit_platt(decision, up).probability(decision)
    other = fit_platt(decision * 1e4, up).probability(decision * 1e4)
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_one_class_and_equal_decisions_stay_short_of_certainty() -> None:
    curve = fit_platt(np.array([1.0, 1.0, 1.0]), np.array([True, True, True]))
    assert 0.5 < curve.probability(np.array([1.0]))[0] < 1.0


def test_the_lift_is_above_the_centre_and_nothing_where_nothing_was_found() -> None:
    decision, up = sample(5, 1.0)
    curve = fit_platt(decision, up)
    odds = curve.slope * decision + curve.intercept
    at_centre = curve.slope * 0.25 + curve.intercept
    np.testing.assert_allclose(curve.lift(decision, 0.25), odds - at_centre, atol=1e-9)
    none = fit_platt(*sample(3, -1.0))
    assert (none.lift(decision, 0.25) == 0.0).all()


def test_a_null_decision_has_a_null_probability() -> None:
    assert np.isnan(IDENTITY.probability(np.array([np.nan]))[0])


def test_no_rows_are_refused() -> None:
    with pytest.raises(InputError, match="no out-of-fold row to calibrate"):
        fit_platt(np.array([]), np.array([], dtype=bool))
