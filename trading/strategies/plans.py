"""What a position is to look like: the numbers of Decision 16, and the design's five text fields.

The numbers are for pricing legs; the texts are for people and are made from the numbers.
"""

from dataclasses import dataclass
from typing import Final, Literal

# Decision 16: days to expiry, absolute deltas, and shares of the portfolio, profit and price.
EXPIRY_WINDOW_DAYS: Final = (14, 28)
EXPIRY_TARGET_DAYS: Final = 21
LONG_OPTION_DELTA: Final = 0.45
DELTA_TOLERANCE: Final = 0.05
VERTICAL_DELTAS: Final = (0.45, 0.25)
CREDIT_DELTAS: Final = (0.30, 0.15)
CONDOR_DELTAS: Final = (0.20, 0.10)
MAX_LOSS: Final = 0.02
PROFIT_TARGET: Final = 0.50
STOP_MOVE: Final = 0.02


@dataclass(frozen=True)
class Plan:
    """One kind of position.

    Attributes
    ----------
    kind
        The kind's name.
    deltas
        Absolute deltas of its legs: the one nearer the money first; empty for no position.
    strike
        How the strikes are chosen, in words.
    profit_basis
        What the profit target is a share of; a long option has no maximum profit, so its
        premium stands in.
    """

    kind: str
    deltas: tuple[float, ...]
    strike: str
    profit_basis: Literal["maximum profit", "premium"] | None = "maximum profit"

    def texts(self) -> dict[str, str]:
        """Return the design's five text fields."""
        if not self.deltas:
            return dict.fromkeys(
                ("expiry", "strike", "max_loss", "profit_target", "stop_loss"), "no position"
            )
        first, last = (days // 7 for days in EXPIRY_WINDOW_DAYS)
        return {
            "expiry": f"{first}-{last} weeks",
            "strike": self.strike,
            "max_loss": f"{MAX_LOSS:.1%} of portfolio",
            "profit_target": f"{PROFIT_TARGET:.0%} of max profit",
            "stop_loss": f"Close if underlying moves {STOP_MOVE:.0%} against",
        }


def _near_the_money() -> str:
    low, high = LONG_OPTION_DELTA - DELTA_TOLERANCE, LONG_OPTION_DELTA + DELTA_TOLERANCE
    return f"ATM or slightly OTM ({low:.2f}-{high:.2f} delta)"


def _pair(near: str, deltas: tuple[float, float], far: str) -> str:
    return f"{near} {deltas[0]:.2f} delta, {far} {deltas[1]:.2f} delta"


LONG_OPTION: Final = Plan("long option", (LONG_OPTION_DELTA,), _near_the_money(), "premium")
DEBIT_VERTICAL: Final = Plan(
    "debit vertical", VERTICAL_DELTAS, _pair("Long", VERTICAL_DELTAS, "short")
)
CREDIT_VERTICAL: Final = Plan(
    "credit vertical", CREDIT_DELTAS, _pair("Short", CREDIT_DELTAS, "long wing")
)
CONDOR: Final = Plan(
    "condor", CONDOR_DELTAS, _pair("Short put and call", CONDOR_DELTAS, "long wings")
)
NO_POSITION: Final = Plan("no position", (), "no position", None)
