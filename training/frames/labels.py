"""Frames of labels: what came five sessions after each session, and when that was known. Pure."""

import numpy as np
import pandas as pd
from jaxtyping import Int64

from market.calendar import session_shift
from market.iv_rank import REGIMES, regime_codes
from market.targets import HORIZON, move_label, session_return


def direction_labels(closes: pd.Series, horizon: int = HORIZON) -> pd.DataFrame:
    """Return the direction of the adjusted close over the next sessions (Decision 7).

    Parameters
    ----------
    closes
        Adjusted closes in USD by session, sorted; shape (n_sessions,).
    horizon
        Sessions ahead.

    Returns
    -------
    DataFrame
        By session: `forward_return` (fraction, null where unknown), `label` (UP above 1 %,
        DOWN below -1 %, FLAT between, None where unknown) and `label_end`, the session at
        whose close the label is known.
    """
    forward = session_return(closes, horizon).to_numpy(np.float64)
    labels = [None if np.isnan(move) else move_label(move) for move in forward]
    return pd.DataFrame(
        {
            "forward_return": forward,
            "label": np.array(labels, dtype=object),
            "label_end": session_shift(pd.DatetimeIndex(closes.index), horizon),
        },
        index=closes.index,
    )


def regime_labels(iv_rank: pd.Series, horizon: int = HORIZON) -> pd.DataFrame:
    """Return the IV regime of the session some sessions ahead (Decision 3).

    Parameters
    ----------
    iv_rank
        IV rank in [0, 100] by session, sorted; null where unknown; shape (n_sessions,).
    horizon
        Sessions ahead, by the XNYS calendar.

    Returns
    -------
    DataFrame
        By session: `label` (LOW, NORMAL, HIGH, None where unknown) and `label_end`.
    """
    ends = session_shift(pd.DatetimeIndex(iv_rank.index), horizon)
    codes = regime_codes(iv_rank.reindex(ends).to_numpy(np.float64))
    names = np.array([*REGIMES, None], dtype=object)  # UNKNOWN, -1, is the last place
    return pd.DataFrame({"label": names[codes], "label_end": ends}, index=iv_rank.index)


def codes(labels: pd.Series, classes: tuple[str, ...]) -> Int64[np.ndarray, " n_rows"]:
    """Return the place of each label in `classes`, -1 for any other (FLAT, None)."""
    return np.asarray(pd.Index(classes).get_indexer(pd.Index(labels)), dtype=np.int64)
