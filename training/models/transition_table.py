"""The transition table as a model: class frequencies given today's IV rank (Decision 10)."""

from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from forecasters.base import N_REGIMES
from forecasters.transition_table import INPUT, Table, rank_bin
from training.models.sample import Estimate, Model, Sample

#: Half-open, Decision 10.
RANK_CUTS: Final = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 75.0, 90.0)


def fit_table(
    labels: Int64[np.ndarray, " n_rows"], iv_rank: Float64[np.ndarray, " n_rows"]
) -> Table:
    """Return P(class | bin of today's rank), add-one smoothed.

    Training rows without a rank are left out.
    """
    known = np.isfinite(iv_rank)
    counts = np.ones((len(RANK_CUTS) + 1, N_REGIMES))
    np.add.at(counts, (rank_bin(iv_rank[known], RANK_CUTS), labels[known]), 1.0)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return Table(features=[INPUT], cuts=np.array(RANK_CUTS), probabilities=shares)


def fit(sample: Sample) -> Estimate:
    """Return the table of a training part."""
    table = fit_table(sample.labels, sample.values[:, 0])
    return Estimate(table, table)


TABLE: Final = Model("table", ("regime",), fit, inputs=(INPUT,))
