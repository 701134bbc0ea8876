"""A path simulation of the volatility index: the IV rank at the end of each path, and its classes.

Standardised past paths are put on today's level with a forecast of scale and drift, and the rank
is taken over the sessions that will hold then.
"""

from typing import Annotated, Final, Literal, Self

import numpy as np
from jaxtyping import Float64
from pydantic import Field, PrivateAttr, model_validator

from feature_repo.features.catalogue import names
from feature_repo.features.iv.path import DISTANCES, VOL_WINDOWS
from forecasters.base import (
    N_REGIMES,
    Chances,
    ForecastError,
    Matrix,
    Positive,
    Scale,
    Single,
    Strict,
    Task,
    Vector,
    check_shape,
)
from forecasters.rank_after import rank_after
from market.iv_rank import REGIME_CUTS
from market.targets import HORIZON

#: Level, highest and lowest; then volatilities and distances from means.
INPUTS: Final = ("vix_close", *names("iv_path"))
N_LEVELS: Final = len(INPUTS) - len(VOL_WINDOWS) - len(DISTANCES)
#: Share of the paths between the ends of the interval that a signal shows.
INTERVAL_LEVEL: Final = 0.8
#: The part of the drift that each session of a path has gone; shape (HORIZON,).
STEPS: Final = np.arange(1, HORIZON + 1) / HORIZON


class Ridge(Strict):
    """A linear forecast on standardised inputs."""

    mean: Vector
    scale: Scale
    coef: Vector
    intercept: float

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        check_shape("mean", self.mean, self.coef.shape)
        check_shape("scale", self.scale, self.coef.shape)
        return self

    def forecast(
        self, inputs: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return the forecast of each row; shape (n_rows,)."""
        return np.asarray((inputs - self.mean) / self.scale @ self.coef + self.intercept)


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

    kind: Literal["paths"] = "paths"
    volatility: Ridge
    drift: Ridge
    paths: Matrix
    floor: Annotated[float, Field(ge=0, lt=1 / N_REGIMES)]
    smallest: Positive
    _by_session: Float64[np.ndarray, "n_sessions n_paths"] = PrivateAttr()

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        if tuple(self.features) != INPUTS:
            raise ValueError(
                f"features: got {', '.join(self.features)!s:.200}, allowed are {', '.join(INPUTS)}"
            )
        check_shape("volatility", self.volatility.coef, (len(INPUTS) - N_LEVELS,))
        check_shape("drift", self.drift.coef, (len(DISTANCES),))
        check_shape("paths", self.paths, (max(len(self.paths), 1), HORIZON))
        # Session by session in memory: extremes over the sessions then run along the paths.
        self._by_session = np.ascontiguousarray(self.paths.T)
        return self

    def check_task(self, task: Task) -> None:
        """Check that it is a regime."""
        if task != "regime":
            raise ValueError(f"paths of the volatility index forecast no {task}")

    def check_row(self, row: Float64[np.ndarray, " n_features"]) -> None:
        """Check that the levels of the index are positive.

        Raises
        ------
        ForecastError
            `out_of_range`, naming the first that is not.
        """
        for name, level in zip(INPUTS, row[:N_LEVELS].tolist(), strict=False):
            if level <= 0:
                raise ForecastError(
                    "out_of_range", f"{name}: got {level}, allowed is a positive level of the index"
                )

    def chances(self, values: Float64[np.ndarray, "n_rows n_features"]) -> Chances:
        """Return the share of paths that end in each class, and the ranks they end at."""
        ranks = self.ranks(values)
        n_paths = ranks.shape[1]
        below = np.stack([np.count_nonzero(ranks < cut, axis=1) for cut in REGIME_CUTS], axis=1)
        shares = np.diff(below, axis=1, prepend=0, append=n_paths) / n_paths
        shares[~np.isfinite(ranks).all(axis=1)] = np.nan
        return Chances(self.floor + (1.0 - N_REGIMES * self.floor) * shares, ranks)

    def ranks(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, "n_rows n_paths"]:
        """Return the IV rank at the end of each path, 0 to 100; shape (n_rows, n_paths).

        NaN where a level of the index is not positive, or the inputs overflow.
        """
        ranks = np.full((len(values), len(self.paths)), np.nan)
        with np.errstate(over="ignore", invalid="ignore"):
            scale = np.exp(self.volatility.forecast(volatility_inputs(values, self.smallest)))
            drift = self.drift.forecast(drift_inputs(values))
            for at in np.flatnonzero((values[:, :N_LEVELS] > 0).all(axis=1)):
                level, high, low = values[at, :N_LEVELS].tolist()
                paths = self._by_session + (drift[at] * STEPS)[:, None]
                ranks[at] = rank_after(level, high, low, paths, float(scale[at]))
        return ranks


def volatility_inputs(
    values: Float64[np.ndarray, "n_rows n_features"], smallest: float
) -> Float64[np.ndarray, "n_rows 8"]:
    """Return the logs of the volatilities, and the distances; shape (n_rows, 8)."""
    rest = values[:, N_LEVELS:]
    volatilities = np.log(np.maximum(rest[:, : len(VOL_WINDOWS)], smallest))
    return np.hstack([volatilities, rest[:, len(VOL_WINDOWS) :]])


def drift_inputs(
    values: Float64[np.ndarray, "n_rows n_features"],
) -> Float64[np.ndarray, "n_rows 4"]:
    """Return the distances from means; shape (n_rows, 4)."""
    return values[:, -len(DISTANCES) :]


def rank_interval(ranks: Float64[np.ndarray, " n_paths"]) -> dict[str, float]:
    """Return median and ends of the central interval of simulated ranks, and its level."""
    tail = (1.0 - INTERVAL_LEVEL) / 2.0
    # A path that sets an extreme ends at 0 or 100, but for rounding.
    low, median, high = np.clip(np.quantile(ranks, [tail, 0.5, 1.0 - tail]), 0.0, 100.0).tolist()
    return {"median": median, "low": low, "high": high, "level": INTERVAL_LEVEL}
