"""Which models answer where a feature has no value (Decision 23). Pure."""

from collections.abc import Callable, Sequence
from typing import Final

from forecasters.base import Task
from forecasters.document import Artifact
from serving.answer.signals import Models

SHOWN: Final = 5  # names of features


def around_null(
    models: Models, null: frozenset[str], standby: Callable[[Task], Sequence[Artifact]]
) -> Models | None:
    """Return models of which none reads a feature that has no value, None where there are none.

    Parameters
    ----------
    models
        Those that would answer.
    null
        Names of features.
    standby
        Gives the other unrefuted versions of a task, in the order that they are asked.
    """
    notes: dict[str, str] = {}
    found = {}
    for served in (models.direction, models.regime):
        read = [name for name in served.features if name in null]
        others: Sequence[Artifact] = [served]
        if read:
            others = [one for one in standby(served.task) if not null & set(one.features)]
        if not others:
            return None
        found[served.task] = others[0]
        if read:
            more = "" if len(read) <= SHOWN else f" and {len(read) - SHOWN} more"
            notes[served.task] = (
                f"version {served.version} ({served.model}) does not answer: "
                f"{', '.join(read[:SHOWN])}{more} without a value, which this one does not read"
            )
    notes = {**models.notes, **notes}
    return Models(found["direction"], found["regime"], notes, models.distribution)
