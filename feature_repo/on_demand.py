"""Features made of stored ones when they are asked for: for Feast's view and for serving alike."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from feature_repo.features.catalogue import ON_DEMAND
from market.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd

_ROWS: Final = {row.name: (group, row) for group in ON_DEMAND.values() for row in group.features}


def is_on_demand(name: str) -> bool:
    """Return whether a feature is computed from stored ones."""
    return name in _ROWS


def stored_features(names: Iterable[str]) -> tuple[str, ...]:
    """Return the stored features that features need, each once: themselves, or their inputs."""
    needed = (_ROWS[name][1].inputs if is_on_demand(name) else (name,) for name in names)
    return tuple(dict.fromkeys(one for several in needed for one in several))


def compute(names: Iterable[str], values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return on-demand features by name; shape (n_rows,), NaN where null.

    Parameters
    ----------
    names
        The features wanted; stored ones among them are passed over.
    values
        Stored features by name, at least the inputs of the features wanted, all of one length.

    Raises
    ------
    KeyError
        If an input is not there.
    """
    wanted = [name for name in names if is_on_demand(name)]
    found: dict[str, FloatArray] = {}
    for group in dict.fromkeys(_ROWS[name][0] for name in wanted):
        mine = [name for name in wanted if _ROWS[name][0] is group]
        given = {name: values[name] for name in stored_features(mine)}
        # What the others of the group would need may not be there: they are null, and dropped.
        unknown = np.full(len(next(iter(given.values()))), np.nan)
        made = group.compute({name: given.get(name, unknown) for name in group.sources})
        found |= {name: made[name] for name in mine}
    return found


def compute_row(names: Iterable[str], values: Mapping[str, float]) -> dict[str, float]:
    """Return on-demand features of one row; see `compute`."""
    wanted = list(names)
    arrays = {name: np.array([values[name]], dtype=np.float64) for name in stored_features(wanted)}
    return {name: float(array[0]) for name, array in compute(wanted, arrays).items()}


def view_frame(view: str, inputs: "pd.DataFrame") -> "pd.DataFrame":
    """Return every feature of an on-demand view, for Feast.

    Parameters
    ----------
    view
        Name of the view.
    inputs
        The view's sources among other columns; one row an entity row.
    """
    import pandas as pd

    group = ON_DEMAND[view]
    arrays = {name: inputs[name].to_numpy(dtype=np.float64) for name in group.sources}
    return pd.DataFrame(group.compute(arrays), index=inputs.index)
