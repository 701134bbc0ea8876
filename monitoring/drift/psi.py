"""Population stability index over ten reference deciles. Nulls are counted elsewhere. Pure.

The index of two samples with shares p and q of the same bins is sum((p - q) ln(p / q)), the
Jeffreys divergence (Siddiqi, Credit Risk Scorecards, 2006).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from market.errors import InputError

DECILES: Final = 10  # Decision 12
#: Most bins that ten deciles can make: a cut on either side of a tied decile takes two places.
MAX_BINS: Final = DECILES
#: Words of trade for a small and a large index; here for orientation only (Decision 12).
ORIENTATION: Final = (0.1, 0.25)

# An empty bin has no logarithm. Evidently 0.7 gives it this share, or a millionth of the
# smallest share if that is not above it; the same rule here makes the two figures equal.
EMPTY_SHARE: Final = 1e-4
SMALLEST_PART: Final = 1e-6


@dataclass(frozen=True)
class Bins:
    """Bins between reference deciles, open at both ends.

    Attributes
    ----------
    deciles
        The distinct inner deciles, ascending; each ends a bin, itself included.
    ties
        Those that two or more deciles share: each has a bin of its own. Without it a flag that
        is nearly always 1 would fall into one bin with its zeros.
    """

    deciles: Float64[np.ndarray, " n_deciles"]
    ties: Float64[np.ndarray, " n_ties"]

    @property
    def count(self) -> int:
        """Number of bins."""
        return len(self.deciles) + len(self.ties) + 1

    def codes(self, values: Float64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """Return the bin of each value, 0 to `count` - 1; values are finite, any shape."""
        above = np.searchsorted(self.deciles, values, side="left")
        from_tie = np.searchsorted(self.ties, values, side="right")
        return np.asarray(above + from_tie, dtype=np.int64)

    def labels(self) -> list[str]:
        """Return the bins as numbered intervals, such as `02: (0.5, 1]`."""
        tied = set(self.ties.tolist())
        # Each cut: its value, and the brackets that end the bin below and begin the one above.
        cuts = [("-inf", "", "(")]
        for value in self.deciles.tolist():
            cuts += [(f"{value:.6g}", ")", "[")] if value in tied else []
            cuts += [(f"{value:.6g}", "]", "(")]
        cuts.append(("inf", ")", ""))
        return [
            f"{number:02d}: {low[2]}{low[0]}, {high[0]}{high[1]}"
            for number, (low, high) in enumerate(pairwise(cuts), start=1)
        ]


def decile_bins(reference: Float64[np.ndarray, " n_rows"]) -> Bins:
    """Return the decile bins of a sample; quantiles interpolate linearly.

    Parameters
    ----------
    reference
        Finite values; shape (n_rows,), at least one.

    Raises
    ------
    InputError
        If there is no value, or one that is not finite.
    """
    _require_finite(reference, "reference")
    inner = np.arange(1, DECILES) / DECILES
    deciles, times = np.unique(np.quantile(reference, inner), return_counts=True)
    return Bins(deciles, deciles[times > 1])


def bin_counts(codes: Int64[np.ndarray, " n_rows"], bins: int) -> Float64[np.ndarray, " {bins}"]:
    """Return how many values fall into each bin; shape (bins,)."""
    return np.bincount(codes, minlength=bins).astype(np.float64)


def psi(
    reference: Float64[np.ndarray, "*#shape n_bins"], current: Float64[np.ndarray, "*#shape n_bins"]
) -> Float64[np.ndarray, "*#shape"]:
    """Return the population stability index of two sets of bin counts.

    A bin that is empty in both adds nothing.

    Parameters
    ----------
    reference, current
        Counts, of shapes that broadcast to (..., n_bins); a row without any count gives null.

    Returns
    -------
    Array
        Shape (...); 0 for equal shares, without an upper limit.
    """
    p, q = _shares(reference), _shares(current)
    seen = (reference > 0.0) | (current > 0.0)
    p, q = np.where(seen, p, 1.0), np.where(seen, q, 1.0)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1), dtype=np.float64)


def decile_psi(
    reference: Float64[np.ndarray, " n_rows"], current: Float64[np.ndarray, " m_rows"]
) -> float:
    """Return the population stability index over ten reference deciles.

    Parameters
    ----------
    reference, current
        Finite values without nulls; shapes (n_rows,) and (m_rows,).

    Raises
    ------
    InputError
        If either is empty or holds a value that is not finite.
    """
    bins = decile_bins(reference)
    _require_finite(current, "current")
    counts = (bin_counts(bins.codes(sample), bins.count) for sample in (reference, current))
    return float(psi(*counts))


def _shares(counts: Float64[np.ndarray, "*shape n_bins"]) -> Float64[np.ndarray, "*shape n_bins"]:
    """Return shares of each row, empty bins filled by Evidently's rule."""
    total = counts.sum(axis=-1, keepdims=True)
    shares = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0.0)
    smallest = np.where(shares > 0.0, shares, np.inf).min(axis=-1, keepdims=True)
    filled = np.where(smallest <= EMPTY_SHARE, smallest * SMALLEST_PART, EMPTY_SHARE)
    return np.where(shares == 0.0, filled, shares)


def _require_finite(values: Float64[np.ndarray, " n_rows"], name: str) -> None:
    if not len(values) or not np.isfinite(values).all():
        raise InputError(
            f"PSI of the {name} sample: got {len(values)} values, of which "
            f"{int(np.isfinite(values).sum())} finite; allowed are one or more, all finite: "
            "leave nulls out and count them apart"
        )
