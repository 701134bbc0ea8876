"""One signal on three ways: the command line, HTTP, and the offline frame of its session."""

import json
import sqlite3

import pandas as pd
import pytest

from feature_repo.features.definition_hash import definition_hash
from home.layout import Home
from market.calendar import decision_time
from optrade.runtime import Runtime
from optrade.settings import Settings
from serving.answer.boards import CLOSING_FEATURES
from serving.answer.signals import Models, build_signal
from serving.answer.structure import Pricing
from serving.reading.artifact import load_artifact
from serving.reading.row import FeatureRow
from training.frames.dataset import load_frame

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def signals(trained_home) -> list[dict]:
    return trained_home.json("signal-all", "--tickers", "SPY,IWM", "--record")


@pytest.fixture(scope="module")
def run(trained_home) -> Runtime:
    settings = Settings(OPTRADE_HOME=trained_home.home)
    return Runtime(settings, Home(trained_home.home), pd.Timestamp.now(tz="UTC"))


def test_a_signal_is_of_the_last_session(signals) -> None:
    assert [s["ticker"] for s in signals] == ["SPY", "IWM"]
    assert {s["session"] for s in signals} == {"2024-11-15"}
    assert {s["provenance"]["origin"] for s in signals} == {"simulated"}
    assert set(signals[0]["provenance"]["age_in_sessions"].values()) == {0}


def test_http_gives_the_same_signal(signals, run) -> None:
    from optrade.flows.serve.service import ask, running

    with running(run) as base:
        assert [ask(base, s["ticker"]).document() for s in signals] == signals


def test_the_offline_frame_gives_the_same_signal(signals, run) -> None:
    session = pd.DatetimeIndex(["2024-11-15"])
    store = run.feature_store(online=False)
    for signal in signals:
        ticker = signal["ticker"]
        models = Models(
            load_artifact(run.home.models, "direction", ticker, definition_hash()),
            load_artifact(run.home.models, "regime", ticker, definition_hash()),
        )
        values: dict[str, float] = {}
        for service in {models.direction.feature_service, models.regime.feature_service}:
            frame = load_frame(store, service, [ticker], session)
            values |= frame.drop(columns=["ticker", "session"]).iloc[0].to_dict()
        ages = signal["provenance"]["age_in_sessions"]
        read = {name: values[name] for name in models.features()}
        beside = {name: values[name] for name in CLOSING_FEATURES if name in values}
        row = FeatureRow(ticker, session[0], read, ages, beside=beside)
        offline = build_signal(
            row,
            models,
            as_of=decision_time(session)[0],
            origin="simulated",
            pricing=Pricing(),
        )
        assert offline.document() == signal


def test_recording_twice_keeps_one_row(copied) -> None:
    # Others record in the home that is shared, under the aliases of their time.
    for path in (copied.home / "data").glob("ledger.db*"):
        path.unlink()
    command = ("signal-all", "--tickers", "SPY,IWM", "--record")
    signals = copied.json(*command)
    copied(*command)
    with sqlite3.connect(copied.home / "data" / "ledger.db") as ledger:
        rows, shadows = (
            ledger.execute(
                f"SELECT ticker, document FROM signals WHERE shadow = {shadow} ORDER BY id"  # noqa: S608 - 0 or 1
            ).fetchall()
            for shadow in (0, 1)
        )
    assert [(ticker, json.loads(text)) for ticker, text in rows] == [
        (s["ticker"], s) for s in signals
    ]
    assert [ticker for ticker, _ in shadows] == ["SPY", "IWM"]


def test_ingesting_again_changes_nothing(trained_home) -> None:
    data = trained_home.home / "data"
    before = {p: p.stat().st_mtime_ns for p in data.rglob("*.parquet")}
    manifest = (data / "manifest.json").read_bytes()
    # Without a seed it is the home's own.
    trained_home("ingest", "--source", "simulated", "--tickers", "SPY,IWM", "--as-of", "2024-11-15")
    assert {p: p.stat().st_mtime_ns for p in data.rglob("*.parquet")} == before
    assert (data / "manifest.json").read_bytes() == manifest


def test_a_later_day_moves_the_signal_on(commands, tmp_path_factory) -> None:
    from tests.optrade.conftest import CommandLine

    command = CommandLine(commands, tmp_path_factory.mktemp("later") / "home")
    ingest = ("ingest", "--source", "simulated", "--tickers", "SPY", "--as-of")
    try:
        first = command.json(*ingest, "2024-11-14")
        later = command.json(*ingest, "2024-11-15")
    finally:
        command("redis", "stop")
    assert first["online"]["session"] == "2024-11-14"
    assert later["online"]["session"] == "2024-11-15"
    counts = {row["table"]: row["rows_new"] for row in later["fetch"]}
    assert counts["prices"] == 1
    assert {row["rows_corrected"] for row in later["fetch"]} == {0}


def test_training_twice_gives_the_same_model(trained_home) -> None:
    train = (
        "train-volatility", "--ticker", "SPY", "--period", "6y", "--model-type", "paths",
        "--pooled", "--history",
    )  # fmt: skip
    first, again = trained_home.json(*train), trained_home.json(*train)
    assert again["version"] == first["version"] + 1
    fitted = [
        trained_home.home / "mlruns" / "artifacts" / one["run_id"] / "artifacts" / "model"
        for one in (first, again)
    ]
    one, other = (json.loads((folder / "parameters.json").read_text()) for folder in fitted)
    assert one == other
    for name in ("pooled", "folds", "call_weights", "importance"):
        assert first[name] == again[name]


def test_evidence_holds_what_the_design_lists(trained_home) -> None:
    evidence = trained_home.json("train", "--ticker", "IWM", "--period", "6y")
    for name in ("ticker", "model", "folds", "pooled", "baselines", "difference", "threshold",
                 "features", "verdict"):  # fmt: skip
        assert name in evidence
    assert len(evidence["folds"]) == 5
    for fold in evidence["folds"]:
        assert fold["train_start"] <= fold["train_end"] < fold["test_start"] <= fold["test_end"]
    for difference in evidence["difference"].values():
        assert "interval" in difference
    # The locked window is the home's last two years, of some 252 sessions each.
    assert 480 < evidence["window"]["locked_sessions"] < 510


def test_a_day_runs_in_one_command_and_twice_changes_nothing(trained_home) -> None:
    day = ("run-daily", "--source", "simulated", "--tickers", "SPY,IWM", "--as-of", "2024-11-15")
    first, again = trained_home.json(*day, "--seed", "3"), trained_home.json(*day)
    assert first["signals"] == again["signals"]
    assert [s["session"] for s in first["signals"]] == ["2024-11-15"] * 2
    assert first["settled"] == {"new": 0, "pending": 2, "paper": [], "waits": []}
    assert sum(row["rows_new"] for row in again["fetch"]) == 0
