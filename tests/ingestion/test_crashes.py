"""A landing that dies leaves the home as it was, or as it should become."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from redis import Redis

from home.manifest import Entry, current_rows, damaged, read_manifest, read_rows
from ingestion.lake import data_folder
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import PRICES
from tests.commands import Commands
from tests.ingestion.whole_ingest import Ingests, Run, serve_redis, write_folder

Frame = Callable[..., pd.DataFrame]
AT = pd.Timestamp("2024-07-01T20:30Z")
KEYS = ("SPY", "QQQ", "IWM")

# Lands a change of every row of three tickers, again and again, one manifest switch each.
LANDINGS = """
import sys
from pathlib import Path
import pandas as pd
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import PRICES
base = pd.read_pickle(sys.argv[2])
with Lake(Path(sys.argv[1])) as lake:
    stored = lake.stored("prices", "SPY")
    step = 0 if stored is None else int(stored["volume"].max())
    print("ready", flush=True)
    while True:
        step += 1
        at = pd.Timestamp("2024-07-01T20:30Z") + pd.Timedelta(minutes=step)
        lake.land(PRICES, base.assign(volume=float(step)), "recorded", at)
"""


class Died(BaseException):
    """Stands for a killed process: no handler of errors sees it."""


def all_tickers(prices: Frame, **options: object) -> pd.DataFrame:
    return pd.concat([prices(key, **options) for key in KEYS], ignore_index=True)


def dies_after(steps: int, patched: pytest.MonkeyPatch) -> None:
    """Let the process die at the step on the disk after so many."""
    remaining = iter(range(steps))

    def mortal(step: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: object) -> None:
            if next(remaining, None) is None:
                raise Died
            step(*arguments)

        return run

    for name in ("replace_file", "sync_folder", "sweep"):
        patched.setattr(data_folder, name, mortal(getattr(data_folder, name)))


def test_every_step_of_a_landing_can_be_the_last(
    tmp_path: Path, prices: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = all_tickers(prices, count=4), all_tickers(prices, count=6)
    outcomes = set()
    for survived in range(100):
        home = tmp_path / str(survived)
        with Lake(home) as lake:
            lake.land(PRICES, before, "recorded", AT)
        with monkeypatch.context() as patched:
            dies_after(survived, patched)
            with contextlib.suppress(Died), Lake(home) as lake:
                lake.land(PRICES, after, "recorded", AT + pd.Timedelta(days=1))
                outcomes.add("landed")
        rows = read_rows(home, "prices").height
        assert rows in (len(before), len(after))
        assert damaged(home) == []
        with Lake(home) as lake:
            lake.land(PRICES, after, "recorded", AT + pd.Timedelta(days=2))
        assert read_rows(home, "prices").height == len(after)
        if "landed" in outcomes:
            break
        outcomes.add(rows)
    assert outcomes == {len(before), len(after), "landed"}


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
def test_killed_at_any_moment_every_named_file_is_whole(
    tmp_path: Path, prices: Frame, kills: int
) -> None:
    base = tmp_path / "base.pickle"
    all_tickers(prices, count=600).to_pickle(base)
    home = tmp_path / "home"
    moments = random.Random(20240701)
    landings = attempts = 0
    # On a slow machine the first kills come before any landing: the next ones come later.
    while attempts < kills or (not landings and attempts < 10 * kills):
        attempts += 1
        command = [sys.executable, "-c", LANDINGS, str(home), str(base)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0.0, 0.5 * max(1, attempts - kills)))
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        assert damaged(home) == []
        if read_manifest(home).entries:
            volumes = current_rows(home, "prices")["volume"]
            assert volumes.n_unique() == 1  # all tickers of one landing, or none
            landings = int(volumes[0])
    assert landings  # some of them got through, so the kills hit writers at work
    with Lake(home) as lake:  # the lock died with its holder
        lake.land(PRICES, all_tickers(prices), "recorded", AT + pd.Timedelta(days=9))
    named = {entry.path for entry in read_manifest(home).entries.values()}
    assert len(named) == len(KEYS)


@pytest.fixture(scope="module")
def ingests(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingests]:
    """Whole `optrade ingest` processes over a small recorded folder."""
    root = tmp_path_factory.mktemp("ingests")
    with serve_redis(root / "redis") as url:
        yield Ingests(write_folder(root / "recorded"), url, commands)


def named(home: Path) -> dict[tuple[str, str], Entry]:
    """What the manifest names, once every file of it was found whole and readable."""
    data = home / "data"
    assert damaged(data) == []
    manifest = read_manifest(data)
    for (table, key), entry in manifest.entries.items():
        assert read_rows(data, table, [key], manifest).height == entry.rows
    return dict(manifest.entries)


@pytest.fixture(scope="module")
def unharmed(ingests: Ingests, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A home that was never killed, and the seconds that it took."""
    run = Run(tmp_path_factory.mktemp("unharmed") / "home")
    start = time.perf_counter()
    assert ingests.to_the_end(run) == [0], run.said()
    return run.home, time.perf_counter() - start


@pytest.mark.integration
@pytest.mark.parametrize(
    ("seed", "kills"), [(1, 4), *(pytest.param(n, 5, marks=pytest.mark.long) for n in range(2, 6))]
)
def test_whole_ingest_killed_again_and_again_becomes_what_it_should(
    ingests: Ingests, unharmed: tuple[Path, float], tmp_path: Path, seed: int, kills: int
) -> None:
    whole, seconds = unharmed
    # A server holds one home's features, and refuses another's.
    with Redis.from_url(ingests.redis) as client:
        client.flushall()
    moments = random.Random(seed)
    run = Run(tmp_path / "home")
    killed = []
    for part in range(kills):
        # One moment in each part of the time that a run takes.
        moment = (part + moments.uniform(0.0, 1.0)) / kills * seconds
        killed.append(ingests.killed_after(run, moment))
        named(run.home)
    assert any(killed)  # the machine was not so fast that every run was over before its moment
    assert ingests.to_the_end(run) == [0], run.said()
    assert named(run.home) == named(whole)


@pytest.mark.parametrize("count", [2])
def test_two_processes_at_once_one_wins(tmp_path: Path, prices: Frame, count: int) -> None:
    base = tmp_path / "base.pickle"
    all_tickers(prices, count=50).to_pickle(base)
    command = [sys.executable, "-c", LANDINGS, str(tmp_path / "home"), str(base)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(count)]
    try:
        while all(process.poll() is None for process in processes):
            time.sleep(0.02)
        lost = next(process for process in processes if process.poll() is not None)
        won = next(process for process in processes if process is not lost)
        assert "InputError: another process is writing to" in lost.communicate()[1]
        assert won.stdout.readline() == "ready\n"
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert damaged(tmp_path / "home") == []
