"""Shared fixtures. Unit tests have no sockets; integration tests have loopback only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

from tests.commands import Commands

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT.parent / "shared" / "data" / "recorded"


# Built once a run and slow: the tests of each stay in one worker, and start first.
SHARED = ("trained_home", "commands")


class ByFixtureAndFile(LoadGroupScheduling):
    """Tests of a group go to one worker, and so do the others of a file."""

    def _split_scope(self, nodeid: str) -> str:
        return super()._split_scope(nodeid).split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFixtureAndFile:
    return ByFixtureAndFile(config, log)


def shared_by(item: pytest.Item) -> str | None:
    return next((name for name in SHARED if name in item.fixturenames), None)


@pytest.hookimpl(tryfirst=True)  # before xdist names the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: shared_by(item) is None)
    for item in items:
        if name := shared_by(item):
            item.add_marker(pytest.mark.xdist_group(name))
        if item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]))


@pytest.fixture(scope="session")
def recorded_dir() -> Path:
    if not RECORDED.is_dir():
        pytest.skip(f"recorded market data is not at {RECORDED.relative_to(ROOT.parent)}")
    return RECORDED


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """Starts `optrade` processes, once for all tests."""
    with Commands() as started:
        yield started
