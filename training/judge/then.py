"""How a recipe stood when each fold began: the gate over what was known by then. Pure.

A walk's own evidence knows every fold; what a fold's model is said to be must not.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from home.records.evidence import Evidence
from home.records.training.judged import Gate
from market.arrays import DateArray
from market.bootstrap import MEAN_BLOCK, interval, resample_weights
from market.calendar import session_shift
from training.frames.return_rows import LONGEST
from training.judge.gate import stand
from training.judge.out_of_fold import OutOfFold, hardest, losses
from training.judge.returns import ReturnsTested
from training.settings import Settings
from training.tasks.declare import Registered, Task

Tested = OutOfFold | ReturnsTested
#: Fewer sessions than three mean blocks of the bootstrap say nothing of a recipe.
LEAST: Final = 3 * MEAN_BLOCK
#: A quarter of those of a gate: there is one a fold, and each trains nothing.
RESAMPLES: Final = 500


def standings(task: Registered, settings: Settings, tested: Tested) -> tuple[Evidence, ...]:
    """Return how the recipe stood at the first session of each fold.

    What was forecast out of fold counts once it was known what came of it. How many other recipes
    were tried by then is not.

    Parameters
    ----------
    tested
        Of all folds.
    """
    return tuple(
        _evidence(task, settings, _known(settings, tested, number))
        for number in range(1, int(tested.fold.max()) + 1)
    )


def _known(settings: Settings, tested: Tested, number: int) -> Tested:
    """Return what was forecast of sessions whose outcome was known before a fold began."""
    first = pd.DatetimeIndex(tested.sessions[tested.fold == number][:1])
    ahead = LONGEST if isinstance(tested, ReturnsTested) else settings.horizon
    return tested.where(tested.sessions < session_shift(first, -ahead).to_numpy()[0])


def _evidence(task: Registered, settings: Settings, known: Tested) -> Evidence:
    gate, lost = _beside_gate(task, known)
    metric = task.headline[0]
    if len(lost) < LEAST:
        return Evidence(
            proven=False,
            standing="unproven",
            metric=metric,
            baseline=gate,
            improvement=None,
            interval=None,
            verdict=f"unproven: {len(lost)} sessions had been forecast out of fold and settled by "
            f"then, needed {LEAST}",
        )
    found = _gate(metric, gate, lost, known.sessions, settings)
    standing, words = stand(found)
    return Evidence(
        proven=standing == "proven",
        standing=standing,
        metric=metric,
        baseline=gate,
        improvement=found.improvement,
        interval=found.interval,
        verdict=f"{words}; by what was known then",
    )


def _beside_gate(task: Registered, known: Tested) -> tuple[str, pd.DataFrame]:
    """Return the baseline that had to be beaten, and the losses of model and baseline."""
    if isinstance(known, ReturnsTested):
        return known.gate, known.losses()
    if not isinstance(task, Task):
        raise TypeError(f"a {task.name} has no classes to score")
    allowed = {name: known.baselines[name] for name in task.gate_baselines}
    beside = replace(known, gate=hardest(known.labels, known.decided, allowed))
    return beside.gate, losses(beside)


def _gate(
    metric: str, baseline: str, lost: pd.DataFrame, tested: DateArray, settings: Settings
) -> Gate:
    """Return by how much the mean loss was better, resampled as the gate of a training is."""
    drawn = resample_weights(len(tested), settings.seed, RESAMPLES)
    weights = drawn[:, np.isin(tested, lost["session"].to_numpy())]
    better = (lost["baseline_loss"] - lost["loss"]).to_numpy()
    with np.errstate(invalid="ignore"):  # a resample without a scored session is left out
        spread = interval(weights @ better / weights.sum(axis=1))
    return Gate(
        metric=metric,
        baseline=baseline,
        value=float(lost["loss"].mean()),
        baseline_value=float(lost["baseline_loss"].mean()),
        improvement=float(better.mean()),
        interval=None if spread is None else [spread.low, spread.high],
        bound=None if spread is None else spread.bound,
    )
