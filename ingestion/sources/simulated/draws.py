"""Named streams of random numbers, and the mean-reverting series drawn from them.

Every quantity draws from a stream of its own, forward in time: a longer history starts with the
same numbers, and another ticker leaves those of the first as they were.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np

from market.arrays import FloatArray


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of a named quantity; the same names always give the same numbers."""
    return np.random.default_rng([seed, *"/".join(names).encode()])


class Ornstein(NamedTuple):
    """A mean-reverting normal series: its mean, standard deviation and persistence per step."""

    mean: float
    spread: float
    persistence: float

    def path(self, shocks: FloatArray) -> FloatArray:
        """Return the series, stationary from its first value on; shape (n,).

        Parameters
        ----------
        shocks
            Standard normal, shape (n,).
        """
        steps = self.spread * np.sqrt(1.0 - self.persistence**2) * shocks
        steps[:1] = self.spread * shocks[:1]
        path = accumulate(steps, lambda before, step: self.persistence * before + step)
        return self.mean + np.fromiter(path, float, len(steps))
