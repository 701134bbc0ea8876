"""The distribution of a ticker's log-return over its next sessions: a scale times a shape.

The scale is a log-linear forecast of the range-based variance ahead (Corsi 2009, with the
volatility index and falls beside the past variances), the shape the quantiles of past returns in
forecast scales. Between the fitted horizons variance and drift are interpolated in sessions.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final, Literal, Self

import numpy as np
from jaxtyping import Float64, Int64
from pydantic import Field, PrivateAttr, model_validator

from forecasters.base import (
    ForecastError,
    Matrix,
    Names,
    Single,
    Task,
    Vector,
    check_shape,
)
from market.errors import InputError

N_QUANTILES: Final = 199
#: Their probabilities, symmetric about a half; shape (N_QUANTILES,).
PROBABILITIES: Final = (np.arange(1, N_QUANTILES + 1) - 0.5) / N_QUANTILES
MAX_SESSIONS: Final = 30
#: Sessions of a path that stay together, so that calm and wild days keep their company.
BLOCK: Final = 5
#: A deviation of 1,000 % within weeks: what lies beyond comes from a row that is no market.
MAX_VARIANCE: Final = 100.0
INDEX: Final = "vix_close"


@dataclass(frozen=True)
class ReturnDistribution:
    """The distribution of the log-return of the adjusted close from one session on.

    Attributes
    ----------
    sessions
        0, then the fitted horizons, ascending; shape (n_knots,).
    variances, drifts
        Of the log-return over that many sessions, 0 at the first; shape (n_knots,).
    shapes
        Quantiles of returns less their drift, in deviations of the forecast variance, a row for
        each horizon; shape (n_knots - 1, N_QUANTILES).
    daily
        Past daily returns in forecast deviations, oldest first; shape (n_days,).
    """

    sessions: Float64[np.ndarray, " n_knots"]
    variances: Float64[np.ndarray, " n_knots"]
    drifts: Float64[np.ndarray, " n_knots"]
    shapes: Float64[np.ndarray, "n_horizons n_quantiles"]
    daily: Float64[np.ndarray, " n_days"]

    def quantiles(self, sessions: int) -> Float64[np.ndarray, " n_quantiles"]:
        """Return log-returns after some sessions at `PROBABILITIES`, ascending.

        Parameters
        ----------
        sessions
            1 to `MAX_SESSIONS`. Variance and drift run straight between the fitted horizons, from
            0 at today and on past the last; shapes are mixed by nearness, the first and the last
            hold beyond.

        Raises
        ------
        InputError
            If there are too few or too many sessions.
        """
        _check_sessions(sessions)
        at = np.array([sessions], dtype=np.float64)
        drift = _along(self.sessions, self.drifts, at)
        deviation = np.sqrt(_along(self.sessions, self.variances, at))
        return np.asarray(drift + deviation * self._shape(sessions))

    def deviation(self, sessions: int) -> float:
        """Return the standard deviation of the log-return after some sessions, a fraction.

        That of the quantiles: what lies beyond the outer ones counts as they do.
        """
        return float(self.quantiles(sessions).std())

    def paths(self, sessions: int, count: int, seed: int) -> Float64[np.ndarray, "count sessions"]:
        """Return cumulative log-returns by session, each path as likely as another.

        Blocks of past standardised daily returns are scaled by the term structure of variance.
        At the end, and at each fitted horizon before it, every path then moves to the quantile of
        its rank there, (rank - 0.5) / count, between `quantiles` linearly and at their ends
        beyond: so returns there are a stratified sample of `quantiles`, and only what lies between
        is random. A move grows from the horizon before with the variance.

        Parameters
        ----------
        sessions
            1 to `MAX_SESSIONS`.
        count
            1 or more.
        seed
            The same seed gives the same paths.

        Raises
        ------
        InputError
            If a count is not allowed.
        """
        _check_sessions(sessions)
        if count < 1:
            raise InputError(f"paths: got a count of {count}, allowed is 1 or more")
        variance = _along(self.sessions, self.variances, np.arange(sessions + 1.0))
        blocks = -(-sessions // BLOCK)
        # A row a session, so that what is done to all paths at once lies side by side.
        drawn = _drawn(seed, len(self.daily) - BLOCK + 1, count, blocks)
        steps = self.daily.take(drawn[:sessions])
        steps *= np.sqrt(np.diff(variance))[:, None]
        walk = np.cumsum(steps, axis=0)
        fitted = [int(one) for one in self.sessions if one < sessions]
        before = np.zeros(count)
        for last, end in zip(fitted, [*fitted[1:], sessions], strict=True):
            move = self._to_quantiles(walk[end - 1], end)
            share = np.interp(variance[last + 1 : end + 1], variance[[last, end]], [0.0, 1.0])
            walk[last:end] += before + (move - before) * share[:, None]
            before = move
        return walk.T

    def _to_quantiles(
        self, reached: Float64[np.ndarray, " count"], sessions: int
    ) -> Float64[np.ndarray, " count"]:
        """Return how far each log-return lies below the quantile of its rank."""
        count = len(reached)
        order = np.argsort(reached)
        ranks = (np.arange(count) + 0.5) / count
        move = np.empty(count)
        move[order] = np.interp(ranks, PROBABILITIES, self.quantiles(sessions)) - reached[order]
        return move

    def _shape(self, sessions: int) -> Float64[np.ndarray, " n_quantiles"]:
        fitted = self.sessions[1:]
        at = float(np.interp(sessions, fitted, np.arange(len(fitted))))
        low = int(at)
        high = min(low + 1, len(fitted) - 1)
        return np.asarray(self.shapes[low] + (at - low) * (self.shapes[high] - self.shapes[low]))


class Returns(Single):
    """A log-linear forecast of variance for each horizon, and the shapes of returns.

    Attributes
    ----------
    features
        The index in points first, taken by its log; all others as they are.
    horizons
        Sessions ahead, ascending; shape (n_horizons,).
    intercept, coef
        Of the log variance of the return over each horizon; shapes (n_horizons,), (n_horizons,
        n_features).
    shapes
        Quantiles at `PROBABILITIES` of returns in forecast deviations, with the drift that grows
        with these, ascending; shape (n_horizons, N_QUANTILES).
    drift
        What is added to the log-return over each horizon, whatever the scale; shape
        (n_horizons,).
    daily
        Past daily returns in forecast deviations, oldest first; shape (n_days,), `BLOCK` or more.
    """

    kind: Literal["returns"] = "returns"
    features: Names
    horizons: Annotated[list[Annotated[int, Field(ge=1, le=MAX_SESSIONS)]], Field(min_length=1)]
    intercept: Vector
    coef: Matrix
    shapes: Matrix
    drift: Vector
    daily: Vector
    _centre: Float64[np.ndarray, " n_horizons"] = PrivateAttr()
    _centred: Float64[np.ndarray, "n_horizons n_quantiles"] = PrivateAttr()

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        if self.features[0] != INDEX:
            raise ValueError(f"features: got {self.features[0]!r:.40} first, allowed is {INDEX}")
        if sorted(set(self.horizons)) != self.horizons:
            raise ValueError(f"horizons: got {self.horizons}, allowed are ascending sessions")
        count = len(self.horizons)
        check_shape("intercept", self.intercept, (count,))
        check_shape("coef", self.coef, (count, len(self.features)))
        check_shape("shapes", self.shapes, (count, N_QUANTILES))
        check_shape("drift", self.drift, (count,))
        spread = np.diff(self.shapes, axis=1)
        if (spread < 0).any() or (spread == 0).all(axis=1).any():
            raise ValueError("shapes: allowed are quantiles in ascending order, not all equal")
        if self.daily.ndim != 1 or len(self.daily) < BLOCK:
            raise ValueError(f"daily: got shape {self.daily.shape}, allowed are {BLOCK} or more")
        self._centre = self.shapes.mean(axis=1)
        self._centred = self.shapes - self._centre[:, None]
        return self

    def check_task(self, task: Task) -> None:
        """Check that it is a distribution."""
        if task != "distribution":
            raise ValueError(f"a distribution of returns forecasts no {task}")

    def check_row(self, row: Float64[np.ndarray, " n_features"]) -> None:
        """Check that the index is positive.

        Raises
        ------
        ForecastError
            `out_of_range`.
        """
        if row[0] <= 0:
            raise ForecastError(
                "out_of_range",
                f"{INDEX}: got {float(row[0])}, allowed is a positive level of the index",
            )

    def log_variances(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, "n_rows n_horizons"]:
        """Return the log of the forecast variance over each horizon, NaN without an index.

        A longer horizon has no less than a shorter one.
        """
        inputs = inputs_of(values)
        with np.errstate(over="ignore", invalid="ignore"):
            found = inputs @ self.coef.T + self.intercept
        return np.asarray(np.maximum.accumulate(found, axis=1))

    def quantiles(
        self, values: Float64[np.ndarray, "n_rows n_features"], horizon: int
    ) -> Float64[np.ndarray, "n_rows n_quantiles"]:
        """Return the quantiles of the return over a fitted horizon, of a batch of rows."""
        at = self.horizons.index(horizon)
        scale = np.exp(self.log_variances(values)[:, at] / 2.0)
        return np.asarray(self.drift[at] + scale[:, None] * self.shapes[at])

    def at(self, row: Float64[np.ndarray, " n_features"]) -> ReturnDistribution:
        """Return the distribution from one row on.

        Raises
        ------
        ForecastError
            `out_of_range` without a positive index, `not_finite` if the row overflows.
        """
        self.check_row(row)
        with np.errstate(over="ignore"):
            variances = np.exp(self.log_variances(np.asarray(row)[None])[0])
        if not ((variances > 0.0) & (variances <= MAX_VARIANCE)).all():
            raise ForecastError(
                "not_finite",
                f"the features overflow the model, its variances: {variances.tolist()}, "
                f"allowed are numbers above 0, to {MAX_VARIANCE:g}",
            )
        return ReturnDistribution(
            sessions=np.array([0.0, *self.horizons]),
            variances=np.concatenate([[0.0], variances]),
            drifts=np.concatenate([[0.0], self.drift + self._centre * np.sqrt(variances)]),
            shapes=self._centred,
            daily=self.daily,
        )


@lru_cache(maxsize=64)  # every session of a backtest asks for the same draws
def _drawn(seed: int, n_days: int, count: int, blocks: int) -> Int64[np.ndarray, "n_steps count"]:
    """Return the places of daily returns, blocks that begin at `n_days` equally likely ones."""
    starts = np.random.default_rng(seed).integers(0, n_days, (count, blocks))
    found = (starts.T[:, None, :] + np.arange(BLOCK)[:, None]).reshape(-1, count)
    found.flags.writeable = False
    return found


def inputs_of(
    values: Float64[np.ndarray, "n_rows n_features"],
) -> Float64[np.ndarray, "n_rows n_features"]:
    """Return rows with the index in logs, NaN where it is not positive."""
    found = np.array(values, dtype=np.float64)
    found[:, 0] = np.log(np.where(found[:, 0] > 0, found[:, 0], np.nan))
    return found


def _along(
    knots: Float64[np.ndarray, " n_knots"],
    values: Float64[np.ndarray, " n_knots"],
    at: Float64[np.ndarray, "*at"],
) -> Float64[np.ndarray, "*at"]:
    """Return values straight between knots, and on along the last two beyond them."""
    slope = (values[-1] - values[-2]) / (knots[-1] - knots[-2])
    return np.asarray(np.interp(at, knots, values) + slope * np.maximum(at - knots[-1], 0.0))


def _check_sessions(sessions: int) -> None:
    if not 1 <= sessions <= MAX_SESSIONS:
        raise InputError(f"sessions ahead: got {sessions}, allowed are 1 to {MAX_SESSIONS}")
