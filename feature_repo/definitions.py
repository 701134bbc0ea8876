"""The Feast objects: entities, a view for each feature group, those on demand, the services.

The only file that holds any. `feast apply` imports it and collects what stands at module level;
`define` is the same for a home of the caller's choice.
"""

import inspect
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pandas as pd
from feast import (
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    OnDemandFeatureView,
    ValueType,
)
from feast.types import Float64, String

from feature_repo.features.catalogue import GROUPS, ON_DEMAND, OPTIONAL_GROUPS, find
from feature_repo.features.declare import Group
from feature_repo.features.services import SERVICES
from feature_repo.store.arguments import OPTIONAL
from home.default import default_root, is_checkout

# A read at decision_time(D) is answered by session D or by nothing: even before a half day the
# previous close is 21.5 hours old by then, and that of D half an hour.
TTL: Final = timedelta(hours=20)
EVENT_TIMESTAMP: Final = "event_timestamp"
CREATED_TIMESTAMP: Final = "created_timestamp"
# As feature_store.yaml says it: relative to the feature repo.
CHECKOUT_DATA: Final = "../data"

FeastObject = Entity | FeatureView | OnDemandFeatureView | FeatureService


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
    on_demand = {name: on_demand_view(group, views) for name, group in ON_DEMAND.items()}
    services = [service(name, refs, views | on_demand) for name, refs in SERVICES.items()]
    return [*entities.values(), *views.values(), *on_demand.values(), *services]


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
        tags={OPTIONAL: "true"} if group.name in OPTIONAL_GROUPS else {},
    )


def cross(inputs: pd.DataFrame) -> pd.DataFrame:
    """Return the features of the view `cross`. Feast runs this text alone, so it imports here."""
    from feature_repo.on_demand import view_frame

    return view_frame("cross", inputs)


TRANSFORMATIONS: Final = {"cross": cross}


def on_demand_view(group: Group, views: dict[str, FeatureView]) -> OnDemandFeatureView:
    """Return the on-demand view of a feature group, over the stored columns it is computed from.

    Feast reads all of them whichever feature is asked for; those of a view that a home does not
    have are null, and so is what needs them.
    """
    sources: dict[str, list[str]] = {}
    for name in group.sources:
        sources.setdefault(find(name)[0].name, []).append(name)
    function = TRANSFORMATIONS[group.name]
    return OnDemandFeatureView(
        name=group.name,
        sources=[views[name][features] for name, features in sources.items()],
        # Feast compares these with what it infers: a description would make them differ.
        schema=[Field(name=feature.name, dtype=Float64) for feature in group.features],
        udf=function,
        udf_string=inspect.getsource(function),
        mode="pandas",
        description="; ".join(f"{feature.name}: {feature.formula}" for feature in group.features),
    )


def service(
    name: str, refs: Iterable[str], views: Mapping[str, FeatureView | OnDemandFeatureView]
) -> FeatureService:
    """Return the feature service of `view:feature` references, grouped by view."""
    chosen: dict[str, list[str]] = {}
    for ref in refs:
        view_name, feature = ref.split(":")
        chosen.setdefault(view_name, []).append(feature)
    return FeatureService(name=name, features=[views[v][names] for v, names in chosen.items()])


def home_data(home: str | None) -> str:
    """Return the data folder of a home, that of the default one if none is named."""
    if not home and is_checkout():
        return CHECKOUT_DATA
    root = Path(home).expanduser().resolve() if home else default_root()
    return str(root / "data")


# What `feast apply` finds. It runs outside `optrade`, so the home comes from the environment.
globals().update(
    {
        f"{type(row).__name__}_{row.name}": row
        for row in define(home_data(os.environ.get("OPTRADE_HOME")))
    }
)
