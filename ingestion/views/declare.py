"""What a view is: its feature groups, the raw tables it is computed from, and how."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from feature_repo.features.declare import Group
from home.manifest import Part
from ingestion.tables.declare import Table
from ingestion.views.aligned import Aligned
from ingestion.views.raw import Raw


@dataclass(frozen=True)
class Input:
    """A raw table that a view is computed from.

    Attributes
    ----------
    table
        The table.
    keys
        A ticker, or the market, to the keys that its features need of the table.
    arrays
        The sources of the view's groups that are made of it.
    carried
        Whether its values are carried forward to sessions that have none of their own, so that
        the view ends with the last session at which the table's source answered.
    beside
        Whether it is read beside the others: it alone makes no view, nor does its absence unmake
        one.
    part
        What of its rows is read, where all would take too much memory.
    """

    table: Table
    keys: Callable[[str], Iterable[str]]
    arrays: tuple[str, ...]
    carried: bool = False
    beside: bool = False
    part: Part | None = None


@dataclass(frozen=True)
class View:
    """Feature groups that are computed from the same arrays, and where these come from.

    Attributes
    ----------
    groups
        The feature groups, each after those whose features it reads.
    inputs
        The raw tables, less those of the views that it is built on.
    align
        The raw rows landed by a time to arrays by session; None where they tell of no session.
    built_on
        The views whose features its groups read as well.
    events
        Whether the inputs are events. Any of them will do, and all versions count, each from the
        time it was known, so that the past changes only as an input first lands after another.
        Otherwise every key is needed and its newest version counts, so that any correction
        changes the past.
    """

    groups: tuple[Group, ...]
    inputs: tuple[Input, ...]
    align: Callable[[Raw], Aligned | None]
    built_on: tuple["View", ...] = ()
    events: bool = False

    @property
    def name(self) -> str:
        """The name of its first group."""
        return self.groups[0].name

    @property
    def entity(self) -> str:
        """What a row belongs to: `ticker` or `market`."""
        return self.groups[0].entity

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all raw tables below it."""
        below = (table for view in self.built_on for table in view.tables)
        return tuple(dict.fromkeys([*below, *(part.table.name for part in self.inputs)]))

    @property
    def own_tables(self) -> tuple[str, ...]:
        """The names of the raw tables without which it is not there."""
        if self.events:
            return tuple(part.table.name for part in self.inputs if not part.beside)
        return self.tables

    @property
    def carried(self) -> str | None:
        """The name of the table whose values are carried forward, None if there is none."""
        return next((part.table.name for part in self.inputs if part.carried), None)

    def needs(self, key: str) -> list[tuple[str, str]]:
        """Return the (table name, key) of the rows that a ticker, or the market, needs."""
        return [(part.table.name, name) for part in self.inputs for name in part.keys(key)]

    def made_of(self, key: str) -> list[tuple[str, str]]:
        """Return those of `needs` that are not read beside others."""
        own = self.own_tables
        return [name for name in self.needs(key) if name[0] in own]


def own(key: str) -> tuple[str, ...]:
    """Return a ticker's own name: the only key of a table that its features need."""
    return (key,)
