"""What a window holds of each feature: rows, nulls, and whether it says anything. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from home.records.drift import Status
from market.arrays import FloatArray
from market.errors import InputError

# Ten values a reference decile, and two a current one: with fewer, empty deciles are the rule
# and the index measures nothing else.
MIN_REFERENCE: Final = 100
MIN_CURRENT: Final = 20


@dataclass(frozen=True)
class Quality:
    """One feature in one window.

    Attributes
    ----------
    rows, known
        Rows of the window, and those with a value.
    constant
        Whether two or more known values are all the same.
    """

    name: str
    rows: int
    known: int
    constant: bool

    @property
    def null_share(self) -> float | None:
        """Share of rows without a value, 0 to 1; None in an empty window."""
        return None if self.empty else 1.0 - self.known / self.rows

    @property
    def empty(self) -> bool:
        """Whether the window has no row."""
        return self.rows == 0

    @property
    def all_null(self) -> bool:
        """Whether there are rows and none has a value."""
        return self.rows > 0 and self.known == 0


def quality(name: str, values: FloatArray) -> Quality:
    """Return what a window holds of one feature; nulls are NaN, shape (n_rows,)."""
    known = values[~np.isnan(values)]
    constant = len(known) > 1 and bool((known == known[0]).all())
    return Quality(name, len(values), len(known), constant)


def data_quality(frame: pd.DataFrame, features: Sequence[str]) -> list[Quality]:
    """Return what a window holds of each feature, in the order given.

    Raises
    ------
    InputError
        If a feature is missing, is no number, or is infinite.
    """
    return [quality(name, feature_values(frame, name)) for name in features]


def status(reference: Quality, current: Quality) -> Status:
    """Return whether a feature can be compared, in one word.

    `ok` and `constant` (the same value throughout either window) can; `all_null` (either
    window) and `too_few_rows` (fewer known values than `MIN_REFERENCE` or `MIN_CURRENT`)
    cannot.
    """
    if reference.all_null or current.all_null:
        return "all_null"
    if reference.known < MIN_REFERENCE or current.known < MIN_CURRENT:
        return "too_few_rows"
    return "constant" if reference.constant or current.constant else "ok"


def feature_values(frame: pd.DataFrame, name: str) -> FloatArray:
    """Return a column as numbers, NaN where null; shape (n_rows,).

    Raises
    ------
    InputError
        If the column is missing or twice there, is no number, or is infinite.
    """
    columns = int((frame.columns == name).sum())
    if columns != 1:
        raise InputError(
            f"feature {name!r:.60}: got {columns} columns of that name, needed one; "
            "read the window from the service that holds it"
        )
    try:
        values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"feature {name!r:.60}: {error!s:.80}; a feature is a number or null"
        ) from error
    if np.isinf(values).any():
        raise InputError(f"feature {name!r:.60}: infinite values; a feature is a number or null")
    return values
