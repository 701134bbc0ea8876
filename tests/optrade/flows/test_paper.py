"""The paper book of a home: begun once, taken on at each settlement, kept event by event."""

import json
import os
import signal as signals
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import typer

from home.layout import Home
from home.manifest import Manifest
from home.records.paper import Stopped
from market.errors import InputError, StoreUnavailable
from optrade.cli.run import paper as commands
from optrade.flows.doctor.stores import check_ledger
from optrade.flows.paper import book as flow
from optrade.flows.paper import histories, structures
from optrade.flows.paper.histories import histories_of
from tests.trading.paper.books import AT, HISTORY, after, signal
from trading.backtest.portfolio import CAP
from trading.ledger import writer
from trading.ledger.chain import breaks
from trading.ledger.events import record_events
from trading.ledger.read import each_signal, read_events, read_structure_outcomes
from trading.ledger.signals import Ledger
from trading.paper.book import book_of
from trading.paper.seen import until


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A home whose closes are those of the made-up history, as far as its clock has come."""

    def known(_data: Path, tickers: list[str], _first: str, as_of: Any) -> tuple[dict, dict]:
        day = str(as_of.date())
        return {ticker: until(HISTORY, day) for ticker in tickers if ticker != "IWM"}, {}

    monkeypatch.setattr(flow, "histories_of", known)
    monkeypatch.setattr(structures, "histories_of", known)
    found = SimpleNamespace(home=Home(tmp_path), settings=SimpleNamespace(capital=None))
    found.as_of = lambda given: after(AT if given is None else int(given))
    monkeypatch.setattr("optrade.runtime.runtime", lambda: found)
    return found


def recorded(run: Any, *signals, **fields: bool) -> None:
    with Ledger(run.home.ledger) as ledger:
        for one in signals:
            ledger.record(one, after(AT), **fields)


def settled(run: Any, as_of: Any) -> tuple:
    return structures.settle_structures(run, each_signal(run.home.ledger), as_of)


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_book_follows_what_was_recorded_in_time(run: Any, capsys: Any) -> None:
    recorded(run, signal("Bear Put Spread"))
    recorded(run, signal("Iron Condor", ticker="QQQ"), backfilled=True)
    recorded(run, signal("Iron Condor", ticker="IWM"), shadow=True)
    commands.paper(capital=50_000.0, as_json=True)
    begun = said(capsys)
    assert (begun["capital"], begun["cap"], begun["trades"]) == (5_000_000, CAP, [])
    assert [event["kind"] for event in begun["events"]] == ["begun"]
    commands.paper(as_of=str(AT + 2), as_json=True)
    (trade,) = said(capsys)["trades"]
    assert (trade["ticker"], trade["closed"]) == ("SPY", None)
    commands.paper(as_of=str(AT + 2), as_json=True)
    assert said(capsys)["events"] == []
    commands.positions(as_json=False)
    shown = capsys.readouterr().out
    assert "Bear Put Spread" in shown
    assert "equity" in shown
    taken = flow.take_on(run, after(AT + 9))
    assert taken.book.trades[1].closed.why == "target"
    assert taken.book.unexplained == 0
    assert book_of(read_events(run.home.ledger)) == taken.book
    assert check_ledger(run.home.ledger).level == "ok"
    with closing(sqlite3.connect(run.home.ledger)) as database:
        assert list(breaks(database)) == []


def test_a_book_stays_as_it_was_begun(run: Any) -> None:
    commands.paper(as_json=True)
    with pytest.raises(InputError, match=r"the book began with 100,000\.00 USD and a cap of 6%"):
        commands.paper(capital=5.0)
    with pytest.raises(InputError, match="trade 1 is not open: allowed are none"):
        commands.close(1)


def test_without_a_book_nothing_is_shown_or_closed(run: Any) -> None:
    assert flow.take_on(run, after(AT)) is None
    stopped = lambda: commands.paper(stop_all=True)  # noqa: E731 - one of three questions
    for ask in (commands.positions, lambda: commands.close(1), stopped):
        with pytest.raises(InputError, match="run `optrade paper` to begin one"):
            ask()
    assert not run.home.ledger.exists()


def test_it_can_be_stopped_and_left_by_hand(run: Any, capsys: Any) -> None:
    commands.paper()
    recorded(run, signal("Bear Put Spread"), signal("Iron Condor", ticker="QQQ"))
    commands.paper(as_of=str(AT + 1))
    commands.close(1, as_of=str(AT + 1))
    commands.paper(stop_all=True, as_of=str(AT + 1))
    told = capsys.readouterr().out
    assert "left trade 1, by hand" in told
    assert "left trade 2, stopped" in told
    assert "no signal is followed (`optrade paper --resume`)" in told
    commands.paper(stop_all=False, as_of=str(AT + 1), as_json=True)
    assert said(capsys)["stopped"] is False


def test_a_ticker_without_prices_is_waited_for_and_told(run: Any, capsys: Any) -> None:
    commands.paper()
    recorded(run, signal("Buy Puts", ticker="IWM"))
    commands.paper()
    day = HISTORY.days[AT + 1].date()
    assert f"is followed at the open of {day}" in capsys.readouterr().out
    commands.paper(as_of=str(AT + 1))
    assert f"IWM: waits for the prices of {HISTORY.days[AT + 1].date()}" in capsys.readouterr().out


def test_a_book_that_another_program_took_on_is_not_written_over(run: Any) -> None:
    commands.paper(as_json=True)
    events = read_events(run.home.ledger)
    with pytest.raises(StoreUnavailable, match=r"to event 1 meanwhile: run the command again"):
        record_events(run.home.ledger, events, after(AT))
    assert read_events(run.home.ledger) == events


def test_an_event_that_was_changed_is_named(run: Any) -> None:
    commands.paper(as_json=True)
    with closing(sqlite3.connect(run.home.ledger)) as database, database:
        database.execute("UPDATE paper_events SET cash = 5")
    with pytest.raises(StoreUnavailable, match=r"paper event 1: its bytes are not those"):
        commands.positions()
    assert check_ledger(run.home.ledger).level == "error"


def test_a_book_whose_cash_does_not_add_up_is_named_by_doctor(run: Any) -> None:
    commands.paper(as_json=True)
    (begun,) = read_events(run.home.ledger)
    odd = Stopped(number=2, session=begun.session, cash=0, balance=begun.balance + 1)
    record_events(run.home.ledger, [odd], after(AT))
    finding = check_ledger(run.home.ledger)
    assert finding.level == "error"
    assert "paper book, event 2 (stopped" in finding.found
    with pytest.raises(InputError, match="cents are not"):
        commands.positions()


def test_what_positions_came_to_is_settled_once(run: Any) -> None:
    recorded(run, signal("Bear Put Spread"), signal(None, ticker="QQQ"))
    ended, held, _ = settled(run, after(AT + 2))
    assert (ended, len(held)) == ((), 1)
    assert held[0].reason.startswith("its position is open")
    ended, held, _ = settled(run, after(AT + 9))
    assert (len(ended), held) == (1, ())
    assert settled(run, after(AT + 10)) == ((), (), {})
    assert read_structure_outcomes(run.home.ledger) == list(ended)
    assert check_ledger(run.home.ledger).level == "ok"


def test_a_damaged_outcome_leaves_the_other_tickers_to_be_settled(run: Any) -> None:
    recorded(run, signal("Bear Put Spread"))
    settled(run, after(AT + 9))
    recorded(run, signal("Bear Put Spread", ticker="QQQ"))
    with closing(sqlite3.connect(run.home.ledger)) as database, database:
        database.execute("UPDATE structure_outcomes SET profit = profit + 1000")
        database.execute("UPDATE signals SET probability = 0.7 WHERE ticker = 'SPY'")
    ended, _, damaged = settled(run, after(AT + 9))
    assert [one.ticker for one in ended] == ["QQQ"]
    assert "structure outcome SPY" in damaged["SPY"]
    assert check_ledger(run.home.ledger).found.endswith("; so are 1 rows more")


def test_paper_ends_with_3_where_a_row_is_damaged(run: Any, capsys: Any) -> None:
    commands.paper()
    recorded(run, signal("Bear Put Spread"), signal("Bear Put Spread", ticker="QQQ"))
    with closing(sqlite3.connect(run.home.ledger)) as database, database:
        database.execute("UPDATE signals SET probability = 0.7 WHERE ticker = 'SPY'")
    with pytest.raises(typer.Exit) as ended:
        commands.paper(as_of=str(AT + 1), as_json=True)
    assert ended.value.exit_code == 3
    told = capsys.readouterr().out
    assert '"ticker": "QQQ"' in told
    assert "signal SPY" in told


def killed_before(step: int, course: Any) -> int:
    """Kill a process of its own before a statement or a commit; return what it had acknowledged."""
    read, write = os.pipe()
    if not (child := os.fork()):
        left, engine_of = [step], writer._engine

        def counted(*_: object) -> None:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signals.SIGKILL)

        def counting(connection: sqlite3.Connection) -> Any:
            engine = engine_of(connection)
            for name in ("before_cursor_execute", "commit"):
                writer.sa.event.listen(engine, name, counted)
            return engine

        writer._engine = counting
        try:
            for _ in course():
                os.write(write, b".")
        finally:
            os._exit(1)
    os.close(write)
    assert os.waitpid(child, 0)[1] == signals.SIGKILL
    with os.fdopen(read, "rb") as said:
        return len(said.read())


def course_of(run: Any) -> Any:
    """Yield after each settlement of a fortnight that closed and acknowledged all it wrote."""
    for at in range(AT + 1, AT + 11):
        settled(run, after(at))
        flow.take_on(run, after(at))
        yield at


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize(
    "step",
    [21, *(pytest.param(at, marks=pytest.mark.long) for at in range(0, 50, 2))],
)
def test_a_settlement_that_is_killed_leaves_a_book_that_goes_on(run: Any, step: int) -> None:
    commands.paper(as_json=True)
    recorded(run, signal("Bear Put Spread"), signal("Iron Condor", ticker="QQQ", pricing="chain"))
    days = killed_before(step, lambda: course_of(run))
    assert check_ledger(run.home.ledger).level == "ok"
    book = book_of(read_events(run.home.ledger))  # raises where a cent is not accounted for
    assert book.marked >= str(HISTORY.days[AT + days].date())
    assert len(list(course_of(run))) == 10
    kept = read_events(run.home.ledger)
    outcomes = read_structure_outcomes(run.home.ledger)
    run.home = Home(run.home.root / "unharmed")
    commands.paper(as_json=True)
    recorded(run, signal("Bear Put Spread"), signal("Iron Condor", ticker="QQQ", pricing="chain"))
    assert len(list(course_of(run))) == 10
    assert kept == read_events(run.home.ledger)
    assert outcomes == read_structure_outcomes(run.home.ledger)


def test_a_history_ends_at_the_clock_and_says_what_never_landed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [day.date() for day in HISTORY.days]
    frames = {
        "prices": {"open": HISTORY.opened, "close": HISTORY.closed,
                   "dividend": HISTORY.dividend, "split": HISTORY.split},
        "iv": {"vix_close": HISTORY.index, "vix_term_slope": HISTORY.long_index - HISTORY.index},
        "macro": {"treasury_3m": HISTORY.rate * 100},
    }  # fmt: skip
    rows = {table: pl.DataFrame({"session": days, **columns}) for table, columns in frames.items()}
    keys = dict.fromkeys([("prices", "SPY"), ("iv", "SPY"), ("macro", "US"), ("prices", "QQQ")])
    monkeypatch.setattr(histories, "read_manifest", lambda _: Manifest(entries=keys))
    monkeypatch.setattr(histories, "current_rows", lambda _, table, *__, **___: rows[table])
    found, unread = histories_of(tmp_path, ["SPY", "QQQ"], str(days[AT]), after(AT + 3))
    spy = found["SPY"]
    assert spy.days.equals(HISTORY.days[AT : AT + 4])
    for name in ("opened", "closed", "index", "long_index", "rate"):
        assert getattr(spy, name) == pytest.approx(getattr(HISTORY, name)[AT : AT + 4])
    assert unread == {"QQQ": "QQQ: nothing of iv has landed; run `optrade ingest`"}
