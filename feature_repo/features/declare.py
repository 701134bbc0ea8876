"""What a feature is: one row with its formula, inputs and lookback; a group is one Feast view."""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Final

import numpy as np

from market.arrays import BySession, FloatArray
from market.errors import InputError

USD: Final = "price (USD)"
RATIO: Final = "ratio"
PERCENT: Final = "%"
PERCENT_OF_PRICE: Final = "% of price"
PERCENT_POINTS: Final = "% points"
INDEX: Final = "index 0-100"
INDEX_POINTS: Final = "index points"
FLAG: Final = "flag 0/1"
Z_SCORE: Final = "z-score"
VOL_POINTS: Final = "vol points"
ANNUALISED: Final = "annualised % points"


@dataclass(frozen=True)
class Term:
    """An intermediate array that features of a group share; it is not stored.

    Attributes
    ----------
    name
        Name other rows take it by.
    compute
        Pure function of arrays; the names of its parameters are its inputs. The last axis of
        the result runs over sessions.
    """

    name: str
    compute: Callable[..., FloatArray]
    inputs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(inspect.signature(self.compute).parameters))


@dataclass(frozen=True)
class Feature(Term):
    """A stored column: everything that is known about it, once.

    Attributes
    ----------
    name, compute, inputs
        As in `Term`; the result has shape (n_sessions,).
    lookback
        Sessions of loaded history, the session itself included, from which its value is known.
    unit
        Unit of the value.
    formula
        The formula in words and signs, for people.
    safe
        False for the price-level columns, which do not carry over between price levels.
    """

    lookback: int
    unit: str
    formula: str
    safe: bool = True


@dataclass(frozen=True)
class Group:
    """The features of one view, and the raw arrays that they are computed from.

    Attributes
    ----------
    name
        Name of the view.
    entity
        What a row belongs to: `ticker` or `market`.
    features
        The columns, in catalogue order.
    sources
        Names of the raw arrays, each of shape (n_sessions,), oldest session first.
    terms
        Shared intermediate arrays.
    requires
        What a source has to give for the view, in words, where a home may lack it: its raw tables
        need a key, or start when first recorded. Empty where every home has it.
    auxiliary
        Whether it stands beside the pool of features that models of the direction choose from.

    Raises
    ------
    ValueError
        If a name is used twice, an input is declared nowhere, or rows need each other. (A feature
        may keep the name of the source that it passes on.)
    """

    name: str
    entity: str
    features: tuple[Feature, ...]
    sources: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    requires: str = ""
    auxiliary: bool = False

    def __post_init__(self) -> None:
        rows = [row for row in (*self.terms, *self.features) if row.inputs != (row.name,)]
        names = [*self.sources, *(row.name for row in rows)]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ValueError(f"group {self.name}: declared twice: {', '.join(twice)}")
        for row in rows:
            unknown = set(row.inputs) - set(names)
            if unknown:
                raise ValueError(f"{self.name}.{row.name}: unknown input {sorted(unknown)}")
        try:
            _ = self.order
        except CycleError as error:
            raise ValueError(f"group {self.name}: rows need each other: {error.args[1]}") from None

    @cached_property
    def order(self) -> tuple[Term, ...]:
        """Terms and features, each after its inputs."""
        rows = {row.name: row for row in (*self.terms, *self.features)}
        graph = {name: set(row.inputs) - set(self.sources) for name, row in rows.items()}
        return tuple(rows[name] for name in TopologicalSorter(graph).static_order())

    @property
    def optional(self) -> bool:
        """Whether a home may lack the view."""
        return bool(self.requires)

    @property
    def lookback(self) -> int:
        """Sessions of loaded history from which every feature of the group is known."""
        return max(row.lookback for row in self.features)

    def compute(self, arrays: Mapping[str, FloatArray]) -> dict[str, BySession]:
        """Every feature of the group; float64 of shape (n_sessions,), NaN where null.

        Parameters
        ----------
        arrays
            The arrays of `sources` by name, all of one length, oldest session first. Others are
            ignored. They are not changed.

        Returns
        -------
        dict
            Feature name to values, in catalogue order; no array shares memory with an input.

        Raises
        ------
        InputError
            If an array is missing, not one-dimensional or of another length.
        """
        values = self._sources(arrays)
        # One block for all results: the allocator keeps it for the next ticker, where single
        # arrays of this size go back to the system and every page of them is fetched anew.
        block = np.empty((len(self.features), next(iter(values.values())).size))
        out = dict(zip((row.name for row in self.features), block, strict=True))
        # A zero denominator is null by rule (`ratio`), so NumPy need not say so as well.
        with np.errstate(divide="ignore", invalid="ignore"):
            for row in self.order:
                result = row.compute(*[values[name] for name in row.inputs])
                if row.name in out:
                    out[row.name][:] = result
                    result = out[row.name]
                values[row.name] = result
        return out

    def _sources(self, arrays: Mapping[str, FloatArray]) -> dict[str, BySession]:
        missing = [name for name in self.sources if name not in arrays]
        if missing:
            raise InputError(
                f"{self.name} features: missing arrays {', '.join(missing)}; "
                f"allowed and needed are {', '.join(self.sources)}"
            )
        values = {name: np.asarray(arrays[name], dtype=np.float64) for name in self.sources}
        shapes = {name: array.shape for name, array in values.items()}
        if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
            raise InputError(
                f"{self.name} features: got shapes {shapes}, allowed is one shape (n_sessions,); "
                "align the arrays to the same sessions first"
            )
        return values
