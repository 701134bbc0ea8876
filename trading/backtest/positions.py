"""Positions of one strategy entered at many sessions: legs, terms, exit plans. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64

from market.options.costs import COMMISSION, MULTIPLIER
from trading.backtest.entries import Quoted, leg_of
from trading.strategies.plans import PROFIT_TARGET, STOP_MOVE
from trading.strategies.selector import STRATEGIES
from trading.structures.legs import structure_plan

CROSSED: Final = 1.0
MID: Final = 0.0


@dataclass(frozen=True)
class Positions:
    """One strategy, a row a session.

    Attributes
    ----------
    strike
        Of the legs, from low to high; NaN where there is no position.
    sign, side
        1 for a call and a bought leg, -1 for a put and a sold one.
    paid
        USD a share at the entry; below 0 where it was received.
    crossed
        USD a share of it that crossing the spread took.
    least, most
        What a position can be worth at expiry, USD a share.
    target
        USD a share that closing has to bring.
    below, above
        Closes of the underlying in USD that stop it; -inf and inf where none does.
    possible
        Where there is a position, with something to win and to lose.
    """

    strategy: str
    strike: Float64[np.ndarray, "n n_legs"]
    sign: Float64[np.ndarray, " n_legs"]
    side: Float64[np.ndarray, " n_legs"]
    paid: Float64[np.ndarray, " n"]
    crossed: Float64[np.ndarray, " n"]
    least: Float64[np.ndarray, " n"]
    most: Float64[np.ndarray, " n"]
    target: Float64[np.ndarray, " n"]
    below: Float64[np.ndarray, " n"]
    above: Float64[np.ndarray, " n"]
    possible: Bool[np.ndarray, " n"]

    @property
    def max_loss(self) -> Float64[np.ndarray, " n"]:
        """The most that a contract can lose, in USD, the commission of entering within."""
        return np.asarray(MULTIPLIER * (self.paid - self.least) + COMMISSION * len(self.side))


def positions(
    strategy: str, legs: list[Quoted], spot: Float64[np.ndarray, " n"], crossing: float = CROSSED
) -> Positions:
    """Return a strategy's positions at the prices of its legs.

    Parameters
    ----------
    legs
        Of `LEGS`.
    spot
        Of the underlying at the entries, in USD.
    crossing
        How much of the half-spread is paid: 1 buys at the ask and sells at the bid, 0 at mid.
    """
    quoted = [legs[leg_of(leg)] for leg in structure_plan(strategy).legs]
    return of_legs(strategy, quoted, spot, crossing)


def of_legs(
    strategy: str, quoted: list[Quoted], spot: Float64[np.ndarray, " n"], crossing: float
) -> Positions:
    """Return a strategy's positions of its own legs, by strike from low to high."""
    plan = structure_plan(strategy)
    sign, side = (np.array([getattr(leg, name) for leg in plan.legs]) for name in ("sign", "side"))
    strike, bid, ask = (np.stack([getattr(leg, name) for leg in quoted], axis=1)
                        for name in ("strike", "bid", "ask"))  # fmt: skip
    crossed = crossing * ((ask - bid) / 2.0).sum(axis=1)
    paid = ((bid + ask) / 2.0) @ side + crossed
    least, most = _bounds(strike, sign, side)
    win, lose = most - paid, MULTIPLIER * (paid - least) + COMMISSION * len(side)
    basis = paid if STRATEGIES[strategy].plan.profit_basis == "premium" else win
    with np.errstate(invalid="ignore"):
        ascending = (np.diff(strike, axis=1) > 0.0).all(axis=1)
        possible = np.isfinite(paid) & ascending & (win > 0.0) & (lose > 0.0)
    return Positions(
        strategy, strike, sign, side, paid, crossed, least, most,
        target=paid + PROFIT_TARGET * basis,
        below=spot * (1.0 - STOP_MOVE) if -1 in plan.against else np.full(len(spot), -np.inf),
        above=spot * (1.0 + STOP_MOVE) if 1 in plan.against else np.full(len(spot), np.inf),
        possible=possible,
    )  # fmt: skip


def worth_at_expiry(
    strike: Float64[np.ndarray, "n n_legs"], sign: Float64[np.ndarray, " n_legs"],
    side: Float64[np.ndarray, " n_legs"], spot: Float64[np.ndarray, " n"],
) -> Float64[np.ndarray, " n"]:  # fmt: skip
    """Return worth in USD a share at expiry, before what was paid."""
    return np.asarray(np.maximum(sign * (spot[:, None] - strike), 0.0) @ side)


def _bounds(
    strike: Float64[np.ndarray, "n n_legs"], sign: Float64[np.ndarray, " n_legs"],
    side: Float64[np.ndarray, " n_legs"],
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:  # fmt: skip
    """Return the least and the most at expiry; see `trading.structures.payoff.bounds`."""
    at_zero = worth_at_expiry(strike, sign, side, np.zeros(len(strike)))
    corners = [worth_at_expiry(strike, sign, side, strike[:, leg]) for leg in range(len(side))]
    found = np.stack([at_zero, *corners])
    beyond = float(side[sign > 0].sum())
    least, most = found.min(axis=0), found.max(axis=0)
    return (
        np.full(len(strike), -np.inf) if beyond < 0 else least,
        np.full(len(strike), np.inf) if beyond > 0 else most,
    )
