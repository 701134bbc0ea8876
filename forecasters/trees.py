"""Boosted trees in xgboost's own JSON, evaluated by the library, which is imported only then."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, Self

import numpy as np
from pydantic import PrivateAttr, model_validator

from forecasters import booster
from forecasters.base import Chances, Single, Task, check_names
from market.arrays import FloatArray

if TYPE_CHECKING:
    from xgboost import Booster

# The library computes in these.
LARGEST: Final = float(np.finfo(np.float32).max)


class Trees(Single):
    """A boosted forest: its margin is the log-odds of UP, or it gives each regime's probability."""

    kind: Literal["trees"]
    booster: str
    _booster: "Booster" = PrivateAttr()
    _task: Task = PrivateAttr()

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        check_names(self.features)
        found = booster.parse(self.booster)
        found.check(len(self.features))
        self._task = found.task
        self._booster = _load(self.booster)
        # The library settles its configuration at the first question: now, before threads share it.
        self._ask(np.zeros(len(self.features)))
        return self

    def check_task(self, task: Task) -> None:
        """Check the objective."""
        if self._task != task:
            raise ValueError(f"booster: its objective forecasts a {self._task}, not a {task}")

    def decision(self, values: Mapping[str, float]) -> float:
        """Return the margin."""
        return float(self._ask(self.inputs(values))[0])

    def chances(self, values: Mapping[str, float]) -> Chances:
        """Return the probabilities, summing to 1 beyond the library's single precision."""
        said = self._ask(self.inputs(values))
        return Chances(np.asarray(said / said.sum()))

    def _ask(self, inputs: FloatArray) -> FloatArray:
        """Return margin (1,) or probabilities (3,); not finite for inputs it has no number for."""
        if not (np.abs(inputs) <= LARGEST).all():
            return np.full(1, np.nan)
        kind = "margin" if self._task == "direction" else "value"
        said = self._booster.inplace_predict(inputs[None], predict_type=kind)
        return np.asarray(said, dtype=np.float64).ravel()


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
