"""Each mistake of the table gets its line and exit code, costs nothing, and is soon made good."""

import re
import shlex
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.optrade.conftest import CommandLine
from tests.optrade.mistakes import FILLED, MISTAKES, SECRET, Mistake
from training.registry.tracking_database import come_home

pytestmark = pytest.mark.integration

# What a command may write anew: what is derived of a home, its server and its locks.
DERIVED = ("data/redis/", "data/feast/")


def content(home: Path) -> dict[str, bytes]:
    """Return the bytes of every file that a home would miss."""
    files = {path.relative_to(home).as_posix(): path for path in home.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith(DERIVED)}


@pytest.fixture(scope="module")
def homes(
    trained_home: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, CommandLine]]:
    """Homes by how far they have come; a mistake must leave them as they are."""
    folder = tmp_path_factory.mktemp("mistakes")
    names = ("empty", "fetched", "untrained", "trained")
    homes = {name: replace(trained_home, home=folder / name / "home") for name in names}
    for name, one in homes.items():
        one.home.parent.mkdir()
        if name in ("untrained", "trained"):
            shutil.copytree(trained_home.home, one.home)
    for kept in ("models", "mlruns"):
        shutil.rmtree(homes["untrained"].home / kept)
    homes["fetched"]("fetch-all", "--source", "simulated", "--tickers", "SPY", "--as-of",
                     "2024-11-15")  # fmt: skip
    homes["trained"]("materialize")
    come_home(homes["trained"].home / "mlruns")
    yield homes
    for one in homes.values():
        if one.home.exists():
            one("redis", "stop")


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def spoilt(homes: dict[str, CommandLine], tmp_path: Path) -> Iterator[CommandLine]:
    """A copy of the trained home for a mistake that spoils its files."""
    one = replace(homes["trained"], home=tmp_path / "home")
    yield one
    if one.home.exists():
        one("redis", "stop")


@pytest.mark.enable_socket
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_clear_line_and_costs_nothing(
    name: str,
    homes: dict[str, CommandLine],
    spoilt: CommandLine,
    taken_port: int,
    recorded_dir: Path,
) -> None:
    mistake: Mistake = MISTAKES[name]
    folder, file = spoilt.home.with_name("folder"), spoilt.home.with_name("file")
    folder.mkdir()
    file.write_text("mine")
    at = homes[mistake.home]
    if mistake.spoil is not None or mistake.first:
        if at.home.exists():
            shutil.copytree(at.home, spoilt.home)
        at = spoilt
        for words in mistake.first:
            at(*words.split())
        if mistake.spoil is not None:
            mistake.spoil(at.home)
    filled = {"folder": folder, "file": file, "port": taken_port, "recorded": recorded_dir}
    before = content(at.home)
    asked = at.under(**{k: v.format(**filled) for k, v in mistake.environment.items()})

    done = asked(*shlex.split(mistake.words.format(**filled)), code=mistake.code)

    *notices, line = done.stderr.strip().splitlines()
    assert [notice for notice in notices if not re.match(FILLED, notice)] == [], done.stderr
    assert len(notices) + 1 == mistake.lines
    assert re.search(mistake.said, line), line
    assert line.startswith("optrade: ")
    assert bool(done.stdout) is mistake.shown
    assert SECRET not in line
    after = content(at.home)
    assert [path for path, held in before.items() if after.get(path) != held] == []
    assert file.read_text() == "mine"
    if mistake.then is not None:
        at(*mistake.then.split())


def test_the_table_is_long_and_says_what_to_look_for() -> None:
    assert len(MISTAKES) >= 60
    assert [name for name, mistake in MISTAKES.items() if len(mistake.said) < 4] == []
