"""Help that names what can be trained: the words of the registries, and no import of them."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from optrade.cli import app
from training.models.catalogue import words
from training.tasks.catalogue import TASKS


@pytest.mark.parametrize(
    ("command", "task"),
    [
        ("train", "direction"),
        ("train-volatility", "regime"),
        ("train-distribution", "distribution"),
    ],
)
def test_a_training_names_every_model_type_in_its_help(command: str, task: str) -> None:
    text = " ".join(CliRunner().invoke(app, [command, "--help"]).stdout.split())
    *others, last = reversed(words(task))
    assert (f"{', '.join(others)} or {last}." if others else f"{last}.") in text
    assert "{" not in text


@pytest.mark.parametrize("command", [["diagnose"], ["locked", "open"]])
def test_a_task_is_named_in_help(command: list[str]) -> None:
    text = " ".join(CliRunner().invoke(app, [*command, "--help"]).stdout.split())
    assert f"{' or '.join(TASKS)}." in text


def test_the_command_line_starts_without_the_models_and_answers_without_a_database() -> None:
    code = """
import sys, optrade.cli
print('training.models' in sys.modules)
import optrade.flows.serve.signals, trading.ledger.read
print(sorted({'alembic', 'sqlalchemy'} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "[]"]
