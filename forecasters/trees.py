"""Boosted trees in xgboost's own JSON, evaluated by the library, which is imported only then."""

from typing import TYPE_CHECKING, Final, Literal, Self

import numpy as np
from jaxtyping import Float64
from pydantic import PrivateAttr, model_validator

from forecasters import booster
from forecasters.base import N_REGIMES, Chances, Single, Task, check_names

if TYPE_CHECKING:
    from xgboost import Booster

# The library computes in these.
LARGEST: Final = float(np.finfo(np.float32).max)


class Trees(Single):
    """A boosted forest: its margin is the log-odds of UP, or it gives each regime's probability."""

    kind: Literal["trees"] = "trees"
    booster: str
    _booster: "Booster" = PrivateAttr()
    _task: Task = PrivateAttr()

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        check_names(self.features)
        checked = booster.parse(self.booster)
        checked.check(len(self.features))
        self._task = checked.task
        self._booster = _load(self.booster)
        # The library settles its configuration at the first question: now, before threads share it.
        self._booster.inplace_predict(np.zeros((1, len(self.features))))
        return self

    def check_task(self, task: Task) -> None:
        """Check the objective."""
        if self._task != task:
            raise ValueError(f"booster: its objective forecasts a {self._task}, not a {task}")

    def decision(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return the margins; shape (n_rows,)."""
        self.check_task("direction")
        return self._ask(values, "margin", 1)[:, 0]

    def chances(self, values: Float64[np.ndarray, "n_rows n_features"]) -> Chances:
        """Return the probabilities, summing to 1 beyond the library's single precision."""
        self.check_task("regime")
        shares = self._ask(values, "value", N_REGIMES)
        return Chances(shares / shares.sum(axis=1, keepdims=True))

    def _ask(
        self, values: Float64[np.ndarray, "n_rows n_features"], kind: str, width: int
    ) -> Float64[np.ndarray, "n_rows {width}"]:
        """Return the outputs, NaN for inputs the library has no number for; (n_rows, width)."""
        computable = np.abs(values) <= LARGEST
        if computable.all():
            outputs = self._booster.inplace_predict(values, predict_type=kind)
            return np.asarray(outputs, dtype=np.float64).reshape(-1, width)
        every = np.full((len(values), width), np.nan)
        rows = computable.all(axis=1)
        if rows.any():
            every[rows] = self._ask(values[rows], kind, width)
        return every


def _load(text: str) -> "Booster":
    import xgboost

    loaded = xgboost.Booster()
    try:
        loaded.load_model(bytearray(text.encode()))
    except xgboost.core.XGBoostError as error:
        words = " ".join(str(error).split())
        raise ValueError(f"booster: xgboost refuses it: {words:.200}") from None
    # One thread: a request is one row, and sums do not depend on how many cores there are.
    loaded.set_param({"nthread": 1})
    return loaded
