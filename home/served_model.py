"""The models that serve, each beside the hash of its bytes: neither file vouches for itself.

`<name>.sha256` holds a line of `sha256sum` for the model file `<name>.json`. While the file is
being replaced it holds two, of the new bytes and of those before: a process that dies between the
two writes leaves a model that serves.
"""

import hashlib
from pathlib import Path
from typing import Final

from home.files import write_durably
from home.layout import NEXT
from home.verified import read_regular
from market.errors import DamagedFile, InputError

CURE: Final = "run `optrade repair`, which takes it from the registry, or train it again"


def hash_file(path: Path) -> Path:
    """Return where the hash of a model file stands, and of the one that takes its place."""
    return _settled(path).with_suffix(".sha256")


def write_checked(path: Path, content: bytes) -> None:
    """Write a model file and its hash."""
    expect(path, content)
    write_durably(path, content)
    settle(path, content)


def expect(path: Path, content: bytes) -> None:
    """Say that these bytes are about to take the place of a model file: either may be read."""
    digests = [hashlib.sha256(content).hexdigest()]
    if path.exists():
        before = hashlib.sha256(read_regular(path)).hexdigest()
        digests += [before] if before in _recorded(path) else []
    _write(path, digests)


def settle(path: Path, content: bytes) -> None:
    """Say that a model file holds these bytes and no others."""
    _write(path, [hashlib.sha256(content).hexdigest()])


def _write(path: Path, digests: list[str]) -> None:
    lines = [f"{digest}  {path.name}\n" for digest in digests]
    write_durably(hash_file(path), "".join(lines).encode())


def _settled(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(NEXT))


def read_served(path: Path) -> bytes:
    """Return the bytes of a model file, checked against the hash beside it.

    Raises
    ------
    FileNotFoundError
        If there is no model file.
    DamagedFile
        If its bytes are others than were written, or no hash stands beside it.
    """
    content = read_regular(path)
    if not _is_recorded(path, content):
        content = read_regular(path)  # a promotion may have come between the two readings
        check_served(path, content)
    return content


def check_served(path: Path, content: bytes) -> None:
    """Refuse bytes of a model file that are not those that were written.

    Raises
    ------
    DamagedFile
        As `read_served`.
    """
    if not _is_recorded(path, content):
        got, recorded = hashlib.sha256(content).hexdigest(), _recorded(path)
        raise DamagedFile(
            f"{path.name} is damaged: its bytes have SHA-256 {got:.12}, {hash_file(path).name} "
            f"says {recorded[0][:12] if recorded else 'nothing'}; {CURE}"
        )


def _is_recorded(path: Path, content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() in _recorded(path)


def _recorded(path: Path) -> list[str]:
    """Return the hashes that a model file may have, the newest first.

    Raises
    ------
    DamagedFile
        If something else stands where they do, or they cannot be read.
    """
    try:
        lines = read_regular(hash_file(path)).decode("ascii", "replace").splitlines()
    except FileNotFoundError:
        return []
    except InputError as error:
        raise DamagedFile(f"{error}; then {CURE}") from error
    name = _settled(path).name
    return [line.partition("  ")[0] for line in lines if line.endswith(f"  {name}")]
