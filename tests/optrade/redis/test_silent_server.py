"""A server that accepts and never answers, or is no Redis: an end in bounded time, and code 3."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from feature_repo.store.repo_config import repo_config
from ingestion.online.materialize import connect
from ingestion.online.writes import Writes
from market.errors import ConfigurationError, StoreUnavailable
from optrade.cli.endings import BAD_INPUT, UNAVAILABLE, ending_of
from optrade.flows.doctor import stores
from optrade.redis import content
from optrade.redis import process as redis_process
from optrade.redis import server as redis_server
from optrade.redis.process import RedisAddress

pytestmark = pytest.mark.integration

SECONDS = 0.2


@contextmanager
def listening(says: bytes) -> Iterator[int]:
    """A loopback port whose server accepts, answers whatever it is told with `says`, and stays."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def accept() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                kept.append(caller)
                if says:
                    caller.sendall(says)

        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
    for caller in kept:
        caller.close()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for module, name in (
        (content, "ANSWER_WAIT"),
        (stores, "REDIS_SECONDS"),
        (redis_process, "ANSWER_WAIT"),
    ):
        monkeypatch.setattr(module, name, SECONDS)
    with listening(b"") as port:
        yield port


def code_of(error: Exception) -> int:
    ending = ending_of(error)
    assert ending.line is not None
    assert len(ending.line.splitlines()) == 1
    return ending.code


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_every_command_asks_the_server_first(scheme: str, silent: int, tmp_path: Path) -> None:
    url = f"{scheme}://:hunter2@127.0.0.1:{silent}/0"
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{silent} is no use") as refused:
        content.check_named(url, tmp_path)
    assert code_of(refused.value) == UNAVAILABLE
    assert "hunter2" not in str(refused.value)


def test_what_is_written_later(silent: int, tmp_path: Path) -> None:
    class Store:
        config = repo_config(tmp_path, f"redis://127.0.0.1:{silent}/0", timeout=SECONDS)

    with pytest.raises(StoreUnavailable, match="does not answer") as refused:
        connect(Store())
    assert code_of(refused.value) == UNAVAILABLE
    client = Redis(port=silent, socket_timeout=SECONDS, retry=None)
    with pytest.raises(StoreUnavailable, match="did not take the 0 rows"):
        Writes().commit(client, ("pointer", "session"))


def test_doctor_goes_on(silent: int) -> None:
    found = stores.check_redis(f"redis://127.0.0.1:{silent}/0", "REDIS_URL")
    assert found.level == "error"
    assert "REDIS_URL: no use" in found.found


def test_what_speaks_otherwise_is_no_redis(tmp_path: Path) -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        with pytest.raises(StoreUnavailable, match="is no use") as refused:
            content.check_named(f"redis://127.0.0.1:{port}", tmp_path)
        assert code_of(refused.value) == UNAVAILABLE


def test_a_server_that_answers_no_is_configuration(tmp_path: Path) -> None:
    data = tmp_path / "data"
    address = redis_server.start(data)
    try:
        for url in (
            RedisAddress(address.port, address.pid, "wrong").url,
            f"redis://127.0.0.1:{address.port}",
            address.url.removesuffix("/0") + "/99",
        ):
            with pytest.raises(ConfigurationError, match="correct REDIS_URL, or unset") as refused:
                content.check_named(url, data)
            assert code_of(refused.value) == BAD_INPUT
    finally:
        redis_server.stop(data)


def test_a_program_that_never_starts_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    monkeypatch.setattr(redis_process, "server_path", lambda: program)
    monkeypatch.setattr(redis_process, "START_WAIT", SECONDS)
    monkeypatch.setattr(redis_process, "ATTEMPTS", 1)
    with pytest.raises(StoreUnavailable, match="did not start within") as refused:
        redis_server.start(tmp_path / "data")
    assert code_of(refused.value) == UNAVAILABLE
