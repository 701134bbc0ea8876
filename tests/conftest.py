"""Shared fixtures. Unit tests have no sockets; integration tests have loopback only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import home  # noqa: F401 - before any test imports Feast
from tests.commands import Commands
from tests.shapes import check_shapes

check_shapes()  # before any room is imported

# A slow machine fails no test: how long an example takes says nothing about what it shows.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT.parent / "shared" / "data" / "recorded"


# Slow to build, and then quick to use: their tests start first, so that no worker ends with them.
SHARED = {"trained_home", "commands"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    files = {item.path for item in items if SHARED & set(item.fixturenames)}
    items.sort(key=lambda item: item.path not in files)
    for item in items:
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
