"""Every view that is built, and which one a feature group, a table or a key belongs to."""

from typing import Final

from home.manifest import Part
from ingestion.tables.declare import Table
from ingestion.views import earnings, iv, macro, option_chain, sentiment, technical
from ingestion.views.declare import View

# Each after the views that it is built on.
VIEWS: Final = (
    *(technical.VIEW, iv.VIEW, macro.VIEW),
    *(sentiment.VIEW, earnings.VIEW, option_chain.VIEW),
)
# The view of each feature group.
VIEW_OF: Final = {group.name: view for view in VIEWS for group in view.groups}


def views_of_entity(entity: str) -> tuple[View, ...]:
    """Return the views whose rows belong to tickers, or to the market."""
    return tuple(view for view in VIEWS if view.entity == entity)


def groups_of_table(table: Table) -> list[str]:
    """Return the feature groups that are computed from a raw table."""
    return [group for group, view in VIEW_OF.items() if table.name in view.tables]


def is_carried(table: Table) -> bool:
    """Return whether a view carries the values of a raw table forward."""
    return any(view.carried == table.name for view in VIEWS)


def part_of(table: str) -> Part | None:
    """Return what of the rows of a raw table the views read, None for all."""
    inputs = [one for view in VIEWS for one in view.inputs if one.table.name == table]
    return inputs[0].part if len(inputs) == 1 else None
