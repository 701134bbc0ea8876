"""Feast's registry file, read: what it holds, and whether that is what the code defines."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feature_repo.features.catalogue import GROUPS, ON_DEMAND
from feature_repo.features.declare import Group
from feature_repo.features.services import SERVICES
from home.verified import read_regular
from market.errors import ConfigurationError

if TYPE_CHECKING:
    from feast.protos.feast.core.Registry_pb2 import Registry


def parse_registry(content: bytes) -> "Registry":
    """Return the registry in a file's content.

    Raises
    ------
    ConfigurationError
        If it is empty (which Feast takes for a registry without views) or cut short.
    """
    from feast.protos.feast.core.Registry_pb2 import Registry
    from google.protobuf.message import DecodeError

    registry = Registry()
    try:
        registry.ParseFromString(content)
    except DecodeError:
        raise ConfigurationError(f"the feature registry is damaged: {_APPLY}") from None
    if not registry.projects:
        raise ConfigurationError(f"the feature registry is empty: {_APPLY}")
    # Feast writes it last: without it, the file was cut between two of its parts.
    if not registry.HasField("feature_view_version_history"):
        raise ConfigurationError(f"the feature registry is damaged: {_APPLY}")
    return registry


def check_registry(registry: "Registry") -> None:
    """Check that a registry holds every view and every service of the code, feature by feature.

    Raises
    ------
    ConfigurationError
        If it does not.
    """
    _check_features(registry.feature_views, GROUPS, "view")
    lacking = set(SERVICES) - {service.spec.name for service in registry.feature_services}
    if lacking:
        raise ConfigurationError(
            f"the feature registry lacks service {', '.join(sorted(lacking))}: {_APPLY}"
        )


def check_on_demand(registry: "Registry") -> None:
    """Check that a registry holds every on-demand view of the code, feature by feature.

    The snapshot that serving reads has none, see `without_on_demand`.

    Raises
    ------
    ConfigurationError
        If it does not.
    """
    _check_features(registry.on_demand_feature_views, ON_DEMAND, "on-demand view")


def _check_features(views: Iterable[Any], groups: Mapping[str, Group], kind: str) -> None:
    held = {view.spec.name: {feature.name for feature in view.spec.features} for view in views}
    for name, group in groups.items():
        lacking = {feature.name for feature in group.features} - held.get(name, set())
        if lacking:
            raise ConfigurationError(
                f"the feature registry lacks {len(lacking)} features of {kind} {name}: {_APPLY}"
            )


def without_on_demand(registry: "Registry") -> "Registry":
    """Return a copy of a registry for serving: no on-demand views, and no states.

    Serving computes on-demand features itself, and Feast refuses to read a view whose state says
    that it is being materialised.
    """
    snapshot = type(registry)()
    snapshot.CopyFrom(registry)
    computed = {view.spec.name for view in snapshot.on_demand_feature_views}
    del snapshot.on_demand_feature_views[:]
    for service in snapshot.feature_services:
        stored = [p for p in service.spec.features if p.feature_view_name not in computed]
        del service.spec.features[:]
        service.spec.features.extend(stored)
    for view in snapshot.feature_views:
        view.meta.ClearField("state")
    return snapshot


def read_registry(path: Path) -> "Registry":
    """Return the registry in a file, checked; see `parse_registry` and `check_registry`.

    Raises
    ------
    ConfigurationError
        If there is no file, or it is not what the code defines.
    """
    try:
        content = read_regular(path)
    except FileNotFoundError:
        raise ConfigurationError(f"no feature registry at {path}: {_APPLY}") from None
    registry = parse_registry(content)
    check_registry(registry)
    return registry


_APPLY = "run `optrade materialize`"
