"""The home that the tests of the as-of store share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feature_repo.store.asof_home import ALPHA, BETA, Home, make_home


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    yield make_home(tmp_path_factory.mktemp("home") / "data")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Two sessions of ticker A, the first one corrected after the second; one of B."""
    made = make_home(tmp_path / "data")
    made.write("alpha", ALPHA)
    made.write("beta", BETA)
    return made
