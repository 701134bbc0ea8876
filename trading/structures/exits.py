"""How positions end by their plan along paths of the underlying: target, stop or expiry.

Marks are daily: a target or a stop is seen at a close, as a book that is looked at once a day sees
it (Decision 16).
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from market.options.costs import COMMISSION, MULTIPLIER

TARGET: Final = 0
STOP: Final = 1
EXPIRY: Final = 2


class ExitPlan(NamedTuple):
    """When a position is closed.

    Attributes
    ----------
    worth
        USD a share at which the profit target is reached.
    below, above
        Prices of the underlying in USD that stop it; -inf and inf where that move does not.
    """

    worth: float
    below: float
    above: float


def proceeds(
    worth: Float64[np.ndarray, " n"], least: float | Float64[np.ndarray, " n"], n_legs: int
) -> Float64[np.ndarray, " n"]:
    """Return USD a contract that closing brings after its commission, before expiry.

    Where that is below the least it can be worth at expiry nobody closes it: it is left to expire,
    and brings that at the worst. So no position loses more than it could when it was entered.

    Parameters
    ----------
    worth
        USD a share, across the spread.
    least
        USD a share at expiry.
    """
    return np.asarray(np.maximum(MULTIPLIER * worth - COMMISSION * n_legs, MULTIPLIER * least))


class Exits(NamedTuple):
    """How each path ends: `TARGET`, `STOP` or `EXPIRY`, at which close, and worth what."""

    reason: Int64[np.ndarray, " n_paths"]
    close: Int64[np.ndarray, " n_paths"]
    worth: Float64[np.ndarray, " n_paths"]

    def share(self, reason: int) -> float:
        """Share of the paths that end for a reason, 0 to 1."""
        return float((self.reason == reason).mean())


def exits(
    plan: ExitPlan,
    spots: Float64[np.ndarray, "n_paths n_closes"],
    worth: Float64[np.ndarray, "n_paths n_closes"],
) -> Exits:
    """Return how paths end; where target and stop are seen at one close, the stop counts."""
    stopped = (spots <= plan.below) | (spots >= plan.above)
    reached = worth >= plan.worth
    ends = stopped | reached
    ends[:, -1] = True
    close = ends.argmax(axis=1)
    paths = np.arange(len(spots))
    reason = np.full(len(spots), EXPIRY)
    reason[reached[paths, close]] = TARGET
    reason[stopped[paths, close]] = STOP
    last = close == spots.shape[1] - 1
    reason[last] = EXPIRY
    return Exits(reason, close, worth[paths, close])
