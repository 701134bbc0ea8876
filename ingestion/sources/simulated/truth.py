"""What can be known of the simulated market's direction, and the best scores it allows.

Found by simulating the law of motion itself from the state of each close, so it holds for any
parameters. No model that sees less than the state can expect a better score.
"""

from typing import Final, NamedTuple

import numpy as np

from ingestion.sources.simulated.market import Exposure, Law, Shocks, State, advance
from market.arrays import FloatArray
from market.targets import HORIZON, MOVE

CHUNK: Final = 256


class BestScore(NamedTuple):
    """The best that can be expected on decided days: of the score P(UP), and of the prior."""

    auc: float
    log_loss: float
    prior_log_loss: float
    decided: float


def direction_odds(
    law: Law, exposure: Exposure, gain: float, state: State, generator: np.random.Generator,
    paths: int = 2048,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Return the probabilities of UP and of DOWN over the five sessions after each close.

    Every close meets the same draws, so that differences between closes carry no noise.

    Parameters
    ----------
    state
        What each close reveals; arrays of shape (n_sessions,).
    paths
        Number of futures simulated from each close, an even number: every second one mirrors
        the normal draws of another.

    Returns
    -------
    tuple of FloatArray
        Each of shape (n_sessions,).
    """
    futures = [_mirrored(law, generator, paths // 2) for _ in range(HORIZON)]
    up, down = np.empty((2, len(state.slow)))
    for first in range(0, len(up), CHUNK):
        rows = slice(first, first + CHUNK)
        total = np.zeros(())
        future = State(*(column[rows, None] for column in state))
        for shocks in futures:
            future, log_return, _, _ = advance(law, exposure, gain, future, shocks)
            total = total + log_return
        up[rows] = (total > np.log1p(MOVE)).mean(axis=1)
        down[rows] = (total < np.log1p(-MOVE)).mean(axis=1)
    return up, down


def best_score(up: FloatArray, down: FloatArray) -> BestScore:
    """Return the best expected scores on decided days, from the true probabilities.

    The AUC is the chance that P(UP | decided) ranks an UP day above a DOWN day, ties half,
    both drawn with their probabilities; log losses are means over decided days.

    Parameters
    ----------
    up, down
        Probabilities of `direction_odds`, shape (n_sessions,).
    """
    score = up / (up + down)
    values, place = np.unique(score, return_inverse=True)
    ups = np.bincount(place, up, len(values))
    downs = np.bincount(place, down, len(values))
    below = np.cumsum(downs) - downs / 2.0
    decided = up.sum() + down.sum()
    prior = up.sum() / decided
    return BestScore(
        auc=float((ups * below).sum() / (up.sum() * down.sum())),
        log_loss=float(-(_xlogx(up, score) + _xlogx(down, 1.0 - score)).sum() / decided),
        prior_log_loss=float(-(prior * np.log(prior) + (1.0 - prior) * np.log1p(-prior))),
        decided=float(decided / len(up)),
    )


def _mirrored(law: Law, generator: np.random.Generator, count: int) -> Shocks:
    normal = generator.standard_normal((6, count))
    market, slow, fast, size, own, volatility = np.concatenate([normal, -normal], axis=1)
    jump = (generator.random(2 * count) < law.jump_rate).astype(float)
    return Shocks(market, slow, fast, jump, size, own, volatility)


def _xlogx(weight: FloatArray, probability: FloatArray) -> FloatArray:
    """Return weight x log(probability), 0 where the weight is 0."""
    logs = np.log(probability, out=np.zeros_like(probability), where=weight > 0)
    product: FloatArray = weight * logs
    return product
