"""How a home is served, as told to the service."""

from typing import TYPE_CHECKING

from serving.reading.configuration import Configuration

if TYPE_CHECKING:
    from optrade.runtime import Runtime


def served_configuration(run: "Runtime", *, require_proven: bool = False) -> Configuration:
    """Return the clock, origin and feature store of this home for the service."""
    origin = run.home.origin()
    return Configuration(
        as_of=None if origin == "live" else run.as_of().isoformat(),
        origin=origin,
        require_proven=require_proven,
        require_edge=run.settings.require_edge,
        capital=run.settings.capital,
        settle_minutes=run.settings.settle_minutes,
        feature_store=str(run.home.files.feature_store.relative_to(run.home.root)),
    )
