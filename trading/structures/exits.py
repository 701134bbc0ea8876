"""How positions end by their plan along paths of the underlying: target, stop or expiry.

Marks are daily: a target or a stop is seen at a close, as a book that is looked at once a day sees
it (Decision 16).
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

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


def first_ends(
    stopped: Bool[np.ndarray, "n_closes n_paths"], reached: Bool[np.ndarray, "n_closes n_paths"]
) -> tuple[Int64[np.ndarray, " n_paths"], Int64[np.ndarray, " n_paths"]]:
    """Return why and at which close paths end; of target and stop at one close the stop counts.

    Parameters
    ----------
    stopped, reached
        Where a close stops, or brings the target; at the last close, expiry, neither counts.
    """
    over = stopped | reached
    over[-1] = True
    close = np.ascontiguousarray(over.T).argmax(axis=1)
    reason = np.where(stopped[close, np.arange(len(close))], STOP, TARGET)
    reason[close == len(over) - 1] = EXPIRY
    return reason, close
