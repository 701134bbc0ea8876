"""A recorded signal made again from the same data and models, and what differs where it does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from forecasters.document import NO_MODEL_IS_BETTER, Artifact
from home.records.signal import Signal
from home.strict_json import Json, canonical
from market.errors import InputError, SourceUnavailable
from optrade.flows.replay.models import distribution_by, named_model
from optrade.flows.replay.row import check_definitions, corrections, row_of
from serving.answer.signals import Models, build_signal
from serving.answer.structure import Pricing
from trading.ledger.read import read_signal

if TYPE_CHECKING:
    from optrade.runtime import Runtime

#: How a structure without chances begins to say why.
UNKNOWN: Final = "its chances are unknown: "
#: Fields of a signal that are figures of its row: where they differ, the data does.
OF_DATA: Final = ("iv_context", "provenance.carried", "structure.spot", "structure.quote_time")


@dataclass(frozen=True)
class Replay:
    """A signal as recorded and as made again.

    Attributes
    ----------
    again
        None where it cannot be made.
    causes
        Why it differs, or cannot be made, in words; empty where it is the same.
    notes
        What else changed without changing it.
    """

    recorded: Signal
    again: Signal | None
    causes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both are the same, byte for byte."""
        return not self.causes


def replay(run: "Runtime", number: int, pricing: Pricing) -> Replay:
    """Make a recorded signal again: data as known at its clock, and the models that it names.

    Parameters
    ----------
    number
        Of its row in the ledger.
    pricing
        With the capital it was sized by, where it was.

    Raises
    ------
    InputError
        If there is no such signal.
    """
    recorded = read_signal(run.home.ledger, number).signal
    try:
        check_definitions(recorded)
        models = _models(run, recorded)
        row = row_of(run.home.data, recorded, models)
        again = build_signal(
            row,
            models,
            as_of=pd.Timestamp(recorded.provenance.as_of),
            origin=recorded.provenance.origin,
            pricing=pricing,
        )
    except (InputError, SourceUnavailable) as error:
        return Replay(recorded, None, (str(error),))
    changed = tuple(corrections(run.home.data, recorded, row.ages))
    if canonical(again.document()) == canonical(recorded.document()):
        return Replay(recorded, again, (), changed)
    return Replay(recorded, again, tuple(_causes(recorded, again)), changed)


def _models(run: "Runtime", signal: Signal) -> Models:
    served = signal.provenance.models
    direction, regime = (named_model(run.home, one) for one in (served.direction, served.regime))
    notes = {
        task: one.note
        for task, one in (("direction", served.direction), ("regime", served.regime))
        if one.note is not None and one.note != NO_MODEL_IS_BETTER
    }
    distribution, why_none = _distribution(run, signal)
    if why_none is not None:
        notes["distribution"] = why_none
    return Models(direction, regime, notes, distribution)


def _distribution(run: "Runtime", signal: Signal) -> tuple[Artifact | None, str | None]:
    """Return the model that a signal's chances come from, or what it says of having none."""
    structure = signal.structure
    if structure is None:
        return None, None
    if structure.chances is None or structure.chances.by is None:
        told = (note.removeprefix(UNKNOWN) for note in structure.notes if note.startswith(UNKNOWN))
        return None, next(told, None)
    return distribution_by(run.home, signal, structure.chances.by), None


def _causes(recorded: Signal, again: Signal) -> Iterator[str]:
    """Yield each field that differs, and whether it is of the data alone."""
    for place, was, now in differing(recorded.document(), again.document()):
        cause = "data" if place.startswith(OF_DATA) else "data or code"
        if place == "structure.contracts":
            cause = "capital"
        yield f"{cause}: {place} was {was!s:.60}, is {now!s:.60}"


def differing(was: Json, now: Json, place: str = "") -> Iterator[tuple[str, Json, Json]]:
    """Yield the fields in which two documents differ: place, first, second."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in {**was, **now}:
            yield from differing(was.get(name), now.get(name), f"{place}.{name}".lstrip("."))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for at, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from differing(one, other, f"{place}.{at}")
    elif was != now:
        yield place, was, now
