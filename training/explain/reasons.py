"""What a trained forecast rests on, as its evidence holds it: importance and linear weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import blake2b
from typing import Final

import numpy as np

from forecasters.linear import Linear
from home.records.training.explained import Importance
from market.arrays import FloatArray
from training.explain.importance import Part, linear_weights, permutation_importance
from training.fit.fit import Fit, Mixed
from training.fit.mixture import Forecaster
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.tasks.declare import Task

LINEAR: Final = "logistic"
MIN_WEIGHT: Final = 0.05  # in a mixture, below which a linear member explains nothing
SLOW: Final = "paths"
#: Sessions scored of a test part, and repeats: enough to rank by, fewer where each simulates.
EFFORT: Final = (250, 5)
SLOW_EFFORT: Final = (100, 3)


def importance(
    task: Task,
    rows: Rows,
    folds: Sequence[Fold],
    forecasters: Sequence[Forecaster],
    final: Forecaster,
    seed: int,
) -> Importance:
    """Return permutation importance on the test parts, and the weights of a linear member."""
    parts = [
        Part(
            _remembering(one).forecast,
            rows.values[fold.test],
            rows.labels[fold.test],
            frozenset(one.fit.selection.names),
        )
        for fold, one in zip(folds, forecasters, strict=True)
    ]
    linear, earlier = _linear(final.fit), [_linear(one.fit) for one in forecasters]
    slow = any(one.word == SLOW for one in final.fit.fits)
    most, repeats = SLOW_EFFORT if slow else EFFORT
    return Importance(
        permutation=permutation_importance(parts, rows.names, seed, repeats, most),
        weights=None
        if linear is None
        else linear_weights(linear, [one for one in earlier if one is not None], task.classes),
    )


def _linear(fit: Fit | Mixed) -> Linear | None:
    """Return a fit's linear member, None if it has none that counts.

    Of a part that lacked a class there is none: its weights tell others apart.
    """
    weights = fit.weights if isinstance(fit, Mixed) else (1.0,)
    for one, weight in zip(fit.fits, weights, strict=True):
        if one.word == LINEAR and weight >= MIN_WEIGHT:
            return one.parameters if isinstance(one.parameters, Linear) else None
    return None


@dataclass(frozen=True)
class _Remembering(Fit):
    """A fit that says the same of the same features without computing it again.

    A member of a mixture is asked about every feature of the others, which it does not read.
    """

    @cached_property
    def _said(self) -> dict[tuple[str, bytes], FloatArray]:
        return {}

    def decision(self, values: FloatArray) -> FloatArray:
        return self._recall("decision", values, super().decision)

    def probabilities(self, values: FloatArray) -> FloatArray:
        return self._recall("probabilities", values, super().probabilities)

    def _recall(
        self, what: str, values: FloatArray, say: Callable[[FloatArray], FloatArray]
    ) -> FloatArray:
        read = np.ascontiguousarray(values[:, self.selection.columns])
        key = what, blake2b(read.tobytes()).digest()
        if key not in self._said:
            self._said[key] = say(values)
        return self._said[key]


def _remembering(forecaster: Forecaster) -> Forecaster:
    """Return a forecaster whose mixture, if it is one, asks its members once."""
    fit = forecaster.fit
    if not isinstance(fit, Mixed):
        return forecaster
    names = [field.name for field in fields(Fit)]
    fits = tuple(_Remembering(*(getattr(one, name) for name in names)) for one in fit.fits)
    return replace(forecaster, fit=replace(fit, fits=fits))
