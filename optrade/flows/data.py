"""From a source to the online store: fetch, build, publish."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from feature_repo.store.shard_runs import LOCAL, Placement
from ingestion.build.build import ViewReport, build_features
from ingestion.lake.lake import Lake
from ingestion.lake.simulation import hold
from ingestion.landing.land import fetch_all
from ingestion.landing.report import TableReport
from ingestion.online.pointer import Materialization
from market.errors import DamagedFile, InputError
from optrade.flows.serve.configuration import served_configuration
from optrade.flows.serve.online import fill
from serving.reading.configuration import write_configuration

if TYPE_CHECKING:
    from home.layout import Home
    from home.progress import Progress
    from optrade.runtime import OpenedSource, Runtime


@dataclass(frozen=True)
class Ingested:
    """What became of each table, of each view, and of the online store: None if not tried.

    `unpublished` says why a damaged home was not published.
    """

    fetched: list[TableReport] | None = None
    built: list[ViewReport] | None = None
    online: Materialization | None = None
    unpublished: str | None = None


def fetch(
    home: "Home", opened: "OpenedSource", tickers: list[str], progress: "Progress"
) -> list[TableReport]:
    """Fetch, check and land every table of a source; one row of the report a table."""
    with Lake(home.data) as lake:
        return _fetch(lake, opened, tickers, progress)


def build(
    home: "Home",
    landed_at: pd.Timestamp,
    progress: "Progress",
    placement: Placement = LOCAL,
) -> list[ViewReport]:
    """Build the features of everything that has landed; one row of the report a view."""
    with Lake(home.data) as lake:
        return _build(lake, landed_at, progress, placement)


def fetch_and_build(
    home: "Home",
    opened: "OpenedSource",
    tickers: list[str],
    progress: "Progress",
    *,
    plant_leak: bool = False,
    placement: Placement = LOCAL,
) -> Ingested:
    """Fetch and build under one lock, so that no other run comes between; both reports."""
    if plant_leak and opened.source.origin != "simulated":
        raise InputError(
            f"--plant-leak goes with --source simulated, got {opened.source.origin} data"
        )
    with Lake(home.data) as lake:
        fetched = _fetch(lake, opened, tickers, progress)
        if not lake.manifest.keys("prices"):
            # A new home whose vendors did not answer: the fetch says why, nothing can be built.
            return Ingested(fetched, [])
        built = _build(lake, opened.landed_at, progress, placement, plant_leak=plant_leak)
        return Ingested(fetched, built)


def _fetch(
    lake: Lake, opened: "OpenedSource", tickers: list[str], progress: "Progress"
) -> list[TableReport]:
    lake.check_origin(opened.source.origin)
    if opened.market is not None:
        hold(lake.data_dir, opened.market, landed=lake.manifest.origin is not None)
    return fetch_all(lake, opened.source, tickers, None, opened.end, opened.landed_at, progress)


def _build(
    lake: Lake,
    landed_at: pd.Timestamp,
    progress: "Progress",
    placement: Placement,
    *,
    plant_leak: bool = False,
) -> list[ViewReport]:
    tickers = lake.manifest.keys("prices")
    return build_features(
        lake, tickers, landed_at, progress, plant_leak=plant_leak, placement=placement
    )


def publish_built(run: "Runtime", done: Ingested, as_of: pd.Timestamp) -> Ingested:
    """Publish what was built; a damaged feature file that all tickers need is told of."""
    try:
        return replace(done, online=publish(run, as_of))
    except DamagedFile as error:
        return replace(done, unpublished=str(error))


def publish(run: "Runtime", as_of: pd.Timestamp) -> Materialization:
    """Bring the newest rows into the online store, and say how this home is served."""
    done = fill(run, as_of)
    write_configuration(run.home.data, served_configuration(run))
    return done
