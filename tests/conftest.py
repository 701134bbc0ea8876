"""Shared fixtures. Unit tests have no sockets; integration tests have loopback only."""

import gc
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import home  # noqa: F401 - before any test imports Feast
from tests.commands import Commands, forks
from tests.once import made_once
from tests.shapes import check_shapes

check_shapes()  # before any room is imported

# A slow machine fails no test: how long an example takes says nothing about what it shows.
settings.register_profile("brief", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "brief"))

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT.parent / "shared" / "data" / "recorded"
FORKS = pytest.StashKey[str]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let all workers of a whole run ask one process that forks: it imports while they collect."""
    config = node.config
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    if FORKS not in config.stash:
        started = ExitStack()
        config.stash[FORKS] = started.enter_context(forks())
        config.add_cleanup(started.close)
    node.workerinput["forks"] = config.stash[FORKS]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files: one makes the trained home, no worker waits for it or ends with slow ones."""
    used: dict[Path, set[str]] = defaultdict(set)
    for item in items:
        used[item.path] |= set(item.fixturenames)
    training = [path for path, names in used.items() if "trained_home" in names]
    others = [path for path in used if "commands" in used[path] and path not in training]
    slow = [*training[:1], *others, *training[1:]]
    order = {path: place for place, path in enumerate(slow)}
    items.sort(key=lambda item: order.get(item.path, len(order)))
    for item in items:
        if item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]))


def pytest_collection_finish() -> None:
    """Keep what is imported by now out of the collector's rounds: a tenth of the processor time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def recorded_dir() -> Path:
    if not RECORDED.is_dir():
        pytest.skip(f"recorded market data is not at {RECORDED.relative_to(ROOT.parent)}")
    return RECORDED


@pytest.fixture(scope="session")
def commands(pytestconfig: pytest.Config) -> Iterator[Commands]:
    """Starts `optrade` processes, once for all tests."""
    with ExitStack() as open_until_end:
        address = getattr(pytestconfig, "workerinput", {}).get("forks")
        address = address or open_until_end.enter_context(forks())
        yield open_until_end.enter_context(Commands(address))


@pytest.fixture(scope="session")
def tracking_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database without a run, to be copied: its migrations take seconds."""
    from training.registry.tracking_database import DATABASE, open_client

    def migrate(folder: Path) -> None:
        open_client(folder).search_experiments()

    return made_once(tmp_path_factory, "tracking", migrate) / DATABASE
