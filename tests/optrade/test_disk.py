"""`optrade ingest` on a disk that is full or read-only: a line, and the home goes on after it."""

import sys
from pathlib import Path

import pytest
from redis import Redis

from home.files import TEMPORARY
from home.manifest import damaged, read_manifest
from optrade.cli.endings import UNAVAILABLE
from tests.ingestion.whole_ingest import serve_redis, write_folder
from tests.mounts import disk as disk
from tests.mounts import full, read_only
from tests.optrade.ingest_here import ingest

pytestmark = pytest.mark.integration


def test_an_ingest_is_whole_or_nothing_wherever_the_disk_ends(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    folder = write_folder(tmp_path / "recorded")
    home = disk / "home"
    monkeypatch.setenv("OPTRADE_HOME", str(home))
    monkeypatch.setattr(sys, "argv", [])
    with serve_redis(tmp_path / "redis") as redis:
        monkeypatch.setenv("REDIS_URL", f"{redis}/1")
        for left in (60_000, 400_000):  # among the raw rows, among the features
            with full(disk, but=left):
                assert ingest(folder) == UNAVAILABLE
                (line,) = capsys.readouterr().err.strip().splitlines()
                assert "the disk is full: free some room" in line
                assert not list(disk.rglob(f"*{TEMPORARY}"))
                assert damaged(home / "data") == []
        assert ingest(folder) == 0
        assert damaged(home / "data") == []
        assert read_manifest(home / "data").keys("technical") == ("SPY",)
        capsys.readouterr()
        with read_only(disk) as view:
            monkeypatch.setenv("OPTRADE_HOME", str(view / "home"))
            assert ingest(folder) == UNAVAILABLE
            (line,) = capsys.readouterr().err.strip().splitlines()
            assert "the file system is read-only" in line
            assert damaged(home / "data") == []
        Redis.from_url(f"{redis}/1").flushdb()
