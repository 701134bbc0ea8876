"""What `optrade ingest` leaves behind where the shell or the vendor gives less than it needs."""

import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from home.files import TEMPORARY
from home.manifest import damaged, read_manifest
from tests.commands import Commands
from tests.ingestion.whole_ingest import Ingests, Run, serve_redis, write_folder
from tests.optrade.ingest_here import ingest

pytestmark = pytest.mark.integration


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size in bytes, as `ulimit -f` does."""
    held = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, held[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, held)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.mark.parametrize("size", [10, 10_000])
def test_a_file_that_may_not_grow_is_one_line_and_the_home_is_usable(
    size: int, folder: Path, redis: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("OPTRADE_HOME", str(home))
    monkeypatch.setenv("REDIS_URL", f"{redis}/1")
    monkeypatch.setattr(sys, "argv", [])
    with largest_file(size):
        assert ingest(folder) == 3
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"optrade: {home}")
    assert "ulimit -f" in line
    assert not list(tmp_path.rglob(f"*{TEMPORARY}"))
    assert damaged(home / "data") == []
    assert ingest(folder) == 0
    assert damaged(home / "data") == []
    Redis.from_url(f"{redis}/1").flushdb()


def test_a_folder_that_lacks_an_index_lands_the_other_tickers(
    commands: Commands, folder: Path, redis: str, tmp_path: Path
) -> None:
    without = shutil.copytree(folder, tmp_path / "recorded")
    (without / "cboe" / "RVX.csv").unlink()
    run = Run(tmp_path / "home")
    assert Ingests(without, redis, commands).to_the_end(run) == [3], run.said()
    lines = [line for line in run.said().splitlines() if line.startswith("optrade: ")]
    landed, published = lines
    assert "indices of RVX did not land" in landed
    assert "IWM was not published" in published
    manifest = read_manifest(tmp_path / "home" / "data")
    assert manifest.keys("indices") == ("VIX", "VIX3M")
    assert "SPY" in manifest.keys("iv")
    assert manifest.keys("technical") == ("IWM", "SPY")
