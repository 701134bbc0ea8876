"""How likely a position's ends are, and what it is worth on average, by paths of the underlying."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

from home.records.structure import Chances
from market.options.black import price_76
from market.options.costs import COMMISSION, MULTIPLIER
from market.options.smile import Moves, Smile
from trading.structures.exits import EXPIRY, STOP, TARGET, ExitPlan, Exits, proceeds
from trading.structures.payoff import Legs, bounds, breakevens, value_at_expiry
from trading.structures.worth import HELD, SpotGrid, WorthGrid

#: Relative step of the price that a density is read with.
STEP: Final = 1e-4


@dataclass(frozen=True)
class Entry:
    """How a position is entered: USD a share paid, and the half-spreads of its legs together."""

    paid: float
    half_spread: float


@dataclass(frozen=True)
class Outlook:
    """Our distribution of the underlying to the position's expiry, and how its smile follows.

    Attributes
    ----------
    ends
        Prices of the underlying in USD at expiry, equally likely, ascending.
    paths
        Its closes in USD by path and session, the last at expiry.
    moves
        Of the smile's level while the underlying moves.
    """

    ends: Float64[np.ndarray, " n_ends"]
    paths: Float64[np.ndarray, "n_paths n_closes"]
    moves: Moves = HELD


def chances(
    legs: Legs,
    smiles: Sequence[Smile],
    spot: float,
    years: Float64[np.ndarray, " n_closes"],
    outlook: Outlook,
    entry: Entry,
    plan: ExitPlan,
    max_loss: float,
) -> Chances:
    """Return the chances of a position's ends and its expected value.

    Parameters
    ----------
    smiles
        What prices it, first as it is, then as it may be: the band of the expected value.
    years
        Time left at each close of its life, descending to 0.
    max_loss
        USD a contract.
    """
    ended, profits = path_profits(
        legs, smiles, spot, years, outlook.paths, outlook.moves, entry, plan
    )
    # With another level more would have been paid, and no more than that can be lost.
    values = np.maximum(profits.mean(axis=1), -max_loss).tolist()
    profit = value_at_expiry(legs, outlook.ends) > entry.paid
    return Chances(
        profit=float(profit.mean()),
        profit_risk_neutral=risk_neutral_profit(legs, smiles[0], entry.paid),
        profit_by_plan=float((profits[0] > 0.0).mean()),
        target=ended.share(TARGET),
        stop=ended.share(STOP),
        expected_value=values[0],
        low=min(values),
        high=max(values),
        expected_value_of_risk=values[0] / max_loss,
        paths=len(outlook.paths),
    )


def path_profits(
    legs: Legs,
    smiles: Sequence[Smile],
    spot: float,
    years: Float64[np.ndarray, " n_closes"],
    paths: Float64[np.ndarray, "n_paths n_closes"],
    moves: Moves,
    entry: Entry,
    plan: ExitPlan,
) -> tuple[Exits, Float64[np.ndarray, "n_smiles n_paths"]]:
    """Return how paths end by the first smile, and their profits by each, USD a contract.

    Leaving early crosses the spread once more. Parameters as those of `chances` and `Outlook`.
    """
    places = SpotGrid.of(smiles[0], spot).places(paths)
    worth = WorthGrid.of(legs, smiles, spot, years, moves, places)
    ends = worth.ends(plan, paths, places)
    # A level that is wrong is so at the entry and at every mark.
    entries = [Entry(entry.paid + moved, entry.half_spread) for moved in worth.now - worth.now[0]]
    least = bounds(legs).least
    profits = [
        _profits(ended, at, least, len(legs.side)) for ended, at in zip(ends, entries, strict=True)
    ]
    return ends[0], np.stack(profits)


def _profits(
    ended: Exits, entry: Entry, least: float, n_legs: int
) -> Float64[np.ndarray, " n_paths"]:
    closed = proceeds(ended.worth - entry.half_spread, least, n_legs)
    brought = np.where(ended.reason == EXPIRY, MULTIPLIER * ended.worth, closed)
    return np.asarray(brought - MULTIPLIER * entry.paid - COMMISSION * n_legs)


def risk_neutral_profit(legs: Legs, smile: Smile, paid: float) -> float:
    """Return the chance of a profit at expiry that the smile's prices imply, 0 to 1.

    The probability between two prices is what the slope of the put's price over the strike gains
    between them, undiscounted.
    """
    turns = breakevens(legs, paid)
    if not len(turns):
        return float(value_at_expiry(legs, np.array([smile.forward]))[0] > paid)
    below = np.clip([0.0, *(_chance_below(smile, price) for price in turns), 1.0], 0.0, 1.0)
    edges = np.array([0.0, *turns, 2.0 * max(turns[-1], legs.strike.max())])
    between = (edges[:-1] + edges[1:]) / 2.0
    gains = value_at_expiry(legs, between) > paid
    return float(np.clip(np.diff(below)[gains].sum(), 0.0, 1.0))


def _chance_below(smile: Smile, price: float) -> float:
    strikes = price * np.array([1.0 - STEP, 1.0 + STEP])
    puts = price_76(
        smile.forward, strikes, smile.years, smile.volatility(strikes), -1.0, smile.discount
    )
    return float((puts[1] - puts[0]) / (strikes[1] - strikes[0]) / smile.discount)
