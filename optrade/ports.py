"""Which process listens on a port of this machine, where the system says."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
LISTENS: Final = "0A"  # the state of a socket, as /proc/net/tcp writes it
SHOWN: Final = 80  # characters of a command line


def refusal(error: OSError | OverflowError, port: int) -> str:
    """Return why a port cannot be listened on, up to the words on choosing another."""
    why = getattr(error, "strerror", None) or str(error)
    held = getattr(error, "errno", None) == errno.EADDRINUSE
    found = next(_processes(set(_sockets(port))), None) if held else None
    if found is None:
        return f"({why});"
    pid, command = found
    return f"({why}): process {pid} ({command:.{SHOWN}}) has it; end it with `kill {pid}`, or"


def _sockets(port: int) -> Iterator[str]:
    """Give what a file descriptor of each socket links to that listens on a port."""
    for table in ("tcp", "tcp6"):
        try:
            rows = (PROC / "net" / table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{fields[9]}]"


def _processes(sockets: set[str]) -> Iterator[tuple[int, str]]:
    """Give the id and the command line of each process that holds one of some sockets."""
    for folder in PROC.glob("[0-9]*") if sockets else ():
        try:
            if any(str(held.readlink()) in sockets for held in (folder / "fd").iterdir()):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                yield int(folder.name), b" ".join(words).decode(errors="replace").strip()
        except OSError:
            continue  # it has ended, or is another user's
