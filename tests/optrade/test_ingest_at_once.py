"""Several `optrade ingest` in one home at once: one at a time lands, the others say so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from home.manifest import damaged, read_manifest, read_rows
from ingestion.lake.lake import Lake
from tests.commands import Commands
from tests.ingestion.whole_ingest import Ingests, Run, serve_redis, write_folder

pytestmark = pytest.mark.integration

AT_ONCE = 4
HELD = "another process is writing to"


@pytest.fixture(scope="module")
def ingests(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingests]:
    root = tmp_path_factory.mktemp("ingests")
    with serve_redis(root / "redis") as url:
        yield Ingests(write_folder(root / "recorded"), url, commands)


def assert_one_line(run: Run) -> None:
    """The run refused in one line, and printed nothing else."""
    assert len(run.said().splitlines()) == 1, run.said()
    assert run.said().startswith(f"optrade: {HELD}")
    assert run.said("stdout") == ""


def assert_no_row_twice(data: Path) -> None:
    manifest = read_manifest(data)
    for table, state in manifest.tables.items():
        rows = read_rows(data, table, manifest=manifest)
        assert rows.unique(subset=list(state.key)).height == rows.height, table


def test_four_at_once_land_what_one_alone_lands(ingests: Ingests, tmp_path: Path) -> None:
    alone = Run(tmp_path / "alone")
    assert ingests.to_the_end(alone) == [0], alone.said()
    home = tmp_path / "shared"
    runs = [Run(home, database=1, name=str(number)) for number in range(AT_ONCE)]
    codes = ingests.to_the_end(*runs)
    assert set(codes) == {0, 2}, [run.said() for run in runs]
    for run, code in zip(runs, codes, strict=True):
        if code == 2:
            assert_one_line(run)
    assert damaged(home / "data") == []
    assert_no_row_twice(home / "data")
    assert read_manifest(home / "data").entries == read_manifest(alone.home / "data").entries


def test_home_that_is_held_is_refused_and_stays_as_it_is(ingests: Ingests, tmp_path: Path) -> None:
    runs = [Run(tmp_path / "home", name=str(number)) for number in range(2)]
    with Lake(tmp_path / "home" / "data"):
        assert ingests.to_the_end(*runs) == [2, 2]
    for run in runs:
        assert_one_line(run)
    assert read_manifest(tmp_path / "home" / "data").entries == {}
