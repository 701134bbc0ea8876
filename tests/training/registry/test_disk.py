"""What writes into a home, on a disk that is full or read-only: a line, and nothing is lost."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from home.files import TEMPORARY, replace_file, write_durably
from home.layout import Home
from home.line_log import append
from home.replaced_folder import replaced_folder
from home.served_model import read_served, write_checked
from market.errors import InputError
from optrade.cli.endings import UNAVAILABLE, ending_of
from optrade.redis import server as redis_server
from serving.reading.configuration import Configuration, write_configuration
from tests.mounts import DISKS
from tests.mounts import disk as disk
from tests.training.registry.conftest import AT
from tests.training.registry.conftest import Home as Registry
from trading.ledger.signals import Ledger
from training.registry.promote import promote
from training.registry.restore import restore_served
from training.walk import Trained

pytestmark = pytest.mark.integration


@pytest.fixture
def home(disk: Path, tracking_database: Path, noise: Trained) -> Home:
    """A home with a model that serves, a log and a ledger."""
    registry = Registry(disk / "home")
    registry.mlruns.mkdir(parents=True)
    shutil.copy(tracking_database, registry.mlruns)
    registry.register(noise)
    made = Home(disk / "home")
    made.data.mkdir()
    append(made.files.locked_log, {"opened": "never"})
    with Ledger(made.ledger):
        pass
    return made


def replaced(home: Home, _: Trained) -> None:
    with replaced_folder(home.drift / "SPY") as folder:
        (folder / "index.html").write_bytes(b"page" * 2000)


def registry_of(home: Home) -> Registry:
    return Registry(home.root)


def served(home: Home) -> Path:
    return home.serving_models / "direction_SPY.json"


# What writes into a home, each with the home's own rows at hand.
WRITERS: dict[str, Callable[[Home, Trained], object]] = {
    "a file": lambda home, _: write_durably(home.files.landed, b"{}" * 5000),
    "a file under a lock": lambda home, _: replace_file(home.files.registry, b"{}" * 5000),
    "a line of a log": lambda home, _: append(home.files.locked_log, {"x": "x" * 9000}),
    "a folder": replaced,
    "a model": lambda home, _: write_checked(served(home), b"{}" * 5000),
    "what serves": lambda home, _: write_configuration(home.data, Configuration(origin="live")),
    "a new ledger": lambda home, _: Ledger(home.data / "another.db").__enter__(),
    "a training": lambda home, noise: registry_of(home).register(noise),
    "a promotion": lambda home, _: promote(
        "direction_SPY", at=AT, version=1, force=True, **registry_of(home).paths
    ),
    "a restored model": lambda home, _: restore_served(home.mlruns, home.models, "direction_SPY"),
    "a Redis": lambda home, _: redis_server.start(home.data),
}


def contents(home: Home) -> dict[Path, bytes]:
    """What the files hold that a reader reads; a database may gain a run that failed."""
    databases = (home.mlruns, home.files.redis)
    return {
        path: path.read_bytes()
        for path in home.root.rglob("*")
        if path.is_file()
        and path.stat().st_size
        and path.suffix not in (".lock", ".sha256")
        and not any(path.is_relative_to(folder) for folder in databases)
    }


@pytest.mark.parametrize("kind", DISKS)
def test_every_writer_ends_in_a_line_and_leaves_what_was_there(
    kind: str, home: Home, noise: Trained
) -> None:
    spoil, words = DISKS[kind]
    before, ended = contents(home), {}
    with spoil(home.root.parent) as disk:
        spoiled = Home(disk / home.root.name)
        for name, write in WRITERS.items():
            try:
                write(spoiled, noise)
                ended[name] = "no error"
            except (OSError, InputError) as error:
                ending = ending_of(error)
                ended[name] = f"{ending.code}: {ending.line}"
        assert contents(home) == before
        read_served(served(home))
    wrong = {
        name: said
        for name, said in ended.items()
        if not said.startswith(f"{UNAVAILABLE}: ") or len(said.splitlines()) != 1
    }
    assert wrong == {}
    for name, said in ended.items():
        assert re.search(words, said), (name, said)
    assert not list(home.root.rglob(f"*{TEMPORARY}"))
    assert redis_server.status(home.data) is None
    registry_of(home).register(noise)
    assert registry_of(home).served()["version"] > 1
