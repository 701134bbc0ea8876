"""Each row of docs/troubleshooting.md against the damage it cures."""

import json
import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.mutations import copied as copied_home
from home.layout import Home
from home.manifest import damaged, read_manifest
from optrade.redis import server as redis_server
from optrade.redis.process import client
from tests.optrade.conftest import CommandLine

pytestmark = pytest.mark.integration

PAGE = Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md"
ROWS = re.findall(r"^\| (?!symptom|-)(.+?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
SIGNAL = ("signal", "--ticker", "SPY")
BOTH = ("signal-all", "--tickers", "SPY,IWM", "--json")
AGAIN = ("ingest", "--source", "simulated", "--tickers", "SPY,IWM", "--as-of", "2024-11-15")
TRAIN = ("train-all", "--tickers", "SPY", "--models", "logistic", "--period", "6y")
# Another file tests these rows.
ELSEWHERE = {
    '"the disk is full", "ulimit", "read-only", "permissions"': "test_limits.py, test_disk.py",
    "rows in quarantine, such as `high >= open (to 30.00%)`": "test_quarantine.py",
    '"a file stands where a folder has to be"': "test_endings.py",
    '"unexpected: …", exit code 70': "test_endings.py",
    '"IWM was not published: no row of it in iv", "is not published"': "test_left_out.py",
    '"no session was published: behind are"': "test_left_out.py",
    '"ahead: the store holds", "an answer would look ahead"': "test_freshness.py",
}


@pytest.fixture
def home(trained_home: CommandLine, tmp_path: Path) -> Iterator[CommandLine]:
    """A copy of the trained home with files of its own, the registry's too."""
    command = replace(trained_home, home=tmp_path / "home")
    copied_home(Home(trained_home.home), command.home)
    yield command
    command("redis", "stop")


def refusal(home: CommandLine, code: int, words: str, *arguments: str) -> None:
    """Check that a command ends with one line that holds the symptom."""
    line = home(*arguments, code=code).stderr.strip().splitlines()[-1]
    assert line.startswith("optrade: "), line
    assert words in line


def spoil(path: Path) -> bytes:
    """Flip a byte in the middle of a file, and return what it held."""
    good = path.read_bytes()
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 1
    path.write_bytes(bad)
    return good


def file_of(home: CommandLine, table: str, key: str = "SPY") -> Path:
    data = home.home / "data"
    return data / read_manifest(data).entries[table, key].path


def repaired(home: CommandLine, *arguments: str, code: int = 0) -> dict[str, str]:
    """Repair, and return what became of each thing."""
    found = json.loads(home("repair", *arguments, "--json", code=code).stdout)
    return {one["what"]: one["state"] for one in found}


def features(home: CommandLine) -> None:
    before = home(*SIGNAL, "--json").stdout
    path = file_of(home, "technical")
    good = spoil(path)
    refusal(home, 3, f"{path} is damaged", "build-features")
    client(redis_server.status(home.home / "data")).flushall()
    home("signal", "--ticker", "IWM")  # of a store that had to be filled
    refusal(home, 3, f"SPY: damaged_features: {path} is damaged", *BOTH)
    name = str(path.relative_to(home.home / "data"))
    assert repaired(home) == {name: "restored", "online store": "restored"}
    assert path.read_bytes() == good
    spoil(path)
    home("materialize", code=3)
    path.write_bytes(good)  # by hand: the store does not know yet, and says what tells it
    refusal(home, 3, "SPY: damaged_features: ", *BOTH)
    assert "run `optrade repair`" in home(*BOTH, code=3).stderr
    assert repaired(home) == {"online store": "restored"}
    assert home(*SIGNAL, "--json").stdout == before
    path.unlink()
    refusal(home, 3, f"{path} is missing", "build-features")
    assert repaired(home)[name] == "restored"
    after = home(*SIGNAL, "--json")
    assert (after.stdout, after.stderr) == (before, "")  # Redis was filled again


def raw(home: CommandLine) -> None:
    path = file_of(home, "prices")
    good = spoil(path)
    refusal(home, 3, f"{path} is damaged", *AGAIN)
    assert repaired(home, code=3) == {str(path.relative_to(home.home / "data")): "lost"}
    path.write_bytes(good)  # from a copy
    home(*AGAIN)


def raw_without_a_copy(home: CommandLine) -> None:
    path, built = file_of(home, "prices"), file_of(home, "technical")
    name, feature = (str(one.relative_to(home.home / "data")) for one in (path, built))
    path.unlink()
    spoil(built)
    refusal(home, 3, f"{path} is missing", *AGAIN)
    assert repaired(home, code=3) == {name: "lost", feature: "lost"}
    gone = repaired(home, "--drop-raw")
    assert (gone[name], gone[feature]) == ("dropped", "dropped")
    home(*AGAIN)
    assert damaged(home.home / "data") == []
    home(*SIGNAL)


def model(home: CommandLine) -> None:
    path = Home(home.home).serving_models / "direction_SPY.json"
    before = home(*SIGNAL, "--json").stdout
    spoil(path)
    refusal(home, 3, "direction_SPY.json is damaged", *SIGNAL)
    assert repaired(home)["model direction_SPY"] == "restored"
    assert home(*SIGNAL, "--json").stdout == before
    for one in (path, path.with_suffix(".sha256")):
        one.unlink()
    refusal(home, 3, "optrade repair", *SIGNAL)
    assert repaired(home)["model direction_SPY"] == "restored"
    assert home(*SIGNAL, "--json").stdout == before
    spoil(path)
    for file in ("serving.json", "baseline.json"):  # either may be what serves
        for copy in Home(home.home).artifacts.glob(f"*/artifacts/{file}"):
            spoil(copy)
    assert repaired(home, code=3)["model direction_SPY"] == "lost"
    home(*TRAIN)
    home(*SIGNAL)


def online(home: CommandLine) -> None:
    before = home(*SIGNAL, "--json").stdout
    store = client(redis_server.status(home.home / "data"))
    rows = [key for key in store.scan_iter() if store.type(key) == b"hash"]
    for key in rows:
        for field in [name for name in store.hkeys(key) if not name.startswith(b"_")]:
            value = store.hget(key, field)
            if len(value) == 9:  # a number: one byte of type, eight of value
                store.hset(key, field, value[:-1] + b"\x01")
    assert "`optrade materialize`" in home("doctor", "--json", code=1).stdout
    healed = home(*SIGNAL, "--json")
    assert healed.stdout == before
    assert ": filled from parquet, session " in healed.stderr
    for key in rows:  # as another tool leaves them
        store.hdel(key, *[name for name in store.hkeys(key) if name.startswith(b"_check:")])
    home("materialize")
    healed = home(*SIGNAL, "--json")
    assert (healed.stdout, healed.stderr) == (before, "")


def manifest(home: CommandLine) -> None:
    path = home.home / "data" / "manifest.json"
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    refusal(home, 2, "is no manifest of format 1", *AGAIN)
    refusal(home, 2, "is no manifest of format 1", "repair")
    path.write_bytes(good)
    home(*SIGNAL)


def schema(home: CommandLine) -> None:
    with closing(sqlite3.connect(Home(home.home).mlflow)) as database, database:
        (held,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("UPDATE alembic_version SET version_num = 'other'")
    for words in (TRAIN, ("champions",)):
        refusal(home, 3, "has schema other, MLflow", *words)
    with closing(sqlite3.connect(Home(home.home).mlflow)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (held,))
    home("champions")


@contextmanager
def locked(path: Path, how: str) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"BEGIN {how}")
        yield


def mlflow(home: CommandLine) -> None:
    path = Home(home.home).mlflow
    with locked(path, "EXCLUSIVE"):
        refusal(home, 3, "cannot be read (database is locked)", *TRAIN)
    with locked(path, "IMMEDIATE"):  # it may be read
        refusal(home, 3, "database is locked", *TRAIN)
    good = path.read_bytes()
    path.write_bytes(b"no database" * 1000)
    refusal(home, 3, "cannot be read (file is not a database)", *TRAIN)
    assert "file is not a database" in home("doctor", code=1).stdout
    path.write_bytes(good)
    home("champions")


def ledger(home: CommandLine) -> None:
    home(*SIGNAL, "--record")
    path = Home(home.home).ledger
    good = path.read_bytes()
    path.write_bytes(b"no ledger" * 1000)
    refusal(home, 3, f"ledger {path}", *SIGNAL, "--record")
    assert "ledger" in home("doctor", code=1).stdout
    path.write_bytes(good)
    home(*SIGNAL, "--record")


def ledger_anew(home: CommandLine) -> None:
    home(*SIGNAL, "--record")
    path = Home(home.home).ledger
    good = path.read_bytes()
    damaged = bytearray(good)
    damaged[20] ^= 1  # the header of another size of page
    path.write_bytes(damaged)
    refusal(home, 3, f"ledger {path} is damaged", *SIGNAL, "--record")
    assert "is damaged" in home("doctor", "--json", code=1).stdout
    assert path.read_bytes() == damaged
    path.rename(path.with_name("away.db"))
    home("signal-all", "--tickers", "SPY,IWM", "--record")
    path.write_bytes(good)  # from a copy
    home("settle")


def mlflow_lost(home: CommandLine) -> None:
    path = Home(home.home).mlflow
    good = path.read_bytes()
    path.unlink()
    refusal(home, 3, f"MLflow's database {path} is missing, though models serve", "champions")
    home(*SIGNAL)
    path.write_bytes(good)
    home("champions")
    path.unlink()
    home(*TRAIN)
    home("champions")


def simulation(home: CommandLine) -> None:
    path = Home(home.home).files.simulation
    good = path.read_bytes()
    path.write_bytes(good[:5])
    refusal(home, 2, f"{path} is no JSON", *AGAIN)
    path.unlink()
    refusal(home, 2, f"{path} is missing", *AGAIN)
    home(*SIGNAL)
    path.write_text('{"seed":3,"signal_strength":0.0}')
    home(*AGAIN)
    path.write_bytes(good)
    home(*AGAIN)


def market(home: CommandLine) -> None:
    for other in (("--seed", "4"), ("--signal-strength", "0.5")):
        refusal(home, 2, "this home holds the simulated market of --seed 3", *AGAIN, *other)
    home(*AGAIN)


def untrained(home: CommandLine) -> None:
    shutil.rmtree(home.home / "mlruns")
    shutil.rmtree(home.home / "models")
    refusal(home, 2, "no models yet", "champions")
    home(*TRAIN)
    home("champions")
    refusal(home, 3, "IWM: model_missing", "signal-all", "--tickers", "SPY,IWM")


def redis(home: CommandLine) -> None:
    before = home(*SIGNAL, "--json").stdout
    held = redis_server.status(home.home / "data")
    os.kill(held.pid, signal.SIGSTOP)  # it is there, and does not answer
    refusal(home, 3, f"redis: the server of this home (process {held.pid}", *SIGNAL)
    os.kill(held.pid, signal.SIGKILL)
    assert "redis is stopped" in home("redis", "status").stdout
    assert home(*SIGNAL, "--json").stdout == before


CASES: dict[str, tuple[Callable[[CommandLine], None], ...]] = {
    '"features/… is damaged" or "is missing", `damaged_features`': (features,),
    '"raw/… is damaged" or "is missing"': (raw, raw_without_a_copy),
    '"direction_SPY.json is damaged", `model_refused`': (model,),
    "`damaged_row`, `foreign_row`, `not_published`": (online,),
    '"is no manifest of format 1"': (manifest,),
    '"MLflow\'s database … has schema"': (schema,),
    '"MLflow\'s database … cannot be read"': (mlflow,),
    '"MLflow\'s database … is missing, though models serve"': (mlflow_lost,),
    '"ledger …"': (ledger,),
    '"ledger … is damaged", "is not a database"': (ledger_anew,),
    '"simulation.json is missing" or "is no JSON"': (simulation,),
    '"this home holds the simulated market of"': (market,),
    '"no models yet", `model_missing`': (untrained,),
    '"redis: …"': (redis,),
}


def test_every_row_of_the_page_has_its_damage() -> None:
    assert ROWS
    assert set(ROWS) == {*CASES, *ELSEWHERE}


@pytest.mark.parametrize("case", [one for cases in CASES.values() for one in cases])
def test_the_damage_is_said_and_cured(
    case: Callable[[CommandLine], None], home: CommandLine
) -> None:
    home("redis", "start")
    case(home)
