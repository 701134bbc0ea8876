"""The audits as commands, and a training that a leak stops."""

import pytest

pytestmark = pytest.mark.integration


def test_a_planted_leak_is_found_and_stops_training(optrade) -> None:
    optrade(
        "ingest", "--source", "simulated", "--seed", "3", "--tickers", "SPY",
        "--as-of", "2024-11-15", "--plant-leak",
    )  # fmt: skip
    found = optrade("audit", "lookahead", "--tickers", "SPY", "--cuts", "3", code=1)
    assert "returns_1d" in found.stdout
    stopped = optrade("train", "--ticker", "SPY", code=2)
    (line,) = stopped.stderr.splitlines()
    assert "look-ahead" in line
    assert "technical:returns_1d" in line
    assert not (optrade.home / "models" / "serving").exists()


def test_a_home_in_order_passes_every_audit(trained_home) -> None:
    trained_home("signal-all", "--tickers", "SPY,IWM", "--record")
    ticker = ("--tickers", "SPY,IWM")
    assert trained_home.json("audit", "lookahead", *ticker, "--cuts", "5")["findings"] == 0
    assert trained_home.json("audit", "warmup", *ticker)["findings"] == 0
    parity = trained_home.json("audit", "parity", *ticker, "--sessions", "5")
    assert parity["mismatches"] == 0
    assert parity["online"]["compared"] > 300
    assert parity["signals"]["compared"] >= 8  # of every signal that the home has recorded
