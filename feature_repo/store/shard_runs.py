"""The same work on many shards: one after another in this process, or at once in Ray's workers.

Results come in the order of the shards either way, so what is made of them does not depend on
where they were computed.
"""

import ipaddress
import os
import pickle
import secrets
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final, Literal, TypeVar

from market.errors import ConfigurationError

Engine = Literal["local", "ray"]
ENGINES: Final[tuple[Engine, ...]] = ("local", "ray")
# Ray's least: only small results and lists of files pass through it, and rows of a read.
OBJECT_STORE_BYTES: Final = 200_000_000
# Shards given to Ray for each of its cores: one is worked on while the next waits for its worker.
# More would let the results of fast shards pile up behind a slow one.
SHARDS_A_CORE: Final = 2
# Ray raises Exception itself, with these words, if its node needs more than 30 seconds; that limit
# stands in its code.
TOO_SLOW: Final = "timed out during startup"
STARTS: Final = 3
END_SECONDS: Final = 10
# Ray's processes inherit them. Cores are shared out by Ray, so each worker uses one thread.
ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Where Ray may be a cluster it puts the machine's own address in the place of a loopback one,
    # and then its servers listen on every address. Its default is off but on Linux; hence the name.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    "POLARS_MAX_THREADS": "1",
}

_Shared = TypeVar("_Shared")
_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")
_Handle = TypeVar("_Handle")


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
                f"OPTRADE_WORKERS: got {self.workers} with engine {self.engine}, allowed is at "
                "least 1 with engine ray; local works in its own process, so unset it"
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
        task, held = ray.remote(_pickled), ray.put(shared)
        most = SHARDS_A_CORE * max(1, int(ray.cluster_resources().get("CPU", 1)))
        for pending in in_flight(lambda shard: task.remote(work, held, shard), shards, most):
            try:
                results = ray.get(pending)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            yield from pickle.loads(results)  # noqa: S301 - written by our own workers


def in_flight(
    submit: Callable[[_Shard], _Handle], shards: Iterable[_Shard], most: int
) -> Iterator[_Handle]:
    """Yield what `submit` returns for each shard, in their order, at most `most` of them ahead.

    Parameters
    ----------
    submit
        Starts the work on a shard; what it returns stands for the result.
    shards
        Submitted as the earlier ones are taken, so that their results never wait in numbers.
    most
        The most submitted and not yet taken, at least 1.
    """
    waiting, started = iter(shards), deque[_Handle]()
    while True:
        started.extend(submit(shard) for shard in islice(waiting, most - len(started)))
        if not started:
            return
        yield started.popleft()


def _pickled(
    work: Callable[[_Shared, _Shard], Iterable[_Result]], shared: _Shared, shard: _Shard
) -> bytes:
    """Return the results as bytes, which Ray hands out as a copy: they outlive its store."""
    return pickle.dumps(list(work(shared, shard)), pickle.HIGHEST_PROTOCOL)


@contextmanager
def started_ray(workers: int | None) -> Iterator[Any]:
    """Give the module ray, started for the block; one already started is used as is.

    Its servers listen on loopback alone and ask for a token that only its own processes have.

    Raises
    ------
    ConfigurationError
        If Ray is not installed, or its servers would listen on more than loopback.
    """
    with _environment(ENVIRONMENT):
        ray = _imported_ray()
    if ray.is_initialized():
        yield ray
        return
    address = ray.util.get_node_ip_address()
    if not ipaddress.ip_address(address).is_loopback:
        raise ConfigurationError(
            f"engine ray: got {address} to listen on, allowed is loopback; Ray was imported "
            "before: set RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 ahead of it, or join a cluster "
            "with ray.init"
        )
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as scratch:
        with _environment({**ENVIRONMENT, "RAY_AUTH_TOKEN": _token()}):
            _start(ray, workers, scratch)
        try:
            yield ray
        finally:
            ray.shutdown()


def _start(ray: Any, workers: int | None, scratch: str) -> None:  # noqa: ANN401
    """Start Ray, again if it was too slow: on a busy machine the first start warms the disk cache.

    Raises
    ------
    ConfigurationError
        If it was too slow each time.
    """
    for _ in range(STARTS):
        try:
            ray.init(
                address="local",
                num_cpus=workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=scratch,
            )
        except Exception as error:
            if TOO_SLOW not in str(error):
                raise
            _end_half_started(scratch)
        else:
            return
    load = " ".join(f"{part:.1f}" for part in os.getloadavg())
    raise ConfigurationError(
        f"engine ray: got no running Ray in {STARTS} starts of 30 seconds (load average {load} "
        f"on {os.cpu_count()} cores), allowed is one; run again when the machine is less busy, "
        "use engine local, or set OPTRADE_ENGINE=local in a home"
    )


def _end_half_started(scratch: str) -> None:
    """End the processes that a failed start left: Ray forgets them, and they name its folder."""
    import psutil  # comes with Ray

    mine = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended by itself meanwhile
            if any(scratch in word for word in child.cmdline()):
                child.kill()
                mine.append(child)
    psutil.wait_procs(mine, timeout=END_SECONDS)


def _imported_ray() -> Any:  # noqa: ANN401 - an untyped module
    try:
        import ray
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ConfigurationError(
            "engine ray: got no package ray; install the extra optrade[ray], "
            "use engine local, or set OPTRADE_ENGINE=local in a home"
        ) from None
    return ray


@cache
def _token() -> str:
    """Return what Ray's servers ask for; one for the process, as Ray reads it once in each."""
    return secrets.token_hex(32)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
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
