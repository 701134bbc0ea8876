"""What a model or a baseline says of rows: calls, and probabilities where it has any."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64


@dataclass(frozen=True)
class Forecast:
    """What a model or a baseline says of each row.

    `calls` are class codes (n_rows,). `probabilities` are (n_rows, n_classes), or None for a
    rule that only calls: it has no log loss. `decision` are the values (n_rows,) that two-class
    probabilities were calibrated from, if they were. `lift` are log-odds (n_rows,) above the base
    rate known when the forecast was fitted, for forecasts of several fits to be ranked by.
    """

    calls: Int64[np.ndarray, " n_rows"]
    probabilities: Float64[np.ndarray, "n_rows n_classes"] | None
    decision: Float64[np.ndarray, " n_rows"] | None = None
    lift: Float64[np.ndarray, " n_rows"] | None = None

    def of(self, rows: Bool[np.ndarray, " n_rows"]) -> "Forecast":
        """Return the forecast of some rows."""
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        decision = None if self.decision is None else self.decision[rows]
        lift = None if self.lift is None else self.lift[rows]
        return Forecast(self.calls[rows], probabilities, decision, lift)
