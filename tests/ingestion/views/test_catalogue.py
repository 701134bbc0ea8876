"""Contract tests of every view: its groups, its tables, and the arrays that these give."""

import pytest

from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS, names
from ingestion.tables.catalogue import INDICES, TABLES
from ingestion.views.catalogue import VIEW_OF, VIEWS, groups_of_table, is_carried
from ingestion.views.declare import View
from market.underlyings import MARKET, UNDERLYINGS


def test_every_feature_group_has_one_view() -> None:
    assert [group.name for view in VIEWS for group in view.groups] == list(VIEW_OF) == list(GROUPS)
    assert all(group is GROUPS[group.name] for view in VIEWS for group in view.groups)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_its_groups_belong_to_one_entity_and_are_optional_together(view: View) -> None:
    assert {group.entity for group in view.groups} == {view.entity}
    assert len({group.optional for group in view.groups}) == 1
    assert view.events == view.groups[0].optional


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_its_inputs_and_what_it_is_built_on_give_every_source(view: View) -> None:
    given = [name for part in view.inputs for name in part.arrays]
    assert len(given) == len(set(given))
    groups = [*(group for below in view.built_on for group in below.groups), *view.groups]
    computed = {name for group in groups for name in names(group.name)}
    sources = {name for group in view.groups for name in group.sources}
    assert set(given) <= sources <= {*given, *computed}
    assert all(VIEWS.index(below) < VIEWS.index(view) for below in view.built_on)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_it_needs_keys_of_declared_tables(view: View) -> None:
    tables = {part.table.name for part in view.inputs}
    for key in UNDERLYINGS if view.entity == "ticker" else [MARKET]:
        needed = view.needs(key)
        assert len(needed) == len(set(needed))
        # A ticker without a basket needs no reports.
        assert {table for table, _ in needed} == tables or (key, view.name) == ("IWM", "earnings")
    assert set(view.tables) <= set(TABLES)


@pytest.mark.parametrize("view", VIEW_OF)
def test_every_view_is_rebuilt_when_a_row_of_its_tables_is_released(view: str) -> None:
    assert any(view in groups_of_table(table) for table in TABLES.values())


def test_the_views_of_tables() -> None:
    assert groups_of_table(INDICES) == ["iv", "iv_lags", "iv_path", "option_chain"]
    assert groups_of_table(TABLES["earnings_calendar"]) == ["earnings"]
    assert groups_of_table(TABLES["option_chains"]) == ["option_chain"]


def test_a_table_that_is_carried_says_so() -> None:
    carried = {name for name, table in TABLES.items() if is_carried(table)}
    assert carried == {"macro_series", "earnings_calendar"}


def test_an_optional_view_has_tables_of_its_own() -> None:
    required = {t for view in VIEWS if not view.events for t in view.tables}
    own = {name: set(VIEW_OF[name].own_tables) for name in OPTIONAL_GROUPS}
    assert all(tables and not required & tables for tables in own.values())
