"""Bad input gets one clear line on stderr and exit code 2, and nothing is half-written."""

import sys
from pathlib import Path

import pytest

from optrade.cli import main

SIMULATED = ("--source", "simulated")
CASES = {
    "unknown command": (("trian",), "trian"),
    "unknown flag": (("train", "--ticker", "SPY", "--colour", "red"), "--colour"),
    "missing flag": (("train",), "--ticker"),
    "unknown ticker": (("ingest", *SIMULATED, "--tickers", "SPY,NOPE"), "'NOPE', allowed are SPY"),
    "no ticker": (("ingest", *SIMULATED, "--tickers", " , "), "allowed are SPY, QQQ, IWM"),
    "path-like ticker": (("signal", "--ticker", "../SPY"), "'../SPY', allowed are SPY"),
    "unknown source": (("ingest", "--source", "bloomberg"), "'bloomberg', allowed are"),
    "recorded without folder": (("ingest", "--source", "recorded"), "--recorded-dir"),
    "folder without recorded": (
        ("ingest", *SIMULATED, "--recorded-dir", "x"),
        "--recorded-dir goes with --source recorded",
    ),
    "no such folder": (
        ("ingest", "--source", "recorded", "--recorded-dir", "nowhere"),
        "nowhere",
    ),
    "strength out of range": (
        ("ingest", *SIMULATED, "--signal-strength", "2"),
        "signal strength: got 2.0",
    ),
    "negative seed": (("ingest", *SIMULATED, "--seed", "-1"), "--seed"),
    "no sentiment in an empty home": (("train", "--ticker", "SPY", "--sentiment"), "--sentiment"),
    "no earnings in an empty home": (("train", "--ticker", "SPY", "--earnings"), "--earnings"),
    "unknown mode": (
        ("train-volatility", "--ticker", "SPY", "--mode", "oracle"),
        "allowed are classification and regression",
    ),
    "unknown models": (("train-all", "--models", "paths,oracle"), "'oracle'"),
    "unknown model": (("train", "--ticker", "SPY", "--model-type", "oracle"), "'oracle'"),
    "no features": (("train", "--ticker", "SPY", "--n-features", "0"), "--n-features"),
    "empty home, train": (("train", "--ticker", "SPY"), "optrade ingest"),
    "empty home, signal": (("signal", "--ticker", "SPY"), "optrade ingest"),
    "empty home, materialize": (("materialize",), "optrade ingest"),
    "empty home, features": (("build-features",), "optrade ingest"),
    "bad clock": (("ingest", *SIMULATED, "--as-of", "yesterday-ish"), "--as-of"),
    "clock without zone": (("ingest", *SIMULATED, "--as-of", "2024-11-15 12:00"), "zone"),
    "no session": (("ingest", *SIMULATED, "--as-of", "2024-11-16"), "not an XNYS session"),
    "backtest without data": (("backtest", "--tickers", "SPY"), "run `optrade ingest"),
    "backtest filled at no time": (("backtest", "--fill", "noon"), "allowed are open and close"),
    "schedule is not built": (("schedule",), "optrade run-daily"),
    "schedule with flags": (("schedule", "--json", "SPY"), "schedule --json SPY: not in"),
    "a capital without end": (
        ("signal", "--ticker", "SPY", "--capital", "1e400"),
        "--capital': got inf, allowed is a finite number from 1",
    ),
    "bad port": (("redis", "start", "--port", "99999"), "--port"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_clear_line_and_nothing_written(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments, said = CASES[case]
    monkeypatch.setenv("OPTRADE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["optrade", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    out, error = capsys.readouterr()
    lines = error.strip().splitlines()
    assert len(lines) == 1, error
    assert lines[0].startswith("optrade: ")
    assert said in lines[0]
    assert not out
    assert not [p for p in tmp_path.rglob("*") if p.suffix in (".parquet", ".json", ".db")]


@pytest.mark.integration
def test_training_window_errors(trained_home) -> None:
    for arguments, said in (
        (("--period", "5 fortnights"), "lengths such as 5y"),
        (("--start", "2024-13-01"), "no day of the calendar"),
        (("--start", "2030-01-01"), "holds no session"),
        (("--period", "3mo"), "sessions"),
    ):
        done = trained_home("train", "--ticker", "SPY", *arguments, code=2)
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.integration
def test_a_home_keeps_its_origin(trained_home, recorded_dir: Path) -> None:
    done = trained_home(
        "ingest", "--source", "recorded", "--recorded-dir", str(recorded_dir), code=2
    )
    assert "simulated" in done.stderr
    assert "recorded" in done.stderr


@pytest.mark.integration
@pytest.mark.parametrize(
    ("variable", "value"), [("OPTRADE_LOG_LEVEL", "loud"), ("OPTRADE_SETTLE_MINUTES", "soon")]
)
def test_bad_environment_is_named(optrade, monkeypatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    assert variable in optrade("train", "--ticker", "SPY", code=2).stderr


@pytest.mark.integration
def test_a_redis_url_with_a_secret_never_shows_it(optrade) -> None:
    named = optrade.under(REDIS_URL="http://user:hunter2@localhost:6379")
    done = named("redis", "status", code=2)
    assert "REDIS_URL: got" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
