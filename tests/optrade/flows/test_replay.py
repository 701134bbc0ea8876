"""A recorded signal made again: the same bytes, or what differs is named."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from feature_repo.features.definition_hash import definition_hash
from home.layout import Home
from home.strict_json import canonical, signed
from market.errors import InputError
from optrade.cli.run import replay as command
from optrade.flows.replay import models, replay
from optrade.flows.replay.models import Gone, distribution_by, named_model
from optrade.flows.replay.replay import differing
from serving.answer.structure import Pricing
from tests.trading.ledger.test_signals import EVENING, a_signal, changed
from tests.trading.paper.books import structure
from trading.ledger.signals import Ledger


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A home with two signals, and models and rows that give whatever `again` says."""
    found = SimpleNamespace(home=Home(tmp_path), again=None)
    found.settings = SimpleNamespace(capital=None, require_edge=False)
    found.pricing = lambda *_, **__: found
    now = changed(a_signal(), "provenance.definition_hash", definition_hash())
    with Ledger(found.home.ledger) as ledger:
        ledger.record(now, EVENING)
        ledger.record(a_signal("QQQ"), EVENING)
    found.again = now
    monkeypatch.setattr(replay, "_models", lambda *_: None)
    monkeypatch.setattr(replay, "row_of", lambda *_: SimpleNamespace(ages={"iv": 0}))
    monkeypatch.setattr(replay, "corrections", lambda *_: [])
    monkeypatch.setattr(replay, "build_signal", lambda *_, **__: found.again)
    monkeypatch.setattr("optrade.runtime.runtime", lambda: found)
    return found


def test_the_same_signal_is_printed_and_ends_well(run: Any, capsys: Any) -> None:
    command.replay(1)
    out = capsys.readouterr()
    assert canonical(json.loads(out.out)) == canonical(run.again.document())
    assert out.err == ""


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("iv_context.iv_rank", 99.0, "data: iv_context.iv_rank was "),
        ("prediction.probability", 0.123, "data or code: prediction.probability was "),
        ("structure.contracts", 9, "capital: structure.contracts was "),
        ("reasoning", "none", "data or code: reasoning was "),
    ],
)
def test_a_field_that_differs_is_named(
    place: str, value: object, words: str, run: Any, capsys: Any
) -> None:
    run.again = changed(run.again, place, value)
    with pytest.raises(typer.Exit) as ended:
        command.replay(1)
    assert ended.value.exit_code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"optrade: signal 1 differs: {words}")


def test_other_definitions_of_features_are_named(run: Any, capsys: Any) -> None:
    with pytest.raises(typer.Exit):
        command.replay(2)
    out = capsys.readouterr()
    assert "differs: feature definitions: recorded" in out.err
    assert out.out == ""


def test_what_cannot_be_made_again_says_why(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise Gone("model gone: direction_SPY version 1")

    monkeypatch.setattr(replay, "_models", gone)
    found = replay.replay(run, 1, Pricing())
    assert (found.again, found.causes) == (None, ("model gone: direction_SPY version 1",))


def test_a_number_without_a_signal_is_refused(run: Any) -> None:
    with pytest.raises(InputError, match="signal 9: the ledger has none, allowed are 1 to 2"):
        replay.replay(run, 9, Pricing())


def test_fields_differ_by_their_places() -> None:
    was, now = {"a": [1, {"b": 2}], "c": None}, {"a": [1, {"b": 3}], "d": [1]}
    assert list(differing(was, now)) == [("a.1.b", 2, 3), ("d", None, [1])]
    assert list(differing(was, was)) == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with the document of one run, as it was registered."""
    monkeypatch.setattr(models, "Artifact", SimpleNamespace(model_validate=lambda found: found))
    document = {"name": "distribution_SPY", "model": "log_har", "version": 3, "alias": None}
    path = tmp_path / "mlruns" / "artifacts" / "run" / "artifacts" / "serving.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(canonical(signed(document)))
    return Home(tmp_path)


def test_a_version_is_found_by_the_hash_of_the_alias_that_it_served_under(home: Home) -> None:
    served = a_signal().provenance.models.direction
    kept = json.loads(next(home.mlruns.rglob("serving.json")).read_bytes())
    sha = signed({**kept, "alias": "champion"})["sha256"]
    wanted = served.model_copy(update={"run_id": "run", "artifact_sha256": sha,
                                       "alias": "champion"})  # fmt: skip
    assert named_model(home, wanted)["version"] == 3
    with pytest.raises(Gone, match="model gone: "):
        named_model(home, wanted.model_copy(update={"alias": "challenger"}))
    next(home.mlruns.rglob("serving.json")).write_text("{")
    with pytest.raises(Gone, match="of run run"):
        named_model(home, wanted)


def test_the_distribution_of_chances_is_found_by_its_version(home: Home) -> None:
    by = SimpleNamespace(model="log_har", version=3, alias="champion")
    assert distribution_by(home, a_signal(), by)["alias"] == "champion"
    by.version = 4
    with pytest.raises(Gone, match="distribution_SPY version 4"):
        distribution_by(home, a_signal(), by)


def test_a_structure_without_chances_says_again_why() -> None:
    one = structure("Iron Condor").model_copy(update={"notes": ["its chances are unknown: no x"]})
    signal = a_signal().model_copy(update={"structure": one})
    assert replay._distribution(None, signal) == (None, "no x")
    assert replay._distribution(None, signal.model_copy(update={"structure": None})) == (None, None)


@pytest.mark.integration
def test_a_home_gives_its_signals_again_byte_for_byte(copied: Any) -> None:
    (copied.home / "data" / "ledger.db").unlink(missing_ok=True)
    said = copied("signal", "--ticker", "SPY", "--record", "--json")
    assert "SPY: recorded as signal 1" in said.stderr.splitlines()
    assert copied("replay", "1").stdout == said.stdout
    past = copied.json("backfill", "--tickers", "SPY", "--start", "2024-10-01", "--end",
                       "2024-10-11", "--period", "6y")  # fmt: skip
    assert [(one["written"], one["kept"]) for one in past["backfilled"]] == [(9, 0)]
    assert past["settled"] == 9
    number = 6 + said.stderr.count("recorded as ")  # the sixth that is new
    late = json.loads(copied("replay", str(number)).stdout)
    assert late["session"] == "2024-10-08"
    for model in late["provenance"]["models"].values():
        assert (model["alias"], model["version"]) == ("walk-forward", 0)
    again = copied.json("backfill", "--tickers", "SPY", "--start", "2024-10-08", "--end",
                        "2024-10-14", "--period", "6y")  # fmt: skip
    assert [(one["written"], one["kept"], one["other"]) for one in again["backfilled"]] == [
        (1, 4, 0)
    ]
    for folder in ("models", "mlruns"):
        for path in (copied.home / folder).rglob("*.json"):
            path.unlink()
    again = copied("replay", "1", code=1)
    assert "signal 1 differs: model gone: " in again.stderr
    assert again.stdout == ""
