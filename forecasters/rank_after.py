"""The IV rank at the end of paths of the volatility index. Pure."""

from typing import Final

import numpy as np
from jaxtyping import Float64

from feature_repo.features.maths.arithmetic import ratio

#: How near a log may come to another's without being told from it, rounding included.
NEAR: Final = 1e-9


def rank_after(
    level: float, high: float, low: float, paths: Float64[np.ndarray, "n_sessions n_paths"],
    scale: float = 1.0,
) -> Float64[np.ndarray, " n_paths"]:  # fmt: skip
    """Rank of the index at the end of paths, in the 252 sessions that will hold then, 0 to 100.

    Parameters
    ----------
    level, high, low
        Index today and its extremes of the sessions that will still count, in points.
    paths
        Log of the index over today's, a row for each of `HORIZON` sessions.
    scale
        What the logs are in, above 0.

    Returns
    -------
    array
        Shape (n_paths,). A path may set the extreme itself; the oldest sessions have left.
    """
    ahead = level * np.exp(scale * paths[-1])
    top, bottom = np.full(paths.shape[1], high), np.full(paths.shape[1], low)
    # Few paths go beyond what is held: of the others no extreme is taken out of its log.
    most, least = scale * paths.max(axis=0), scale * paths.min(axis=0)
    over = np.flatnonzero(most > np.log(high / level) - NEAR)
    under = np.flatnonzero(least < np.log(low / level) + NEAR)
    top[over] = np.maximum(high, level * np.exp(most[over]))
    bottom[under] = np.minimum(low, level * np.exp(least[under]))
    return 100.0 * ratio(ahead - bottom, top - bottom)
