"""The transition table as a model: class frequencies given today's IV rank (Decision 10)."""

from typing import Any, Final

import numpy as np

from market.arrays import FloatArray, IntArray
from training.models.sample import Model, Sample

RANK_CUTS: Final = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 75.0, 90.0)  # Decision 10, half-open
N_REGIMES: Final = 3


def rank_bin(iv_rank: FloatArray) -> IntArray:
    """Return the bin of an IV rank among the cuts, 0 to 8; shape (n_rows,)."""
    return np.searchsorted(RANK_CUTS, iv_rank, side="right").astype(np.int64)


def transition_frequencies(labels: IntArray, iv_rank: FloatArray) -> FloatArray:
    """Return P(class | bin of today's rank), add-one smoothed; shape (9, 3).

    Training rows without a rank are left out.
    """
    known = np.isfinite(iv_rank)
    counts = np.ones((len(RANK_CUTS) + 1, N_REGIMES))
    np.add.at(counts, (rank_bin(iv_rank[known]), labels[known]), 1.0)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float64)


def fit(sample: Sample) -> FloatArray:
    """Return the table of a training part; shape (9, 3)."""
    return transition_frequencies(sample.labels, sample.values[:, 0])


def probabilities(
    table: FloatArray, values: FloatArray, _n_classes: int, _n_fitted: int
) -> FloatArray:
    """Return the probability of every class; shape (n_rows, 3)."""
    return np.asarray(table[rank_bin(values[:, 0])], dtype=np.float64)


def parameters(table: FloatArray, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the cuts and the class probabilities of each bin."""
    return {
        "kind": "table",
        "features": list(names),
        "cuts": list(RANK_CUTS),
        "probabilities": table.tolist(),
    }


TABLE: Final = Model(
    "table",
    ("regime",),
    fit=fit,
    probabilities=probabilities,
    parameters=parameters,
    inputs=("iv_rank",),
)
