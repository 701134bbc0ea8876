"""A home made by the commands themselves, once for all tests of the composition root."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.commands import Command, Commands, read
from tests.once import made_once
from training.registry.tracking_database import come_home


@dataclass(frozen=True)
class CommandLine:
    """Runs `optrade` in a home as a person does."""

    commands: Commands
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "COLUMNS")}
        environment |= {"OPTRADE_HOME": str(self.home), **self.environment}
        output = str(self.home.with_name("output"))
        command = Command(arguments, environment, output)
        (ended,) = self.commands.run(command)
        done = subprocess.CompletedProcess(
            arguments, ended, read(output, "stdout"), read(output, "stderr")
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stderr[-3000:]}"
        return done

    def under(self, **environment: str) -> "CommandLine":
        """The same home, under more environment."""
        return replace(self, environment={**self.environment, **environment})

    def json(self, *arguments: str) -> object:
        return json.loads(self(*arguments, "--json").stdout)


@pytest.fixture
def optrade(commands: Commands, tmp_path: Path) -> Iterator[CommandLine]:
    """An empty home."""
    command = CommandLine(commands, tmp_path / "home")
    yield command
    if (command.home / "data" / "redis" / "server.json").exists():
        command("redis", "stop")


@pytest.fixture(scope="session")
def trained_home(
    commands: Commands, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    """A simulated home of two tickers, ingested and trained: a copy of the one of all workers."""

    def train(folder: Path) -> None:
        first = CommandLine(commands, folder / "home")
        first(
            "ingest", "--source", "simulated", "--seed", "3", "--tickers", "SPY,IWM",
            "--as-of", "2024-11-15",
        )  # fmt: skip
        first("train-all", "--tickers", "SPY,IWM", "--models", "logistic,paths",
              "--period", "6y")  # fmt: skip
        first("redis", "stop")

    trained = made_once(tmp_path_factory, "trained", train)
    command = CommandLine(commands, tmp_path_factory.mktemp("trained") / "home")
    shutil.copytree(trained / "home", command.home)
    come_home(command.home / "mlruns")
    command("materialize")
    yield command
    command("redis", "stop")


@pytest.fixture
def copied(trained_home: CommandLine, tmp_path: Path) -> Iterator[CommandLine]:
    """A copy of the trained home, that a test may spoil."""
    command = replace(trained_home, home=tmp_path / "home")
    shutil.copytree(trained_home.home, command.home)
    yield command
    if command.home.exists():
        command("redis", "stop")
