"""Prices as traded, out of a vendor's split-adjusted ones."""

import numpy as np
import pandas as pd

SCALED = ("open", "high", "low", "close", "dividend")


def as_traded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return bars as they were traded: USD and shares of their own day.

    A split-adjusting vendor divides every price and dividend before a split by its ratio, and
    multiplies the volume by it; this is undone with the ratios of all later rows, so the frame
    must reach to the vendor's newest row.

    Parameters
    ----------
    frame
        One ticker in order of its sessions, with the columns of `SCALED`, `volume` and `split`
        (new shares per old share, 1 = none; positive and never null); shape (n_sessions, ...).
    """
    ratio = frame["split"].to_numpy(float)
    later = np.append(np.cumprod(ratio[::-1])[::-1][1:], 1.0)[: len(ratio)]
    scaled = {name: frame[name] * later for name in SCALED}
    return frame.assign(**scaled, volume=frame["volume"] / later)
