"""Which features a model gets: covered, varying, no twins, most informative. Pure.

Mutual information is the plug-in estimate on equal-frequency bins with the correction of
Miller (1955), "Note on the bias of information estimates": without it a feature of ten bins
would look more informative than a flag by chance alone. It is deterministic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64

from market.errors import InputError
from training.frames.coverage import MIN_COVERAGE, coverage
from training.models.sample import UnfittableError

N_FEATURES: Final = 40  # Decision 8
TWIN_CORRELATION: Final = 0.999  # Decision 8
N_BINS: Final = 10


@dataclass(frozen=True)
class Selection:
    """The features a training part chose, most informative first, and what it left out.

    `columns` are their places among the candidates. `information` is in nats, NaN where a model
    names its features itself.
    """

    names: tuple[str, ...]
    columns: Int64[np.ndarray, " n_features"]
    information: tuple[float, ...]
    left_out: dict[str, float]
    constant: tuple[str, ...]
    twins: dict[str, str]

    def usable(
        self, values: Float64[np.ndarray, "n_rows n_candidates"]
    ) -> Bool[np.ndarray, " n_rows"]:
        """Return which rows have every selected feature; shape (n_rows,)."""
        return np.asarray(np.isfinite(values[:, self.columns]).all(axis=1))


def select(
    values: Float64[np.ndarray, "n_rows n_candidates"],
    names: Sequence[str],
    labels: Int64[np.ndarray, " n_rows"],
    n_features: int = N_FEATURES,
    candidates: Sequence[int] | None = None,
) -> Selection:
    """Return the `n_features` most informative features of a training part.

    Features under 60 % non-null rows (Decision 15) and constant ones are left out, then every
    twin (|rho| > 0.999) of an earlier feature; the rest is ranked by mutual information with
    the label over the rows where the feature is known, ties in the order given.

    Parameters
    ----------
    values
        Features of the training part, NaN where null; shape (n_rows, n_candidates).
    names
        Names of the columns; length n_candidates.
    labels
        Class codes 0, 1, ...; shape (n_rows,).
    n_features
        How many to keep; fewer candidates are all kept.
    candidates
        Columns that may be chosen; all if None.

    Raises
    ------
    InputError
        If `n_features` is under one.
    UnfittableError
        If no feature is left.
    """
    if n_features < 1:
        raise InputError(f"got {n_features} features to select, allowed is 1 or more")
    share = coverage(values)
    allowed = np.zeros(len(names), dtype=np.bool_)
    allowed[slice(None) if candidates is None else list(candidates)] = True
    covered = np.flatnonzero(allowed & (share >= MIN_COVERAGE))
    uncovered = np.flatnonzero(allowed & (share < MIN_COVERAGE))
    varying = covered[[not _constant(values[:, column]) for column in covered]]
    if not len(varying):
        raise UnfittableError(
            f"no usable feature: got {int(allowed.sum())} candidates, of which {len(covered)} have "
            f"{MIN_COVERAGE:.0%} of their rows and none varies; "
            "train on a period that the features cover"
        )
    kept, twin_of = _without_twins(values[:, varying])
    apart = varying[kept]
    information = np.array([mutual_information(values[:, at], labels) for at in apart])
    best = np.argsort(-information, kind="stable")[:n_features]
    return Selection(
        names=tuple(names[at] for at in apart[best].tolist()),
        columns=apart[best],
        information=tuple(information[best].tolist()),
        left_out={names[at]: float(share[at]) for at in uncovered.tolist()},
        constant=tuple(names[at] for at in np.setdiff1d(covered, varying).tolist()),
        twins={names[int(varying[at])]: names[int(varying[of])] for at, of in twin_of.items()},
    )


def correlation(
    values: Float64[np.ndarray, "n_rows n_features"],
) -> Float64[np.ndarray, "n_features n_features"]:
    """Return the Pearson correlations of the columns over the rows where both are known.

    Null where fewer than two such rows exist or one column does not vary on them.
    """
    known = np.isfinite(values)
    if known.all():
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.atleast_2d(np.corrcoef(values, rowvar=False))
    centred = np.where(known, values - np.nanmean(values, axis=0), 0.0)
    peak = np.abs(centred).max(axis=0)
    centred /= np.where(peak > 0, peak, 1.0)
    seen = known.astype(np.float64)
    count, total, square = seen.T @ seen, centred.T @ seen, (centred**2).T @ seen
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = centred.T @ centred - total * total.T / count
        spread = square - total**2 / count
        return np.asarray(covariance / np.sqrt(spread * spread.T), dtype=np.float64)


def mutual_information(
    feature: Float64[np.ndarray, " n_rows"], labels: Int64[np.ndarray, " n_rows"]
) -> float:
    """Return the mutual information of a feature and the class, in nats, Miller corrected.

    Rows where the feature is null are left out. Chance alone gives about 0, and so the
    estimate can be slightly negative.
    """
    known = np.isfinite(feature)
    bins, classes = equal_frequency_bins(feature[known]), labels[known]
    joint = np.zeros((int(bins.max(initial=0)) + 1, int(classes.max(initial=0)) + 1))
    np.add.at(joint, (bins, classes), 1.0)
    rows, columns, n = joint.sum(axis=1), joint.sum(axis=0), float(joint.sum())
    full = joint > 0
    expected = np.outer(rows, columns)[full] / n
    plug_in = float((joint[full] * np.log(joint[full] / expected)).sum()) / n
    occupied = int(np.count_nonzero(rows)) + int(np.count_nonzero(columns)) - int(full.sum()) - 1
    return plug_in + occupied / (2.0 * n)


def equal_frequency_bins(
    feature: Float64[np.ndarray, " n_rows"], n_bins: int = N_BINS
) -> Int64[np.ndarray, " n_rows"]:
    """Return the bin of each value: its own for up to `n_bins` distinct values, else deciles."""
    ordered = np.sort(feature)
    distinct = ordered[np.r_[True, np.diff(ordered) > 0]] if len(ordered) else ordered
    if len(distinct) <= n_bins:
        return np.searchsorted(distinct, feature).astype(np.int64)
    edges = ordered[np.arange(1, n_bins) * len(ordered) // n_bins]
    return np.searchsorted(edges, feature, side="right").astype(np.int64)


def _constant(feature: Float64[np.ndarray, " n_rows"]) -> bool:
    known = feature[np.isfinite(feature)]
    return bool(np.ptp(known) == 0.0)


def _without_twins(
    values: Float64[np.ndarray, "n_rows n_features"],
) -> tuple[Int64[np.ndarray, " n_kept"], dict[int, int]]:
    """Return the places of the columns to keep, and of each dropped one its earlier twin."""
    alike = np.abs(correlation(values)) > TWIN_CORRELATION
    kept: list[int] = []
    twin_of: dict[int, int] = {}
    for column in range(values.shape[1]):
        earlier = [other for other in kept if alike[column, other]]
        if earlier:
            twin_of[column] = earlier[0]
        else:
            kept.append(column)
    return np.array(kept, dtype=np.int64), twin_of
