"""Work on shards: in order, lazily, and in Ray's workers with the same results."""

import builtins
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from feature_repo.store import shard_runs
from feature_repo.store.shard_runs import (
    ENVIRONMENT,
    LOCAL,
    Placement,
    each,
    in_flight,
    started_ray,
)
from market.errors import ConfigurationError, InputError


def scaled(factor: int, shard: tuple[int, ...]) -> Iterator[int]:
    for number in shard:
        if number < 0:
            raise InputError(f"got {number}, allowed is at least 0")
        yield factor * number


def test_results_come_in_the_order_of_the_shards() -> None:
    assert list(each(scaled, 3, [(2, 1), (), (0,)])) == [6, 3, 0]
    assert list(each(scaled, 3, [])) == []


def test_a_local_shard_is_worked_on_only_when_its_results_are_asked_for() -> None:
    results = each(scaled, 1, [(1,), (-1,)])
    assert next(results) == 1
    with pytest.raises(InputError, match="got -1"):
        next(results)


@pytest.mark.parametrize(
    ("engine", "workers", "message"),
    [
        ("spark", None, "engine: got 'spark', allowed are local, ray"),
        ("local", 4, "OPTRADE_WORKERS: got 4 with engine local"),
        ("ray", 0, "OPTRADE_WORKERS: got 0 with engine ray, allowed is at least 1"),
    ],
)
def test_a_placement_that_cannot_be_is_refused(
    engine: Any, workers: int | None, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Placement(engine, workers)


def test_local_is_the_default_and_imports_no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert Placement("local", None) == LOCAL
    assert list(each(scaled, 1, [(1,)])) == [1]


def test_ray_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "ray":
            raise ModuleNotFoundError("No module named 'ray'", name="ray")
        return whole(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigurationError, match="install the extra optrade"):
        list(each(scaled, 1, [(1,)], Placement("ray")))


def test_without_shards_ray_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_runs, "started_ray", None)
    assert list(each(scaled, 1, [], Placement("ray"))) == []


@pytest.mark.parametrize("most", [1, 3, 10])
def test_only_so_many_shards_are_ahead_of_what_was_taken(most: int) -> None:
    submitted: list[int] = []

    def submit(shard: int) -> int:
        submitted.append(shard)
        return -shard

    for taken, handle in enumerate(in_flight(submit, range(7), most)):
        assert handle == -taken
        assert submitted == list(range(min(7, taken + most)))
    assert submitted == list(range(7))


def test_a_ray_that_would_listen_beyond_loopback_is_not_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imported_before = SimpleNamespace(
        is_initialized=lambda: False,
        util=SimpleNamespace(get_node_ip_address=lambda: "192.0.2.2"),
        init=None,
    )
    monkeypatch.setitem(sys.modules, "ray", imported_before)
    with (
        pytest.raises(ConfigurationError, match=r"got 192\.0\.2\.2 to listen on, allowed is loop"),
        started_ray(2),
    ):
        pass


class SlowRay:
    """A Ray whose first starts fail, each leaving a process behind that names its folder."""

    def __init__(self, message: str, failures: int) -> None:
        self.message, self.failures = message, failures
        self.left: list[subprocess.Popen[bytes]] = []
        self.util = SimpleNamespace(get_node_ip_address=lambda: "127.0.0.1")

    def is_initialized(self) -> bool:
        return False

    def shutdown(self) -> None:
        pass

    def init(self, _temp_dir: str, **options: Any) -> None:
        assert os.environ["RAY_AUTH_MODE"] == "token"
        assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
        if len(self.left) < self.failures:
            sleep = "import time; time.sleep(60)"
            self.left.append(subprocess.Popen([sys.executable, "-c", sleep, _temp_dir]))
            # The kernel shows the words of a new process a moment after it is there.
            while not psutil.Process(self.left[-1].pid).cmdline():
                time.sleep(0.001)
            raise Exception(self.message)  # noqa: TRY002 - what Ray raises


SLOW = "The current node timed out during startup. This could happen because some of the raylet"


def test_a_start_that_was_too_slow_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowRay(SLOW, failures=shard_runs.STARTS - 1)
    monkeypatch.setitem(sys.modules, "ray", slow)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with started_ray(2) as ray:
            assert ray is slow
        # What the failed starts left is ended, and nothing else of this process.
        assert [psutil.pid_exists(one.pid) for one in slow.left] == [False, False]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
    assert "RAY_AUTH_TOKEN" not in os.environ


def test_a_ray_that_does_not_come_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", SlowRay(SLOW, failures=shard_runs.STARTS))
    with (
        pytest.raises(ConfigurationError, match=r"in 3 starts .* or set OPTRADE_ENGINE=local"),
        started_ray(2),
    ):
        pass


def test_another_fault_of_a_start_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = SlowRay("no space left on device", failures=2)
    monkeypatch.setitem(sys.modules, "ray", broken)
    with pytest.raises(Exception, match="no space left"), started_ray(2):
        pass
    (left,) = broken.left
    left.kill()
    left.wait()


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    with shard_runs._environment(ENVIRONMENT):
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        assert os.environ["POLARS_MAX_THREADS"] == "1"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "1"
    assert "POLARS_MAX_THREADS" not in os.environ
