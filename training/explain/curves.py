"""Out-of-fold forecasts as curves. Pure.

Scores stand in `measures`; here is what a score hides: where probabilities are off, which
classes are mistaken for which, and when the model was better than its baseline.
"""

from typing import Final

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support, roc_curve

from home.records.training.explained import (
    Bin,
    ClassScores,
    Confusion,
    Cumulative,
    Curves,
    DayCurves,
    OverTime,
    Roc,
    Rolling,
)
from market.arrays import BoolArray, FloatArray, IntArray
from market.bootstrap import LEVEL
from training.fit.forecast import Forecast
from training.judge.measures import plain
from training.judge.out_of_fold import OutOfFold, losses
from training.tasks.declare import Task
from training.tasks.scores import confusion

BINS: Final = 10  # of a reliability curve
WINDOW: Final = 252  # sessions of a rolling mean: a year
MIN_KNOWN: Final = 63  # losses in a window, below which its mean is not given: a quarter
MAX_POINTS: Final = 300  # of a long curve: a screen shows no more
DIGITS: Final = 6


def curves(task: Task, tested: OutOfFold, weights: FloatArray) -> Curves:
    """Return the curves of a training.

    Parameters
    ----------
    weights
        As `measures.session_weights` gives them for the sessions of `tested`: ones, then the
        resamples. Sessions without a class count in `all_days`, by the sign of their return.
    """
    every = None
    if task.has_flat:
        every = _days(task, tested, weights, tested.scored, tested.every_outcome)
    return Curves(
        decided=_days(task, tested, weights, tested.decided, tested.labels),
        all_days=every,
        over_time=over_time(tested),
    )


def reliability(hit: BoolArray, stated: FloatArray, weights: FloatArray) -> list[Bin]:
    """Return how often what was given a probability happened, in bins of about equal count.

    Equal probabilities share a bin, and none holds less than half its share. The interval is
    Wilson's (1927) at 95 %, on the bin's count divided by the design effect (Kish 1965): the
    variance of the bins' frequencies under the block bootstrap over that of independent
    sessions, pooled over bins and never below one.

    Parameters
    ----------
    hit, stated
        Whether it happened, and the probability it was given; shape (n_rows,).
    weights
        Ones, then resamples; shape (1 + n_resamples, n_rows).
    """
    at = _bins(stated)
    member = (at[:, None] == np.arange(at.max() + 1)).astype(np.float64)
    effect = _design_effect(hit, member, weights[1:])
    rows = []
    for number in range(at.max() + 1):
        mine = at == number
        frequency, count = float(hit[mine].mean()), int(mine.sum())
        low, high = wilson(frequency, count / effect)
        rows.append(
            Bin(
                low=_short(stated[mine].min()),
                high=_short(stated[mine].max()),
                stated=_short(stated[mine].mean()),
                frequency=_short(frequency),
                count=count,
                interval=[_short(low), _short(high)],
            )
        )
    return rows


def wilson(frequency: float, count: float) -> tuple[float, float]:
    """Return the 95 % score interval of a frequency among `count` trials (Wilson 1927)."""
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + LEVEL / 2.0))
    centre = frequency + z**2 / (2.0 * count)
    spread = z * np.sqrt(frequency * (1.0 - frequency) / count + (z / (2.0 * count)) ** 2)
    under = 1.0 + z**2 / count
    # Its ends lie in [0, 1] but for rounding.
    return max(0.0, float((centre - spread) / under)), min(1.0, float((centre + spread) / under))


def roc(outcome: IntArray, forecast: Forecast) -> Roc | None:
    """Return the ROC curve of P(UP) and the point of the calls; None without both classes."""
    if forecast.probabilities is None or len(np.unique(outcome)) < 2:
        return None
    false_alarm, hit, _ = roc_curve(outcome, forecast.probabilities[:, 1])
    kept = _thinned(len(hit))
    called = forecast.calls == 1
    return Roc(
        false_positive_rate=[_short(figure) for figure in false_alarm[kept]],
        true_positive_rate=[_short(figure) for figure in hit[kept]],
        calls=[_short(called[outcome == 0].mean()), _short(called[outcome == 1].mean())],
    )


def confusion_table(task: Task, outcome: IntArray, calls: IntArray) -> Confusion:
    """Return counts by outcome (rows) and call (columns), and the scores of each class.

    A score whose denominator is zero (a class never called, or never there) is None.
    """
    classes = np.arange(len(task.classes))
    counts = confusion(outcome, calls, np.ones((1, len(outcome))), len(classes))[0]
    scores = precision_recall_fscore_support(
        outcome, calls, labels=classes, average=None, zero_division=np.nan
    )
    by_class = {
        name: ClassScores(
            precision=plain(precision), recall=plain(recall), f1=plain(f1), support=int(support)
        )
        for name, precision, recall, f1, support in zip(task.classes, *scores, strict=True)
    }
    return Confusion(
        classes=list(task.classes), counts=counts.astype(np.int64).tolist(), by_class=by_class
    )


def over_time(tested: OutOfFold) -> OverTime:
    """Return when the model was better than the gate's baseline, by log loss in nats.

    Rolling means are None where fewer than 63 tested sessions of a window have a loss.
    """
    known = losses(tested).set_index("session")
    every = known[["loss", "baseline_loss"]].reindex(pd.DatetimeIndex(tested.sessions))
    rolling = every.rolling(WINDOW, min_periods=MIN_KNOWN).mean().iloc[WINDOW - 1 :]
    rolling = rolling.iloc[_thinned(len(rolling))]
    gained = (known["baseline_loss"] - known["loss"]).cumsum()
    gained = gained.iloc[_thinned(len(gained))]
    starts = [tested.sessions[tested.fold == number][0] for number in np.unique(tested.fold)]
    return OverTime(
        baseline=tested.gate,
        window=WINDOW,
        rolling=Rolling(
            sessions=_days_of(rolling.index),
            model=[_known(figure) for figure in rolling["loss"]],
            baseline=[_known(figure) for figure in rolling["baseline_loss"]],
        ),
        cumulative=Cumulative(
            sessions=_days_of(gained.index),
            difference=[_known(figure) for figure in gained],
        ),
        folds=_days_of(pd.DatetimeIndex(starts)),
    )


def _days(
    task: Task, tested: OutOfFold, weights: FloatArray, kept: BoolArray, outcomes: IntArray
) -> DayCurves:
    outcome, model, drawn = outcomes[kept], tested.model.of(kept), weights[:, kept]
    said = {"model": model}
    said |= {name: forecast.of(kept) for name, forecast in tested.baselines.items()}
    return DayCurves(
        sessions=int(kept.sum()),
        reliability=_reliability_by_class(task, outcome, model, drawn),
        roc=roc(outcome, model) if len(task.classes) == 2 else None,
        confusion={
            name: confusion_table(task, outcome, forecast.calls) for name, forecast in said.items()
        },
    )


def _reliability_by_class(
    task: Task, outcome: IntArray, model: Forecast, weights: FloatArray
) -> dict[str, list[Bin]]:
    if model.probabilities is None:
        return {}
    # Of two classes one says it all: the other is its complement.
    codes = range(len(task.classes)) if len(task.classes) > 2 else (1,)
    return {
        task.classes[code]: reliability(outcome == code, model.probabilities[:, code], weights)
        for code in codes
    }


def _bins(stated: FloatArray) -> IntArray:
    """Return the bin of each probability, from 0, filled from the lowest up; shape (n_rows,)."""
    values, counts = np.unique(stated, return_counts=True)
    share, number, filled = len(stated) / BINS, 0, 0
    bins = np.empty(len(values), dtype=np.int64)
    for at, count in enumerate(counts):
        bins[at] = number
        filled += int(count)
        if filled >= share:
            number, filled = number + 1, 0
    if filled < share / 2.0:
        bins = np.minimum(bins, max(number - 1, 0))
    return np.asarray(bins[np.searchsorted(values, stated)], dtype=np.int64)


def _design_effect(hit: BoolArray, member: FloatArray, weights: FloatArray) -> float:
    """Return how many times the variance of independent rows the resampled bins have."""
    counts = member.sum(axis=0)
    frequency = (hit @ member) / counts
    independent = float((frequency * (1.0 - frequency) / counts).sum())
    if independent == 0.0:
        return 1.0  # every bin has one outcome: nothing to resample
    drawn = weights @ member
    resampled = np.divide(
        weights @ (member * hit[:, None]), drawn, out=np.full(drawn.shape, np.nan), where=drawn > 0
    )
    return max(1.0, float(np.nanvar(resampled, axis=0).sum()) / independent)


def _thinned(count: int) -> IntArray:
    """Return at most 300 evenly spaced positions, the first and last among them."""
    if count <= MAX_POINTS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MAX_POINTS).round().astype(np.int64))


def _short(figure: float) -> float:
    return round(float(figure), DIGITS)


def _known(figure: float) -> float | None:
    known = plain(figure)
    return None if known is None else _short(known)


def _days_of(index: pd.Index) -> list[str]:
    return [str(day) for day in pd.DatetimeIndex(index).strftime("%Y-%m-%d")]
