"""Implied volatility of one expiry by strike: a level at the money, and a shape around it."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol, Self

import numpy as np
from jaxtyping import Bool, Float64

#: Share of the level that no strike's volatility falls below.
LOWEST: Final = 0.3
#: Rises, in deviations, that levels were seen to follow; after higher ones they were not lower.
SWAYED: Final = (-3.0, 2.0)
#: Deviations within which a cubic levels off beyond its ends.
LEVELLING: Final = 0.8


class Shape(Protocol):
    """Volatility as a ratio to that at the money, by depth; see `Smile`."""

    def ratio(self, depth: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
        """Return the ratios, above 0."""
        ...

    def extrapolated(self, depth: Float64[np.ndarray, "*n"]) -> Bool[np.ndarray, "*n"]:
        """Whether a depth lies outside what the shape was made from."""
        ...


class Cubic(NamedTuple):
    """1 + tilt d + bend d^2 + twist d^3 of the depth d, level where nothing was fitted."""

    tilt: float
    bend: float
    twist: float
    shallowest: float = -3.0
    deepest: float = 2.5

    def ratio(self, depth: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
        """Return the ratios, at least `LOWEST`."""
        inside = np.clip(depth, self.shallowest, self.deepest)
        # A corner in the smile is a butterfly for less than nothing: it levels off smoothly.
        d = inside + LEVELLING * np.tanh((depth - inside) / LEVELLING)
        raw = 1.0 + d * (self.tilt + d * (self.bend + d * self.twist))
        return np.asarray(np.maximum(raw, LOWEST))

    def extrapolated(self, depth: Float64[np.ndarray, "*n"]) -> Bool[np.ndarray, "*n"]:
        """Whether a depth lies beyond what was fitted."""
        return np.asarray((depth < self.shallowest) | (depth > self.deepest))


@dataclass(frozen=True)
class Nodes:
    """Ratios at quoted depths, ascending, joined by straight lines and flat outside."""

    depths: Float64[np.ndarray, " n_strikes"]
    ratios: Float64[np.ndarray, " n_strikes"]

    def ratio(self, depth: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
        """Return the ratios."""
        return np.asarray(np.interp(depth, self.depths, self.ratios))

    def extrapolated(self, depth: Float64[np.ndarray, "*n"]) -> Bool[np.ndarray, "*n"]:
        """Whether a depth lies beyond the outermost quoted strikes."""
        return np.asarray((depth < self.depths[0]) | (depth > self.depths[-1]))


class Moves(NamedTuple):
    """How the level of a smile moves while the underlying moves and time passes.

    Attributes
    ----------
    sway
        How far its log falls while the underlying rises by a deviation, that of the expiry.
    roll
        How far its log falls while the log of the time left falls by 1: an expiry that comes
        nearer takes the level of nearer ones.
    """

    sway: float = 0.0
    roll: float = 0.0

    def ratio(
        self, rise: Float64[np.ndarray, " n_spots"], left: Float64[np.ndarray, " n_days"]
    ) -> Float64[np.ndarray, "n_days n_spots"]:
        """Return the level as a ratio to today's, by time left and price of the underlying.

        Parameters
        ----------
        rise
            Of the underlying, in deviations; beyond `SWAYED` the level has come to its end.
        left
            Share of the time that is left, above 0.
        """
        swayed = np.exp(-self.sway * np.clip(rise, *SWAYED))
        return np.asarray(swayed * left[:, None] ** self.roll)


@dataclass(frozen=True)
class Smile:
    """What prices the European options of one root and expiry.

    The depth of a strike is ln(strike / forward) / (at_the_money sqrt(years)): deviations from the
    forward.

    Attributes
    ----------
    forward
        In USD, of the moment of settlement.
    discount
        What a USD of that moment costs now.
    years
        Calendar time left, above 0.
    at_the_money
        Volatility at the forward, a year, a fraction above 0.
    shape
        Ratios to it by depth.
    """

    forward: float
    discount: float
    years: float
    at_the_money: float
    shape: Shape

    def depth(self, strike: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
        """Return the depths of strikes, in deviations."""
        deviation = self.at_the_money * np.sqrt(self.years)
        return np.asarray(np.log(strike / self.forward) / deviation)

    def volatility(self, strike: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
        """Return the volatilities of strikes in USD, a year, fractions."""
        return self.at_the_money * self.shape.ratio(self.depth(strike))

    def extrapolated(self, strike: Float64[np.ndarray, "*n"]) -> Bool[np.ndarray, "*n"]:
        """Whether strikes lie outside what the smile was made from."""
        return self.shape.extrapolated(self.depth(strike))

    def lifted(self, points: float) -> Self:
        """Return the smile with its level moved by volatility points (0.01), its shape kept."""
        return replace(self, at_the_money=max(self.at_the_money + points / 100.0, 1e-3))
