"""How much to trade: one overall confidence, and the position size it allows."""

from typing import Final

from home.records.signal import PositionSize

# From small to large: the smallest limit wins.
SIZES: Final[tuple[PositionSize, ...]] = ("none", "half", "full")

# The design's weights and Decision 5: at this overall confidence a position is full, below it half.
# What is too weak for any position is the selector's to refuse.
DIRECTION_WEIGHT: Final = 0.6
IV_WEIGHT: Final = 0.4
FULL_CONFIDENCE: Final = 0.70

# Decision 11: models that have not beaten their baselines never get more than this.
UNPROVEN_LIMIT: Final[PositionSize] = "half"

# Binary fractions put 0.6 x 0.7 + 0.4 x 0.7 a hair below 0.7: the floors are decimal, so is this.
_DECIMALS: Final = 12


def overall_confidence(direction_confidence: float, iv_confidence: float) -> float:
    """Return the overall confidence, 0 to 1: 0.6 direction + 0.4 IV (Decision 5)."""
    return round(DIRECTION_WEIGHT * direction_confidence + IV_WEIGHT * iv_confidence, _DECIMALS)


def position_size(overall: float, limit: PositionSize, *, proven: bool) -> PositionSize:
    """Return the position size that an overall confidence allows.

    Parameters
    ----------
    overall
        Overall confidence, 0 to 1.
    limit
        The largest size of the chosen strategy: `none` for no trade, `half` for a condor.
    proven
        Whether both models have beaten their baselines (Decision 11).
    """
    earned: PositionSize = "full" if overall >= FULL_CONFIDENCE else "half"
    trusted: PositionSize = "full" if proven else UNPROVEN_LIMIT
    return min(earned, limit, trusted, key=SIZES.index)
