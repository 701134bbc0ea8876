"""What an export of another program says: its closed trades, and what it leaves open."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from market.errors import InputError
from trading.exports.columns import Span
from trading.judgement.trades import Trades

ALL = "all"
#: Characters of a label: every row of an array takes as many as the longest.
LONGEST = 200


@dataclass(frozen=True)
class Export:
    """Closed trades of another program.

    Attributes
    ----------
    program
        Whose columns they are.
    left_out
        Rows that are no closed trade, by why.
    notes
        What a reader of the verdict has to know of them.
    """

    program: str
    trades: Trades
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def trades_of(span: Span, profit: np.ndarray, risk: np.ndarray | None, label: np.ndarray) -> Trades:
    """Return trades of days, USD and labels; without risks their returns are USD."""
    unknown = np.full(len(profit), np.nan)
    return Trades(
        entered=span.entered,
        left=span.left,
        profit=profit,
        risk=unknown if risk is None else risk,
        cell=label,
        group=label,
        lower=unknown,
        higher=unknown,
    )


def labels(frame: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """Return the label of each row: what stands in the columns, or `all` where nothing does."""
    used = [name for name in columns if name in frame and (frame[name] != "").any()]
    if not used:
        return np.full(len(frame), ALL)
    joined = frame[used[0]]
    for name in used[1:]:
        joined = joined + ", " + frame[name]
    if (longest := int(joined.str.len().max())) > LONGEST:
        raise InputError(f"labels: got one of {longest:,} characters, allowed are {LONGEST}")
    return np.asarray(joined.str.strip(", ").replace("", "no label").to_numpy(dtype=np.str_))
