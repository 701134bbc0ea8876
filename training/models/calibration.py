"""From a decision value to a probability (Decision 6).

Platt, "Probabilistic outputs for support vector machines" (1999): a logistic curve through
out-of-fold decision values, targets smoothed as there.
"""

import numpy as np
from jaxtyping import Bool, Float64
from scipy.optimize import minimize
from scipy.special import expit

from forecasters.calls import Calibration
from market.errors import InputError


def fit_platt(
    decision: Float64[np.ndarray, " n_rows"], up: Bool[np.ndarray, " n_rows"]
) -> Calibration:
    """Fit the curve to out-of-fold decision values by maximum likelihood.

    The slope is held at 0 or above. Where the decision values order the rows no better than
    chance, or backwards, the probability becomes a constant: a model is never inverted on the
    strength of its own failure.

    Parameters
    ----------
    decision
        Out-of-fold decision values (log-odds); shape (n_rows,).
    up
        Whether the row was UP; shape (n_rows,).

    Raises
    ------
    InputError
        If there are no rows.
    """
    if not len(decision):
        raise InputError("no out-of-fold row to calibrate on; train on a longer period")
    ups = int(up.sum())
    high, low = (ups + 1.0) / (ups + 2.0), 1.0 / (len(up) - ups + 2.0)
    target = np.where(up, high, low)
    # The optimiser sees unit spread whatever the decision values' own; the slope is scaled back.
    spread = float(np.std(decision)) or 1.0
    scaled = decision / spread

    def loss(curve: Float64[np.ndarray, "2"]) -> tuple[float, Float64[np.ndarray, "2"]]:
        odds = curve[0] * scaled + curve[1]
        error = expit(odds) - target
        value = np.logaddexp(0.0, odds) - target * odds
        return float(value.mean()), np.array([(error * scaled).mean(), error.mean()])

    start = np.array([0.0, np.log(target.mean() / (1.0 - target.mean()))])
    best = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None), (None, None)],
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 500},
    )
    return Calibration(slope=float(best.x[0]) / spread, intercept=float(best.x[1]))
