"""How many contracts a capital allows: Decision 16's share of it may be lost."""

from typing import Final

from home.records.signal import PositionSize
from home.records.structure import Structure
from market.errors import InputError
from trading.strategies.plans import MAX_LOSS

#: What a refusal says for which one contract can lose too much.
TOO_LARGE: Final = "a contract can lose"
#: Share of the largest loss allowed that a position size takes.
SHARES: Final[dict[PositionSize, float]] = {"none": 0.0, "half": 0.5, "full": 1.0}


def contracts(structure: Structure, capital: float, size: PositionSize) -> int:
    """Return how many contracts may be held, entered at the natural price.

    Parameters
    ----------
    capital
        In USD, above 0.

    Raises
    ------
    InputError
        If the capital does not allow one.
    """
    if not capital > 0.0:
        raise InputError(f"capital: got {capital}, allowed is an amount in USD above 0")
    allowed = capital * MAX_LOSS * SHARES[size]
    loss = structure.natural.max_loss
    count = int(allowed // loss)
    if count < 1:
        needed = loss / MAX_LOSS / SHARES[size] if SHARES[size] else None
        more = "" if needed is None else f"; one contract needs a capital of {needed:,.0f} USD"
        raise InputError(
            f"{structure.strategy}: {TOO_LARGE} {loss:,.0f} USD, and {MAX_LOSS:.0%} of "
            f"{capital:,.0f} USD at size {size} is {allowed:,.0f}{more}"
        )
    return count
