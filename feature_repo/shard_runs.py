"""The same work on many shards: one after another in this process, or at once in Ray's workers.

Results come in the order of the shards either way, so what is made of them does not depend on
where they were computed.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from feature_repo.errors import ConfigurationError

Engine = Literal["local", "ray"]
ENGINES: Final[tuple[Engine, ...]] = ("local", "ray")
# Ray's least: only small results and lists of files pass through it, and rows of a read.
OBJECT_STORE_BYTES: Final = 200_000_000
# Ray's processes inherit them. Cores are shared out by Ray, so each worker uses one thread.
ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "POLARS_MAX_THREADS": "1",
}

_Shared = TypeVar("_Shared")
_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Placement:
    """Where shards are worked on: `local` in this process, `ray` in so many worker processes.

    `workers` None is one for each core.

    Raises
    ------
    ConfigurationError
        If there is no such engine, or workers are asked for where there are none.
    """

    engine: Engine = "local"
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ConfigurationError(
                f"engine: got {self.engine!r:.40}, allowed are {', '.join(ENGINES)}"
            )
        if self.workers is not None and (self.engine == "local" or self.workers < 1):
            raise ConfigurationError(
                f"workers: got {self.workers} with engine {self.engine}, allowed is at least 1 "
                "with engine ray; local works in its own process"
            )


LOCAL: Final = Placement()


def each(
    work: Callable[[_Shared, _Shard], Iterable[_Result]],
    shared: _Shared,
    shards: Sequence[_Shard],
    placement: Placement = LOCAL,
) -> Iterator[_Result]:
    """Yield the results of the work on each shard, in the order of the shards.

    Parameters
    ----------
    work
        Called with (shared, shard); for Ray a function of a module, as all arguments are pickled.
    shared
        What every shard needs; sent to Ray once.
    shards
        What there is to do. A local run holds the memory of one at a time.
    placement
        Where to run.

    Raises
    ------
    ConfigurationError
        If Ray is asked for and not installed.
    Exception
        What the work raises, as it raised it.
    """
    if placement.engine == "local":
        for shard in shards:
            yield from work(shared, shard)
    elif shards:
        yield from _in_ray(work, shared, shards, placement.workers)


def _in_ray(
    work: Callable[[_Shared, _Shard], Iterable[_Result]],
    shared: _Shared,
    shards: Sequence[_Shard],
    workers: int | None,
) -> Iterator[_Result]:
    with started_ray(workers) as ray:
        task = ray.remote(_listed)
        held = ray.put(shared)
        for pending in [task.remote(work, held, shard) for shard in shards]:
            try:
                results = ray.get(pending)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            yield from results


def _listed(
    work: Callable[[_Shared, _Shard], Iterable[_Result]], shared: _Shared, shard: _Shard
) -> list[_Result]:
    return list(work(shared, shard))


@contextmanager
def started_ray(workers: int | None) -> Iterator[Any]:
    """Give the module ray, started for the block; one already started is used as is.

    Its servers listen on every address of the machine, though told loopback: Ray belongs behind a
    firewall.

    Raises
    ------
    ConfigurationError
        If Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ConfigurationError(
            "engine ray: got no package ray; install the extra optrade[ray], "
            "or set OPTRADE_ENGINE=local"
        ) from None
    if ray.is_initialized():
        yield ray
        return
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as scratch:
        with _environment(ENVIRONMENT):
            ray.init(
                address="local",
                num_cpus=workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1",
                _temp_dir=scratch,
            )
        try:
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes started in the block, and put them back."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
