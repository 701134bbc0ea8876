"""A path simulation of the volatility index: the IV rank at the end of each path, and its classes.

Standardised past paths are put on today's level with a forecast of scale and drift, and the rank
is taken over the sessions that will hold then.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr, model_validator

from feature_repo.features.catalogue import names
from feature_repo.features.iv.path import DISTANCES, VOL_WINDOWS, rank_after
from forecasters.base import N_REGIMES, Chances, Positive, Single, Strict, Task, check_lengths
from market.arrays import FloatArray
from market.targets import HORIZON, REGIME_CUTS
from serving.reading.refusal import Refusal

#: Level, highest and lowest; then volatilities and distances from means.
INPUTS: Final = ("vix_close", *names("iv_path"))
N_LEVELS: Final = len(INPUTS) - len(VOL_WINDOWS) - len(DISTANCES)
#: Share of the paths between the ends of the interval that a signal shows.
INTERVAL_LEVEL: Final = 0.8
_STEPS: Final = np.arange(1, HORIZON + 1) / HORIZON


class Ridge(Strict):
    """A linear forecast on standardised inputs."""

    mean: list[float]
    scale: list[Positive]
    coef: list[float]
    intercept: float
    _arrays: tuple[FloatArray, FloatArray, FloatArray] = PrivateAttr()

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        width = len(self.coef)
        check_lengths(("mean", len(self.mean), width), ("scale", len(self.scale), width))
        self._arrays = (np.array(self.mean), np.array(self.scale), np.array(self.coef))
        return self

    def forecast(self, inputs: FloatArray) -> float:
        """Return the forecast of one row of inputs."""
        mean, scale, coef = self._arrays
        return float((inputs - mean) / scale @ coef + self.intercept)


class Paths(Single):
    """Two ridge regressions and a path set.

    Attributes
    ----------
    volatility, drift
        Of the log of the deviation of a session's log change; of the log change over a path, in
        such deviations.
    paths
        Standardised log changes to each session; shape (n_paths, HORIZON).
    floor
        Chance that each class has whatever the paths say.
    smallest
        Log change a session below which a volatility is not told from zero.
    """

    kind: Literal["paths"]
    volatility: Ridge
    drift: Ridge
    paths: Annotated[list[list[float]], Field(min_length=1)]
    floor: Annotated[float, Field(ge=0, lt=1 / N_REGIMES)]
    smallest: Positive
    _paths: FloatArray = PrivateAttr()

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        if tuple(self.features) != INPUTS:
            raise ValueError(
                f"features: got {', '.join(self.features)!s:.200}, allowed are {', '.join(INPUTS)}"
            )
        check_lengths(
            ("volatility", len(self.volatility.coef), len(INPUTS) - N_LEVELS),
            ("drift", len(self.drift.coef), len(DISTANCES)),
            *(("paths row", len(row), HORIZON) for row in self.paths),
        )
        # Session by session in memory: extremes over the sessions then run along the paths.
        self._paths = np.asfortranarray(self.paths, dtype=np.float64)
        return self

    def check_task(self, task: Task) -> None:
        """Check that it is a regime."""
        if task != "regime":
            raise ValueError(f"paths of the volatility index forecast no {task}")

    def chances(self, values: Mapping[str, float]) -> Chances:
        """Return the share of paths that end in each class, and the ranks they end at.

        Raises
        ------
        Refusal
            `out_of_range` if a level of the index is not positive.
        """
        ranks = self.ranks(self.inputs(values))
        if not np.isfinite(ranks).all():
            return Chances(np.full(N_REGIMES, np.nan), ranks)
        classes = np.searchsorted(REGIME_CUTS, ranks, side="right")
        shares = np.bincount(classes, minlength=N_REGIMES) / len(ranks)
        return Chances(self.floor + (1.0 - N_REGIMES * self.floor) * shares, ranks)

    def ranks(self, inputs: FloatArray) -> FloatArray:
        """Return the IV rank at the end of each path, 0 to 100; shape (n_paths,).

        Parameters
        ----------
        inputs
            In the order of `INPUTS`.

        Raises
        ------
        Refusal
            `out_of_range` if a level of the index is not positive.
        """
        levels, rest = inputs[:N_LEVELS], inputs[N_LEVELS:]
        for name, level in zip(INPUTS, levels, strict=False):
            if level <= 0:
                raise Refusal(
                    "out_of_range", f"{name}: got {level}, allowed is a positive level of the index"
                )
        distances = rest[len(VOL_WINDOWS) :]
        volatilities = np.log(np.maximum(rest[: len(VOL_WINDOWS)], self.smallest))
        with np.errstate(over="ignore", invalid="ignore"):
            scale = np.exp(self.volatility.forecast(np.concatenate([volatilities, distances])))
            path = scale * (self._paths + self.drift.forecast(distances) * _STEPS)
            level, high, low = levels[:, None]
            return np.asarray(rank_after(level, high, low, path[None])[0])


def rank_interval(ranks: FloatArray) -> dict[str, float]:
    """Return median and ends of the central interval of simulated ranks, and its level."""
    tail = (1.0 - INTERVAL_LEVEL) / 2.0
    # A path that sets an extreme ends at 0 or 100, but for rounding.
    low, median, high = np.clip(np.quantile(ranks, [tail, 0.5, 1.0 - tail]), 0.0, 100.0).tolist()
    return {"median": median, "low": low, "high": high, "level": INTERVAL_LEVEL}
