"""What of a damaged home can be made again, and what is lost: features, models, Redis, registry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from feature_repo.features.catalogue import GROUPS
from home.layout import source_options
from home.manifest import Entry, damaged_entries, read_manifest
from home.progress import Progress
from home.verified import require_regular
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.online.feast_registry import mend, readable
from ingestion.views.catalogue import VIEW_OF
from ingestion.views.reader import RawReader
from market.errors import InputError
from optrade.flows.data import publish
from training.registry.model_files import faults, registry_fault
from training.registry.restore import restore
from training.registry.tracking_database import DatabaseLocked, OtherSchema

if TYPE_CHECKING:
    from optrade.runtime import Runtime

# Of MLflow's database, and of what is restored out of it: nothing of one that is locked, or that
# another version of MLflow wrote, is lost.
State = Literal["restored", "dropped", "lost", "locked", "other version"]
DONE: Final = ("restored", "dropped")
CLEARED: Final = (
    "first move away what stands in the place of others, then run `optrade repair` again"
)
LATER: Final = "first mend the raw files above, then run `optrade repair` again"


@dataclass(frozen=True)
class Repair:
    """Something of the home that was damaged, what became of it, and what to do now."""

    what: str
    state: State
    words: str


def repair(run: "Runtime", progress: Progress, *, drop_raw: bool = False) -> list[Repair]:
    """Make again what can be made again; nothing that is whole is touched.

    Parameters
    ----------
    drop_raw
        Take damaged raw files out of the home, so that they can be fetched again.

    Returns
    -------
    list
        One entry for each damaged thing, and the online store, which is filled anew where nothing
        of the others is left and the home has been published.

    Raises
    ------
    InputError
        If the home has no data, or its manifest is damaged.
    """
    run.home.origin()
    found = [*_lake(run, progress, drop_raw=drop_raw), *_registry(run), *repair_models(run)]
    if all(one.state in DONE for one in found):
        found += _online(run)
    return found


def _lake(run: "Runtime", progress: Progress, *, drop_raw: bool) -> Iterator[Repair]:
    with Lake(run.home.data) as lake:
        broken = damaged_entries(run.home.data, lake.manifest)
        raw = [entry for entry in broken if entry.table not in GROUPS]
        features = [entry for entry in broken if entry.table in GROUPS]
        below = [entry for entry in features if _lacks_rows(lake, entry)]
        whole = [entry for entry in features if entry not in below]
        blocked = {e.path: why for e in whole if (why := _obstacle(run, e)) is not None}
        if drop_raw:
            # The features with them, which could not be built from what is left.
            _drop(lake, [*raw, *below])
            yield from (_dropped(run, entry) for entry in (*raw, *below))
        else:
            yield from (_lost(run, entry) for entry in raw)
            yield from (Repair(entry.path, "lost", LATER) for entry in below)
        if blocked:
            # Nothing is dropped: what was not built again is still named, here and by `doctor`.
            yield from (Repair(e.path, "lost", blocked.get(e.path, CLEARED)) for e in whole)
        elif whole:
            _drop(lake, whole)
            build_features(lake, lake.manifest.keys("prices"), run.landing_time(), progress)
            yield from (Repair(e.path, "restored", "built from the raw rows") for e in whole)


def _obstacle(run: "Runtime", entry: Entry) -> str | None:
    """Return what to do about what is no file in the place of one, None where nothing is."""
    try:
        require_regular(run.home.data / entry.path)
    except InputError as error:
        return f"{error}, then run `optrade repair` again"
    return None


def _lacks_rows(lake: Lake, entry: Entry) -> bool:
    """Return whether the features of a file are computed from a damaged raw file."""
    view = VIEW_OF[entry.table]
    try:
        raw = RawReader(lake.data_dir, lake.manifest).raw(view.entity, entry.key)
    except InputError:  # of its prices
        return True
    return view.name in raw.damaged


def _drop(lake: Lake, entries: Sequence[Entry]) -> None:
    """Take entries out of the manifest: what they name is no longer part of the home."""
    with lake.all_or_nothing():
        for entry in entries:
            lake.open_table(entry.table, lake.manifest.tables[entry.table])
            lake.drop(entry.table, entry.key)
        lake.commit()


def _dropped(run: "Runtime", entry: Entry) -> Repair:
    made = "builds" if entry.table in GROUPS else "fetches"
    return Repair(entry.path, "dropped", f"run {_again(run)}, which {made} it again")


def _lost(run: "Runtime", entry: Entry) -> Repair:
    words = (
        f"restore it from a copy; without one, `optrade repair --drop-raw` takes it out of the "
        f"home and {_again(run)} fetches it again, known from then on"
    )
    return Repair(entry.path, "lost", words)


def _again(run: "Runtime") -> str:
    return f"`optrade ingest {source_options(read_manifest(run.home.data))}`"


def _registry(run: "Runtime") -> Iterator[Repair]:
    """Bring Feast's registry back from the copy that is kept of it."""
    path = run.home.files.registry
    name = str(path.relative_to(run.home.data))
    try:
        if not path.parent.is_dir() or readable(path) is not None:
            return
        mend(run.home.data)
        copied = readable(path) is not None
    except InputError as error:  # the models are mended all the same
        yield Repair(name, "lost", f"{error}; then run `optrade repair` again")
    else:
        words = "from its copy" if copied else "written by the materializing below"
        yield Repair(name, "restored", words)


def repair_models(run: "Runtime") -> Iterator[Repair]:
    """Write the models anew that are damaged or gone, out of MLflow's registry.

    Where MLflow's database is of no use it is told itself, and so is every model that is damaged.
    """
    fault_of_all = registry_fault(run.home.mlruns, run.home.models)
    if fault_of_all is not None:
        name = str(run.home.mlflow.relative_to(run.home.root))
        yield Repair(name, _state(fault_of_all), str(fault_of_all))
    for fault in faults(run.home.mlruns, run.home.models):
        try:
            version = restore(run.home.mlruns, run.home.models, fault)
        except InputError as error:
            then = (
                "then run `optrade repair` again" if fault.unfit else "or run `optrade train-all`"
            )
            yield Repair(fault.what, _state(error), f"{error}; {then}")
        else:
            yield Repair(fault.what, "restored", f"version {version}, out of the registry")


def _state(error: InputError) -> State:
    """Return what an error of MLflow's database means for what is in it."""
    match error:
        case DatabaseLocked():
            return "locked"
        case OtherSchema():
            return "other version"
    return "lost"


def _online(run: "Runtime") -> Iterator[Repair]:
    """Fill the online store anew where the home has been published."""
    if run.home.files.serving.exists() and read_manifest(run.home.data).keys("technical"):
        try:
            session = publish(run, run.as_of()).session
        except InputError as error:  # what was made again before is told all the same
            yield Repair("online store", "lost", f"{error}; then run `optrade repair` again")
        else:
            yield Repair("online store", "restored", f"session {session}, out of the features")
