"""A port that is taken: by whom, and how to end it."""

import os
import socket

import pytest

from market.errors import InputError
from optrade.flows.serve.service import check_port, command
from optrade.redis.process import check_port as check_redis_port

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("check", [lambda port: check_port("127.0.0.1", port), check_redis_port])
def test_the_process_that_has_the_port_is_named(check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, mine = int(server.getsockname()[1]), os.getpid()
        said = rf"{port}.* process {mine} \(.*\) has it; end it with `kill {mine}`, or choose"
        with pytest.raises(InputError, match=said):
            check(port)
    check(port)


def test_one_that_listens_at_every_address_is_named() -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as server,  # noqa: S104 - that is the case
        pytest.raises(InputError, match=f"process {os.getpid()} "),
    ):
        check_port("127.0.0.1", int(server.getsockname()[1]))


def test_an_ipv6_host_is_looked_at_and_shown_in_brackets() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = int(server.getsockname()[1])
        with pytest.raises(InputError, match=rf"\[::1\]:{port} .*process {os.getpid()} "):
            check_port("::1", port)
    check_port("::1", port)
    assert command("::1", port)[-4:] == ["--host", "::1", "--port", str(port)]


def test_a_name_of_a_host_is_told_as_its_address() -> None:
    assert command("localhost", 3000)[-3] in ("127.0.0.1", "::1")
    with pytest.raises(InputError, match=r"no-such-host\.invalid:3000 .*--port"):
        check_port("no-such-host.invalid", 3000)


def test_a_host_that_is_none_is_nobodys() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        with pytest.raises(InputError, match=rf"192.0.2.1:{port} \(.*\); choose") as refused:
            check_port("192.0.2.1", port)
    assert "kill" not in str(refused.value)
