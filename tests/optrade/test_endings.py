"""No command ends in a traceback: each kind of error has its line and its exit code."""

import errno
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

import optrade.cli
from market.errors import InputError, SourceUnavailable, StoreUnavailable
from optrade.cli.endings import ending_of

KINDS = {
    "bad input": (InputError("got 1, allowed is 2; give 2"), 2, "got 1"),
    "a vendor": (SourceUnavailable("no answer"), 3, "no answer"),
    "a store": (StoreUnavailable("locked"), 3, "locked"),
    "a full disk": (OSError(errno.ENOSPC, "full", "/home/a"), 3, "/home/a: the disk is full"),
    "a limit": (OSError(errno.EFBIG, "big"), 3, "ulimit -f"),
    "a read-only disk": (OSError(errno.EROFS, "ro", "/a"), 3, "/a: the file system is read-only"),
    "another user's": (PermissionError(errno.EACCES, "no", "/a"), 3, "change the permissions"),
    "a file as a home": (FileExistsError(errno.EEXIST, "is", "/a"), 3, "a file stands where"),
    "a fault": (KeyError("x"), 70, "unexpected: KeyError: 'x' (a fault of optrade; OPTRADE_DEBUG"),
    "a system's error that is no disk's": (OSError("odd"), 70, "unexpected: OSError: odd"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_line_and_code(kind: str) -> None:
    error, code, words = KINDS[kind]
    ending = ending_of(error)
    assert ending.code == code
    assert ending.line is not None
    assert words in ending.line


@pytest.mark.parametrize("error", [typer.Abort(), KeyboardInterrupt()])
def test_an_interrupted_command_says_so(error: BaseException) -> None:
    assert ending_of(error).code == 130
    assert ending_of(error).line == "stopped by Ctrl-C"


@pytest.mark.parametrize("debug", ["", "0", "1"])
def test_what_nobody_foresaw_is_one_line_and_the_rest_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], debug: str
) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(optrade.cli, "app", fail)
    monkeypatch.setenv("OPTRADE_DEBUG", debug)
    with pytest.raises(SystemExit) as ended:
        optrade.cli.main()
    assert ended.value.code == 70
    error = capsys.readouterr().err
    assert ("Traceback" in error) == (debug == "1")
    assert error.strip().splitlines()[-1].startswith("optrade: unexpected: ZeroDivisionError: two")
    assert debug == "1" or len(error.strip().splitlines()) == 1


def library() -> None:
    """End as Click and Rich do where what they print has no reader."""
    try:
        print("x" * 100_000, flush=True)  # noqa: T201 - what a command prints
    except BrokenPipeError:
        sys.exit(1)


PRINTERS: dict[str, Callable[[], object]] = {
    "a library that ends by itself": library,
    "more than a buffer": lambda: print("x" * 100_000, flush=True),  # noqa: T201
    "less than a buffer": lambda: print("x"),  # noqa: T201
}


@pytest.mark.parametrize("prints", PRINTERS.values(), ids=PRINTERS)
def test_a_reader_that_has_gone_is_no_fault_of_what_was_checked(
    prints: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(optrade.cli, "app", lambda **_: prints())
    with os.fdopen(writer, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        with pytest.raises(SystemExit) as ended:
            optrade.cli.main()
    assert ended.value.code == 141
    assert capsys.readouterr().err == ""


def test_a_command_that_ends_itself_keeps_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optrade.cli, "app", lambda **_: sys.exit(1))
    with pytest.raises(SystemExit) as ended:
        optrade.cli.main()
    assert ended.value.code == 1


def run(monkeypatch: pytest.MonkeyPatch, home: Path, *arguments: str) -> int:
    monkeypatch.setenv("OPTRADE_HOME", str(home))
    monkeypatch.setattr(sys, "argv", ["optrade", *arguments])
    with pytest.raises(SystemExit) as ended:
        optrade.cli.main()
    return int(ended.value.code or 0)


INGEST = ("ingest", "--source", "simulated", "--tickers", "SPY", "--as-of", "2024-11-15")


def test_a_home_that_is_a_file(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "home").write_text("mine")
    assert run(monkeypatch, tmp_path / "home", *INGEST) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "home: a file stands where a folder has to be" in line
    assert (tmp_path / "home").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_may_not_be_written(tmp_path: Path, monkeypatch, capsys) -> None:
    tmp_path.chmod(0o500)
    assert run(monkeypatch, tmp_path / "home", *INGEST) == 3
    assert "change the permissions" in capsys.readouterr().err


def test_a_clock_that_no_calendar_has(tmp_path: Path, monkeypatch, capsys) -> None:
    for day in ("9999-12-31", "1700-01-01", "9999-12-31T20:00+00:00"):
        assert run(monkeypatch, tmp_path, *INGEST[:-1], day) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert "allowed are days from 1990-01-02 to" in line


# Commands that only look: in a home that is not there they say so, and make none.
LOOKING = {
    "champions": (2, "optrade ingest"),
    "champions --session 2024-11-15": (2, "optrade ingest"),
    "promote --name direction_SPY": (2, "optrade ingest"),
    "signal --ticker SPY": (2, "optrade ingest"),
    "price --ticker SPY --strategy 'Iron Condor'": (2, "optrade ingest"),
    "signal-all": (2, "optrade ingest"),
    "settle": (0, ""),
    "drift --ticker SPY": (2, "optrade ingest"),
    "diagnose --ticker SPY": (2, "optrade ingest"),
    "audit pit": (2, "optrade ingest"),
    "audit lookahead": (2, "optrade ingest"),
    "audit warmup": (2, "optrade ingest"),
    "audit parity": (2, "optrade ingest"),
    "quarantine list": (2, "optrade ingest"),
    "quarantine show": (2, "optrade ingest"),
    "mlflow-ui": (2, "optrade ingest"),
    "serve": (2, "optrade ingest"),
    "materialize": (2, "optrade ingest"),
    "build-features": (2, "optrade ingest"),
    "repair": (2, "optrade ingest"),
    "locked list": (0, ""),
    "redis status": (0, ""),
    "redis stop": (0, ""),
    "doctor": (0, ""),
}


@pytest.mark.integration
@pytest.mark.parametrize("words", LOOKING)
def test_looking_makes_no_home(words: str, tmp_path: Path, monkeypatch, capsys) -> None:
    code, said = LOOKING[words]
    got = run(monkeypatch, tmp_path / "none" / "home", *shlex.split(words))
    out, error = capsys.readouterr()
    assert not (tmp_path / "none").exists()
    if code:
        assert got == code, error
        (line,) = error.strip().splitlines()
        assert said in line
    else:
        assert "Traceback" not in out + error
