"""Features and labels side by side, in session order: of one ticker, or of several pooled.

A session without a known label is left out; a feature that is null stays null (Decision 8).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64, Shaped

from feature_repo.features.catalogue import FLAG_GROUPS, GROUPS, UNSAFE
from market.adjust import adjusted_close
from market.calendar import session_shift
from market.errors import InputError
from market.iv_rank import REGIMES
from market.targets import DIRECTIONS, session_return
from training.frames.coverage import MIN_COVERAGE, coverage
from training.frames.labels import codes, direction_labels, regime_labels

LAST_RETURN: Final = 5  # sessions, the direction baseline of Decision 10
IV_RANK: Final = "iv_rank"
INDEX: Final = "vix_close"


class UnlabelledError(InputError):
    """A ticker of which no session has a label."""


@dataclass(frozen=True)
class Rows:
    """Labelled sessions, in order.

    Attributes
    ----------
    n_classes
        Classes of the task, also those that no row has.
    values
        Features, NaN where null; shape (n_rows, n_names).
    labels
        Class codes; -1 for a session that is scored but not trained on; shape (n_rows,).
    every_outcome
        What happened on every session; equals `labels` where those are known; (n_rows,).
    outcome
        What the label is cut from: the forward return (a fraction), or the IV rank at the label's
        end; shape (n_rows,).
    today
        The figure that baselines look at; shape (n_rows,).
    ahead
        Log change of the volatility index to each of the next sessions, null where not known;
        shape (n_rows, horizon).
    tested
        Whether a row may be tested: those of the forecast ticker in the window. The others are
        trained on only: history, and other underlyings; shape (n_rows,).
    """

    names: tuple[str, ...]
    n_classes: int
    values: Float64[np.ndarray, "n_rows n_names"]
    sessions: Shaped[np.ndarray, " n_rows"]
    label_ends: Shaped[np.ndarray, " n_rows"]
    labels: Int64[np.ndarray, " n_rows"]
    every_outcome: Int64[np.ndarray, " n_rows"]
    outcome: Float64[np.ndarray, " n_rows"]
    today: Float64[np.ndarray, " n_rows"]
    ahead: Float64[np.ndarray, "n_rows horizon"]
    tested: Bool[np.ndarray, " n_rows"]

    def where(self, keep: Bool[np.ndarray, " n_rows"]) -> "Rows":
        """Return some of the rows."""
        return replace(self, **{name: getattr(self, name)[keep] for name in _BY_ROW})

    def within(self, start: np.datetime64 | None) -> "Rows":
        """Return the rows of which none before a session is tested."""
        return (
            self if start is None else replace(self, tested=self.tested & (self.sessions >= start))
        )


_BY_ROW: Final = tuple(one.name for one in fields(Rows) if one.name not in ("names", "n_classes"))


def pooled(own: Rows, others: Sequence[Rows]) -> Rows:
    """Return the rows of several tickers in one, by session; the others are not tested.

    Raises
    ------
    InputError
        If they do not have the same features.
    """
    parts = [own, *(replace(one, tested=np.zeros_like(one.tested)) for one in others)]
    if any(part.names != own.names for part in parts):
        raise InputError("pooled tickers have other features: read one frame for all of them")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _BY_ROW}
    order = np.argsort(joined["sessions"], kind="stable")
    by_session = {name: values[order] for name, values in joined.items()}
    return Rows(own.names, own.n_classes, **by_session)


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
        Current raw price rows, as `adjusted_close` takes them.
    horizon
        Sessions ahead.
    safe
        Leave out the price-level features.

    Raises
    ------
    UnlabelledError
        If the frame and the prices do not make one labelled session.
    """
    table = feature_table(frame, ticker)
    mine = prices[prices["ticker"] == ticker] if "ticker" in prices else prices
    closes = adjusted_close(mine)
    labels = direction_labels(closes, horizon).reindex(table.index)
    return _labelled(
        ticker,
        table.drop(columns=list(UNSAFE), errors="ignore") if safe else table,
        labels,
        DIRECTIONS,
        _ahead(table, horizon),
        every_outcome=np.asarray(labels["forward_return"] > 0.0, dtype=np.int64),
        outcome=labels["forward_return"],
        today=session_return(closes, -LAST_RETURN).reindex(table.index),
    )


def regime_rows(frame: pd.DataFrame, ticker: str, horizon: int) -> Rows:
    """Return the sessions of a frame with a known IV regime label.

    Raises
    ------
    InputError
        If `iv_rank` is missing.
    UnlabelledError
        If no session has a label.
    """
    table = feature_table(frame, ticker)
    if IV_RANK not in table:
        raise InputError(f"the frame of {ticker} lacks {IV_RANK}; read the volatility service")
    labels = regime_labels(table[IV_RANK], horizon)
    return _labelled(
        ticker,
        table,
        labels,
        REGIMES,
        _ahead(table, horizon),
        every_outcome=codes(labels["label"], REGIMES),
        outcome=table[IV_RANK].reindex(pd.DatetimeIndex(labels["label_end"])),
        today=table[IV_RANK],
    )


def _ahead(table: pd.DataFrame, horizon: int) -> Float64[np.ndarray, "n_rows {horizon}"]:
    """Return log changes of the volatility index by the calendar; null without the index."""
    index = pd.DatetimeIndex(table.index)
    if INDEX not in table:
        return np.full((len(index), horizon), np.nan)
    level = np.log(table[INDEX])
    later = [level.reindex(session_shift(index, step)) for step in range(1, horizon + 1)]
    ahead = np.column_stack([one.to_numpy(np.float64) for one in later])
    return np.asarray(ahead - level.to_numpy()[:, None], dtype=np.float64)


def require_views(names: Sequence[str], values: Float64[np.ndarray, "n_rows n_names"]) -> None:
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
    return f", or train without --{view}" if view in FLAG_GROUPS else ""


def feature_table(frame: pd.DataFrame, ticker: str) -> pd.DataFrame:
    """Return the features of a ticker by session.

    Raises
    ------
    InputError
        If the frame has none of its sessions, or one twice.
    """
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


def _finite_or_null(features: pd.DataFrame) -> Float64[np.ndarray, "n_rows n_names"]:
    values = features.to_numpy(np.float64)
    infinite = np.isinf(values).any(axis=0)
    if infinite.any():
        raise InputError(
            f"infinite values in {features.columns[infinite][0]}: a feature is a number or null"
        )
    return values


def _labelled(
    ticker: str,
    features: pd.DataFrame,
    labels: pd.DataFrame,
    classes: tuple[str, ...],
    ahead: Float64[np.ndarray, "n_rows horizon"],
    *,
    every_outcome: Int64[np.ndarray, " n_rows"],
    outcome: pd.Series,
    today: pd.Series,
) -> Rows:
    """Return the sessions with a label, of series that all run over the sessions of `features`."""
    names = [str(name) for name in features.columns]
    rows = Rows(
        names=tuple(names),
        n_classes=len(classes),
        values=_finite_or_null(features[names]),
        sessions=features.index.to_numpy("datetime64[ns]"),
        label_ends=labels["label_end"].to_numpy("datetime64[ns]"),
        labels=codes(labels["label"], classes),
        every_outcome=every_outcome,
        outcome=outcome.to_numpy(np.float64),
        today=today.to_numpy(np.float64),
        ahead=ahead,
        tested=np.ones(len(features), dtype=np.bool_),
    ).where(labels["label"].notna().to_numpy())
    if not len(rows.sessions):
        raise UnlabelledError(
            f"no labelled session of {ticker} among {len(features)}: a label needs its "
            "session and the one it looks ahead to; train on a longer period"
        )
    return rows
