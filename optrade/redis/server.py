"""The Redis server of a home: found, started, looked at and stopped.

One per home, on a free loopback port, with a random password. It is a cache of the feature files,
so nothing of it is written to disk; what it needs lies in data/redis, readable by its owner alone:
the password stands in its configuration file, never on a command line. It outlives the command
that started it. It is the home's own by the folder that it works in: the files of a copied home
lead to the server of the first one, which works in another.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from home.files import write_durably
from home.layout import DataFiles
from market.errors import InputError, StoreUnavailable
from optrade.redis.process import (
    CONFIGURATION,
    PID,
    RedisAddress,
    await_end,
    client,
    launch,
    process_id,
    working_folder,
)

ADDRESS: Final = "server.json"
LOCK_WAIT: Final = 60.0


def start(data_dir: Path, port: int | None = None) -> RedisAddress:
    """Start the server of a home, or find the one that runs.

    Parameters
    ----------
    data_dir
        The data folder of the home.
    port
        The loopback port; None takes a free one.

    Raises
    ------
    InputError
        If the port is taken, or the server already runs on another one.
    StoreUnavailable
        If the server does not start, or runs and does not answer.
    ConfigurationError
        If there is no program of a server.
    """
    with _locked(data_dir) as folder:
        running = _running(folder)
        if running is None:
            return _started(folder, port)
        if port not in (None, running.port):
            raise InputError(
                f"redis: asked for port {port}, but this home's server already runs on port "
                f"{running.port}; run `optrade redis stop` first"
            )
        if _written(folder) is None:
            _write(folder, running)
        return running


def stop(data_dir: Path) -> bool:
    """Stop the server of a home, and only that; return whether it was running.

    Raises
    ------
    StoreUnavailable
        If the server does not answer or does not end.
    """
    from redis.exceptions import ConnectionError as EndedError
    from redis.exceptions import TimeoutError as SilentError

    if not _folder(data_dir).exists():
        return False
    with _locked(data_dir) as folder:
        running = _running(folder)
        if running is not None:
            # It has ended; where it has not, `await_end` says so.
            with contextlib.suppress(EndedError, SilentError):
                client(running).shutdown(nosave=True)
            await_end(running)
        for name in (ADDRESS, CONFIGURATION, PID):
            (folder / name).unlink(missing_ok=True)
        return running is not None


def status(data_dir: Path) -> RedisAddress | None:
    """Return where the server of a home listens, None if it does not run.

    Raises
    ------
    StoreUnavailable
        If the server runs and does not answer.
    """
    return _running(_folder(data_dir))


def _started(folder: Path, port: int | None) -> RedisAddress:
    address = launch(folder, port)
    _write(folder, address)
    return address


def _write(folder: Path, address: RedisAddress) -> None:
    fields = {"port": address.port, "pid": address.pid, "password": address.password}
    write_durably(folder / ADDRESS, json.dumps(fields).encode(), private=True)


def _written(folder: Path) -> RedisAddress | None:
    """Return the address as a start wrote it, None where there is none that can be read."""
    try:
        return RedisAddress(**json.loads((folder / ADDRESS).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _configured(folder: Path) -> RedisAddress | None:
    """Return the address out of the server's own files: what a start wrote may be cut or gone."""
    try:
        lines = (folder / CONFIGURATION).read_text().splitlines()
        options = dict(line.split(" ", 1) for line in lines)
        pid = int((folder / PID).read_text())
        return RedisAddress(int(options["port"]), pid, options["requirepass"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _running(folder: Path) -> RedisAddress | None:
    """Return the server that the home's files name, if it runs and is ours."""
    address = _written(folder) or _configured(folder)
    if address is None:
        return None
    from redis.exceptions import RedisError
    from redis.exceptions import TimeoutError as SilentError

    try:
        found = process_id(address), _same(working_folder(address), folder)
    except SilentError:
        if not (_alive(address.pid) and _works_in(address.pid, folder)):
            return None  # something else listens there, and does not speak
        raise StoreUnavailable(
            f"redis: the server of this home (process {address.pid}, port {address.port}) does "
            f"not answer; end it with `kill -9 {address.pid}` and start it again"
        ) from None
    except RedisError:
        return None  # ended, or the port is now another server's, which refuses our password
    return address if found == (address.pid, True) else None


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _works_in(pid: int, folder: Path) -> bool:
    """Return whether a process works in a folder; true where the system does not say."""
    try:
        place = Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return True
    return _same(place, folder)


def _alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and that nobody asked after does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _folder(data_dir: Path) -> Path:
    return DataFiles(data_dir.resolve()).redis


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[Path]:
    folder = _folder(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        with FileLock(folder / ".lock", timeout=LOCK_WAIT):
            yield folder
    except Timeout:
        raise StoreUnavailable(
            f"redis: another process has held {folder / '.lock'} for {LOCK_WAIT:.0f} s; "
            "wait for it to end"
        ) from None
