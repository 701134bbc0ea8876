"""How good out-of-fold forecasts are: scores, baselines, differences with intervals."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64

from home.records.training.measured import AllDays, AtHalf, Difference, Measured, ScoreBeside
from market.bootstrap import interval, resample_weights
from training.fit.forecast import Forecast
from training.fit.threshold import DEFAULT
from training.judge.out_of_fold import OutOfFold, best_caller
from training.tasks.declare import Task
from training.tasks.scores import LOSSES

#: Scores by name; the first value of each is the score, the others are resampled.
Spread = dict[str, Float64[np.ndarray, " n_draws"]]

GATE_METRIC: Final = "log_loss"  # Decision 11
CALL_METRIC: Final = "accuracy"  # of a baseline that only calls
#: Scores of calls, and so of a threshold.
CALL_SCORES: Final = frozenset({
    "accuracy", "balanced_accuracy", "f1", "precision", "recall",
    "macro_f1", "macro_precision", "f1_low", "f1_normal", "f1_high",
})  # fmt: skip


def session_weights(
    n_sessions: int, resamples: int, seed: int
) -> Float64[np.ndarray, "n_draws n_sessions"]:
    """Return a row of ones, then the resamples; shape (1 + resamples, n_sessions)."""
    return np.vstack([np.ones(n_sessions), resample_weights(n_sessions, seed, resamples)])


def measure(
    task: Task, tested: OutOfFold, weights: Float64[np.ndarray, "n_draws n_sessions"]
) -> Measured:
    """Return the figures of the decided sessions.

    Parameters
    ----------
    weights
        As `session_weights` gives them for the sessions of `tested`.
    """
    decided = tested.decided
    outcome, drawn = tested.labels[decided], weights[:, decided]
    model = task.scores(outcome, tested.model.of(decided), drawn)
    against = {
        name: task.scores(outcome, forecast.of(decided), drawn)
        for name, forecast in tested.baselines.items()
    }
    return Measured(
        scores=_points(model),
        baselines={name: _points(scores) for name, scores in against.items()},
        difference={name: _headline(model, scores) for name, scores in against.items()},
        comparison=compare(model, against, tested.gate, best_caller(outcome, _of(tested, decided))),
    )


def measure_all_days(
    task: Task, tested: OutOfFold, weights: Float64[np.ndarray, "n_draws n_sessions"]
) -> AllDays:
    """Return the figures of all scored sessions, FLAT ones by the sign of their return."""
    scored = tested.scored
    outcome, drawn = tested.every_outcome[scored], weights[:, scored]
    model = task.scores(outcome, tested.model.of(scored), drawn)
    baselines = _of(tested, scored)
    caller = best_caller(outcome, baselines)
    against = {
        name: task.scores(outcome, baselines[name], drawn)
        for name in dict.fromkeys((tested.gate, caller))
    }
    right = tested.model.calls[scored] == tested.labels[scored]
    return AllDays(
        scores=_points(model) | {"label_accuracy": float(right.mean())},
        sessions=int(scored.sum()),
        comparison=compare(model, against, tested.gate, caller),
    )


def measure_at_half(
    task: Task, tested: OutOfFold, weights: Float64[np.ndarray, "n_draws n_sessions"]
) -> AtHalf:
    """Return the figures of calls at a threshold of 0.50 on decided sessions (Decision 9)."""
    decided = tested.decided
    outcome, drawn = tested.labels[decided], weights[:, decided]
    forecast = at_half(tested.model.of(decided))
    called = _of_calls(task.scores(outcome, forecast, drawn))
    baselines = _of(tested, decided)
    caller = best_caller(outcome, baselines)
    against = {caller: _of_calls(task.scores(outcome, baselines[caller], drawn))}
    return AtHalf(scores=_points(called), comparison=compare(called, against, caller, caller))


def at_half(forecast: Forecast) -> Forecast:
    """Return a two-class forecast called at 0.50."""
    if forecast.probabilities is None:
        raise TypeError("a rule that only calls has no threshold")
    calls = (forecast.probabilities[:, 1] > DEFAULT).astype(np.int64)
    return replace(forecast, calls=calls)


def compare(
    model: Spread, baselines: Mapping[str, Spread], gate: str, caller: str
) -> list[ScoreBeside]:
    """Return every score beside a baseline's, with the difference and its interval.

    Parameters
    ----------
    gate, caller
        The baseline of the scores of chances, and that of the scores of calls (`CALL_SCORES`).
    """
    rows = []
    for score, figures in model.items():
        name = caller if score in CALL_SCORES else gate
        baseline = baselines[name]
        better = _improvement(score, figures, baseline[score])
        spread = interval(better[1:])
        rows.append(
            ScoreBeside(
                score=score,
                model=plain(figures[0]),
                baseline=name,
                baseline_value=plain(baseline[score][0]),
                difference=plain(better[0]),
                interval=None if spread is None else [spread.low, spread.high],
            )
        )
    return rows


def plain(figure: float) -> float | None:
    """Return a figure as a Python float, None where it is undefined."""
    return float(figure) if math.isfinite(figure) else None


def _headline(model: Spread, baseline: Spread) -> Difference:
    """Return the difference by log loss, or by accuracy from a baseline that only calls."""
    metric = GATE_METRIC if np.isfinite(baseline[GATE_METRIC][0]) else CALL_METRIC
    better = _improvement(metric, model[metric], baseline[metric])
    spread = interval(better[1:])
    return Difference(
        metric=metric,
        model=plain(model[metric][0]),
        baseline_value=plain(baseline[metric][0]),
        value=plain(better[0]),
        interval=None if spread is None else [spread.low, spread.high],
        bound=None if spread is None else spread.bound,
    )


def _improvement(
    score: str, model: Float64[np.ndarray, " n_draws"], baseline: Float64[np.ndarray, " n_draws"]
) -> Float64[np.ndarray, " n_draws"]:
    lower_is_better = score in LOSSES
    return np.asarray(baseline - model if lower_is_better else model - baseline)


def _of(tested: OutOfFold, rows: Bool[np.ndarray, " n_tested"]) -> dict[str, Forecast]:
    """Return what each baseline said of some of the sessions."""
    return {name: forecast.of(rows) for name, forecast in tested.baselines.items()}


def _points(scores: Spread) -> dict[str, float | None]:
    return {name: plain(figures[0]) for name, figures in scores.items()}


def _of_calls(scores: Spread) -> Spread:
    return {name: figures for name, figures in scores.items() if name in CALL_SCORES}
