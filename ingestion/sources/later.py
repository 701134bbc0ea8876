"""What a source holds after the clock: it is not given, and told of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pandas as pd


@dataclass(frozen=True)
class Later:
    """Rows that were not known by the decision time of the last session asked for.

    Attributes
    ----------
    rows
        How many there are.
    key, day
        What the first is of, and its day in New York, at midnight without a zone.
    """

    rows: int
    key: str
    day: pd.Timestamp


@runtime_checkable
class HoldsLater(Protocol):
    """A source that may hold more than was known by the clock; a vendor asked today does not."""

    def later(self, table: str, keys: Sequence[str]) -> Later | None:
        """Return what the last `fetch` of keys left out as not known yet; None where nothing."""
        ...


def together(parts: Iterable[Later]) -> Later | None:
    """Return several as one: how many rows they are, and the first of them; None without one."""
    each = list(parts)
    if not each:
        return None
    first = min(each, key=lambda part: part.day)
    return Later(sum(part.rows for part in each), first.key, first.day)
