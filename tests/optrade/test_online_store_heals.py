"""The online store of a home is found, started and filled by whoever asks it."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from feature_repo.store.repo_config import SESSION_POINTER
from optrade.redis import server as redis_server
from optrade.redis.process import RedisAddress, client
from tests.optrade.conftest import CommandLine

pytestmark = pytest.mark.integration

FILLED = "optrade: the online store was empty: filled from parquet in"
SIGNAL = ("signal", "--ticker", "SPY")
PARITY = ("audit", "parity", "--tickers", "SPY")


def address_of(home: Path) -> RedisAddress:
    found = redis_server.status(home / "data")
    assert found is not None
    return found


def stop(home: CommandLine) -> None:
    home("redis", "stop")


def another_port(home: CommandLine) -> None:
    home("redis", "stop")
    home("redis", "start")


def kill(home: CommandLine) -> None:
    address = address_of(home.home)
    os.kill(address.pid, signal.SIGKILL)
    redis_server.await_end(address)


def reboot(home: CommandLine) -> None:
    """All files are left, the process is gone, and its id is now another's."""
    kill(home)
    path = home.home / "data" / "redis" / "server.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": os.getpid()}))
    path.with_name("redis.pid").write_text(f"{os.getpid()}\n")


def flush(home: CommandLine) -> None:
    client(address_of(home.home)).flushall()


@pytest.mark.parametrize("lose", [stop, another_port, kill, reboot, flush])
def test_a_signal_after_the_store_was_lost_is_the_signal_before(
    lose: Callable[[CommandLine], None], copied: CommandLine
) -> None:
    before = copied(*SIGNAL, "--json")
    assert copied(*SIGNAL, "--json").stderr == ""
    lose(copied)
    after = copied(*SIGNAL, "--json")
    assert after.stdout == before.stdout
    (line,) = after.stderr.splitlines()
    assert line.startswith(FILLED)
    assert copied("signal-all", "--tickers", "SPY,IWM", "--json").stderr == ""


def test_the_server_of_the_wheel_heals_too(copied: CommandLine, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    wheel = copied.under(PATH=str(programs))
    before = wheel(*SIGNAL, "--json").stdout
    wheel("redis", "stop")
    assert wheel(*SIGNAL, "--json").stdout == before


def test_a_store_that_misses_the_registry_heals(copied: CommandLine) -> None:
    before = copied(*SIGNAL, "--json").stdout
    shutil.rmtree(copied.home / "data" / "feast")
    assert copied(*SIGNAL, "--json").stdout == before


def test_a_copied_home_has_a_server_of_its_own(copied: CommandLine, tmp_path: Path) -> None:
    before = copied(*SIGNAL, "--json").stdout
    first = address_of(copied.home)
    held = client(first).get(SESSION_POINTER)
    copy = CommandLine(copied.commands, tmp_path / "copy")
    shutil.copytree(copied.home, copy.home)
    assert "stopped" in copy("redis", "status").stdout
    assert copy(*SIGNAL, "--json").stdout == before
    try:
        second = address_of(copy.home)
        assert second.port != first.port
        flush(copy)
    finally:
        copy("redis", "stop")
    assert address_of(copied.home) == first
    assert client(first).get(SESSION_POINTER) == held
    assert copied(*SIGNAL, "--json").stderr == ""


def test_a_copy_of_a_frozen_server_s_home_is_not_told_to_kill_it(
    copied: CommandLine, tmp_path: Path
) -> None:
    copied(*SIGNAL)
    address = address_of(copied.home)
    copy = CommandLine(copied.commands, tmp_path / "copy")
    shutil.copytree(copied.home, copy.home)
    os.kill(address.pid, signal.SIGSTOP)
    try:
        assert "stopped" in copy("redis", "status").stdout
    finally:
        os.kill(address.pid, signal.SIGCONT)


def test_a_moved_home_takes_its_server_along(copied: CommandLine, tmp_path: Path) -> None:
    before = copied(*SIGNAL, "--json").stdout
    first = address_of(copied.home)
    moved = CommandLine(copied.commands, tmp_path / "elsewhere" / "moved")
    moved.home.parent.mkdir()
    copied.home.rename(moved.home)
    try:
        assert moved(*SIGNAL, "--json").stdout == before
        assert address_of(moved.home) == first
    finally:
        moved("redis", "stop")


@pytest.fixture
def named(tmp_path: Path):
    """A server that a user runs, and its URL."""
    address = redis_server.start(tmp_path / "named")
    yield address
    redis_server.stop(tmp_path / "named")


def test_a_named_server_is_filled_and_no_own_one_started(
    copied: CommandLine, named: RedisAddress
) -> None:
    own = copied(*SIGNAL, "--json").stdout
    copied("redis", "stop")
    there = copied.under(REDIS_URL=named.url)
    filled = there(*SIGNAL, "--json")
    assert (filled.stdout, filled.stderr.startswith(FILLED)) == (own, True)
    client(named).flushall()
    assert there(*SIGNAL, "--json").stdout == own
    assert redis_server.status(copied.home / "data") is None


def test_two_homes_do_not_share_a_named_database(
    copied: CommandLine, named: RedisAddress, tmp_path: Path
) -> None:
    copied.under(REDIS_URL=named.url)(*SIGNAL)
    held = client(named).get(SESSION_POINTER)
    copy = CommandLine(copied.commands, tmp_path / "copy")
    shutil.copytree(copied.home, copy.home)
    for command in (SIGNAL, ("materialize",), ("serve",), PARITY):
        refused = copy.under(REDIS_URL=named.url)(*command, code=2).stderr
        assert f"holds the features of {copied.home}" in refused
        assert len(refused.splitlines()) == 1
    assert client(named).get(SESSION_POINTER) == held
    other = named.url.removesuffix("/0") + "/1"
    assert copy.under(REDIS_URL=other)(*SIGNAL).stderr.startswith(FILLED)
    assert Redis.from_url(named.url).get(SESSION_POINTER) == held


USING = {
    "signal": SIGNAL,
    "signal-all": ("signal-all",),
    "price": ("price", "--ticker", "SPY", "--strategy", "Iron Condor"),
    "materialize": ("materialize",),
    "serve": ("serve",),
    "audit parity": PARITY,
    "redis status": ("redis", "status"),
}
BAD_URLS = {
    "malformed": ("http://user:hunter2@localhost:6379", "REDIS_URL: got scheme 'http'", 2),
    "unreachable": ("redis://:hunter2@127.0.0.1:1/0", "127.0.0.1:1 is no use", 3),
}


@pytest.mark.parametrize("command", USING)
@pytest.mark.parametrize("fault", BAD_URLS)
def test_a_named_server_that_is_no_use_is_refused_in_one_line(
    command: str, fault: str, trained_home: CommandLine
) -> None:
    url, words, code = BAD_URLS[fault]
    refused = trained_home.under(REDIS_URL=url)(*USING[command], code=code)
    (line,) = refused.stderr.splitlines()
    assert line.startswith("optrade: ")
    assert words in line
    assert "hunter2" not in line
    assert refused.stdout == ""


def test_redis_commands_say_so_in_json(copied: CommandLine) -> None:
    started = copied.json("redis", "start")
    assert started == copied.json("redis", "status")
    assert (started["running"], started["host"]) == (True, "127.0.0.1")
    assert copied.json("redis", "stop") == {"stopped": True}
    assert copied.json("redis", "stop") == {"stopped": False}
    assert copied.json("redis", "status") == {"running": False}


def test_redis_commands_know_a_named_server(copied: CommandLine, named: RedisAddress) -> None:
    copied("redis", "stop")
    there = copied.under(REDIS_URL=named.url)
    assert there.json("redis", "status")["redis_url"] == f"127.0.0.1:{named.port}"
    assert "unset it" in there("redis", "start", code=2).stderr


# --- what doctor says of it -----------------------------------------------------------------------


def signals_in(home: CommandLine, code: int = 0) -> dict[str, tuple[str, str]]:
    """What doctor says of each ticker's signal."""
    findings = json.loads(home("doctor", "--json", code=code).stdout)
    return {
        row["check"].removeprefix("signal "): (row["level"], row["found"])
        for row in findings
        if row["check"].startswith("signal ")
    }


def files(home: Path) -> dict[Path, tuple[int, int]]:
    # SQLite's own beside a ledger that is read, empty; they touch the folder that they are in.
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in home.rglob("*")
        if path != home / "data" and not path.name.startswith("ledger.db-")
    }


@pytest.mark.parametrize("lose", [stop, kill, flush, None])
def test_doctor_asks_what_serving_asks_and_changes_nothing(
    lose: Callable[[CommandLine], None] | None, copied: CommandLine
) -> None:
    strategy = copied.json(*SIGNAL)["strategy"]
    if lose is not None:
        lose(copied)
    before = files(copied.home)
    found = signals_in(copied)
    # A lock is taken where the server is looked at.
    assert files(copied.home) == before
    assert found.keys() == {"SPY", "IWM"}
    level, words = found["SPY"]
    assert level == "ok"
    assert words.startswith(f"{strategy} of 2024-11-15")
    assert ("filled when it is first asked" in words) == (lose is not None)


def test_doctor_names_the_ticker_and_the_command_that_mends_it(copied: CommandLine) -> None:
    models = copied.home / "models" / "serving"
    (models / "regime_IWM.json").unlink()
    (models / "direction_SPY.json").write_text("{")
    found = signals_in(copied, code=1)
    assert found["IWM"][0] == "warning"
    assert found["SPY"][0] == "error"
    mends = {"IWM": "run `optrade train-all`", "SPY": "run `optrade repair`"}
    for ticker, (level, words) in found.items():
        assert level != "ok"
        assert words.startswith("none would be given: ")
        assert mends.get(ticker, "run `optrade train-all`") in words
    # As the command says it.
    for ticker, (_, words) in found.items():
        refused = copied("signal", "--ticker", ticker, code=3).stderr
        assert words.removeprefix("none would be given: ") in refused


def test_doctor_on_a_named_server_that_is_no_use(copied: CommandLine) -> None:
    for url, words, _ in BAD_URLS.values():
        found = signals_in(copied.under(REDIS_URL=url), code=1)
        assert {level for level, _ in found.values()} == {"error"}
        assert all(words in detail for _, detail in found.values())
