"""How large the index gets when nothing has drifted, by the stationary block bootstrap. Pure.

Politis and Romano (1994): a resample joins blocks of geometric length that begin anywhere in the
sample, which is taken as a circle. Both windows are drawn anew from the reference, because the
reference is a sample too: held fixed at 1,300 sessions, it has 252 independent sessions without
drift pass the 99th percentile in 5 cases of 100.

The mean block is the current window's length, as features persist. Cases of 100 in which an
AR(1) series that does not drift passes its level (reference of 1,300, 600 series each):

| autocorrelation            | 0 | 0.8 | 0.95 | 0.99 |
|----------------------------|---|-----|------|------|
| 63 sessions, block 63      | 1 | 2   | 3    | 4    |
| 63 sessions, block 20      | 1 | 3   | 5    | 15   |
| 252 sessions, block 252    | 2 | 3   | 4    | 7    |
| 252 sessions, block 20     | 1 | 3   | 9    | 37   |

A level is thus nearly right for what reverts within the window, and too low for what wanders
through the whole reference; the count of alarmed features has its own level for that reason.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from monitoring.drift.psi import MAX_BINS, psi

RESAMPLES: Final = 1_000
LEVEL: Final = 0.99  # Decision 12


def null_psi(
    codes: Sequence[Int64[np.ndarray, " _n_known"]],
    current_known: Sequence[int],
    mean_block: int,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Float64[np.ndarray, "{resamples} n_features"]:
    """Return the index of resamples in which nothing drifts; shape (resamples, n_features).

    All features see the same blocks, so that those which move together do so here.

    Parameters
    ----------
    codes
        For each feature, the bins of its known reference values in session order.
    current_known
        For each feature, how many known values its current window holds.
    mean_block
        Mean length of a block, in rows.
    resamples, seed
        How many, and the seed of the draws.
    """
    found = np.empty((resamples, len(codes)))
    kinds: dict[tuple[int, int], list[int]] = {}
    for place, (reference, known) in enumerate(zip(codes, current_known, strict=True)):
        kinds.setdefault((len(reference), known), []).append(place)
    reference_seed, current_seed = np.random.SeedSequence(seed).spawn(2)
    longest = [max((kind[part] for kind in kinds), default=0) for part in (0, 1)]
    references = Blocks(resamples, longest[0], mean_block, reference_seed)
    currents = Blocks(resamples, longest[1], mean_block, current_seed)
    for (length, known), places in kinds.items():
        members = _members([codes[place] for place in places])
        shape = (resamples, len(places), MAX_BINS)
        drawn = references.counts(length, length), currents.counts(known, length)
        before, after = ((times @ members).astype(np.float64) for times in drawn)
        found[:, places] = psi(before.reshape(shape), after.reshape(shape))
    return found


def alarm_levels(
    null: Float64[np.ndarray, "n_resamples n_features"],
) -> Float64[np.ndarray, " n_features"]:
    """Return the 99th percentile of the index of each feature under no drift; (n_features,)."""
    return np.asarray(np.quantile(null, LEVEL, axis=0), dtype=np.float64)


def alarmed_level(
    null: Float64[np.ndarray, "n_resamples n_features"], levels: Float64[np.ndarray, " n_features"]
) -> float:
    """Return the 99th percentile of the count of features above their own level, under no drift.

    Features that move together are alarmed together: of 158, one in a hundred is the mean and
    not the limit.
    """
    return float(np.quantile((null > levels).sum(axis=1), LEVEL, method="higher"))


class Blocks:
    """Draws of a stationary bootstrap, the same for samples of any length.

    Begin and end of the blocks are drawn once: shorter samples use the first part of each
    resample, and a block that begins at some fraction of one sample begins there in all.
    """

    def __init__(
        self, resamples: int, longest: int, mean_block: int, seed: np.random.SeedSequence
    ) -> None:
        source = np.random.default_rng(seed)
        start = source.random((resamples, longest))
        begins = source.random((resamples, longest)) < 1.0 / max(1, mean_block)
        place = np.arange(longest)
        first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
        self._start = np.take_along_axis(start, first, axis=1)
        self._offset = place - first

    def rows(self, drawn: int, length: int) -> Int64[np.ndarray, "n_resamples {drawn}"]:
        """Return the rows drawn from a sample of some length; shape (resamples, drawn)."""
        start = (self._start[:, :drawn] * length).astype(np.int64)
        return np.asarray((start + self._offset[:, :drawn]) % length, dtype=np.int64)

    def counts(self, drawn: int, length: int) -> Float32[np.ndarray, "n_resamples {length}"]:
        """Return how often each row of a sample is drawn; shape (resamples, length)."""
        rows = self.rows(drawn, length)
        resamples = len(rows)
        cells = rows + length * np.arange(resamples)[:, None]
        times = np.bincount(cells.ravel(), minlength=resamples * length)
        # Counts below 2**24 are exact in single precision, which multiplies twice as fast.
        return times.reshape(resamples, length).astype(np.float32)


def _members(
    codes: Sequence[Int64[np.ndarray, " n_rows"]],
) -> Float32[np.ndarray, "n_rows n_cells"]:
    """Return which bin each row is in, feature beside feature; (n_rows, n_features * bins)."""
    bins = np.arange(MAX_BINS)
    each: list[Bool[np.ndarray, "n_rows n_bins"]] = [column[:, None] == bins for column in codes]
    return np.hstack(each).astype(np.float32)
