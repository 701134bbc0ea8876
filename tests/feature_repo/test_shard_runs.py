"""Work on shards: in order, lazily, and in Ray's workers with the same results."""

import builtins
import os
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from feature_repo import shard_runs
from feature_repo.errors import ConfigurationError, InputError
from feature_repo.shard_runs import ENVIRONMENT, LOCAL, Placement, each, in_flight, started_ray


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
        ("local", 4, "workers: got 4 with engine local"),
        ("ray", 0, "workers: got 0 with engine ray, allowed is at least 1"),
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


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    with shard_runs._environment(ENVIRONMENT):
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        assert os.environ["POLARS_MAX_THREADS"] == "1"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "1"
    assert "POLARS_MAX_THREADS" not in os.environ
