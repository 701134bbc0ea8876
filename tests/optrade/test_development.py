"""Commands of those who develop models: a diagnosis, the locked window, past champions."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from market.errors import InputError
from optrade.cli import app
from optrade.flows.train.champions import Version
from training.locked.run import EXPERIMENT
from training.registry.tracking_database import open_client

pytestmark = pytest.mark.integration
Ask = Callable[..., Any]


@pytest.fixture
def run(trained_home) -> Callable[..., str]:
    """Runs a command in this process, and returns what it printed; what it raises is raised."""

    def invoke(*words: str) -> str:
        done = CliRunner().invoke(
            app, words, env={"OPTRADE_HOME": str(trained_home.home)}, catch_exceptions=False
        )
        return done.stdout

    return invoke


@pytest.fixture
def ask(run: Callable[..., str]) -> Ask:
    return lambda *words: json.loads(run(*words, "--json"))


def test_a_diagnosis_stays_before_the_locked_window(ask: Ask, run: Callable[..., str]) -> None:
    regime = ("diagnose", "--ticker", "SPY", "--task", "regime", "--period", "3y")
    found = ask(*regime)
    assert found["window"]["end"] == "2022-11-08", "whose label is known before the window"
    assert found["window"]["locked_sessions"] == 0
    assert len(found["learning_curve"]) == 5
    assert found["audit"]["findings"] == 0
    assert not any(row["reads_later_sessions"] for row in found["features"])
    assert len(found["features"]) == len(found["drift"]) >= 27
    shown = run(*regime, "--end", "2022-12-02")
    assert "to 2022-11-25, 753 sessions, of which 7 in the locked window" in shown
    for title in ("learning curve", "single features", "drift", "worst days"):
        assert title in shown


def test_the_locked_window_is_opened_once(ask: Ask, trained_home) -> None:
    family = ("--task", "regime", "--model", "table", "--ticker", "SPY")
    assert ask("locked", "list") == []
    (opened,) = ask("locked", "open", *family)
    window = opened["result"]["window"]
    assert window["start"] == "2022-11-16"
    assert window["end"] == "2024-11-08", "the last session whose label is known"
    assert opened["result"]["baselines"].keys() >= {"transition_table", "persistence"}
    with pytest.raises(InputError, match="opened for regime table SPY") as refused:
        ask("locked", "open", *family)
    assert f"{opened['result']['gate']['value']:.4f}" in str(refused.value)
    assert ask("locked", "list") == [opened]
    client = open_client(trained_home.home / "mlruns")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id == opened["run_id"]
    with pytest.raises(InputError, match="--task: got 'weather', allowed are direction, regime"):
        ask("locked", "open", "--task", "weather", "--model", "x", "--ticker", "SPY")


def test_what_serves_is_told_beside_the_champions(
    ask: Ask, run: Callable[..., str], trained_home
) -> None:
    shown = run("champions")
    assert "what serves" in shown
    client = open_client(trained_home.home / "mlruns")
    for model in ask("champions"):
        file = trained_home.home / "models" / "serving" / f"{model['name']}.json"
        document = json.loads(file.read_text())
        expected = {name: document[name] for name in ("version", "model", "alias")}
        assert model["serves"] == {**expected, "standing": document["evidence"]["standing"]}
        assert model["refused"] is None
        aliases = client.get_registered_model(model["name"]).aliases
        scored = not model["name"].startswith("distribution")
        assert (f"{model['name']}, live: " in shown) is (model["live"] is not None) is scored
        challenger = model["challenger"] and model["challenger"]["version"]
        assert challenger == aliases.get("challenger")


def test_a_session_before_every_champion_is_one_line(run: Callable[..., str]) -> None:
    assert run("champions", "--session", "2010-01-04").splitlines() == [
        "no champion in session 2010-01-04: `optrade champions` says since when"
    ]


def test_how_a_version_serves_is_said_in_words() -> None:
    assert Version(1, "logistic", "champion", "proven").words == "champion, proven"
    capped = "challenger, unproven, at most half size"
    assert Version(2, "trees", "challenger", "unproven").words == capped
    assert Version(3, "coin", "baseline", "unproven").words == "baseline: no model is better"
    unknown = "champion, standing unknown, at most half size"
    assert Version(4, None, "champion", None).words == unknown


def test_past_champions_are_told_by_session(ask: Ask) -> None:
    known = {model["name"] for model in ask("champions")}
    assert known >= {"direction_SPY", "regime_SPY", "direction_IWM", "regime_IWM"}
    ask("promote", "--name", "direction_IWM", "--force")
    one = ("champions", "--name", "direction_IWM")
    reign = ask(*one)[0]["reigns"][-1]
    assert reign["first_session"] == "2024-11-15", "by the clock of the home"
    assert ask(*one, "--session", "2024-11-15")[0]["champion"] == reign["version"]
    assert ask(*one, "--session", "2024-11-15")[0]["model"] == reign["model"] == "logistic"
    assert ask(*one, "--session", "2024-11-14")[0]["champion"] is None
    with pytest.raises(InputError, match="not an XNYS session: got 2024-11-16"):
        ask("champions", "--session", "2024-11-16")
