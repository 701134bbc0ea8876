"""The Feast objects: entities, one view for each feature group, the feature services.

The only file that holds any. `feast apply` imports it and collects what stands at module level;
`define` is the same for a home of the caller's choice.
"""

import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, String

from feature_repo.features.catalogue import GROUPS, SERVICES
from feature_repo.features.declare import Group

# A read at decision_time(D) is answered by session D or by nothing: even before a half day the
# previous close is 21.5 hours old by then, and that of D half an hour.
TTL: Final = timedelta(hours=20)
EVENT_TIMESTAMP: Final = "event_timestamp"
CREATED_TIMESTAMP: Final = "created_timestamp"
# As feature_store.yaml says it: relative to the feature repo.
CHECKOUT_DATA: Final = "../data"

FeastObject = Entity | FeatureView | FeatureService


def define(data_dir: str) -> list[FeastObject]:
    """Return the Feast objects over the feature files of a data folder.

    Parameters
    ----------
    data_dir
        The data folder of a home; a relative one counts from the feature repo.
    """
    entities = {
        name: Entity(name=name, join_keys=[name], value_type=ValueType.STRING)
        for name in dict.fromkeys(group.entity for group in GROUPS.values())
    }
    views = {
        name: view(group, entities[group.entity], f"{data_dir}/features/{name}")
        for name, group in GROUPS.items()
    }
    services = [service(name, refs, views) for name, refs in SERVICES.items()]
    return [*entities.values(), *views.values(), *services]


def view(group: Group, entity: Entity, path: str) -> FeatureView:
    """Return the view of a feature group, over the files below `path`."""
    features = [
        Field(
            name=feature.name,
            dtype=Float64,
            description=feature.formula,
            tags={"unit": feature.unit, "safe": str(feature.safe).lower()},
        )
        for feature in group.features
    ]
    return FeatureView(
        name=group.name,
        entities=[entity],
        ttl=TTL,
        schema=[Field(name=group.entity, dtype=String), *features],
        source=FileSource(
            name=group.name,
            path=path,
            timestamp_field=EVENT_TIMESTAMP,
            created_timestamp_column=CREATED_TIMESTAMP,
        ),
    )


def service(name: str, refs: Iterable[str], views: dict[str, FeatureView]) -> FeatureService:
    """Return the feature service of `view:feature` references, grouped by view."""
    chosen: dict[str, list[str]] = {}
    for ref in refs:
        view_name, feature = ref.split(":")
        chosen.setdefault(view_name, []).append(feature)
    return FeatureService(name=name, features=[views[v][names] for v, names in chosen.items()])


def home_data(home: str | None) -> str:
    """Return the data folder of a home, that of the checkout if none is named."""
    return str(Path(home).expanduser().resolve() / "data") if home else CHECKOUT_DATA


# What `feast apply` finds. It runs outside `optrade`, so the home comes from the environment.
globals().update(
    {
        f"{type(row).__name__}_{row.name}": row
        for row in define(home_data(os.environ.get("OPTRADE_HOME")))
    }
)
