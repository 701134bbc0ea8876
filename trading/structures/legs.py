"""The legs of every strategy: which options are bought and sold, by the deltas of Decision 16."""

from typing import Final, NamedTuple

from market.errors import UnknownName
from trading.strategies.plans import CONDOR, CREDIT_VERTICAL, DEBIT_VERTICAL, LONG_OPTION

CALL: Final = 1.0
PUT: Final = -1.0
BUY: Final = 1.0
SELL: Final = -1.0
#: Which moves of the underlying are against a position: its signs.
Against = tuple[int, ...]


class LegPlan(NamedTuple):
    """A leg: call (1) or put (-1), bought (1) or sold (-1), and its absolute delta."""

    sign: float
    side: float
    delta: float


class StructurePlan(NamedTuple):
    """The legs of a strategy by strike from low to high, and which moves are against it."""

    legs: tuple[LegPlan, ...]
    against: Against


_LONG = LONG_OPTION.deltas[0]
_NEAR, _FAR = DEBIT_VERTICAL.deltas
_SHORT, _WING = CREDIT_VERTICAL.deltas
_CONDOR_SHORT, _CONDOR_WING = CONDOR.deltas
_BULLISH: Final = (-1,)
_BEARISH: Final = (1,)

# Every structure has a defined maximum loss; none is naked (Decision 4).
STRUCTURES: Final = {
    "Buy Calls": StructurePlan((LegPlan(CALL, BUY, _LONG),), _BULLISH),
    "Bull Call Spread": StructurePlan(
        (LegPlan(CALL, BUY, _NEAR), LegPlan(CALL, SELL, _FAR)), _BULLISH
    ),
    "Bull Put Spread": StructurePlan(
        (LegPlan(PUT, BUY, _WING), LegPlan(PUT, SELL, _SHORT)), _BULLISH
    ),
    "Buy Puts": StructurePlan((LegPlan(PUT, BUY, _LONG),), _BEARISH),
    "Bear Put Spread": StructurePlan(
        (LegPlan(PUT, SELL, _FAR), LegPlan(PUT, BUY, _NEAR)), _BEARISH
    ),
    "Bear Call Spread": StructurePlan(
        (LegPlan(CALL, SELL, _SHORT), LegPlan(CALL, BUY, _WING)), _BEARISH
    ),
    "Iron Condor": StructurePlan(
        (
            LegPlan(PUT, BUY, _CONDOR_WING),
            LegPlan(PUT, SELL, _CONDOR_SHORT),
            LegPlan(CALL, SELL, _CONDOR_SHORT),
            LegPlan(CALL, BUY, _CONDOR_WING),
        ),
        (-1, 1),
    ),
}


def structure_plan(strategy: str) -> StructurePlan:
    """Return the legs of a strategy.

    Raises
    ------
    UnknownName
        If it has none.
    """
    if strategy not in STRUCTURES:
        raise UnknownName("strategy", strategy, STRUCTURES)
    return STRUCTURES[strategy]
