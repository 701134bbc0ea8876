"""What single features say out of fold, and how their distributions move. Pure.

A feature that alone says more of the next five sessions than anything known today plausibly can is
a leakage suspect: something to look at beside the look-ahead audit, not a proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from market.arrays import FloatArray, IntArray
from market.bootstrap import interval, resample_weights
from training.fit.selection import N_BINS
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.tasks.scores import auc

#: Above it, a single feature's AUC of the five-session direction is not believed: the best
#: published predictors of returns at this horizon stay below 0.55.
PLAUSIBLE_AUC: Final = 0.60
#: More than this many times what today's rank says of the regime is not believed.
PLAUSIBLE_SHARE: Final = 1.5
RESAMPLES: Final = 500


@dataclass(frozen=True)
class Alone:
    """What one feature says by itself of the tested sessions.

    Attributes
    ----------
    information
        How much the log loss of class frequencies by the feature's training deciles lies below
        that of the training part's class frequencies, in nats a session; negative is noise.
    bound
        One-sided 95 % bootstrap bound of the information beyond the reference's.
    auc
        Mean over the folds, oriented in the training part; None with more than two classes, or
        where a fold has a single class.
    suspect
        Whether it is implausibly much.
    """

    name: str
    information: float
    bound: float | None
    auc: float | None
    suspect: bool


@dataclass(frozen=True)
class Moved:
    """How far a feature's distribution in test parts lies from that in training parts.

    Attributes
    ----------
    ks
        Largest two-sample Kolmogorov-Smirnov distance over the folds, 0 to 1; None where a fold
        knows the feature in one of the two parts only.
    fold
        Number of that fold, from 1.
    mean_ks
        Mean over the folds where it is known.
    null_shift
        Share of nulls in the test part of that fold minus that in its training part.
    """

    name: str
    ks: float | None
    fold: int
    mean_ks: float | None
    null_shift: float


def alone(rows: Rows, folds: Sequence[Fold], n_classes: int, seed: int) -> list[Alone]:
    """Return what each feature says by itself out of fold, the most informative first.

    The reference is the training part's class frequencies for two classes, and today's figure
    (`rows.today`, the rank) for three: a feature may say what persistence says.
    """
    decided = [_decided(rows, fold) for fold in folds]
    prior = np.concatenate([_prior_losses(rows, fold, n_classes) for fold in decided])
    columns = [*rows.values.T, rows.today]
    losses = np.column_stack([_losses(column, rows, decided, n_classes) for column in columns])
    gain = prior[:, None] - losses
    reference = gain[:, -1] if n_classes > 2 else np.zeros(len(gain))
    beyond = gain[:, :-1] - reference[:, None]
    weights = resample_weights(len(gain), seed, RESAMPLES) / len(gain)
    spread = weights @ beyond
    found = []
    for at, name in enumerate(rows.names):
        told, against = interval(spread[:, at]), float(gain[:, at].mean())
        ranked = _mean_auc(rows.values[:, at], rows, decided) if n_classes == 2 else None
        bound = None if told is None else told.bound
        much = (
            ranked is not None and ranked >= PLAUSIBLE_AUC
            if n_classes == 2
            else against > PLAUSIBLE_SHARE * max(float(reference.mean()), 0.0)
        )
        beats = bound is not None and bound > 0.0
        found.append(Alone(name, against, bound, ranked, much and beats))
    return sorted(found, key=lambda one: -one.information)


def moved(rows: Rows, folds: Sequence[Fold]) -> list[Moved]:
    """Return how each feature moved from training to test parts, the worst first."""
    found = [_moved(name, rows.values[:, at], folds) for at, name in enumerate(rows.names)]
    return sorted(found, key=lambda one: (-(one.ks or 0.0), -(one.mean_ks or 0.0)))


def _moved(name: str, feature: FloatArray, folds: Sequence[Fold]) -> Moved:
    distances = [_distance(feature[fold.train], feature[fold.test]) for fold in folds]
    known = [distance for distance in distances if distance is not None]
    worst = max(range(len(folds)), key=lambda at: distances[at] or 0.0)
    fold = folds[worst]
    shift = np.isnan(feature[fold.test]).mean() - np.isnan(feature[fold.train]).mean()
    mean = float(np.mean(known)) if known else None
    return Moved(name, distances[worst], worst + 1, mean, float(shift))


def _distance(train: FloatArray, test: FloatArray) -> float | None:
    """Return the largest gap between the two distribution functions, None without values.

    It is scipy's `ks_2samp`, without the p-value that takes most of its time.
    """
    before, after = (np.sort(part[np.isfinite(part)]) for part in (train, test))
    if not (len(before) and len(after)):
        return None
    at = np.concatenate([before, after])
    below = [np.searchsorted(part, at, side="right") / len(part) for part in (before, after)]
    return float(np.abs(below[0] - below[1]).max())


def _decided(rows: Rows, fold: Fold) -> Fold:
    return Fold(*(part[rows.labels[part] >= 0] for part in (fold.train, fold.test)))


def _prior_losses(rows: Rows, fold: Fold, n_classes: int) -> FloatArray:
    """Return -log of the class frequencies of a training part, for each tested row."""
    counts = np.bincount(rows.labels[fold.train], minlength=n_classes) + 1.0
    return np.asarray(-np.log(counts / counts.sum())[rows.labels[fold.test]], dtype=np.float64)


def _losses(feature: FloatArray, rows: Rows, folds: Sequence[Fold], n_classes: int) -> FloatArray:
    """Return -log of the class frequencies in the feature's bin, add-one smoothed to the prior.

    A null is a bin of its own.
    """
    found = []
    for fold in folds:
        train, test = feature[fold.train], feature[fold.test]
        edges = _edges(train[np.isfinite(train)])
        bins = [np.where(np.isnan(x), len(edges) + 1, np.searchsorted(edges, x, side="right"))
                for x in (train, test)]  # fmt: skip
        labels = rows.labels[fold.train]
        prior = (np.bincount(labels, minlength=n_classes) + 1.0) / (len(labels) + n_classes)
        counts = np.tile(n_classes * prior, (len(edges) + 2, 1))
        np.add.at(counts, (bins[0], labels), 1.0)
        chance = counts / counts.sum(axis=1, keepdims=True)
        found.append(-np.log(chance[bins[1], rows.labels[fold.test]]))
    return np.concatenate(found)


def _edges(train: FloatArray) -> FloatArray:
    """Return the cuts between deciles, or between the values where they are few."""
    distinct = np.unique(train)
    if len(distinct) <= N_BINS:
        return distinct[1:]
    return np.unique(np.quantile(train, np.arange(1, N_BINS) / N_BINS))


def _mean_auc(feature: FloatArray, rows: Rows, folds: Sequence[Fold]) -> float | None:
    """Return the mean AUC of the test parts, above 0.5 if a feature keeps its sign; or None."""
    found = []
    for fold in folds:
        before, after = _auc(feature, rows, fold.train), _auc(feature, rows, fold.test)
        if before is None or after is None:
            return None
        found.append(after if before >= 0.5 else 1.0 - after)
    return float(np.mean(found))


def _auc(feature: FloatArray, rows: Rows, part: IntArray) -> float | None:
    known = part[np.isfinite(feature[part])]
    if len(np.unique(rows.labels[known])) < 2:
        return None
    return float(auc(rows.labels[known], feature[known], np.ones((1, len(known))))[0])
