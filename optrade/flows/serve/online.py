"""The online store of a home: found, started, filled. It is a cache, and mends itself."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pandas as pd
from filelock import FileLock, Timeout

from feature_repo.store.repo_config import write_feature_store_yaml
from home.layout import source_options
from home.manifest import read_manifest
from market.errors import InputError, StoreUnavailable
from optrade.redis.content import published

if TYPE_CHECKING:
    from ingestion.online.pointer import Materialization
    from optrade.runtime import Runtime

FILLING: Final = ".filling.lock"
FILL_WAIT: Final = 60.0


def tell(words: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"optrade: {words}\n")
    sys.stderr.flush()


def ready_store(run: "Runtime", say: Callable[[str], None] = tell) -> None:
    """See that the online store answers and holds this home's features, as serving will read them.

    The server is the one that runs now: what an earlier command wrote of an address is replaced.
    An empty one is filled from parquet, and `say` is told so.

    Raises
    ------
    InputError
        If nothing has landed or been built yet, or `REDIS_URL` is malformed.
    ConfigurationError, StoreUnavailable
        If there is no server to use; see `Runtime.redis_url`.
    """
    run.home.origin()  # no server for a home without data
    url = run.redis_url()
    if holds_features(run, url):
        write_feature_store_yaml(run.home.data, url)
        return
    with _filling(run):
        if not holds_features(run, url):
            import ingestion.online.writes  # noqa: F401 - importing Feast is no filling

            start = time.monotonic()
            done = refill(run)
            seconds = time.monotonic() - start
            say(
                f"the online store was empty: filled from parquet in {seconds:.1f} s, "
                f"session {done.session}"
            )


def holds_features(run: "Runtime", url: str) -> bool:
    """Return whether a server holds this home's features, and the home what they are read by."""
    files = run.home.files
    found = published(url)
    return (
        found is not None
        and found.data_dir == str(files.root.resolve())
        and files.serving_registry.is_file()
    )


def refill(run: "Runtime") -> "Materialization":
    """Fill an empty store with the newest session that all required views have.

    Raises
    ------
    InputError
        If there is none.
    """
    from market.calendar import decision_time

    done = fill(run, run.as_of())
    if done.session is None and done.oldest is not None:
        # As it was: what is newer in some views is not published before the others have it.
        done = fill(run, decision_time(pd.DatetimeIndex([done.oldest]))[0])
    if done.session is None:
        manifest = read_manifest(run.home.data)
        raise InputError(
            f"no session is complete in this home, behind are {', '.join(done.behind())}: "
            f"run `optrade ingest {source_options(manifest)}`"
        )
    return done


def fill(run: "Runtime", as_of: pd.Timestamp) -> "Materialization":
    """Bring what is newest at a clock into the online store; see `materialize`.

    Raises
    ------
    StoreUnavailable
        If the server is lost meanwhile.
    """
    from redis.exceptions import RedisError

    from ingestion.online.materialize import materialize

    try:
        done = materialize(run.feature_store(), run.home.data, as_of)
    except RedisError as error:
        raise StoreUnavailable(
            f"the online store was lost while it was filled ({type(error).__name__}): "
            "run `optrade materialize` again"
        ) from None
    write_feature_store_yaml(run.home.data, run.redis_url())
    return done


@contextmanager
def _filling(run: "Runtime") -> Iterator[None]:
    """Let one process fill, so that those that wait find it done."""
    path = run.home.files.feast / FILLING
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=FILL_WAIT):
            yield
    except Timeout:
        raise StoreUnavailable(
            f"another process has been filling the online store for {FILL_WAIT:.0f} s: "
            "wait for it to end"
        ) from None
