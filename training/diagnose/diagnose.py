"""Why a recipe scores as it does: history, single features, drift, and its worst days. Pure."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from market.arrays import DateArray, IntArray
from training.diagnose.features import alone, moved
from training.diagnose.found import Diagnosis, Far, Learned, SecondOpinion, WorstDay
from training.fit.mixture import Forecaster
from training.frames.folds import Fold, combinatorial
from training.frames.rows import Rows
from training.judge.measures import measure, session_weights
from training.judge.out_of_fold import OutOfFold, losses, out_of_fold
from training.models.sample import UnfittableError
from training.tasks.scores import row_log_loss
from training.walk import Recipe

SHARES: Final = (0.125, 0.25, 0.5, 0.75, 1.0)  # of the sessions before the last test part
WORST: Final = 10  # days
FURTHEST: Final = 3  # features of each
RESAMPLES: Final = 500


# The sums of a fit depend on the number of threads; training uses one.
@threadpool_limits.wrap(limits=1)
def diagnose(recipe: Recipe) -> Diagnosis:
    """Return a diagnosis of a recipe.

    Raises
    ------
    InputError
        If the window has too few sessions for the folds, or a training part cannot be fitted.
    """
    folds, rows = recipe.folds(), recipe.rows
    forecasters = [recipe.fit(fold.train) for fold in folds]
    tested = out_of_fold(recipe.task, rows, folds, forecasters)
    n_classes, seed = len(recipe.task.classes), recipe.settings.seed
    return Diagnosis(
        learning_curve=learning_curve(recipe, folds[-1]),
        second_opinion=second_opinion(recipe),
        features=alone(rows, folds, n_classes, seed),
        drift=moved(rows, folds),
        worst_days=worst_days(recipe, folds, forecasters, tested),
    )


def learning_curve(recipe: Recipe, last: Fold) -> list[Learned]:
    """Return the score on one test part after training on ever more of the sessions before it.

    Model and baseline are fitted on the same part each time. `difference` is the baseline's log
    loss minus the model's, in nats, with its interval; where a part cannot be fitted the figures
    are None and `why_not` says why.
    """
    sessions = recipe.rows.sessions
    before = np.unique(sessions[last.train])
    counts = [math.ceil(share * len(before)) for share in SHARES]
    return [_learned(recipe, last, before[-count:]) for count in dict.fromkeys(counts)]


def second_opinion(recipe: Recipe) -> SecondOpinion:
    """Return the gain over the baseline in combinatorial purged folds, in nats a session.

    Every choice of two of six stretches of the window is tested once, with what comes after it in
    the training part: not what could have been known, but a walk-forward that looks good by the
    luck of its order does not look good here (Lopez de Prado 2018, chapter 12).
    """
    rows = recipe.rows
    gains = []
    for fold in combinatorial(rows.sessions, rows.label_ends, tested=rows.tested):
        try:
            said = losses(recipe.evaluate(fold))
        except UnfittableError:
            continue
        if len(said):
            gains.append(float((said["baseline_loss"] - said["loss"]).mean()))
    return SecondOpinion(
        splits=len(gains),
        mean=float(np.mean(gains)) if gains else None,
        lowest=min(gains, default=None),
        highest=max(gains, default=None),
        better=float(np.mean([gain > 0.0 for gain in gains])) if gains else None,
    )


def worst_days(
    recipe: Recipe, folds: Sequence[Fold], forecasters: Sequence[Forecaster], tested: OutOfFold
) -> list[WorstDay]:
    """Return the decided sessions with the largest log loss: what was said, what happened."""
    if tested.model.probabilities is None:
        raise TypeError("a rule that only calls has no log loss")
    decided = np.flatnonzero(tested.decided)
    chance = tested.model.probabilities[decided]
    loss = row_log_loss(tested.labels[decided], chance)
    positions = np.concatenate([fold.test for fold in folds])
    classes = recipe.task.classes
    found = []
    for at in np.argsort(-loss, kind="stable")[:WORST].tolist():
        day = decided[at]
        number = int(tested.fold[day])
        found.append(
            WorstDay(
                session=f"{tested.sessions[day]:.10}",
                fold=number,
                loss=float(loss[at]),
                probabilities=dict(zip(classes, chance[at].tolist(), strict=True)),
                called=classes[tested.model.calls[day]],
                happened=classes[tested.labels[day]],
                furthest=_furthest(
                    recipe.rows, folds[number - 1].train, forecasters[number - 1], positions[day]
                ),
            )
        )
    return found


def _learned(recipe: Recipe, last: Fold, sessions: DateArray) -> Learned:
    train = last.train[recipe.rows.sessions[last.train] >= sessions[0]]
    unknown = Learned(len(sessions), f"{sessions[0]:.10}", len(train))
    try:
        tested = recipe.evaluate(Fold(train, last.test))
    except UnfittableError as error:
        return replace(unknown, why_not=str(error))
    if not tested.decided.any():
        return replace(unknown, why_not="no tested session was scored")
    weights = session_weights(len(tested.sessions), RESAMPLES, recipe.settings.seed)
    found = measure(recipe.task, tested, weights)
    against = found.difference[tested.gate]
    return replace(
        unknown,
        baseline=tested.gate,
        tested=int(tested.decided.sum()),
        log_loss=against.model,
        baseline_log_loss=against.baseline_value,
        difference=against.value,
        interval=against.interval,
        score=found.scores[recipe.task.headline[1]],
    )


def _furthest(rows: Rows, train: IntArray, forecaster: Forecaster, day: int) -> list[Far]:
    columns = forecaster.fit.selection.columns
    before = rows.values[np.ix_(train, columns)]
    value = rows.values[day, columns]
    spread = np.nanstd(before, axis=0)
    away = np.full(len(columns), np.nan)
    np.divide(value - np.nanmean(before, axis=0), spread, out=away, where=spread > 0.0)
    order = np.argsort(-np.abs(np.nan_to_num(away)), kind="stable")[:FURTHEST]
    return [
        Far(rows.names[columns[at]], float(value[at]), float(away[at])) for at in order.tolist()
    ]
