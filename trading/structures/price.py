"""From a strategy and the board of an expiry to a priced position."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64

from home.records.structure import (
    Costs,
    ExitRule,
    Greeks,
    Leg,
    ProfitTable,
    Structure,
    Terms,
)
from market.errors import InputError
from market.options.black import black_76
from market.options.contract_symbols import Contract
from market.options.costs import COMMISSION, MULTIPLIER
from market.options.smile import Smile
from market.options.synthetic_smile import BAND
from trading.strategies.plans import PROFIT_TARGET, STOP_MOVE
from trading.strategies.selector import STRATEGIES
from trading.structures.board import Board, choose_legs
from trading.structures.chances import Entry, Outlook, chances
from trading.structures.exits import ExitPlan
from trading.structures.legs import structure_plan
from trading.structures.payoff import Legs, bounds, breakevens, value_at_expiry
from trading.structures.worth import worth_at

#: Places of the profit table: prices of the underlying, and days beside the first and the last.
SHOWN_SPOTS: Final = 21
SHOWN_DAYS: Final = 6
#: Deviations at expiry that the prices reach to.
SHOWN_REACH: Final = 3.0


@dataclass(frozen=True)
class Life:
    """The sessions of a position, the first after the one it is entered at, the last its expiry.

    Attributes
    ----------
    entered
        The session whose close it is priced at, midnight without a zone.
    closes
        The sessions it lives through, ascending.
    years
        Time left at each of their closes, descending to 0.
    """

    entered: pd.Timestamp
    closes: pd.DatetimeIndex
    years: Float64[np.ndarray, " n_closes"]


def price_structure(
    strategy: str, board: Board, life: Life, outlook: Outlook | None, notes: Sequence[str] = ()
) -> Structure:
    """Return a strategy's position, priced.

    Parameters
    ----------
    strategy
        A row of the matrix with a position.
    board
        What can be traded of the expiry.
    life
        Its sessions.
    outlook
        Our distribution to the expiry; None leaves the chances out.
    notes
        What is to be known of it.

    Raises
    ------
    InputError
        If its legs cannot be chosen, or it has nothing to win at the prices there are.
    """
    legs = choose_legs(board, structure_plan(strategy))
    bids, asks = _quotes(board, legs)
    mids, halves = (bids + asks) / 2.0, (asks - bids) / 2.0
    mid, half = float(mids @ legs.side), float(halves.sum())
    entry = Entry(mid + half, half)
    natural = _terms(legs, entry.paid)
    rule = _exit_plan(strategy, legs, entry.paid, board.spot)
    smile = board.smile
    smiles = (smile, smile.lifted(-BAND), smile.lifted(BAND))
    return Structure(
        strategy=strategy,
        pricing=board.pricing,
        root=board.quotes.root,
        quote_time=board.quote_time,
        expiration=str(board.quotes.expiration.date()),
        days_to_expiry=(board.quotes.expiration - life.entered).days,
        spot=board.spot,
        forward=smile.forward,
        at_the_money=smile.at_the_money,
        expected_move=board.spot * smile.at_the_money * float(np.sqrt(smile.years)),
        legs=_legs(board, legs, bids, asks),
        mid=_terms(legs, mid),
        natural=natural,
        width=_width(legs),
        greeks=_greeks(board, legs),
        costs=_costs(mid, half, len(legs.side)),
        chances=None
        if outlook is None
        else chances(legs, smiles, board.spot, life.years, outlook, entry, rule, natural.max_loss),
        exit=_exit_rule(rule, life),
        contracts=None,
        table=_table(board, legs, life, mid),
        notes=list(notes),
    )


def _quotes(
    board: Board, legs: Legs
) -> tuple[Float64[np.ndarray, " n_legs"], Float64[np.ndarray, " n_legs"]]:
    at = np.searchsorted(board.quotes.strike, legs.strike)
    bids = [board.side(sign).bid[place] for sign, place in zip(legs.sign, at, strict=True)]
    asks = [board.side(sign).ask[place] for sign, place in zip(legs.sign, at, strict=True)]
    return np.array(bids), np.array(asks)


def _terms(legs: Legs, paid: float) -> Terms:
    """Return what a contract comes to where it is entered at a price in USD a share."""
    within = bounds(legs)
    commission = COMMISSION * len(legs.side)
    loss = MULTIPLIER * (paid - within.least) + commission
    if not loss > 0.0:
        raise InputError(f"a position with nothing to lose at {paid:.2f}: the quotes are wrong")
    profit = MULTIPLIER * (within.most - paid) - commission
    width = _width(legs)
    return Terms(
        net=paid,
        max_loss=loss,
        max_profit=profit if np.isfinite(profit) else None,
        breakevens=breakevens(legs, paid).tolist(),
        credit_of_width=-paid / width if width is not None and paid < 0 else None,
    )


def _costs(mid: float, half: float, n_legs: int) -> Costs:
    return Costs(
        spread=MULTIPLIER * half,
        commission=COMMISSION * n_legs,
        spread_of_net=half / abs(mid) if mid else None,
    )


def _width(legs: Legs) -> float | None:
    """Return the distance in USD between the strikes of a pair, of two pairs the wider."""
    gaps = [np.ptp(legs.strike[legs.sign == sign]) for sign in (1.0, -1.0) if sign in legs.sign]
    widest = float(max(gaps))
    return widest or None


def _exit_plan(strategy: str, legs: Legs, paid: float, spot: float) -> ExitPlan:
    """Return Decision 16's plan: half of what can be won, or of a long option's premium."""
    most = bounds(legs).most - paid
    if not most > 0.0:
        raise InputError(
            f"nothing can be won at the natural price: {paid:.2f} USD a share is paid for at most "
            f"{bounds(legs).most:.2f}"
        )
    basis = STRATEGIES[strategy].plan.profit_basis
    target = paid + PROFIT_TARGET * (paid if basis == "premium" else most)
    against = structure_plan(strategy).against
    below = spot * (1.0 - STOP_MOVE) if -1 in against else -np.inf
    return ExitPlan(target, below, spot * (1.0 + STOP_MOVE) if 1 in against else np.inf)


def _exit_rule(plan: ExitPlan, life: Life) -> ExitRule:
    return ExitRule(
        target=plan.worth,
        stop_below=plan.below if np.isfinite(plan.below) and plan.below > 0 else None,
        stop_above=plan.above if np.isfinite(plan.above) else None,
        last_day=str(life.closes[-1].date()),
    )


def _legs(board: Board, legs: Legs, bids: np.ndarray, asks: np.ndarray) -> list[Leg]:
    smile = board.smile
    volatility, outside = smile.volatility(legs.strike), smile.extrapolated(legs.strike)
    deltas = _deltas(board, legs)
    return [
        Leg(
            symbol=Contract(
                board.quotes.root, board.quotes.expiration, int(legs.sign[n]), float(strike)
            ).compact(),
            action="buy" if legs.side[n] > 0 else "sell",
            right="call" if legs.sign[n] > 0 else "put",
            strike=float(strike),
            delta=float(deltas[n]),
            bid=float(bids[n]),
            ask=float(asks[n]),
            implied_volatility=float(volatility[n]),
            extrapolated=bool(outside[n]),
        )
        for n, strike in enumerate(legs.strike)
    ]


def _deltas(board: Board, legs: Legs) -> Float64[np.ndarray, " n_legs"]:
    at = np.searchsorted(board.quotes.strike, legs.strike)
    return np.array([board.deltas(sign)[place] for sign, place in zip(legs.sign, at, strict=True)])


def _greeks(board: Board, legs: Legs) -> Greeks:
    smile = board.smile
    valued = black_76(
        smile.forward, legs.strike, smile.years, smile.volatility(legs.strike), legs.sign,
        smile.discount,
    )  # fmt: skip
    carried = smile.forward / board.spot
    side = MULTIPLIER * legs.side
    return Greeks(
        delta=float(valued.delta @ side) * carried,
        gamma=float(valued.gamma @ side) * carried**2,
        theta=float(valued.theta @ side),
        vega=float(valued.vega @ side),
    )


def _table(board: Board, legs: Legs, life: Life, paid: float) -> ProfitTable:
    """Return profit by day and price of the underlying, entered at mid; the smile is held."""
    smile = board.smile
    days = pd.DatetimeIndex([life.entered, *life.closes])
    shown = np.unique(np.linspace(0, len(days) - 1, SHOWN_DAYS).round().astype(int))
    prices = shown_prices(smile, board.spot)
    left = np.array([smile.years, *life.years])[shown[:-1]]
    level = np.array([smile.at_the_money])
    before = worth_at(legs, smile, board.spot, left, prices, level)[0]
    profit = MULTIPLIER * (np.vstack([before, value_at_expiry(legs, prices)]) - paid)
    return ProfitTable(
        days=[str(days[at].date()) for at in shown],
        spot=prices.round(2).tolist(),
        profit=profit.round(2).tolist(),
    )


def shown_prices(smile: Smile, spot: float) -> Float64[np.ndarray, " n_spots"]:
    """Return the prices of the table, evenly far apart in their logs, that spot in the middle."""
    reach = SHOWN_REACH * smile.at_the_money * float(np.sqrt(smile.years))
    return np.asarray(spot * np.exp(np.linspace(-reach, reach, SHOWN_SPOTS)))
