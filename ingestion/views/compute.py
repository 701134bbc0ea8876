"""Features of one key from its raw rows, as known at any time since the first landing."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import cast

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from ingestion.lake.versions import out_of_order
from ingestion.tables.frames import LANDED
from ingestion.views.aligned import Aligned
from ingestion.views.catalogue import views_of_entity
from ingestion.views.declare import View
from ingestion.views.raw import Raw
from market.arrays import FloatArray

# The name of a feature group, its sessions, and its features, each of shape (n_sessions,).
Computed = tuple[str, Aligned, dict[str, FloatArray]]


def changes(raw: Raw) -> list[datetime]:
    """Return the times at which the past of a key changed, UTC, ascending."""
    return sorted({time for view in views_of_entity(raw.entity) for time in _changes(view, raw)})


def compute(
    raw: Raw, known_by: datetime | None = None, definitions: Mapping[str, Group] = GROUPS
) -> Iterator[Computed]:
    """Yield the features of each group of a key, from the rows landed by a time.

    Parameters
    ----------
    raw
        The rows of the key.
    known_by
        The time, UTC; None for all rows.
    definitions
        The groups to compute by.
    """
    raw = raw.landed_by(known_by)
    if raw.sessions.is_empty():
        return
    sources: dict[str, dict[str, FloatArray]] = {}
    for view in views_of_entity(raw.entity):
        based = all(below.name in sources for below in view.built_on)
        aligned = view.align(raw) if based and _is_there(view, raw) else None
        if aligned is None:
            continue
        arrays = {name: a for below in view.built_on for name, a in sources[below.name].items()}
        arrays |= aligned.arrays
        for group in view.groups:
            features = definitions[group.name].compute(arrays)
            yield group.name, aligned, features
            arrays |= features
        sources[view.name] = arrays


def _is_there(view: View, raw: Raw) -> bool:
    """Return whether the rows of a view have landed: of events any, else those of every key.

    None of one that needs a damaged file are there.
    """
    if view.name in raw.damaged:
        return False
    landed = [name in raw.rows and raw.rows[name].height > 0 for name in view.made_of(raw.key)]
    return any(landed) if view.events else bool(landed) and all(landed)


def _changes(view: View, raw: Raw) -> list[datetime]:
    parts = [(part.table, rows) for part in view.inputs for rows in raw.of(part.table).values()]
    if view.events:
        firsts = {cast("datetime", rows[LANDED].min()) for _, rows in parts if rows.height}
        return sorted(firsts)[1:]
    return [
        time for table, rows in parts for time in out_of_order(rows, table.key, table.dated, LANDED)
    ]
