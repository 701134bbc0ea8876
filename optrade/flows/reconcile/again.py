"""A recorded signal's position made again: at its clock, with what came later, as corrected."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from forecasters.document import Artifact
from home.records.signal import ServedModel, Signal
from home.records.structure import Structure
from optrade.flows.reconcile.rows import backtest_row, changes, with_later
from optrade.flows.replay.models import distribution_by
from optrade.flows.replay.row import check_definitions, row_of
from serving.answer.signals import Models, build_signal
from serving.answer.structure import Pricing
from serving.reading.row import FeatureRow
from trading.backtest.history import History
from trading.structures.sizing import TOO_LARGE

if TYPE_CHECKING:
    from optrade.runtime import Runtime


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
    check_definitions(signal)
    models = models_of(run, signal, named)
    at_clock = row_of(run.home.data, signal, models)
    corrected = backtest_row(run, signal, models, history)
    known_later = with_later(at_clock, corrected)
    limits, free = Pricing(None, run.settings.require_edge), Pricing()
    later, since = changes(at_clock, known_later), changes(known_later, corrected)
    position = _position(signal, at_clock, models, free)
    with_late = _position(signal, known_later, models, free) if later else position
    return Again(
        limited=None if _too_large(signal) else _position(signal, at_clock, models, limits),
        at_clock=position,
        known_later=with_late,
        corrected=_position(signal, corrected, models, free) if since else with_late,
        row=corrected,
        later=later,
        since=since,
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
    by = distribution_by(run.home, signal, chances.by)
    return Models(direction, regime, distribution=by)


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
