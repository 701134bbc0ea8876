"""The Feast objects against the feature catalogue, and the committed configuration."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from feast import Entity, FeatureService, FeatureView, OnDemandFeatureView
from feast.repo_operations import get_repo_files
from feast.types import Float64, String

from feature_repo.definitions import CHECKOUT_DATA, TRANSFORMATIONS, TTL, define, home_data
from feature_repo.features.catalogue import GROUPS, ON_DEMAND, OPTIONAL_GROUPS, find
from feature_repo.features.services import SERVICES
from feature_repo.store.arguments import OPTIONAL
from feature_repo.store.repo_config import REPO, document
from market.calendar import close, decision_time, sessions

OBJECTS = define("/home/data")
VIEWS = {row.name: row for row in OBJECTS if isinstance(row, FeatureView)}
COMPUTED = {row.name: row for row in OBJECTS if isinstance(row, OnDemandFeatureView)}
FEATURE_SERVICES = {row.name: row for row in OBJECTS if isinstance(row, FeatureService)}


def test_every_group_is_a_view_and_nothing_else_is() -> None:
    assert list(VIEWS) == list(GROUPS)
    entities = {row.name: row.join_key for row in OBJECTS if isinstance(row, Entity)}
    assert entities == {group.entity: group.entity for group in GROUPS.values()}


@pytest.mark.parametrize("name", GROUPS)
def test_view_is_its_group(name: str) -> None:
    view, group = VIEWS[name], GROUPS[name]
    assert [field.name for field in view.features] == [row.name for row in group.features]
    assert {field.dtype for field in view.features} == {Float64}
    assert [field.tags["unit"] for field in view.features] == [row.unit for row in group.features]
    assert [(key.name, key.dtype) for key in view.entity_columns] == [(group.entity, String)]
    assert view.entities == [group.entity]


@pytest.mark.parametrize("name", GROUPS)
def test_view_reads_the_lake(name: str) -> None:
    source = VIEWS[name].batch_source
    assert source.path == f"/home/data/features/{name}"
    assert source.timestamp_field == "event_timestamp"
    assert source.created_timestamp_column == "created_timestamp"


@pytest.mark.parametrize("name", GROUPS)
def test_views_that_a_home_may_lack_say_so(name: str) -> None:
    assert VIEWS[name].tags == ({OPTIONAL: "true"} if name in OPTIONAL_GROUPS else {})


def test_every_group_on_demand_is_a_view_on_demand() -> None:
    assert list(COMPUTED) == list(ON_DEMAND) == list(TRANSFORMATIONS)


@pytest.mark.parametrize("name", ON_DEMAND)
def test_on_demand_view_is_its_group(name: str) -> None:
    view, group = COMPUTED[name], ON_DEMAND[name]
    assert [field.name for field in view.features] == [row.name for row in group.features]
    assert {field.dtype for field in view.features} == {Float64}
    assert all(row.formula in view.description for row in group.features)
    assert not view.write_to_online_store
    read = {
        feature.name: projection.name
        for projection in view.source_feature_view_projections.values()
        for feature in projection.features
    }
    assert read == {source: find(source)[0].name for source in group.sources}


@pytest.mark.parametrize("name", ON_DEMAND)
def test_function_of_an_on_demand_view_needs_its_text_alone(name: str) -> None:
    restored = OnDemandFeatureView.from_proto(COMPUTED[name].to_proto())
    assert restored == COMPUTED[name]
    function = restored.feature_transformation.udf
    assert function is not TRANSFORMATIONS[name]
    assert function.__globals__["__name__"] != "feature_repo.definitions"
    rows = pd.DataFrame({source: [1.0, np.nan] for source in ON_DEMAND[name].sources})
    made = function(rows)
    pd.testing.assert_frame_equal(made, TRANSFORMATIONS[name](rows))
    assert list(made) == [row.name for row in ON_DEMAND[name].features]
    assert made.iloc[0].notna().all()
    assert made.iloc[1].isna().all()


@pytest.mark.parametrize("name", SERVICES)
def test_service_holds_its_references(name: str) -> None:
    found = [
        f"{projection.name}:{feature.name}"
        for projection in FEATURE_SERVICES[name].feature_view_projections
        for feature in projection.features
    ]
    assert sorted(found) == sorted(SERVICES[name])
    assert set(FEATURE_SERVICES) == set(SERVICES)


def test_ttl_lets_a_decision_see_its_own_session_alone() -> None:
    days = sessions("1990-01-02", "2026-06-30")
    decisions = decision_time(days)
    assert ((decisions - close(days)) <= TTL).all()
    assert ((decisions[1:] - close(days)[:-1]) > TTL).all()


def test_home_is_the_checkout_unless_named(tmp_path: Path) -> None:
    assert home_data(None) == home_data("") == CHECKOUT_DATA
    assert home_data(str(tmp_path)) == str(tmp_path.resolve() / "data")


def test_feast_imports_the_definitions_alone() -> None:
    assert get_repo_files(REPO) == [REPO / "definitions.py"]


def test_committed_configuration_is_the_one_in_code() -> None:
    from feast.repo_config import load_repo_config

    config = load_repo_config(REPO, REPO / "feature_store.yaml")
    data = REPO.parent / "data"
    coded = document(data, {})
    assert config.registry.path == f"{CHECKOUT_DATA}/feast/registry.db"
    assert config.offline_store.type == coded["offline_store"]["type"]
    assert config.offline_store.known_at is True
    assert config.online_store.connection_string.startswith("localhost:6379,")
    assert config.online_store.skip_dedup is True
    assert config.coerce_tz_aware is coded["coerce_tz_aware"]
    assert config.project == coded["project"]
    assert config.materialization_config.model_dump() == coded["materialization"]
