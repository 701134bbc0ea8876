"""Changes of Feast's registry: one at a time, whole or not at all.

Feast writes its registry in place and without a lock: a process that dies leaves it cut short, and
two that apply lose each other's views. So a change works on a copy, which is checked and then put
in place, together with a second copy to fall back to and the snapshot that serving reads.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from feature_repo.store.feast_registry import (
    check_on_demand,
    check_registry,
    parse_registry,
    without_on_demand,
)
from feature_repo.store.repo_config import write_configuration
from home.files import replace_file, sync_folder
from home.layout import DataFiles
from home.verified import read_regular
from market.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    from feast import FeatureStore

LOCK: Final = ".lock"
KEPT: Final = "registry.checked.db"
DAMAGED: Final = "registry.damaged.db"
WORKING: Final = ".registry.db.tmp"
# Nobody waits on a request here, and a pipeline of rows takes longer to answer than a read.
WRITE_TIMEOUT: Final = 5.0
LOCK_WAIT: Final = 30.0


def apply(store: "FeatureStore", data_dir: Path) -> None:
    """Bring the registry of a home in line with the feature definitions.

    Objects that the definitions no longer have are removed, and the home's `feature_store.yaml`
    is written for the store's Redis.

    Raises
    ------
    StoreUnavailable
        If another process holds the registry for longer than half a minute.
    """
    with changed_registry(store, data_dir) as writer:
        define_all(writer, data_dir)


@contextlib.contextmanager
def changed_registry(
    store: "FeatureStore",
    data_dir: Path,
    online: Callable[[Any], Any] = lambda given: given,
    left_out: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator["FeatureStore"]:
    """Yield a store over a copy of the registry, which takes its place when all went well.

    `online` makes the online store's configuration of the yielded store out of the given one's;
    `left_out` are the keys of views whose files it does not read.
    """
    folder = DataFiles(data_dir).feast
    with locked(folder), contextlib.redirect_stdout(io.StringIO()):  # Feast prints its progress
        working = folder / WORKING
        start_from(working, [DataFiles(data_dir).registry, folder / KEPT])
        try:
            yield working_store(store, working, online, left_out)
            put_in_place(data_dir, working.read_bytes())
        finally:
            working.unlink(missing_ok=True)
    if store.config.online_store is not None:
        write_configuration(
            data_dir, store.config.online_store.model_dump(mode="json", exclude_unset=True)
        )
    store.refresh_registry()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the one lock of a home's registry.

    Raises
    ------
    StoreUnavailable
        If another process does not let go of it in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=LOCK_WAIT):
            yield
    except Timeout:
        raise StoreUnavailable(
            f"another process has held {folder / LOCK} for {LOCK_WAIT:.0f} s: wait for it to end"
        ) from None


def mend(data_dir: Path) -> None:
    """Bring back the checked copy of a registry that is damaged, empty or missing.

    Without a copy a damaged one is laid aside: then there is none, which readers say clearly.
    """
    path = DataFiles(data_dir).registry
    if readable(path) is not None or not path.parent.is_dir():
        return
    with locked(path.parent):
        if readable(path) is not None:
            return
        kept = readable(path.with_name(KEPT))
        if kept is not None:
            replace_file(path, kept)
        elif path.exists():
            path.replace(path.with_name(DAMAGED))
        sync_folder(path.parent)


def readable(path: Path) -> bytes | None:
    """Return the content of a registry that can be read; None for another, and for no file."""
    with contextlib.suppress(FileNotFoundError, ConfigurationError):
        content = read_regular(path)
        parse_registry(content)
        return content
    return None


def start_from(working: Path, candidates: list[Path]) -> None:
    """Copy the first registry that can be read to `working`; with none, Feast starts a new one."""
    working.unlink(missing_ok=True)
    for path in candidates:
        content = readable(path)
        if content is not None:
            replace_file(working, content)
            return


def working_store(
    store: "FeatureStore",
    registry: Path,
    online: Callable[[Any], Any],
    left_out: Mapping[str, Sequence[str]],
) -> "FeatureStore":
    """Return a store like the given one over another registry, patient with its Redis."""
    from feast import FeatureStore, RepoConfig

    config: RepoConfig = store.config
    return FeatureStore(
        config=RepoConfig(
            project=config.project,
            provider=config.provider,
            registry={"path": str(registry.resolve()), "cache_ttl_seconds": 0},
            offline_store=config.offline_store.model_copy(update={"left_out": dict(left_out)}),
            online_store=online(patient(config.online_store)),
            entity_key_serialization_version=config.entity_key_serialization_version,
            coerce_tz_aware=config.coerce_tz_aware,
            materialization=config.materialization_config,
            repo_path=config.repo_path,
        )
    )


def patient(online: Any) -> Any:  # noqa: ANN401 - a class that Feast chooses by name
    """Return an online store's configuration with timeouts fit for writing."""
    if online is None:
        return None
    options = online.connection_string.split(",")
    kept = [option for option in options if "timeout=" not in option]
    timeouts = [f"{name}={WRITE_TIMEOUT}" for name in ("socket_timeout", "socket_connect_timeout")]
    return online.model_copy(update={"connection_string": ",".join([*kept, *timeouts])})


def define_all(store: "FeatureStore", data_dir: Path) -> None:
    """Apply the definitions to a store, and remove what they do not have."""
    from feature_repo.definitions import define

    objects = define(str(data_dir.resolve()))
    names = {(type(row).__name__, row.name) for row in objects}
    held = [
        *store.list_feature_services(),
        *store.list_on_demand_feature_views(),
        *store.list_feature_views(),
        *store.list_entities(),
    ]
    gone = [row for row in held if (type(row).__name__, row.name) not in names]
    with warnings.catch_warnings():
        # Feast calls on-demand views experimental at every apply; the as-of store reads them.
        warnings.filterwarnings("ignore", "On demand feature view", RuntimeWarning)
        store.apply(objects, objects_to_delete=gone, partial=False)


def put_in_place(data_dir: Path, content: bytes) -> None:
    """Switch a home to a registry, once it is checked.

    Raises
    ------
    ConfigurationError
        If the registry is not what the code defines.
    """
    registry = parse_registry(content)
    check_registry(registry)
    check_on_demand(registry)
    files = DataFiles(data_dir)
    replace_file(files.registry, content)
    replace_file(files.feast / KEPT, content)
    replace_file(files.serving_registry, without_on_demand(registry).SerializeToString())
    sync_folder(files.feast)
