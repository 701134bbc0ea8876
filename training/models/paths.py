"""The IV rank five sessions ahead by simulation of the volatility index.

Past five-session paths of the log index, centred and divided by the volatility that was forecast
for them, are put on today's level with today's forecast, and the rank is recomputed on each path
against the 252 sessions that will hold then: filtered historical simulation (Barone-Adesi,
Giannopoulos and Vosper 1999) with ridge regressions (Hoerl and Kennard 1970) for scale and drift.
Most of what it knows lies in the exact thresholds, the sessions that leave the window, and the
scale; the drift is weak.
"""

from typing import Final

import numpy as np
from jaxtyping import Float64

from forecasters.paths import INPUTS, STEPS, Paths, Ridge, drift_inputs, volatility_inputs
from market.targets import HORIZON
from training.models.sample import Estimate, Model, Sample, UnfittableError

#: Penalties in shares of the rows. The drift's is strong: means revert weakly and not always.
VOLATILITY_PENALTY: Final = 1e-3
DRIFT_PENALTY: Final = 3.0
#: Log change a session below which a volatility is not told from zero.
SMALLEST: Final = 1e-3
MAX_PATHS: Final = 5_000  # the newest; more change nothing in the third digit
PATH_DECIMALS: Final = 4  # of a standard deviation; keeps the artifact small
#: How much wider the paths are put than they were: the scale is forecast with an error, and a fit
#: to the past knows no week that it has not seen. Chosen on sessions before 2023-07
#: (`benchmarks.tails`): the worst weeks cost a quarter less, and the mean loss does not rise.
SPREAD: Final = 1.15
#: Chance that each class is given whatever the paths say: no simulation knows all outcomes.
FLOOR: Final = 0.003
MIN_PATHS: Final = 100


def fit(sample: Sample) -> Estimate:
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
    moves = volatility_inputs(values, SMALLEST)
    volatility = ridge(moves, np.log(np.maximum(deviation, SMALLEST)), VOLATILITY_PENALTY)
    scale = np.exp(volatility.forecast(moves))
    distances = drift_inputs(values)
    drift = ridge(distances, ahead[:, -1] / scale, DRIFT_PENALTY)
    centre = drift.forecast(distances)[:, None] * STEPS
    model = Paths(
        features=list(sample.names),
        volatility=volatility,
        drift=drift,
        paths=np.round(SPREAD * (ahead / scale[:, None] - centre), PATH_DECIMALS)[-MAX_PATHS:],
        floor=FLOOR,
        smallest=SMALLEST,
    )
    return Estimate(model, model)


def ridge(
    inputs: Float64[np.ndarray, "n_rows n_features"],
    target: Float64[np.ndarray, " n_rows"],
    penalty: float,
) -> Ridge:
    """Return a ridge regression on standardised inputs; the penalty counts in shares of rows."""
    from sklearn.linear_model import Ridge as Regression

    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[scale == 0.0] = 1.0
    fitted = Regression(alpha=penalty * len(inputs), solver="cholesky")
    fitted.fit((inputs - mean) / scale, target)
    return Ridge(
        mean=mean,
        scale=scale,
        coef=np.asarray(fitted.coef_),
        intercept=float(fitted.intercept_),
    )


PATHS: Final = Model("paths", ("regime",), fit, inputs=INPUTS)
