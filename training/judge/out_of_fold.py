"""The forecasts of every test part side by side: the model's, and each baseline's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from market.arrays import DateArray
from training.fit.forecast import Forecast
from training.fit.mixture import Forecaster
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.tasks.baselines import POOLED_TABLE, Baseline
from training.tasks.declare import Task
from training.tasks.scores import row_log_loss


@dataclass(frozen=True)
class OutOfFold:
    """What the model and each baseline said of every session of the test parts, in order.

    Attributes
    ----------
    fold
        Number of the fold, from 1; shape (n_tested,).
    labels
        Class codes, -1 for FLAT; shape (n_tested,).
    scored
        Whether the model and the baselines had all they need; shape (n_tested,).
    gate
        Which of the baselines has to be beaten; also in a part of the sessions.
    """

    sessions: DateArray
    fold: Int64[np.ndarray, " n_tested"]
    labels: Int64[np.ndarray, " n_tested"]
    every_outcome: Int64[np.ndarray, " n_tested"]
    scored: Bool[np.ndarray, " n_tested"]
    model: Forecast
    baselines: dict[str, Forecast]
    gate: str

    @property
    def decided(self) -> Bool[np.ndarray, " n_tested"]:
        """Which sessions are scored and have a class; shape (n_tested,)."""
        return self.scored & (self.labels >= 0)

    def of_fold(self, number: int) -> "OutOfFold":
        """Return the sessions of one fold."""
        return self.where(self.fold == number)

    def where(self, keep: Bool[np.ndarray, " n_tested"]) -> "OutOfFold":
        """Return some of the sessions, beside the same gate."""
        return OutOfFold(
            self.sessions[keep],
            self.fold[keep],
            self.labels[keep],
            self.every_outcome[keep],
            self.scored[keep],
            self.model.of(keep),
            {name: forecast.of(keep) for name, forecast in self.baselines.items()},
            self.gate,
        )


def out_of_fold(
    task: Task, rows: Rows, folds: Sequence[Fold], forecasters: Sequence[Forecaster]
) -> OutOfFold:
    """Return the forecasts of every test part, each from its own fold's training part."""
    tested = np.concatenate([fold.test for fold in folds])
    said = [
        forecaster.forecast(rows.values[fold.test])
        for fold, forecaster in zip(folds, forecasters, strict=True)
    ]
    model = _joined(said)
    baselines = {
        name: _joined([_baseline_forecast(name, baseline, rows, fold) for fold in folds])
        for name, baseline in task.baselines.items()
        # Without other rows to train on it is the table of the window.
        if name != POOLED_TABLE or not rows.tested.all()
    }
    labels = rows.labels[tested]
    scored = (model.calls >= 0) & np.isfinite(rows.today[tested])
    gates = {name: baselines[name] for name in task.gate_baselines}
    numbers = [np.full(len(fold.test), at, dtype=np.int64) for at, fold in enumerate(folds, 1)]
    return OutOfFold(
        sessions=rows.sessions[tested],
        fold=np.concatenate(numbers),
        labels=labels,
        every_outcome=rows.every_outcome[tested],
        scored=scored,
        model=model,
        baselines=baselines,
        gate=hardest(labels, scored & (labels >= 0), gates),
    )


def hardest(
    labels: Int64[np.ndarray, " n_tested"],
    decided: Bool[np.ndarray, " n_tested"],
    baselines: Mapping[str, Forecast],
) -> str:
    """Return the baseline of the lowest mean log loss; the first of equals, or of no sessions.

    It is taken with the outcomes known, which favours the baselines: a model that is better than
    it is better than each. A prior that the market left behind is worse than a coin, and to beat
    it alone is nothing.
    """
    if not decided.any():
        return next(iter(baselines))
    outcome = labels[decided]
    loss = {name: _row_losses(outcome, one.of(decided)).mean() for name, one in baselines.items()}
    return min(loss, key=lambda name: loss[name])


def best_caller(labels: Int64[np.ndarray, " n_tested"], baselines: Mapping[str, Forecast]) -> str:
    """Return the baseline whose calls are right most often; the first of equals.

    What calls are held against: one that gives even chances has no call of its own, and to call
    the more frequent class always is no skill.
    """
    return max(baselines, key=lambda name: float((baselines[name].calls == labels).mean()))


def losses(tested: OutOfFold) -> pd.DataFrame:
    """Return the log loss of each decided test session, in nats: model and gate baseline.

    This is what a later candidate is compared on: `session`, `fold`, `loss`, `baseline_loss`.
    """
    decided = tested.decided
    outcome = tested.labels[decided]
    model, baseline = tested.model, tested.baselines[tested.gate]
    return pd.DataFrame(
        {
            "session": tested.sessions[decided],
            "fold": tested.fold[decided],
            "loss": _row_losses(outcome, model.of(decided)),
            "baseline_loss": _row_losses(outcome, baseline.of(decided)),
        }
    )


def _row_losses(
    outcome: Int64[np.ndarray, " n_rows"], forecast: Forecast
) -> Float64[np.ndarray, " n_rows"]:
    if forecast.probabilities is None:
        raise TypeError("a rule that only calls has no log loss")
    return row_log_loss(outcome, forecast.probabilities)


def _baseline_forecast(name: str, baseline: Baseline, rows: Rows, fold: Fold) -> Forecast:
    seen = (rows.labels >= 0) & (rows.tested | (name == POOLED_TABLE))
    decided = fold.train[seen[fold.train]]
    return baseline(rows.labels[decided], rows.today[decided], rows.today[fold.test])


def _joined(parts: Sequence[Forecast]) -> Forecast:
    calls = np.concatenate([part.calls for part in parts])
    chances = [part.probabilities for part in parts if part.probabilities is not None]
    decisions = [part.decision for part in parts if part.decision is not None]
    lifts = [part.lift for part in parts if part.lift is not None]
    return Forecast(
        calls,
        np.concatenate(chances) if chances else None,
        np.concatenate(decisions) if decisions else None,
        np.concatenate(lifts) if lifts else None,
    )
