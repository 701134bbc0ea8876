"""A day goes on where one of its steps fails: signals are given, and the failure is named."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from home.layout import Home
from home.manifest import read_manifest
from market.errors import DamagedFile, InputError, StoreUnavailable
from optrade.flows.data import Ingested
from optrade.flows.serve.shadows import Shadow
from optrade.operations import day
from serving.http.schema import TickerProblem
from tests.optrade.conftest import CommandLine
from tests.trading.ledger.test_signals import a_signal
from trading.ledger.settle import Settlement

NOON = pd.Timestamp("2025-07-01 14:00", tz="UTC")
NOTHING = Settlement((), 0, ())
ANSWERS = [a_signal(), TickerProblem(ticker="IWM", error="stale", detail="too old")]
STEPS = {
    "ingest": "fetch_and_build",
    "publish": "publish",
    "settle": "settle_signals",
    "signals": "answer_each",
    "record": "record_signals",
}


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps that succeed, and the names of those that were taken."""
    taken: list[str] = []
    gives = {
        "ingest": Ingested([], [SimpleNamespace(keys=("SPY",))]),
        "publish": "online",
        "settle": NOTHING,
        "signals": ANSWERS,
        "record": [],
    }

    def step(name: str):
        return lambda *_, **__: taken.append(name) or gives[name]

    for name, function in STEPS.items():
        monkeypatch.setattr(day, function, step(name))
    monkeypatch.setattr(
        day, "record_shadows", lambda _, given: [Shadow(one.ticker) for one in given]
    )
    return taken


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch, done: list[str]):
    def fail(name: str, error: Exception) -> None:
        def raising(*_: object, **__: object) -> None:
            done.append(name)
            raise error

        monkeypatch.setattr(day, STEPS[name], raising)

    return fail


def runtime(holds: str | None) -> SimpleNamespace:
    def origin() -> str:
        if holds is None:
            raise InputError("no data yet")
        return holds

    return SimpleNamespace(
        home=SimpleNamespace(origin=origin),
        settings=SimpleNamespace(placement=lambda: None),
        as_of=lambda _: NOON,
        source=lambda *asked: asked,
    )


def run_day(*, landed: bool = True, opened: object = SimpleNamespace(as_of=NOON)) -> day.Day:
    run = runtime("simulated" if landed else None)
    return day.run_day(run, opened, ["SPY", "IWM"], lambda *_: None)


ERRORS = [StoreUnavailable("it is away"), DamagedFile("it is away")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_but_the_failed_one_is_done(
    step: str, error: Exception, fails, done: list[str]
) -> None:
    fails(step, error)
    found = run_day()
    assert done == [*STEPS]
    assert found.failed == {step: "it is away"}
    assert found.failures() == [f"{day.NOT_DONE[step]}: it is away"]
    assert found.answers == ([] if step == "signals" else ANSWERS)
    assert found.settled == (None if step == "settle" else NOTHING)
    # Beside what is not recorded nothing is.
    shadows = () if step in ("signals", "record") else (Shadow("SPY"),)
    assert found.shadows == shadows


def test_a_recorded_home_without_its_folder_goes_on_with_what_has_landed(done: list[str]) -> None:
    for source in (None, "recorded"):
        opened = day.source_of_day(runtime("recorded"), source, None, None, None, None)
        assert opened == day.NotOpened(NOON, day.UNNAMED)
    found = run_day(opened=opened)
    assert done == [name for name in STEPS if name != "ingest"]
    assert found.answers == ANSWERS
    (line,) = found.failures()
    assert line.startswith("no new data came in: recorded data needs --recorded-dir")


def test_a_recorded_home_without_its_folder_goes_forward_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("optrade.clock.newest_session", lambda _: pd.Timestamp("2025-07-02"))
    with pytest.raises(InputError, match="goes forward alone"):
        day.source_of_day(runtime("recorded"), None, None, None, None, "2025-06-30")


@pytest.mark.parametrize(
    ("holds", "source", "folder"),
    [("recorded", None, Path("x")), ("recorded", "live", None), ("live", None, None),
     (None, "recorded", None), (None, None, None)],
)  # fmt: skip
def test_every_other_source_is_opened_as_by_any_command(
    holds: str | None, source: str | None, folder: Path | None
) -> None:
    asked = (source, folder, 7, 0.3, "2024-11-15")
    assert day.source_of_day(runtime(holds), *asked) == asked


def test_a_disk_that_refuses_is_carried_and_a_fault_of_ours_is_not(fails) -> None:
    fails("settle", PermissionError(13, "Permission denied", "/ledger.db.lock"))
    assert "permissions" in run_day().failed["settle"]
    fails("settle", TypeError("ours"))
    with pytest.raises(TypeError):
        run_day()


def test_a_row_of_the_ledger_that_is_not_settled_is_a_failure_of_the_day(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = replace(NOTHING, unread={"SPY": "ledger is damaged (SPY)"})
    monkeypatch.setattr(day, "settle_signals", lambda *_: part)
    assert run_day().failures() == ["outcomes were not all settled: ledger is damaged (SPY)"]
    assert done == [name for name in STEPS if name != "settle"]


def test_one_cause_of_two_failures_is_one_line(fails) -> None:
    for step in ("settle", "record"):
        fails(step, StoreUnavailable("ledger is away"))
    assert run_day().failures() == [
        "outcomes were not all settled, the signals were not all recorded: ledger is away"
    ]


@pytest.mark.parametrize(("error", "landed"), [(InputError("other origin"), True),
                                               (StoreUnavailable("full"), False)])  # fmt: skip
def test_what_was_asked_wrongly_and_a_home_without_data_end_the_day(
    error: Exception, landed: bool, fails, done: list[str]
) -> None:
    fails("ingest", error)
    with pytest.raises(type(error)):
        run_day(landed=landed)
    assert done == ["ingest"]


@pytest.mark.integration
def test_a_day_with_a_damaged_ledger_gives_its_signals(copied: CommandLine) -> None:
    command = ("run-daily", "--source", "simulated", "--tickers", "SPY,IWM",
               "--as-of", "2024-11-15")  # fmt: skip
    whole = copied.json(*command)
    assert whole["failed"] == {}
    ledger = Home(copied.home).ledger
    good = ledger.read_bytes()
    ledger.write_bytes(good[: len(good) // 2])
    shown = copied(*command, "--json", code=3)
    found = json.loads(shown.stdout)
    assert found["signals"] == whole["signals"]
    assert found["settled"] is None
    assert [*found["failed"]] == ["settle", "record"]
    (line,) = shown.stderr.splitlines()
    assert line.startswith(
        "optrade: outcomes were not all settled, the signals were not all recorded:"
    )
    assert "restore it from a copy" in line
    table = copied(*command, code=3)
    assert "SPY" in table.stdout
    assert table.stderr == shown.stderr
    ledger.write_bytes(good)
    assert copied.json(*command)["signals"] == whole["signals"]


@pytest.mark.integration
def test_a_day_with_a_damaged_raw_file_gives_the_signals_it_can(copied: CommandLine) -> None:
    data = copied.home / "data"
    path: Path = data / read_manifest(data).entries["prices", "IWM"].path
    path.write_bytes(path.read_bytes()[:-1])
    shown = copied("run-daily", "--tickers", "SPY", "--json", code=3)
    found = json.loads(shown.stdout)
    assert [signal["ticker"] for signal in found["signals"]] == ["SPY"]
    assert f"the features of IWM were not built: {path} is damaged" in shown.stderr
    with closing(sqlite3.connect(Home(copied.home).ledger)) as ledger:
        held = ledger.execute("SELECT count(*) FROM signals WHERE session = '2024-11-15'")
        assert held.fetchone()[0] >= 1
