"""Recording signals: the ledger says when it was written."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from home.layout import Home
from market.errors import StoreUnavailable
from optrade.cli.run import signals as commands
from optrade.flows.serve import signals
from optrade.flows.serve.signals import answer_each, compute_signals, record_signals
from serving.reading.refusal import Refusal
from tests.trading.ledger.test_signals import a_signal, changed
from trading.structures.words import in_words

STARTED, WRITTEN = (pd.Timestamp(f"2025-07-01 {at}", tz="UTC") for at in ("14:00", "14:02"))


def test_a_signal_is_recorded_at_the_time_of_writing_not_at_the_start_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optrade.flows.serve.signals.utc_now", lambda: WRITTEN)
    run = SimpleNamespace(home=Home(tmp_path), now=STARTED)
    assert [row.recorded_at for row in record_signals(run, [a_signal()])] == [WRITTEN]


def test_a_damaged_row_leaves_the_signals_of_the_others_to_be_recorded(tmp_path: Path) -> None:
    run = SimpleNamespace(home=Home(tmp_path))
    record_signals(run, [a_signal()])
    with closing(sqlite3.connect(run.home.ledger)) as database, database:
        database.execute("UPDATE signals SET strategy = 'NO TRADE'")
    with pytest.raises(StoreUnavailable, match=r"damaged \(signal SPY 2025-06-30"):
        record_signals(run, [a_signal(), a_signal("QQQ")])
    with closing(sqlite3.connect(run.home.ledger)) as database:
        held = database.execute("SELECT ticker FROM signals ORDER BY id").fetchall()
    assert held == [("SPY",), ("QQQ",)]


def test_signals_are_shown_where_the_ledger_does_not_take_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path)
    home.ledger.parent.mkdir(parents=True)
    home.ledger.write_bytes(b"not a database, but long enough to be read as one" * 20)
    run = SimpleNamespace(home=home, as_of=lambda _: STARTED)
    run.pricing = lambda *_, **__: run
    monkeypatch.setattr("optrade.runtime.runtime", lambda: run)
    monkeypatch.setattr("optrade.flows.train.trained.require_served", lambda _: None)
    monkeypatch.setattr(signals, "answer_each", lambda *_: [a_signal()])
    monkeypatch.setattr(signals, "compute_signals", lambda *_: [a_signal()])
    with pytest.raises(StoreUnavailable, match=r"not all recorded: .*not a database"):
        commands.signal_all("SPY", record=True, as_of=None, as_json=True)
    assert json.loads(capsys.readouterr().out) == [a_signal().document()]
    with pytest.raises(StoreUnavailable, match="not all recorded"):
        commands.signal("SPY", record=True, as_of=None, as_json=True)
    assert json.loads(capsys.readouterr().out) == a_signal().document()


class Overwritten:
    """A home whose rows are refused until they are filled anew, or for good."""

    def __init__(self, error: str, *, for_good: bool = False) -> None:
        self.error, self.for_good, self.filled = error, for_good, 0

    def signal_for(self, ticker: str, as_of: pd.Timestamp) -> str:
        if self.for_good or not self.filled:
            raise Refusal(self.error, "the row is none of ours: run `optrade materialize`")
        return f"{ticker} {as_of.date()}"

    def refill(self, _: object) -> SimpleNamespace:
        self.filled += 1
        return SimpleNamespace(session="2025-06-30")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch):
    def install(home: Overwritten) -> Overwritten:
        monkeypatch.setattr(signals, "_opened", lambda _: home)
        monkeypatch.setattr(signals, "refill", home.refill)
        return home

    return install


@pytest.mark.parametrize("error", ["damaged_row", "foreign_row", "missing_views"])
def test_rows_that_another_wrote_are_filled_anew_once(error: str, opened, capsys) -> None:
    home = opened(Overwritten(error))
    assert compute_signals(None, ["SPY"], STARTED) == ["SPY 2025-07-01"]
    assert home.filled == 1
    said = "the row is none of ours: filled from parquet, session 2025-06-30"
    assert capsys.readouterr().err == f"optrade: {said}\n"
    assert answer_each(None, ["SPY", "IWM"], STARTED) == ["SPY 2025-07-01", "IWM 2025-07-01"]
    assert home.filled == 1


def test_what_filling_does_not_mend_is_refused(opened) -> None:
    home = opened(Overwritten("damaged_row", for_good=True))
    found = answer_each(None, ["SPY", "IWM"], STARTED)
    assert ([row.error for row in found], home.filled) == (["damaged_row"] * 2, 1)
    other = opened(Overwritten("stale", for_good=True))
    with pytest.raises(Refusal, match="none of ours"):
        compute_signals(None, ["SPY"], STARTED)
    assert other.filled == 0


def test_the_table_of_signals_is_narrow_and_says_below_it_why(capsys) -> None:
    given = changed(a_signal(), "provenance.carried", ["CPIAUCSL 2025-10"])
    commands.show_signals([given])
    table, _, below = capsys.readouterr().out.partition(f"SPY: {given.reasoning}\n")
    assert max(map(len, table.splitlines())) <= 120
    for word in ("SPY", "Bull Call Spread", "half", "0.6500", "NORMAL", "0.6860", "logistic"):
        assert word in table
    position, _, carried = below.rstrip("\n").rpartition("\n")
    assert position == f"SPY: {in_words(given.structure)}"
    assert carried == "SPY: carried from the month before: CPIAUCSL 2025-10, never released"


def test_a_signal_without_a_position_says_why(capsys) -> None:
    for note, said in (
        ("the strategy takes no position", "the strategy takes no position"),
        (None, "recorded before positions were priced"),
    ):
        given = changed(changed(a_signal(), "structure", None), "structure_note", note)
        commands.show_signals([given])
        assert capsys.readouterr().out.splitlines()[-1] == f"SPY: no position: {said}"
