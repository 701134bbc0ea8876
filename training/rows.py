"""Features and labels of one ticker side by side, in session order.

A session without a known label is left out; a feature that is null stays null (Decision 8).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from feature_repo.errors import InputError
from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS, UNSAFE
from training.labels import (
    DIRECTIONS,
    REGIMES,
    adjusted_close,
    codes,
    direction_labels,
    regime_labels,
    session_return,
)
from training.selection import MIN_COVERAGE, coverage

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
DateArray = npt.NDArray[np.datetime64]

LAST_RETURN: Final = 5  # sessions, the direction baseline of Decision 10
IV_RANK: Final = "iv_rank"


@dataclass(frozen=True)
class Rows:
    """The labelled sessions of one ticker, in order.

    Attributes
    ----------
    values
        Features, NaN where null; shape (n_rows, n_names).
    labels
        Class codes; -1 for a session that is scored but not trained on; shape (n_rows,).
    every_outcome
        What happened on every session; equals `labels` where those are known; (n_rows,).
    today
        The figure that baselines look at; shape (n_rows,).
    """

    names: tuple[str, ...]
    values: FloatArray
    sessions: DateArray
    label_ends: DateArray
    labels: IntArray
    every_outcome: IntArray
    today: FloatArray

    def where(self, keep: BoolArray) -> "Rows":
        """Return some of the rows."""
        return replace(
            self,
            values=self.values[keep],
            sessions=self.sessions[keep],
            label_ends=self.label_ends[keep],
            labels=self.labels[keep],
            every_outcome=self.every_outcome[keep],
            today=self.today[keep],
        )


def direction_rows(
    frame: pd.DataFrame, prices: pd.DataFrame, ticker: str, horizon: int, safe: bool
) -> Rows:
    """Return the sessions of a frame with a known direction label.

    On a FLAT session `every_outcome` is the sign of the forward return (zero is not UP).

    Parameters
    ----------
    frame
        `ticker`, `session`, features.
    prices
        Current raw price rows, as `labels.adjusted_close` takes them.
    horizon
        Sessions ahead.
    safe
        Leave out the price-level features.

    Raises
    ------
    InputError
        If a view is empty, or the frame and the prices do not make one labelled session.
    """
    table = _of_ticker(frame, ticker)
    mine = prices[prices["ticker"] == ticker] if "ticker" in prices else prices
    closes = adjusted_close(mine)
    labels = direction_labels(closes, horizon).reindex(table.index)
    names = [name for name in _features(table) if not (safe and name in UNSAFE)]
    rows = Rows(
        names=tuple(names),
        values=_finite_or_null(table[names]),
        sessions=table.index.to_numpy("datetime64[ns]"),
        label_ends=labels["label_end"].to_numpy("datetime64[ns]"),
        labels=codes(labels["label"], DIRECTIONS),
        every_outcome=(labels["forward_return"] > 0.0).to_numpy(np.int64),
        today=session_return(closes, -LAST_RETURN).reindex(table.index).to_numpy(np.float64),
    )
    return _labelled(rows, labels["label"].notna().to_numpy(), ticker)


def regime_rows(frame: pd.DataFrame, ticker: str, horizon: int) -> Rows:
    """Return the sessions of a frame with a known IV regime label.

    Raises
    ------
    InputError
        If `iv_rank` is missing, a view is empty, or no session has a label.
    """
    table = _of_ticker(frame, ticker)
    if IV_RANK not in table:
        raise InputError(f"the frame of {ticker} lacks {IV_RANK}; read the volatility service")
    labels = regime_labels(table[IV_RANK], horizon)
    names = _features(table)
    found = codes(labels["label"], REGIMES)
    rows = Rows(
        names=tuple(names),
        values=_finite_or_null(table[names]),
        sessions=table.index.to_numpy("datetime64[ns]"),
        label_ends=labels["label_end"].to_numpy("datetime64[ns]"),
        labels=found,
        every_outcome=found,
        today=table[IV_RANK].to_numpy(np.float64),
    )
    return _labelled(rows, labels["label"].notna().to_numpy(), ticker)


def require_views(names: Sequence[str], values: FloatArray) -> None:
    """Refuse a frame of which a whole view is left out by the coverage rule (Decision 15).

    Raises
    ------
    InputError
        If no feature of a view has 60 % of its rows.
    """
    share = dict(zip(names, coverage(values), strict=True))
    for group in GROUPS.values():
        asked = [feature.name for feature in group.features if feature.name in share]
        best = max((share[name] for name in asked), default=1.0)
        if best < MIN_COVERAGE:
            raise InputError(
                f"the {group.name} view is empty: at most {best:.0%} of {len(values)} sessions "
                f"are known in any of its {len(asked)} features, needed {MIN_COVERAGE:.0%}; "
                "ingest its sources or train on a period that they cover"
                f"{_or_without(group.name)}"
            )


def _or_without(view: str) -> str:
    return f", or train without --{view}" if view in OPTIONAL_GROUPS else ""


def _of_ticker(frame: pd.DataFrame, ticker: str) -> pd.DataFrame:
    mine = frame[frame["ticker"] == ticker].sort_values("session")
    if mine.empty:
        known = ", ".join(sorted(frame["ticker"].unique())) or "none"
        raise InputError(f"no rows of {ticker} in the training frame: got {known}")
    index = pd.DatetimeIndex(mine["session"])
    if index.has_duplicates:
        twice = index[index.duplicated()][0]
        raise InputError(
            f"the training frame holds {ticker} {twice.date()} twice, allowed is one row a session"
        )
    return mine.drop(columns=["ticker", "session"]).set_index(index)


def _features(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.columns]


def _finite_or_null(features: pd.DataFrame) -> FloatArray:
    values = features.to_numpy(np.float64)
    infinite = np.isinf(values).any(axis=0)
    if infinite.any():
        raise InputError(
            f"infinite values in {features.columns[infinite][0]}: a feature is a number or null"
        )
    return values


def _labelled(rows: Rows, known: BoolArray, ticker: str) -> Rows:
    kept = rows.where(known)
    if not len(kept.sessions):
        raise InputError(
            f"no labelled session of {ticker} among {len(rows.sessions)}: a label needs its "
            "session and the one it looks ahead to; train on a longer period"
        )
    require_views(kept.names, kept.values)
    return kept
