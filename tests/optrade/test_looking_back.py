"""settle, drift, promote and doctor on a home made by the commands."""

import json

import pytest

from tests.pages import loads

pytestmark = pytest.mark.integration


def test_settle_waits_for_five_sessions_and_writes_once(optrade) -> None:
    ingest = ("ingest", "--source", "simulated", "--tickers", "SPY", "--as-of")
    optrade(*ingest, "2024-11-08")
    optrade("train-all", "--tickers", "SPY", "--models", "logistic", "--period", "6y")
    optrade("signal-all", "--tickers", "SPY", "--record")
    early = optrade.json("settle")
    assert [row["key"]["session"] for row in early["pending"]] == ["2024-11-08"]
    assert "2024-11-15" in early["pending"][0]["reason"]
    optrade(*ingest, "2024-11-15")
    (outcome,) = optrade.json("settle")["new"]
    assert outcome["end_session"] == "2024-11-15"
    assert outcome["label"] in ("UP", "DOWN", "FLAT")
    again = optrade.json("settle")
    assert (again["new"], again["settled_before"]) == ([], 1)


def test_without_a_ledger_there_is_nothing_to_settle(optrade, trained_home) -> None:
    for home in (optrade, trained_home):
        (home.home / "data" / "ledger.db").unlink(missing_ok=True)
        (line,) = home("settle").stdout.splitlines()
        assert line.startswith("nothing to settle")
        assert "optrade signal-all --record" in line
        settled = home.json("settle")
        assert set(settled) == {
            "new", "settled_before", "pending", "structures", "held", "paper", "waits",
            "shadows",
        }  # fmt: skip
        assert not any(settled.values())
        assert not (home.home / "data" / "ledger.db").exists()


DAY = ("run-daily", "--source", "simulated", "--tickers", "SPY", "--as-of", "2024-11-08")


def test_a_day_of_a_fresh_home_runs_twice(optrade) -> None:
    """It has no model: the day's other steps are done, and one line says what is missing."""
    for _ in range(2):
        done = optrade(*DAY, "--json", code=2)
        day = json.loads(done.stdout)
        assert day["online"]["published"] is True
        assert day["settled"] == {"new": 0, "pending": 0, "paper": [], "waits": []}
        (answer,) = day["signals"]
        assert (answer["ticker"], answer["error"]) == ("SPY", "model_missing")
        *_, line = done.stderr.splitlines()
        assert line == "optrade: no model is trained in this home yet: run `optrade train-all`"
    assert "Traceback" not in optrade(*DAY, code=2).stderr


def test_tickers_are_answered_one_by_one(trained_home) -> None:
    done = trained_home("signal-all", "--tickers", "SPY,QQQ,IWM", "--json", code=3)
    answers = json.loads(done.stdout)
    assert [row["ticker"] for row in answers] == ["SPY", "QQQ", "IWM"]
    assert [row.get("error") for row in answers] == [None, "model_missing", None]
    *_, line = done.stderr.splitlines()  # before it may stand that the store was filled
    assert line.startswith("optrade: QQQ: model_missing: ")
    shown = trained_home("signal-all", "--tickers", "SPY,QQQ,IWM", code=3)
    assert "IWM" in shown.stdout


def test_a_source_that_is_not_named_is_the_home_s_own(trained_home, optrade) -> None:
    own = ("--tickers", "SPY", "--seed", "3", "--as-of", "2024-11-15")
    assert {row["rows_new"] for row in trained_home.json("fetch-all", *own)["fetch"]} == {0}
    assert "optrade ingest --source simulated" in optrade("ingest", code=2).stderr


def test_drift_reports_every_feature_of_the_model_views(trained_home) -> None:
    report = trained_home.json("drift", "--ticker", "SPY", "--sessions", "63")
    assert report["current"]["rows"] == 63
    assert report["reference"]["rows"] > 1000
    assert len(report["features"]) == 140
    for row in report["features"]:
        assert {"name", "view", "psi", "alarm_level", "null_share"} <= set(row)
    folder = trained_home.home / "reports" / "drift" / "SPY"
    assert json.loads((folder / "drift.json").read_text()) == report
    assert (folder / "index.html").stat().st_size < 8_000_000
    assert f"lert: {report['alarmed']} of {report['compared']} features are alarmed" in (
        trained_home("drift", "--ticker", "SPY", "--sessions", "63").stdout
    )


def test_drift_without_a_model_says_what_to_run(trained_home) -> None:
    assert "optrade train" in trained_home("drift", "--ticker", "QQQ", code=2).stderr


def test_promote_refuses_noise_and_records_force(trained_home) -> None:
    # The transition table can be no better than itself.
    train = ("train-volatility", "--ticker", "IWM", "--period", "6y", "--model-type", "table")
    assert trained_home.json(*train)["alias"] == "challenger"
    refused = trained_home("promote", "--name", "regime_IWM", code=2)
    assert "unproven: " in refused.stderr
    assert refused.stdout.startswith("regime_IWM, live: "), "before the gate's answer"
    forced = trained_home.json("promote", "--name", "regime_IWM", "--force")
    assert forced["forced"] is True
    assert forced["live"]["name"] == "regime_IWM"
    serving = trained_home.home / "models" / "serving" / "regime_IWM.json"
    assert json.loads(serving.read_text())["alias"] == "champion"


def test_a_trial_of_what_is_trained_by_default_changes_nothing_that_serves(trained_home) -> None:
    """Decision 22: paths, pooled and with history."""
    folder = trained_home.home / "models" / "serving"
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    tried = trained_home.json("train-volatility", "--ticker", "SPY", "--period", "6y", "--trial")
    assert (tried["model"], tried["alias"]) == ("paths", None)
    assert (tried["settings"]["pooled"], tried["settings"]["history"]) == (True, True)
    assert tried["verdict"]["words"].endswith("a trial: what serves stays")
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before


def test_the_model_type_stands_in_every_table(trained_home) -> None:
    trained = trained_home(
        "train-all", "--tickers", "IWM", "--models", "table", "--period", "6y", "--trial"
    ).stdout
    assert "regime_IWM" in trained
    assert "table" in trained
    shown = trained_home("signal-all", "--tickers", "SPY,IWM").stdout
    assert "direction by" in shown
    (signal,) = trained_home.json("signal-all", "--tickers", "IWM")
    models = signal["provenance"]["models"]
    assert models["direction"]["model"] in ("logistic", "class_prior", "coin")
    assert models["regime"]["model"] in ("paths", "table")


def test_doctor_knows_an_empty_home_and_a_full_one(optrade, trained_home) -> None:
    empty = {row["check"]: row for row in optrade.json("doctor")}
    assert empty["data"]["level"] == "warning"
    assert "optrade ingest" in empty["data"]["found"]
    full = {row["check"]: row["level"] for row in trained_home.json("doctor")}
    assert set(full.values()) == {"ok"}


def test_doctor_fails_on_a_broken_manifest(optrade) -> None:
    data = optrade.home / "data"
    data.mkdir(parents=True)
    (data / "manifest.json").write_text("{")
    findings = json.loads(optrade("doctor", "--json", code=1).stdout)
    assert "manifest" in next(row["found"] for row in findings if row["level"] == "error")


def test_live_without_a_network_names_what_is_stale(optrade, monkeypatch) -> None:
    # A proxy that nobody listens on: every vendor is down, here as on a machine with a network.
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    done = optrade("ingest", "--source", "live", "--tickers", "SPY", code=3)
    assert any("prices of SPY did not land" in line for line in done.stderr.splitlines())


def test_no_page_of_a_home_loads_anything_from_elsewhere(trained_home) -> None:
    trained_home("drift", "--ticker", "SPY")
    pages = sorted(trained_home.home.rglob("*.html"))
    assert {page.relative_to(trained_home.home).parts[:2] for page in pages} >= {
        ("reports", "models"),
        ("reports", "drift"),
    }
    for page in pages:
        assert loads(page.read_text("utf-8")) == [], page
