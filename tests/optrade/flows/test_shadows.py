"""Shadows are recorded beside signals; where a rival fails, a line says so and nothing else."""

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from feature_repo.features.definition_hash import definition_hash
from home.layout import Home, standby_models
from home.records.live_scores import LiveScores, NoLiveScores
from home.served_model import write_checked
from optrade.cli.run import signals as commands
from optrade.cli.train.live import live_words
from optrade.flows.serve import shadows
from optrade.flows.serve.shadows import record_shadows
from optrade.flows.serve.signals import record_signals
from optrade.flows.train.live import Candidate, live_scores
from serving.reading.refusal import Refusal
from tests.serving.conftest import direction_document, write_model
from tests.trading.ledger.test_signals import a_signal, changed
from trading.ledger.outcomes import outcome_of, record_outcomes
from trading.ledger.read import read_signals
from trading.ledger.signals import Ledger

CLOCK = pd.Timestamp("2025-06-30 20:31", tz="UTC")


def version(number: int) -> dict:
    return direction_document(
        definition_hash=definition_hash(), version=number, run_id=f"run{number}"
    )


def said_by(number: int, ticker: str = "SPY") -> Any:
    one = changed(a_signal(ticker, version=number), "provenance.origin", "simulated")
    one = changed(one, "provenance.as_of", CLOCK.isoformat())
    return changed(one, "provenance.models.direction.run_id", f"run{number}")


class Rivals:
    """A home in which version 2 answers beside version 1, or refuses to."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def shadow_for(self, signal: Any, as_of: pd.Timestamp) -> Any:
        assert as_of == CLOCK
        if self.error is not None:
            raise self.error
        return said_by(2, signal.ticker)


@pytest.fixture
def rivals(monkeypatch: pytest.MonkeyPatch) -> Rivals:
    found = Rivals()
    monkeypatch.setattr(shadows, "_opened", lambda _: found)
    return found


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """A home in which version 1 of the direction of SPY serves, and version 2 stands by."""
    made = SimpleNamespace(home=Home(tmp_path))
    write_model(made.home.models, version(1))
    path = standby_models(made.home.models, "direction_SPY") / "2.json"
    write_checked(path, json.dumps(version(2)).encode())
    return made


def test_a_shadow_is_recorded_beside_its_signal_once(run: Any, rivals: Rivals, capsys: Any) -> None:
    given = [said_by(1), said_by(1, "QQQ")]  # no version of QQQ stands by
    record_signals(run, given)
    (found,) = record_shadows(run, given)
    assert (found.kept.number, found.kept.new, found.why_none) == (3, True, None)
    assert [row.number for row in read_signals(run.home.ledger)] == [1, 2]
    assert [row.shadow for row in read_signals(run.home.ledger, shadows=True)][2:] == [True]
    commands._tell_shadows(run, given, as_json=False)
    told = capsys.readouterr()
    assert told.out.startswith("SPY: beside it direction version 2 (logistic), regime version 1")
    assert (told.out.strip().endswith("UTC says the same"), told.err) == (True, "")


def test_a_rival_that_fails_is_a_line_and_the_signal_stays(
    run: Any, rivals: Rivals, capsys: Any
) -> None:
    record_signals(run, [said_by(1)])
    rivals.error = Refusal("null_features", "1 of 9 features have no value: hv_20")
    commands._tell_shadows(run, [said_by(1)], as_json=False)
    told = "no shadow recorded: null_features: 1 of 9 features have no value: hv_20"
    assert capsys.readouterr() == ("", f"optrade: SPY: {told}\n")
    path = standby_models(run.home.models, "direction_SPY") / "2.json"
    path.write_bytes(path.read_bytes()[:-1])
    commands._tell_shadows(run, [said_by(1)], as_json=True)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("optrade: SPY: no shadow recorded: 2.json is damaged: ")
    assert len(read_signals(run.home.ledger, shadows=True)) == 1


def test_a_ledger_that_takes_no_shadow_is_a_line(run: Any, rivals: Rivals) -> None:
    run.home.ledger.parent.mkdir(parents=True)
    run.home.ledger.write_bytes(b"not a database, but long enough to be read as one" * 20)
    (found,) = record_shadows(run, [said_by(1)])
    assert found.kept is None
    assert "is not a database" in found.why_none


def test_both_are_scored_on_what_the_ledger_holds(run: Any, rivals: Rivals) -> None:
    assert isinstance(live_scores(run, "direction_SPY"), NoLiveScores)
    assert "nothing is recorded yet: `optrade signal-all" in live_words(
        live_scores(run, "direction_SPY")
    )
    record_signals(run, [said_by(1)])
    missing = live_words(live_scores(run, "direction_SPY"))
    assert "no session that version 2 (logistic) and version 1 (logistic), which serves" in missing
    record_shadows(run, [said_by(1)])
    assert "0 sessions that both answered in time are settled, 1 more wait" in live_words(
        live_scores(run, "direction_SPY")
    )
    came = [outcome_of(said_by(number), "2025-07-08", 0.02, 20.0) for number in (1, 2)]
    record_outcomes(run.home.ledger, came, CLOCK)
    found = live_scores(run, "direction_SPY")
    assert isinstance(found, LiveScores)
    assert (found.rival.version, found.serves.version, found.n) == (2, 1, 1)
    assert found.log_loss.difference == 0.0
    assert live_words(found).endswith(
        "right on 100% of 1 beside 100%, +0.0 points (no interval below 60 sessions); log loss "
        "0.4308 beside 0.4308, +0.0000 (no interval below 60 sessions): nothing is shown yet"
    )
    assert LiveScores.parse(found.document(), "the same") == found


@pytest.mark.parametrize("table", ["signals", "outcomes"])
def test_damaged_rows_leave_the_others_their_scores(run: Any, rivals: Rivals, table: str) -> None:
    for session in ("2025-06-27", "2025-06-30"):
        at = pd.Timestamp(f"{session} 20:40", tz="UTC")
        said = [changed(said_by(number), "session", session) for number in (1, 2)]
        given = [changed(one, "provenance.as_of", at.isoformat()) for one in said]
        with Ledger(run.home.ledger) as ledger:
            for number, one in enumerate(given):
                ledger.record(one, at, shadow=number == 1)
        came = [outcome_of(one, "2025-07-08", 0.02, 20.0) for one in given]
        record_outcomes(run.home.ledger, came, CLOCK)
    whole = live_scores(run, "direction_SPY")
    assert (whole.sessions, whole.damaged) == (2, 0)
    with sqlite3.connect(run.home.ledger) as connection:
        connection.execute(f"UPDATE {table} SET sha256 = 'x' WHERE rowid = 1")  # noqa: S608 - of two
    connection.close()
    found = live_scores(run, "direction_SPY")
    assert (found.sessions, found.damaged) == (1, 1)
    assert "damaged rows left out: 1 (`optrade doctor` names them)" in live_words(found)


def test_why_two_are_not_scored_is_said(run: Any) -> None:
    assert live_scores(run, "distribution_SPY") is None
    assert "no direction model for QQQ" in live_words(live_scores(run, "direction_QQQ"))
    other = live_words(live_scores(run, "direction_SPY", Candidate(7, None, "run7")))
    assert "nothing is recorded yet" in other
    standing = standby_models(run.home.models, "direction_SPY") / "2.json"
    standing.unlink()
    assert "no other version stands by" in live_words(live_scores(run, "direction_SPY"))
    run.home.ledger.parent.mkdir(parents=True)
    run.home.ledger.write_bytes(b"not a database, but long enough to be read as one" * 20)
    spoiled = live_words(live_scores(run, "direction_SPY", Candidate(7, None, "run7")))
    assert "is not a database" in spoiled


@pytest.mark.parametrize(
    ("interval", "words"),
    [([-0.4, -0.1], "the rival is better"), ([0.1, 0.4], "what serves is better"),
     ([-0.1, 0.2], "neither is shown to be better"), (None, "nothing is shown yet")],
)  # fmt: skip
def test_what_an_interval_shows_is_said(interval: list[float] | None, words: str) -> None:
    figure = {"serves": 0.6, "rival": 0.5, "difference": -0.1, "interval": interval}
    found = LiveScores.parse(
        {
            "name": "regime_SPY", "task": "regime", "ticker": "SPY",
            "serves": {"version": 1, "model": "paths"}, "rival": {"version": 2, "model": None},
            "sessions": 80, "waiting": 0, "n": 70, "share_right": figure, "log_loss": figure,
            "interval_from": 60,
        },
        "scores",
    )  # fmt: skip
    told = live_words(found)
    assert told.endswith(f": {words}")
    assert "version 2 (type unknown) beside version 1 (paths), which serves" in told
