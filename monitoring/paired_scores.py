"""Two versions of a model on the sessions that both answered in time: who was right. Pure.

A forecast counts whether it was given or is a shadow, but not where it was backfilled. Sessions are
resampled in blocks, both versions together: five-session outcomes overlap.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Float64

from home.records.live_scores import Compared
from home.records.outcome import Outcome
from home.records.signal import ServedModel, Signal, SignalKey
from market.arrays import FloatArray
from market.bootstrap import MEAN_BLOCK, interval, resample_weights
from market.targets import FLAT, UP
from trading.ledger.checked import RecordedSignal

Scored = Literal["direction", "regime"]
#: Settled sessions below which an interval is not worth its name.
MIN_SESSIONS: Final = 3 * MEAN_BLOCK
#: What a forecast of no chance at all costs, as the gate's log loss counts it.
LEAST: Final = float(np.finfo(np.float64).eps)
SEED: Final = 0


@dataclass(frozen=True)
class Forecast:
    """A version's forecast for a session, and how it fared.

    Attributes
    ----------
    settled
        Whether its outcome is known.
    right
        Whether the call was; None where nothing was decided (FLAT, no rank) or is known.
    chance
        The probability that it gave to what came; None where `right` is.
    """

    settled: bool
    right: bool | None = None
    chance: float | None = None


@dataclass(frozen=True)
class Paired:
    """The figures of two versions on the same sessions; see `LiveScores`."""

    sessions: int
    waiting: int
    n: int
    share_right: Compared
    log_loss: Compared


def forecasts(
    rows: Iterable[RecordedSignal],
    outcomes: Mapping[SignalKey, Outcome],
    task: Scored,
    ticker: str,
    run_id: str,
) -> dict[str, Forecast]:
    """Return the forecasts that a version made in time, by session.

    Parameters
    ----------
    rows
        Of the ledger, oldest first, shadows among them: of a session the first counts.
    run_id
        Of the version's training: a registry that begins anew gives its number again.
    """
    found: dict[str, Forecast] = {}
    for row in rows:
        signal = row.signal
        if signal.ticker == ticker and not row.backfilled and _by(signal, task).run_id == run_id:
            outcome = outcomes.get(signal.key)
            if (kept := found.get(signal.session)) is None or not kept.settled:
                found[signal.session] = _fared(signal, task, outcome)
    return found


def _by(signal: Signal, task: Scored) -> ServedModel:
    models = signal.provenance.models
    return models.direction if task == "direction" else models.regime


def _fared(signal: Signal, task: Scored, outcome: Outcome | None) -> Forecast:
    if outcome is None:
        return Forecast(settled=False)
    if task == "direction":
        if outcome.label == FLAT:
            return Forecast(settled=True)
        up = signal.prediction.probability
        return Forecast(True, outcome.direction_hit, up if outcome.label == UP else 1.0 - up)
    if outcome.realised_regime is None:
        return Forecast(settled=True)
    chances = signal.volatility.regime_probabilities
    return Forecast(True, outcome.regime_hit, chances[outcome.realised_regime])


def paired(serves: Mapping[str, Forecast], rival: Mapping[str, Forecast]) -> Paired:
    """Return how two versions fared on the sessions that both answered.

    Parameters
    ----------
    serves, rival
        As `forecasts` gives them.
    """
    both = sorted(serves.keys() & rival.keys())
    settled = [day for day in both if serves[day].settled and rival[day].settled]
    pairs = [(serves[day], rival[day]) for day in settled]
    weights = resample_weights(len(pairs), SEED) if len(pairs) >= MIN_SESSIONS else None
    right = [[_share(one.right) for one in pair] for pair in pairs]
    loss = [[_loss(one.chance) for one in pair] for pair in pairs]
    return Paired(
        sessions=len(settled),
        waiting=len(both) - len(settled),
        n=sum(one.right is not None and other.right is not None for one, other in pairs),
        share_right=_compared(_columns(right), weights),
        log_loss=_compared(_columns(loss), weights),
    )


def _share(right: bool | None) -> float:
    return float("nan") if right is None else float(right)


def _loss(chance: float | None) -> float:
    return float("nan") if chance is None else 0.0 - float(np.log(max(chance, LEAST)))


def _columns(pairs: list[list[float]]) -> Float64[np.ndarray, "2 n_sessions"]:
    return np.array(pairs, dtype=np.float64).reshape(-1, 2).T


def _compared(
    figures: Float64[np.ndarray, "2 n_sessions"],
    weights: Float64[np.ndarray, "n_resamples n_sessions"] | None,
) -> Compared:
    """Return the means of both figures over the sessions that decided, and their difference."""
    known = np.isfinite(figures).all(axis=0)
    if not known.any():
        return Compared(serves=None, rival=None, difference=None, interval=None)
    serves, rival = (float(one[known].mean()) for one in figures)
    gain = figures[1, known] - figures[0, known]
    spread = None if weights is None else _interval(gain, weights[:, known])
    return Compared(serves=serves, rival=rival, difference=float(gain.mean()), interval=spread)


def _interval(
    gain: FloatArray, weights: Float64[np.ndarray, "n_resamples n_decided"]
) -> list[float] | None:
    drawn = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = interval((weights @ gain) / drawn)
    return None if found is None else [found.low, found.high]
