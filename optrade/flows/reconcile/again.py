"""A recorded signal's position made again: at its clock, with what came later, as corrected."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.macro.group import MACRO
from forecasters.document import Artifact
from home.records.signal import ServedModel, Signal
from home.records.structure import Structure
from market.calendar import read_time
from market.errors import InputError
from optrade.flows.replay.models import distribution_by
from optrade.flows.replay.row import row_of
from serving.answer.boards import closing_of
from serving.answer.signals import Models, build_signal
from serving.answer.structure import Pricing
from serving.reading.chains import LandedChains
from serving.reading.row import FeatureRow
from trading.backtest.history import History
from trading.reconcile.profits import SAME
from trading.structures.sizing import TOO_LARGE

if TYPE_CHECKING:
    from optrade.runtime import Runtime

MACRO_NAMES: Final = frozenset(feature.name for feature in MACRO.features)


@dataclass(frozen=True)
class Again:
    """The position of a signal, None where it takes none: each with more of the backtest's data.

    Attributes
    ----------
    limited
        Of what was known at its clock, within the capital and the edge that it was given: it should
        be the recorded one.
    at_clock
        The same, whatever it may lose and whether it has an edge or not; as all that follow.
    known_later
        What had no value there has the one that the backtest reads.
    corrected
        Of the backtest's data alone.
    row
        The backtest's data.
    later, since
        What was known later, and what was corrected, in words.
    """

    limited: Structure | None
    at_clock: Structure | None
    known_later: Structure | None
    corrected: Structure | None
    row: FeatureRow
    later: str = ""
    since: str = ""


def made_again(
    run: "Runtime", signal: Signal, history: History, named: Callable[[ServedModel], Artifact]
) -> Again:
    """Return the position of a signal again, by the models that it names.

    Parameters
    ----------
    named
        Finds them; see `named_model`.
    history
        As the backtest has it: its close of the session counts.

    Raises
    ------
    InputError
        If the models or the definitions of its features are gone, or a feature has no value.
    """
    told, now = signal.provenance.definition_hash, definition_hash()
    if told != now:
        raise InputError(
            f"feature definitions: recorded {told:.12}, this optrade computes {now:.12}"
        )
    models = models_of(run, signal, named)
    at_clock = row_of(run.home.data, signal, models)
    corrected = backtest_row(run, signal, models, history)
    known_later = with_later(at_clock, corrected)
    limits = Pricing(None, run.settings.require_edge)
    free = Pricing()
    return Again(
        limited=None if _too_large(signal) else _position(signal, at_clock, models, limits),
        at_clock=_position(signal, at_clock, models, free),
        known_later=_position(signal, known_later, models, free),
        corrected=_position(signal, corrected, models, free),
        row=corrected,
        later=changes(at_clock, known_later),
        since=changes(known_later, corrected),
    )


def _too_large(signal: Signal) -> bool:
    """Return whether the capital of its time did not allow one contract."""
    return signal.structure is None and TOO_LARGE in (signal.structure_note or "")


def models_of(run: "Runtime", signal: Signal, named: Callable[[ServedModel], Artifact]) -> Models:
    """Return the models of a signal; that of the distribution only where positions hang on it."""
    served = signal.provenance.models
    direction, regime = (named(one) for one in (served.direction, served.regime))
    chances = None if signal.structure is None else signal.structure.chances
    if not run.settings.require_edge or chances is None or chances.by is None:
        return Models(direction, regime)
    by = distribution_by(run.home, signal.ticker, signal.session, chances.by)
    return Models(direction, regime, distribution=by)


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


def _position(
    signal: Signal, row: FeatureRow, models: Models, pricing: Pricing
) -> Structure | None:
    made = build_signal(
        row,
        models,
        as_of=pd.Timestamp(signal.provenance.as_of),
        origin=signal.provenance.origin,
        pricing=pricing,
    )
    return made.structure
