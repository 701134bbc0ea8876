"""Splits of a split-adjusting vendor that cannot be right.

One wrong split falsifies every price before it, without any single row looking wrong, so the
whole answer is refused. Yahoo is known to give a split twice, to apply it to a part of the
history only, twice, or not at all, and to correct that within days.

A split that is left out while the prices are adjusted for it cannot be seen in one answer: the
prices are then consistent, in the shares of a later day.
"""

from typing import Final

import numpy as np
import pandas as pd

from market.errors import SourceUnavailable

# No company splits by the same ratio twice within two weeks.
TWICE_WITHIN: Final = pd.Timedelta(days=14)
# How far the first trade and the close of a day may lie from where a split alone would put them.
# A real move by half or to the double is that close to a whole ratio once in many.
NEAR: Final = 0.07
FIX: Final = "try again later, or land recorded data"


def refuse_wrong_splits(what: str, bars: pd.DataFrame) -> None:
    """Refuse split-adjusted bars whose splits were given twice, or not applied evenly.

    Parameters
    ----------
    what
        The vendor and the ticker, for messages.
    bars
        One ticker in order of its sessions: `session`, `open`, `close`, in USD and adjusted for
        splits, and `split` (new shares per old share, 1 = none); shape (n_sessions, ...).

    Raises
    ------
    SourceUnavailable
        Naming the sessions and the ratio.
    """
    _refuse_twice(what, bars)
    _refuse_jump(what, bars)


def _refuse_twice(what: str, bars: pd.DataFrame) -> None:
    events = bars.loc[bars["split"] != 1.0, ["session", "split"]]
    near = events["session"].diff() <= TWICE_WITHIN
    twice = near & np.isclose(events["split"], events["split"].shift())
    if twice.any():
        at = int(np.flatnonzero(twice)[0])
        first, second = events["session"].iloc[at - 1], events["session"].iloc[at]
        raise SourceUnavailable(
            f"{what}: got the split {events['split'].iloc[at]:g} on {first.date()} and again on "
            f"{second.date()}, allowed is once; {FIX}"
        )


def _refuse_jump(what: str, bars: pd.DataFrame) -> None:
    """Refuse a day that opens and closes at a whole multiple or fraction of the close before."""
    priced = bars[(bars["close"] > 0) & (bars["open"] > 0)]
    close = priced["close"].to_numpy()
    before = np.append(np.nan, close[:-1])[: len(close)]
    # In logs, a fall to a half and a rise to the double are the same distance from no move.
    opening = np.abs(np.log(priced["open"].to_numpy() / before))
    closing = np.abs(np.log(close / before))
    ratio = np.round(np.exp(closing))
    gap = np.fmax(np.abs(opening - np.log(ratio)), np.abs(closing - np.log(ratio)))
    jumps = np.flatnonzero((ratio >= 2) & (gap < NEAR))
    if len(jumps):
        at = jumps[0]
        raise SourceUnavailable(
            f"{what}: the split-adjusted close goes from {before[at]:g} to {close[at]:g} on "
            f"{priced['session'].iloc[at].date()}, a split of {ratio[at]:g} that is not applied "
            f"evenly; {FIX}"
        )
