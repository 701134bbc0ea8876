"""Files that are read only if their bytes are those that were written.

Every reader of a home goes through here. A file is hashed once a process and state: as long as
inode, size and times stay, so do its bytes, for all that a program can do to a file.
"""

import hashlib
import os
import stat
import time
from pathlib import Path
from typing import Final

from home.disk import words_of
from market.errors import DamagedFile, InputError, StoreUnavailable

#: A file written so lately may be written again without its times moving.
AT_REST: Final = 100_000_000  # nanoseconds; a file system's clock ticks every few milliseconds

# Device, inode, size, and the times of the content and of the inode.
State = tuple[int, int, int, int, int]
_hashed: dict[Path, tuple[State, str]] = {}


def verified(path: Path, sha256: str, cure: str) -> Path:
    """Return the path of a file whose bytes have a SHA-256, 64 hexadecimal digits.

    Parameters
    ----------
    path
        The file.
    sha256
        Of its bytes, from where it was recorded as they were written.
    cure
        What to do if they are others.

    Raises
    ------
    DamagedFile
        If they are others, or cannot be read.
    FileNotFoundError
        If there is no file.
    """
    try:
        got = _hash(path)
    except FileNotFoundError:
        raise
    except (OSError, InputError) as error:
        raise DamagedFile(f"{error}; {cure}") from error
    if got != sha256:
        raise DamagedFile(
            f"{path} is damaged: its bytes have SHA-256 {got:.12}, they landed with {sha256:.12}; "
            f"{cure}"
        )
    return path


def sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of a file's bytes, None if there is no file that can be read."""
    try:
        return hashlib.sha256(read_regular(path)).hexdigest()
    except (OSError, InputError):
        return None


def read_regular(path: Path) -> bytes:
    """Return the bytes of a file; a pipe, which would be waited on for ever, is refused.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    InputError
        If it is none that can be read: a folder, a pipe, or another user's.
    StoreUnavailable
        If a file stands where one of its folders has to be.
    """
    return _read(path)[0]


def require_regular(path: Path) -> None:
    """Refuse what is no file, before a library opens it; what is missing passes.

    Raises
    ------
    InputError
        As `read_regular`.
    """
    if path.exists():
        _require_regular(path, path.stat())


def _hash(path: Path) -> str:
    before = _state(path.stat())
    kept = _hashed.get(path)
    if kept is not None and kept[0] == before:
        return kept[1]
    content, found = _read(path)
    digest, state = hashlib.sha256(content).hexdigest(), _state(found)
    if time.time_ns() - max(state[3:]) > AT_REST:
        _hashed[path] = state, digest
    return digest


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    try:
        # Not blocking: to open a pipe is to wait for who writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            found = os.fstat(handle)
            _require_regular(path, found)
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(), found
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:
        error.filename = next(above for above in path.parents if above.exists())
        raise StoreUnavailable(words_of(error)) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): see its permissions and its disk"
        ) from error


def _require_regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path} is {_kind(found)}, allowed is a file; move it away")


def _state(found: os.stat_result) -> State:
    return (
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns,
    )  # fmt: skip


def _kind(found: os.stat_result) -> str:
    if stat.S_ISDIR(found.st_mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(found.st_mode) else "a device"
