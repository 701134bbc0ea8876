"""What options are traded on: one row an underlying."""

from dataclasses import dataclass
from typing import Final

from market.errors import InputError

MARKET: Final = "US"


@dataclass(frozen=True)
class Underlying:
    """A ticker that options are traded on, and the index of its implied volatility."""

    ticker: str
    volatility_index: str


# Decision 13: one row an underlying; the term slope (VIX3M - VIX) is shared by all.
UNDERLYINGS: Final = {
    row.ticker: row
    for row in (Underlying("SPY", "VIX"), Underlying("QQQ", "VXN"), Underlying("IWM", "RVX"))
}
TERM_SLOPE: Final = ("VIX3M", "VIX")
VOLATILITY_INDICES: Final = tuple(
    dict.fromkeys([*(row.volatility_index for row in UNDERLYINGS.values()), *TERM_SLOPE])
)


def underlying(ticker: str) -> Underlying:
    """Return the row of a ticker.

    Raises
    ------
    InputError
        If the ticker is not in `UNDERLYINGS`.
    """
    try:
        return UNDERLYINGS[ticker]
    except KeyError:
        raise InputError(
            f"unknown ticker: got {ticker!r:.40}, allowed are {', '.join(UNDERLYINGS)}; "
            "another underlying is one row in market/underlyings.py"
        ) from None
