from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecasters.calls import IDENTITY
from training.fit.mixture import (
    INNER_FOLDS,
    DirectionForecaster,
    RegimeForecaster,
    calibrated,
    fit_direction,
    fit_rows,
)
from training.fit.threshold import Threshold, choose
from training.frames.folds import walk_forward
from training.frames.rows import Rows, direction_rows, regime_rows
from training.models.catalogue import MODELS
from training.models.sample import UnfittableError

LOGISTIC = MODELS["logistic"]
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


@pytest.fixture
def rows(make_direction: Frames) -> Rows:
    return direction_rows(*make_direction(500, signal=0.8), "SPY", 5, safe=False)


def everything(rows: Rows) -> np.ndarray:
    return np.arange(len(rows.sessions))


def test_flat_sessions_are_not_trained_on(rows: Rows) -> None:
    fit = fit_rows(rows, everything(rows), LOGISTIC, 40)
    assert fit.rows == (rows.labels >= 0).sum() < len(rows.labels)
    changed = rows.values.copy()
    changed[rows.labels < 0] = 1e6
    again = fit_rows(replace(rows, values=changed), everything(rows), LOGISTIC, 40)
    assert (
        fit.estimate.estimator.predict_proba(rows.values[:, fit.selection.columns])
    ).tolist() == (
        again.estimate.estimator.predict_proba(rows.values[:, again.selection.columns])
    ).tolist()


def test_rows_with_a_null_among_the_selected_features_are_dropped_and_counted(rows: Rows) -> None:
    decided = np.flatnonzero(rows.labels >= 0)
    holed = rows.values.copy()
    holed[decided[:17], 0] = np.nan  # f0 is informative, and so selected
    holed[decided[:50], 7] = np.nan
    fit = fit_rows(replace(rows, values=holed), everything(rows), LOGISTIC, 2)
    assert "f0" in fit.selection.names
    assert "f7" not in fit.selection.names, "a null there costs nothing"
    assert fit.dropped == 17
    assert fit.rows == len(decided) - 17
    assert fit.first == rows.sessions[decided[17]]
    assert fit.last == rows.sessions[decided[-1]]


def test_nothing_is_imputed_in_forecasts(rows: Rows) -> None:
    forecaster = fit_direction(rows, everything(rows), LOGISTIC, 3, None)
    holed = rows.values.copy()
    holed[5, forecaster.fit.selection.columns[1]] = np.nan
    said = forecaster.forecast(holed)
    assert said.calls[5] == -1
    assert np.isnan(said.probabilities[5]).all()
    assert np.isfinite(np.delete(said.probabilities, 5, axis=0)).all()


def test_the_scaler_sees_the_training_rows_alone(rows: Rows) -> None:
    train = everything(rows)[:300]
    fit = fit_rows(rows, train, LOGISTIC, 8)
    used = train[rows.labels[train] >= 0]
    expected = rows.values[used][:, fit.selection.columns].mean(axis=0)
    np.testing.assert_allclose(fit.estimate.estimator.named_steps["scaler"].mean_, expected)


def test_calibration_and_threshold_come_from_an_inner_walk_forward(rows: Rows) -> None:
    train = everything(rows)[:400]
    found = fit_direction(rows, train, LOGISTIC, 4, "f1")
    decisions, up = [], []
    for fold in walk_forward(rows.sessions[train], rows.label_ends[train], INNER_FOLDS):
        inner = fit_rows(rows, fold.train, LOGISTIC, 4)
        decided = fold.test[rows.labels[fold.test] >= 0]
        decisions.append(inner.decision(rows.values[decided]))
        up.append(rows.labels[decided] == 1)
    expected = calibrated(
        found.fit, np.concatenate(decisions), np.concatenate(up).astype(int), "f1"
    )
    curves = [(one.calibration.slope, one.calibration.intercept) for one in (found, expected)]
    assert curves[0] == curves[1]
    assert found.threshold == expected.threshold
    assert found.calibrated_on == len(np.concatenate(up))
    curve = found.calibration.probability(np.concatenate(decisions))
    assert found.threshold == choose(curve, np.concatenate(up), "f1")


@pytest.mark.parametrize("perturbed", ["values", "labels", "today"])
def test_rows_outside_the_training_part_change_nothing(rows: Rows, perturbed: str) -> None:
    train = everything(rows)[:350]
    before = fit_direction(rows, train, LOGISTIC, 5, "f1")
    changed = getattr(rows, perturbed).copy()
    changed[350:] = 1 if perturbed == "labels" else np.nan
    changed[355:] = 0 if perturbed == "labels" else -1e9
    after = fit_direction(replace(rows, **{perturbed: changed}), train, LOGISTIC, 5, "f1")
    assert before.fit.parameters.model_dump() == after.fit.parameters.model_dump()
    assert before.fit.selection.names == after.fit.selection.names
    assert before.fit.selection.information == after.fit.selection.information
    assert before.calibration == after.calibration
    assert before.threshold == after.threshold


def test_undecided_and_unforecast_rows_do_not_calibrate(rows: Rows) -> None:
    fit = fit_rows(rows, everything(rows), LOGISTIC, 3)
    decision = np.array([0.5, -0.5, np.nan, 9.0, 0.2, -0.1])
    labels = np.array([1, 0, 1, -1, 1, 0])
    found = calibrated(fit, decision, labels, None)
    kept = calibrated(fit, decision[[0, 1, 4, 5]], labels[[0, 1, 4, 5]], None)
    assert found.calibration == kept.calibration
    assert found.calibrated_on == 4
    assert found.threshold.value == 0.50


def test_calls_are_above_the_threshold(rows: Rows) -> None:
    fit = fit_rows(rows, everything(rows), LOGISTIC, 3)
    for cut in (0.30, 0.50, 0.70):
        said = DirectionForecaster(fit, IDENTITY, Threshold(cut, "f1", 0.5), 9).forecast(
            rows.values
        )
        assert (said.calls == (said.probabilities[:, 1] > cut)).all()


def test_a_single_class_is_refused(rows: Rows) -> None:
    alone = replace(rows, labels=np.where(rows.labels == 0, -1, rows.labels))
    with pytest.raises(UnfittableError, match="usable rows of 1 classes"):
        fit_rows(alone, everything(rows), LOGISTIC, 3)


def test_too_few_rows_are_refused(rows: Rows) -> None:
    with pytest.raises(UnfittableError, match="needed 10 rows of 2"):
        fit_rows(rows, everything(rows)[:9], LOGISTIC, 3)
    with pytest.raises(UnfittableError, match="got 0 usable rows"):
        fit_rows(rows, everything(rows)[:0], LOGISTIC, 3)


def test_an_inner_fold_before_the_second_class_is_passed_over(rows: Rows) -> None:
    train = everything(rows)[:400]
    late = rows.labels.copy()
    late[:120] = np.where(late[:120] == 0, -1, late[:120])  # no DOWN in the first inner part
    found = fit_direction(replace(rows, labels=late), train, LOGISTIC, 4, None)
    whole = fit_direction(rows, train, LOGISTIC, 4, None)
    assert 0 < found.calibrated_on < whole.calibrated_on


def test_no_usable_inner_fold_is_refused(rows: Rows) -> None:
    train = everything(rows)[:400]
    late = rows.labels.copy()
    late[:380] = np.where(late[:380] == 0, -1, late[:380])
    with pytest.raises(UnfittableError, match="of 1 classes"):
        fit_direction(replace(rows, labels=late), train, LOGISTIC, 4, None)


def test_regime_forecasts_have_every_class(make_regime: Callable[..., pd.DataFrame]) -> None:
    rows = regime_rows(make_regime(400), "SPY", 5)
    low = np.flatnonzero(rows.labels < 2)
    forecaster = RegimeForecaster(fit_rows(rows, low, LOGISTIC, 40), (1.0, 1.0, 1.0), 0)
    said = forecaster.forecast(rows.values)
    assert said.probabilities.shape == (len(rows.sessions), 3)
    assert said.probabilities[:, 2] == pytest.approx(1 / (len(low) + 3))
    assert (said.calls == said.probabilities.argmax(axis=1)).all()
    eager = replace(forecaster, call_weights=(1.0, 1.0, 1e9)).forecast(rows.values)
    assert (eager.calls == 2).all()
    assert (eager.probabilities == said.probabilities).all(), "weights change the call alone"
    holed = rows.values.copy()
    holed[3] = np.nan
    assert forecaster.forecast(holed).calls[3] == -1


def test_the_lift_is_above_what_the_forecaster_says_of_its_training_part(rows: Rows) -> None:
    train = everything(rows)[:400]
    found = fit_direction(rows, train, LOGISTIC, 4, "f1")
    decided = train[rows.labels[train] >= 0]
    lift = found.forecast(rows.values[decided]).lift
    assert lift.mean() == pytest.approx(0.0, abs=1e-9)
    odds = found.calibration.slope * found.fit.decision(rows.values)
    np.testing.assert_allclose(np.diff(found.forecast(rows.values).lift), np.diff(odds), atol=1e-9)
