"""Feast's registry: whole at every moment, and what the code defines."""

import contextlib
import multiprocessing
import warnings
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
from feast import FeatureService, FeatureStore, Field, Project
from feast.on_demand_feature_view import on_demand_feature_view
from feast.protos.feast.core.Registry_pb2 import Registry
from feast.types import Float64
from filelock import FileLock
from google.protobuf.internal.decoder import _DecodeVarint32

from feature_repo.features.catalogue import GROUPS, ON_DEMAND
from feature_repo.features.services import SERVICES
from feature_repo.store.feast_registry import (
    check_on_demand,
    parse_registry,
    read_registry,
    without_on_demand,
)
from feature_repo.store.repo_config import repo_config
from home.layout import DataFiles
from ingestion.online.feast_registry import DAMAGED, KEPT, apply, changed_registry, define_all, mend
from market.errors import ConfigurationError, StoreUnavailable


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(data: Path) -> FeatureStore:
    made = FeatureStore(config=repo_config(data, None))
    apply(made, data)
    return made


def test_registry_holds_what_the_code_defines(store: FeatureStore, data: Path) -> None:
    for path in (
        DataFiles(data).registry,
        DataFiles(data).serving_registry,
        DataFiles(data).registry.with_name(KEPT),
    ):
        registry = read_registry(path)
        assert {view.spec.name for view in registry.feature_views} == set(GROUPS)
        assert {row.spec.name for row in registry.feature_services} == set(SERVICES)
    assert {view.name for view in store.list_feature_views()} == set(GROUPS)
    assert {view.name for view in store.list_on_demand_feature_views()} == set(ON_DEMAND)


def test_objects_that_are_no_longer_defined_are_removed(store: FeatureStore, data: Path) -> None:
    old = store.get_feature_view("iv").with_name("old_iv")
    store.apply([old, FeatureService(name="old", features=[old])])
    apply(store, data)
    assert {view.name for view in store.list_feature_views()} == set(GROUPS)
    assert {row.name for row in store.list_feature_services()} == set(SERVICES)


@pytest.mark.parametrize("damage", [b"", b"\xff\xff not a registry"])
def test_damaged_registry_comes_back_from_the_kept_copy(
    store: FeatureStore, data: Path, damage: bytes
) -> None:
    store.apply([Project(name="kept")])
    apply(store, data)
    DataFiles(data).registry.write_bytes(damage)
    with pytest.raises(ConfigurationError, match="registry is"):
        read_registry(DataFiles(data).registry)
    apply(FeatureStore(config=store.config), data)
    registry = read_registry(DataFiles(data).registry)
    assert "kept" in {row.spec.name for row in registry.projects}


def test_registry_that_lacks_a_name_is_not_ready(store: FeatureStore, data: Path) -> None:
    registry = read_registry(DataFiles(data).registry)
    del registry.feature_views[0].spec.features[0]
    DataFiles(data).registry.write_bytes(registry.SerializeToString())
    with pytest.raises(ConfigurationError, match="lacks 1 features of view"):
        read_registry(DataFiles(data).registry)
    del registry.feature_services[0]
    DataFiles(data).registry.write_bytes(registry.SerializeToString())
    with pytest.raises(ConfigurationError, match="lacks"):
        read_registry(DataFiles(data).registry)
    with pytest.raises(ConfigurationError, match="no feature registry"):
        read_registry(data / "none.db")


def test_serving_snapshot_has_no_on_demand_views_and_no_states(
    store: FeatureStore, data: Path
) -> None:
    @on_demand_feature_view(
        sources=[store.get_feature_view("iv")],
        schema=[Field(name="half", dtype=Float64)],
        mode="pandas",
    )
    def halves(inputs: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({"half": inputs["iv_rank"] / 2})

    both = FeatureService(name="both", features=[store.get_feature_view("iv"), halves])
    store.apply([halves, both])
    registry = read_registry(DataFiles(data).registry)
    for view in registry.feature_views:
        view.meta.state = 3  # MATERIALIZING
    snapshot = without_on_demand(registry)
    assert registry.on_demand_feature_views
    assert not snapshot.on_demand_feature_views
    assert {view.meta.state for view in snapshot.feature_views} == {0}
    (service,) = (row for row in snapshot.feature_services if row.spec.name == "both")
    assert [part.feature_view_name for part in service.spec.features] == ["iv"]
    assert registry.feature_services != snapshot.feature_services, "the registry keeps its own"


def test_services_of_the_snapshot_hold_what_is_stored_of_them(
    store: FeatureStore, data: Path
) -> None:
    snapshot = read_registry(DataFiles(data).serving_registry)
    for service in snapshot.feature_services:
        held = {
            f"{part.feature_view_name}:{column.name}"
            for part in service.spec.features
            for column in part.feature_columns
        }
        wanted = {ref for ref in SERVICES[service.spec.name] if ref.split(":")[0] in GROUPS}
        assert held == wanted


def test_apply_does_not_repeat_what_feast_says_of_on_demand_views(
    store: FeatureStore, data: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        apply(store, data)


@pytest.mark.integration
def test_concurrent_applies_lose_nothing(store: FeatureStore, data: Path) -> None:
    """Each of four processes adds something of its own, time and again, and applies."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["ingestion.online.feast_registry", "feast", "feature_repo.definitions"]
    )
    processes = [context.Process(target=apply_alone, args=(data, name)) for name in "abcd"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    registry = read_registry(DataFiles(data).registry)
    added = {row.spec.name for row in registry.projects} - {store.project}
    assert added == {f"{name}{turn}" for name in "abcd" for turn in range(TURNS)}
    assert {view.spec.name for view in registry.feature_views} == set(GROUPS)
    assert read_registry(DataFiles(data).registry.with_name(KEPT)) == registry


TURNS = 2


def apply_alone(data: Path, name: str) -> None:
    store = FeatureStore(config=repo_config(data, None))
    for turn in range(TURNS):
        with changed_registry(store, data) as writer:
            writer.apply([Project(name=f"{name}{turn}")])
            define_all(writer, data)


def boundaries(content: bytes) -> list[int]:
    """The places between a registry's messages: cut there, what is left can be parsed."""
    places, at = [], 0
    while at < len(content):
        places.append(at)
        tag, at = _DecodeVarint32(content, at)
        size, at = _DecodeVarint32(content, at)
        at += size if tag & 7 == 2 else 0  # a length, or the number itself
    return places


def cut(content: bytes, lengths: Iterable[int]) -> dict[int, Registry]:
    """Registries as they are read once cut short, by length, where they are not refused.

    Each of them is held against the whole one: what is answered is right.
    """
    whole, read = parse_registry(content), {}
    for length in lengths:
        with contextlib.suppress(ConfigurationError):
            read[length] = parse_registry(content[:length])
    for found in read.values():
        for part in ("entities", "data_sources", "feature_views", "on_demand_feature_views",
                     "feature_services"):  # fmt: skip
            assert getattr(found, part) == getattr(whole, part), part
    return read


def test_registry_cut_short_is_refused_or_right(store: FeatureStore, data: Path) -> None:
    content = DataFiles(data).registry.read_bytes()
    between = boundaries(content)
    assert len(between) > len(GROUPS) + len(SERVICES)
    near = {place + step for place in between for step in (-1, 0, 1)}
    read = cut(content, [n for n in near | {len(content) - 1} if 0 <= n < len(content)])
    assert len(read) <= 2, "but for what comes after the project"


@pytest.mark.long
def test_registry_cut_short_anywhere_is_refused_or_right(store: FeatureStore, data: Path) -> None:
    content = DataFiles(data).registry.read_bytes()
    assert len(cut(content, range(len(content)))) <= 2


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_readers_get_the_kept_copy_of_a_registry_cut_short(
    store: FeatureStore, data: Path, part: float
) -> None:
    path = DataFiles(data).registry
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    mend(data)
    assert path.read_bytes() == whole
    assert {view.name for view in FeatureStore(config=store.config).list_feature_views()} == {
        *GROUPS
    }


def test_missing_registry_comes_back_and_a_whole_one_is_left_alone(
    store: FeatureStore, data: Path
) -> None:
    path = DataFiles(data).registry
    whole = path.read_bytes()
    path.unlink()
    mend(data)
    assert path.read_bytes() == whole
    path.with_name(KEPT).write_bytes(b"")
    mend(data)
    assert path.read_bytes() == whole


def test_damaged_registry_without_a_copy_is_laid_aside(store: FeatureStore, data: Path) -> None:
    path = DataFiles(data).registry
    damaged = path.read_bytes()[:1000]
    path.write_bytes(damaged)
    path.with_name(KEPT).write_bytes(damaged)
    mend(data)
    assert not path.exists()
    assert path.with_name(DAMAGED).read_bytes() == damaged
    apply(FeatureStore(config=store.config), data)
    read_registry(path)


def test_home_without_a_registry_is_left_without(tmp_path: Path) -> None:
    mend(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_registry_held_by_another_is_named(
    store: FeatureStore, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.online.feast_registry.LOCK_WAIT", 0.05)
    with (
        FileLock(data / "feast" / ".lock"),
        pytest.raises(StoreUnavailable, match="another process has held"),
    ):
        apply(store, data)


def test_change_that_fails_changes_nothing(store: FeatureStore, data: Path) -> None:
    before = {path: path.read_bytes() for path in DataFiles(data).feast.glob("*.db")}
    with pytest.raises(RuntimeError, match="half way"), changed_registry(store, data) as writer:
        writer.apply([Project(name="never")])
        raise RuntimeError("half way")
    assert {path: path.read_bytes() for path in DataFiles(data).feast.glob("*.db")} == before
    assert [p.name for p in DataFiles(data).feast.glob(".*")] == [".lock"]


def test_registry_that_is_not_what_the_code_defines_is_not_put_in_place(
    store: FeatureStore, data: Path
) -> None:
    before = DataFiles(data).registry.read_bytes()
    with (
        pytest.raises(ConfigurationError, match="lacks 5 features of view iv_lags"),
        changed_registry(store, data) as writer,
    ):
        define_all(writer, data)
        writer.delete_feature_view("iv_lags")
    assert DataFiles(data).registry.read_bytes() == before


@pytest.mark.parametrize("view", ON_DEMAND)
def test_registry_that_lacks_an_on_demand_feature_is_not_put_in_place(
    store: FeatureStore, data: Path, view: str
) -> None:
    registry = read_registry(DataFiles(data).registry)
    check_on_demand(registry)
    (held,) = (row for row in registry.on_demand_feature_views if row.spec.name == view)
    del held.spec.features[0]
    with pytest.raises(ConfigurationError, match=f"lacks 1 features of on-demand view {view}"):
        check_on_demand(registry)
    before = DataFiles(data).registry.read_bytes()
    with (
        pytest.raises(ConfigurationError, match=f"on-demand view {view}"),
        changed_registry(store, data) as writer,
    ):
        for service in writer.list_feature_services():
            writer.delete_feature_service(service.name)
        define_all(writer, data)
        writer.registry.delete_feature_view(view, writer.project)
    assert DataFiles(data).registry.read_bytes() == before


def test_kept_copy_and_snapshot_follow_the_registry(store: FeatureStore, data: Path) -> None:
    with changed_registry(store, data) as writer:
        define_all(writer, data)
        writer.apply([Project(name="another")])
    for path in (DataFiles(data).registry, DataFiles(data).registry.with_name(KEPT)):
        assert "another" in {row.spec.name for row in read_registry(path).projects}
