"""Commands as people and programs meet them: help, JSON, Ctrl-C, hints that run as printed."""

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from optrade.cli import GROUPS, app, main

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = typer.main.get_command(app)
# They become a server, or are named to say what is there instead.
# What `replay` prints is the JSON of a signal, and nothing else.
WITHOUT_JSON = {"serve", "dashboard", "mlflow-ui", "replay", "schedule"}


def leaves(group: TyperGroup = COMMANDS, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name)


def command_of(path: tuple[str, ...]) -> object:
    found: object = COMMANDS
    for word in path:
        found = found.commands[word]
    return found


def run_main(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["optrade", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("words", [(), *((name,) for name in GROUPS)], ids=" ".join)
def test_a_bare_name_shows_its_help(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(*words, monkeypatch=monkeypatch) == 0
    bare = capsys.readouterr()
    assert run_main(*words, "--help", monkeypatch=monkeypatch) == 0
    assert (bare.out, bare.err) == (capsys.readouterr().out, "")
    assert "Usage: " in bare.out


@pytest.mark.parametrize("path", [path for path in leaves() if path[0] not in WITHOUT_JSON])
def test_every_command_that_prints_prints_json_where_asked(path: tuple[str, ...]) -> None:
    options = {name for row in command_of(path).params for name in row.opts}
    assert "--json" in options


@pytest.mark.integration
def test_ctrl_c_is_one_line_and_130(tmp_path: Path) -> None:
    code = (
        "import optrade.runtime, time\n"
        "from optrade.cli import main\n"
        "optrade.runtime.runtime = lambda: print('at work', flush=True) or time.sleep(60)\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "settle"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPTRADE_HOME": str(tmp_path)},
    )
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out.strip(), error) == (130, "", "optrade: stopped by Ctrl-C\n")


# --- hints --------------------------------------------------------------------------------------

HINT = re.compile(r"`(?:optrade) ([^`]+)`")
# What stands in a hint for a value that is known when it is printed.
VALUES = {
    "ticker": "SPY", "','.join(missing)": "SPY,IWM", "','.join(tickers)": "SPY,IWM",
    "','.join(kept)": "QQQ,SPY",
    "source_options(manifest)": "--source recorded --recorded-dir FOLDER --as-of 2019-07-22",
    "source_options(read_manifest(run.home.data))": "--source simulated", "table.name": "prices",
    "key": "SPY",
}  # fmt: skip


def texts(tree: ast.AST) -> Iterator[str]:
    """The strings of a module that are shown, each value in them replaced by an example."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
              for part in node.values}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant)
                else VALUES.get(ast.unparse(part.value), "{" + ast.unparse(part.value) + "}")
                for part in node.values
            )  # fmt: skip
        elif isinstance(node, ast.Constant) and id(node) not in documentation | inside:
            yield str(node.value)


def printed_hints() -> set[str]:
    rooms = (path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")
    sources = [file.read_text("utf-8") for room in rooms for file in room.rglob("*.py")]
    return {
        hint
        for source in sources
        if "`optrade " in source
        for text in texts(ast.parse(source))
        for hint in HINT.findall(text)
    }


HINTS = sorted(printed_hints())


def check_parses(words: list[str]) -> None:
    """Parse a command line as the program does, and run nothing."""
    command, path = COMMANDS, "optrade"
    context = command.make_context(path, list(words))
    while isinstance(command, TyperGroup):
        name, command, rest = command.resolve_command(
            context, context._protected_args + context.args
        )
        context = command.make_context(name, rest, parent=context)


def test_hints_are_found_in_every_room() -> None:
    assert {"materialize", "train-all", "build-features", "ingest"} <= set(HINTS)
    assert len(HINTS) > 20


@pytest.mark.parametrize("hint", HINTS)
def test_a_hint_runs_as_it_is_printed(hint: str) -> None:
    check_parses(hint.split())


def test_a_hint_that_does_not_run_is_found() -> None:
    for wrong in ("train", "signal", "ingets", "redis start --port", "train --ticker SPY --blue"):
        with pytest.raises(Exception, match=r"Missing|No such|requires"):
            check_parses(wrong.split())
