"""The evidence of a training, put together of all that was measured."""

from collections.abc import Sequence
from typing import Final, TypedDict

import numpy as np

from home.records.training.evidence import (
    CalibrationCurve,
    FoldEvidence,
    FoldRows,
    Member,
    Pooled,
    ThresholdChoice,
    TrainingEvidence,
    Window,
)
from home.records.training.judged import Gate
from home.records.training.words import Figures
from training.explain.curves import curves
from training.explain.reasons import importance
from training.fit.fit import Fit, Mixed
from training.fit.mixture import DirectionForecaster, Forecaster
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.judge.gate import judge
from training.judge.measures import (
    measure,
    measure_all_days,
    measure_at_half,
    plain,
    session_weights,
)
from training.judge.out_of_fold import OutOfFold
from training.settings import Settings
from training.tasks.declare import Task

INFORMATION_DECIMALS: Final = 6


class Chosen(TypedDict):
    """What the final fit reads: fields of its evidence."""

    features: list[str]
    mutual_information: Figures
    left_out: dict[str, float]
    constant: list[str]
    twins: dict[str, str]
    trained_rows: int
    dropped_rows: int
    members: list[Member]


class Calls(TypedDict):
    """How a forecast calls: fields of its evidence."""

    threshold: float | None
    threshold_choice: ThresholdChoice | None
    calibration: CalibrationCurve | None
    call_weights: list[float] | None


def assemble(
    task: Task,
    settings: Settings,
    rows: Rows,
    folds: Sequence[Fold],
    forecasters: Sequence[Forecaster],
    final: Forecaster,
    tested: OutOfFold,
) -> TrainingEvidence:
    """Return the evidence of a training, its verdict made without trials or a champion.

    Parameters
    ----------
    rows
        All labelled sessions.
    folds, forecasters
        The walk-forward, and what each training part fitted.
    final
        What was fitted on all rows.
    tested
        The out-of-fold forecasts.
    """
    weights = session_weights(len(tested.sessions), settings.resamples, settings.seed)
    pooled = measure(task, tested, weights)
    parts = [
        _fold(task, settings, rows, fold, forecaster, tested.of_fold(number), number)
        for number, (fold, forecaster) in enumerate(zip(folds, forecasters, strict=True), 1)
    ]
    baseline = tested.gate
    gate = Gate.against(baseline, pooled.difference[baseline])
    return TrainingEvidence(
        ticker=settings.ticker,
        model=settings.model_type,
        task=task.name,
        feature_service=settings.feature_service,
        settings=task.document(settings),
        window=_window(rows, tested),
        folds=parts,
        pooled=Pooled(
            scores=pooled.scores,
            fold_mean=_fold_mean(parts),
            all_days=measure_all_days(task, tested, weights) if task.has_flat else None,
            at_half=measure_at_half(task, tested, weights) if task.has_flat else None,
        ),
        baselines=pooled.baselines,
        difference=pooled.difference,
        comparison=pooled.comparison,
        gate=gate,
        curves=curves(task, tested, weights),
        importance=importance(task, rows, folds, forecasters, final, settings.seed),
        **_chosen(final.fit),
        **_calls(final),
        warnings=_warnings(final, forecasters),
        champion=None,
        verdict=judge(gate),
    )


def _fold(
    task: Task,
    settings: Settings,
    rows: Rows,
    fold: Fold,
    forecaster: Forecaster,
    tested: OutOfFold,
    number: int,
) -> FoldEvidence:
    weights = session_weights(len(tested.sessions), settings.resamples, settings.seed + number)
    measured = measure(task, tested, weights)
    gate = tested.gate
    return FoldEvidence(
        fold=number,
        train_start=_day(rows.sessions[fold.train[0]]),
        train_end=_day(rows.sessions[fold.train[-1]]),
        test_start=_day(tested.sessions[0]),
        test_end=_day(tested.sessions[-1]),
        rows=FoldRows(
            train=forecaster.fit.rows,
            train_dropped=forecaster.fit.dropped,
            test=int(tested.decided.sum()),
            test_dropped=int((~tested.scored).sum()),
        ),
        scores=measured.scores,
        baselines={gate: measured.baselines[gate]},
        difference={gate: measured.difference[gate]},
        comparison=measured.comparison,
        features=list(forecaster.fit.selection.names),
        **_calls(forecaster),
    )


def _window(rows: Rows, tested: OutOfFold) -> Window:
    mine = rows.sessions[rows.tested]
    return Window(
        start=_day(mine[0]),
        end=_day(mine[-1]),
        sessions=len(mine),
        decided=int((rows.labels[rows.tested] >= 0).sum()),
        trained_from=_day(rows.sessions[0]),
        trained_on=len(rows.sessions),
        tested=len(tested.sessions),
        tested_decided=int(tested.decided.sum()),
        tested_dropped=int((~tested.scored).sum()),
    )


def _chosen(fit: Fit | Mixed) -> Chosen:
    selection = fit.selection
    nats = [plain(round(figure, INFORMATION_DECIMALS)) for figure in selection.information]
    return {
        "features": list(selection.names),
        "mutual_information": dict(zip(selection.names, nats, strict=True)),
        "left_out": selection.left_out,
        "constant": list(selection.constant),
        "twins": selection.twins,
        "trained_rows": fit.rows,
        "dropped_rows": fit.dropped,
        "members": _members(fit),
    }


def _members(fit: Fit | Mixed) -> list[Member]:
    weights = fit.weights if isinstance(fit, Mixed) else (1.0,)
    return [
        Member(model=one.word, weight=weight, features=list(one.selection.names))
        for one, weight in zip(fit.fits, weights, strict=True)
    ]


def _calls(forecaster: Forecaster) -> Calls:
    if not isinstance(forecaster, DirectionForecaster):
        return {
            "threshold": None,
            "threshold_choice": None,
            "calibration": None,
            "call_weights": list(forecaster.call_weights),
        }
    threshold, curve = forecaster.threshold, forecaster.calibration
    return {
        "threshold": threshold.value,
        "threshold_choice": ThresholdChoice(
            criterion=threshold.criterion, score=threshold.score, at_edge=threshold.at_edge
        ),
        "calibration": CalibrationCurve(
            slope=curve.slope, intercept=curve.intercept, rows=forecaster.calibrated_on
        ),
        "call_weights": None,
    }


def _warnings(final: Forecaster, forecasters: Sequence[Forecaster]) -> list[str]:
    named = [("the final fit", final)]
    named += [(f"fold {number}", one) for number, one in enumerate(forecasters, 1)]
    return [text for name, forecaster in named for text in _faults(name, forecaster)]


def _faults(name: str, forecaster: Forecaster) -> list[str]:
    faults = []
    fit = forecaster.fit
    if not fit.converged:
        faults.append(f"{name}: the optimiser stopped before it converged")
    if isinstance(forecaster, DirectionForecaster):
        if forecaster.threshold.at_edge:
            faults.append(
                f"{name}: the threshold {forecaster.threshold.value:.2f} lies at an edge of its "
                "grid, the best one may lie beyond"
            )
        if forecaster.calibration.slope <= 0.0:
            faults.append(
                f"{name}: out-of-fold decision values do not order UP above DOWN, "
                "the calibrated probability is a constant"
            )
    return faults


def _fold_mean(parts: Sequence[FoldEvidence]) -> Figures:
    """Return the plain mean of each score over the folds, None if one fold lacks it."""
    means: Figures = {}
    for name in parts[0].scores:
        figures = [part.scores[name] for part in parts]
        means[name] = None if None in figures else float(np.mean(figures))
    return means


def _day(session: np.datetime64) -> str:
    return str(np.datetime_as_string(session, unit="D"))
