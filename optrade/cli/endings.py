"""How a command ends: the line on stderr and the exit code of each kind of error."""

import errno
import os
import sys
import traceback
from dataclasses import dataclass
from signal import SIGINT, SIGPIPE
from typing import Final

import typer

DEBUG: Final = "OPTRADE_DEBUG=1 shows where"
BAD_INPUT: Final = 2
UNAVAILABLE: Final = 3  # a source or store did not answer
OUR_FAULT: Final = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED: Final = 128 + SIGINT
CLOSED: Final = 128 + SIGPIPE  # as of every program whose reader has gone, such as `head`
SHOWN: Final = 300  # characters of an error that nobody foresaw


@dataclass(frozen=True)
class Ending:
    """An exit code, and the line that explains it; None where there is nobody to read it."""

    code: int
    line: str | None


def ending_of(error: BaseException) -> Ending:
    """Return how a command ends with an error."""
    from home.disk import words_of
    from market.errors import InputError, SourceUnavailable, StoreUnavailable

    match error:
        case typer.Abort() | KeyboardInterrupt():
            return Ending(INTERRUPTED, "stopped by Ctrl-C")
        case typer.TyperException():
            return Ending(BAD_INPUT, error.format_message())
        case StoreUnavailable() | SourceUnavailable():
            return Ending(UNAVAILABLE, str(error))
        case InputError():
            return Ending(BAD_INPUT, str(error))
        case BrokenPipeError(errno=errno.EPIPE):
            return Ending(CLOSED, None)
        case OSError() if (words := words_of(error)) is not None:
            return Ending(UNAVAILABLE, words)
    words = f"{type(error).__name__}: {' '.join(str(error).split()):.{SHOWN}}"
    return Ending(OUR_FAULT, f"unexpected: {words} (a fault of optrade; {DEBUG})")


def end(error: BaseException) -> int:
    """Say on stderr how a command ends with an error, and return its exit code."""
    from optrade.settings import debugging

    if debugging():
        typer.echo("".join(traceback.format_exception(error)), err=True)
    ending = ending_of(error)
    if ending.line is not None:
        typer.echo(f"optrade: {' '.join(ending.line.split())}", err=True)
    return ending.code


def is_closed(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came out of, is of a reader that has gone."""
    while error is not None:
        if isinstance(error, BrokenPipeError):
            return True
        error = error.__context__
    return False


def is_read() -> bool:
    """Return whether all that was printed found its reader; quiet from then on where not."""
    read = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            read = False
            # The interpreter flushes again as it ends, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return read
