"""The data of a session: as it was known at a signal's clock, and as a backtest reads it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from feature_repo.features.macro.group import MACRO
from home.records.signal import Signal
from market.calendar import read_time
from optrade.flows.replay.row import row_of
from serving.answer.boards import closing_of
from serving.answer.signals import Models
from serving.reading.chains import LandedChains
from serving.reading.row import FeatureRow
from trading.backtest.history import History
from trading.reconcile.profits import SAME

if TYPE_CHECKING:
    from optrade.runtime import Runtime

MACRO_NAMES: Final = frozenset(feature.name for feature in MACRO.features)


def backtest_row(run: "Runtime", signal: Signal, models: Models, history: History) -> FeatureRow:
    """Return what a backtest reads of a signal's session.

    Features are those of its read time, as a training's; the close is the current one, and a chain
    counts whenever it landed.
    """
    session = pd.DatetimeIndex([signal.session])
    moment = read_time(session)[0].isoformat()
    provenance = signal.provenance.model_copy(update={"as_of": moment})
    row = row_of(run.home.data, signal.model_copy(update={"provenance": provenance}), models)
    quoted = LandedChains(run.home.data).quoted(signal.ticker, session[0], run.now)
    close = float(history.closed[history.days.get_indexer(session)[0]])
    return replace(row, quoted=quoted, beside=_closed_at(row, close))


def _closed_at(row: FeatureRow, close: float) -> dict[str, float]:
    """Return the features beside a row whose session closed at another price, in USD."""
    beside, told = dict(row.beside), closing_of(row.beside).spot
    if np.isfinite(told) and np.isfinite(close) and abs(told / close - 1.0) > SAME:
        beside["price_to_sma_20"] = close / beside["sma_20"] - 1.0
    return beside


def with_later(clock: FeatureRow, now: FeatureRow) -> FeatureRow:
    """Return a row in which what had no value of its own at the clock has the one of now.

    That is a null, a macro series that the month before stood in for, and a chain that landed
    since, or is of a later moment.
    """
    released = set(clock.carried or ()) - set(now.carried or ())
    own = MACRO_NAMES if released else frozenset()
    values = {name: now.values[name] if name in own else was for name, was in clock.values.items()}
    beside = {
        name: now.beside[name] if np.isnan(was) or name in own else was
        for name, was in clock.beside.items()
    }
    quoted = now.quoted if _has_newer_chain(clock, now) else clock.quoted
    return replace(clock, values=values, beside=beside, quoted=quoted)


def _has_newer_chain(clock: FeatureRow, now: FeatureRow) -> bool:
    was, is_ = (
        []
        if row.quoted is None
        else [one for one in row.quoted.candidates() if not isinstance(one, str)]
        for row in (clock, now)
    )
    if not is_ or not was:
        return bool(is_)
    return max(one.quote_time for one in is_) > max(one.quote_time for one in was)


def changes(was: FeatureRow, is_: FeatureRow) -> str:
    """Return in words which features of two rows differ; the first, and how many more."""
    old, new = ({**row.beside, **row.values} for row in (was, is_))
    found = [
        f"{name} was {value:.6g}, is {new[name]:.6g}"
        for name, value in old.items()
        if not np.isclose(value, new[name], rtol=SAME, atol=0.0, equal_nan=True)
    ]
    if was.quoted != is_.quoted:
        found.append("the chain of its session is another")
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return "".join(found[:1]) + more
