"""The IV rank five sessions ahead by simulation of the volatility index.

Past five-session paths of the log index, centred and divided by the volatility that was forecast
for them, are put on today's level with today's forecast, and the rank is recomputed on each path
against the 252 sessions that will hold then: filtered historical simulation (Barone-Adesi,
Giannopoulos and Vosper 1999) with ridge regressions (Hoerl and Kennard 1970) for scale and drift.
Most of what it knows lies in the exact thresholds, the sessions that leave the window, and the
scale; the drift is weak.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from feature_repo.features.iv.path import DISTANCES, HELD, VOL_WINDOWS, rank_after
from market.arrays import FloatArray
from market.targets import HORIZON, REGIMES, regime_codes
from training.fit.selection import UnfittableError
from training.models.sample import Model, Sample

LEVEL: Final = "vix_close"
HIGH: Final = f"vix_high_{HELD}d"
LOW: Final = f"vix_low_{HELD}d"
VOLATILITIES: Final = tuple(f"vix_log_vol_{half_life}" for half_life in VOL_WINDOWS)
DRIFTS: Final = tuple(f"vix_log_distance_{n}" for n in DISTANCES)
INPUTS: Final = (LEVEL, HIGH, LOW, *VOLATILITIES, *DRIFTS)

#: Penalties in shares of the rows. The drift's is strong: means revert weakly and not always.
VOLATILITY_PENALTY: Final = 1e-3
DRIFT_PENALTY: Final = 3.0
#: Log change a session below which a volatility is not told from zero.
SMALLEST: Final = 1e-3
MAX_PATHS: Final = 5_000  # the newest; more change nothing in the third digit
PATH_DECIMALS: Final = 4  # of a standard deviation; keeps the artifact small
#: Chance that each class is given whatever the paths say: no simulation knows all outcomes.
FLOOR: Final = 0.003
MIN_PATHS: Final = 100

_STEPS: Final = np.arange(1, HORIZON + 1) / HORIZON


@dataclass(frozen=True)
class Ridge:
    """A linear forecast on standardised inputs."""

    mean: FloatArray
    scale: FloatArray
    coef: FloatArray
    intercept: float

    def forecast(self, inputs: FloatArray) -> FloatArray:
        """Return the forecast of each row; shape (n_rows,)."""
        return np.asarray((inputs - self.mean) / self.scale @ self.coef + self.intercept)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain numbers."""
        return {
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "coef": self.coef.tolist(),
            "intercept": self.intercept,
        }


@dataclass(frozen=True)
class Simulation:
    """A fitted simulation.

    Attributes
    ----------
    volatility
        Of the log of the deviation of a session's log change.
    drift
        Of the log change over `HORIZON` sessions, in such deviations.
    paths
        Standardised paths; shape (n_paths, HORIZON).
    """

    volatility: Ridge
    drift: Ridge
    paths: FloatArray

    def ranks(self, values: FloatArray) -> FloatArray:
        """Return the rank at the end of each path; shape (n_rows, n_paths)."""
        level, high, low = values[:, :3].T
        scale = np.exp(self.volatility.forecast(_volatility_inputs(values)))
        drift = self.drift.forecast(_drift_inputs(values))
        ranks = np.empty((len(values), len(self.paths)))
        for row in range(len(values)):
            path = scale[row] * (self.paths + drift[row] * _STEPS)
            at = slice(row, row + 1)
            ranks[row] = rank_after(level[at], high[at], low[at], path[None])
        return ranks


def fit(sample: Sample) -> Simulation:
    """Fit scale and drift, and keep the standardised paths of the newest rows.

    Raises
    ------
    UnfittableError
        If too few rows have all their next sessions, or these are not `HORIZON`.
    """
    if sample.ahead.shape[1] != HORIZON:
        raise UnfittableError(
            f"bad horizon of a paths model: got {sample.ahead.shape[1]} sessions, "
            f"allowed is {HORIZON}"
        )
    known = np.isfinite(sample.ahead).all(axis=1)
    if int(known.sum()) < MIN_PATHS:
        raise UnfittableError(
            f"too few paths of the volatility index: got {int(known.sum())}, needed {MIN_PATHS}; "
            "train on a longer period, pooled or with history"
        )
    values, ahead = sample.values[known], sample.ahead[known]
    steps = np.diff(ahead, axis=1, prepend=0.0)
    deviation = np.sqrt((steps**2).mean(axis=1))
    volatility = ridge(
        _volatility_inputs(values), np.log(np.maximum(deviation, SMALLEST)), VOLATILITY_PENALTY
    )
    scale = np.exp(volatility.forecast(_volatility_inputs(values)))
    drift = ridge(_drift_inputs(values), ahead[:, -1] / scale, DRIFT_PENALTY)
    centre = drift.forecast(_drift_inputs(values))[:, None] * _STEPS
    paths = np.round(ahead / scale[:, None] - centre, PATH_DECIMALS)[-MAX_PATHS:]
    # Step by step in memory: maxima over the steps then run along the paths, three times as fast.
    return Simulation(volatility, drift, np.asfortranarray(paths))


def probabilities(
    simulation: Simulation, values: FloatArray, _n_classes: int, _n_fitted: int
) -> FloatArray:
    """Return the share of paths that end in each class; shape (n_rows, 3), rows sum to 1."""
    classes = regime_codes(simulation.ranks(values))
    shares = np.stack([(classes == code).mean(axis=1) for code in range(len(REGIMES))], axis=1)
    return np.asarray(FLOOR + (1.0 - len(REGIMES) * FLOOR) * shares, dtype=np.float64)


def parameters(simulation: Simulation, features: tuple[str, ...]) -> dict[str, Any]:
    """Return the two regressions and the path set."""
    return {
        "kind": "paths",
        "features": list(features),
        "volatility": simulation.volatility.as_dict(),
        "drift": simulation.drift.as_dict(),
        "paths": simulation.paths.tolist(),
        "floor": FLOOR,
        "smallest": SMALLEST,
    }


def ridge(inputs: FloatArray, target: FloatArray, penalty: float) -> Ridge:
    """Return a ridge regression on standardised inputs; the penalty counts in shares of rows."""
    from sklearn.linear_model import Ridge as Regression

    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[scale == 0.0] = 1.0
    fitted = Regression(alpha=penalty * len(inputs), solver="cholesky")
    fitted.fit((inputs - mean) / scale, target)
    return Ridge(mean, scale, np.asarray(fitted.coef_), float(fitted.intercept_))


def _volatility_inputs(values: FloatArray) -> FloatArray:
    """Return the logs of the volatilities, and the distances; shape (n_rows, 8)."""
    first = len(INPUTS) - len(VOLATILITIES) - len(DRIFTS)
    last = first + len(VOLATILITIES)
    volatilities = np.log(np.maximum(values[:, first:last], SMALLEST))
    return np.hstack([volatilities, values[:, last:]])


def _drift_inputs(values: FloatArray) -> FloatArray:
    return values[:, -len(DRIFTS) :]


PATHS: Final = Model(
    "paths",
    ("regime",),
    fit=fit,
    probabilities=probabilities,
    parameters=parameters,
    inputs=INPUTS,
)
