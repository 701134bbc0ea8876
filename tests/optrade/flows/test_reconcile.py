"""What live did, by the ledger; and what a session is called whose rungs are not all there."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from home.layout import Home
from home.records.signal import SignalKey
from market.calendar import close
from market.errors import InputError
from optrade.cli.run import reconcile as command
from optrade.flows.paper import book as flow
from optrade.flows.paper import structures
from optrade.flows.reconcile import reconcile as reconciling
from optrade.flows.reconcile.again import Again
from optrade.flows.reconcile.climb import climbed
from optrade.flows.reconcile.lived import clock_of, live_side
from optrade.flows.reconcile.reconcile import reconcile
from optrade.flows.reconcile.rows import changes, with_later
from optrade.flows.reconcile.scene import Scene
from optrade.flows.replay import row
from serving.answer.boards import PRICED_WITH
from serving.reading.row import FeatureRow, Quoted
from tests.trading.paper.books import AT, HISTORY, SESSION, after, changed, signal
from tests.trading.structures.quoted import spy_chain
from trading.backtest.policies import Said
from trading.backtest.result import Asked, Rules
from trading.ledger.read import each_signal, recorded_events, settled_structures
from trading.ledger.signals import Ledger
from trading.paper.walks import until
from trading.reconcile.ladder import Ladder, Waiting, cents_of

CLOSE = Rules(fill="close")
LAST = len(HISTORY.days) - 1
NAN = float("nan")


def day(at):
    return str(HISTORY.days[at].date())


def said(*places):
    """Return forecasts by which the matrix takes bear put spreads at some sessions."""
    count = len(HISTORY.days)
    direction, regime = np.full(count, -1), np.full(count, -1)
    direction[list(places)], regime[list(places)] = 0, 1  # DOWN, NORMAL
    sure = np.full(count, 0.9)
    return Said(direction, sure, regime, sure, np.zeros(count, np.bool_))


def asked(*places, history=HISTORY):
    calls = Said(*(values[: len(history.days)] for values in vars(said(*places)).values()))
    return Asked(history, calls, np.empty(0), lambda _: None)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A home whose closes are those of the made-up history, and whose signals are made again."""
    now = pd.Timestamp("2030-01-02 12:00", tz="UTC")
    found = SimpleNamespace(home=Home(tmp_path), now=now, then=HISTORY, again=None)

    def known(_data, tickers, first, as_of, known_by=None):
        whole = HISTORY if known_by is None else found.then
        return {ticker: until(whole, str(as_of.date())) for ticker in tickers}, {}

    for room in (flow, structures, reconciling):
        monkeypatch.setattr(room, "histories_of", known)
    monkeypatch.setattr(
        reconciling, "made_again", lambda _run, one, **_: found.again or same(one.structure)
    )
    return found


def same(one):
    """Return a signal's position, made again from the same data."""
    beside = {
        "sma_20": HISTORY.closed[AT], "price_to_sma_20": 0.0, "vix_close": HISTORY.index[AT],
        "vix_term_slope": HISTORY.long_index[AT] - HISTORY.index[AT], "treasury_3m": 4.0,
    }  # fmt: skip
    row = FeatureRow("SPY", HISTORY.days[AT], {}, {}, beside=beside)
    return Again(one, one, one, one, row)


def recorded(run, *signals, **fields):
    with Ledger(run.home.ledger) as ledger:
        for one in signals:
            ledger.record(one, after(AT), **fields)


def settle(run, at=LAST):
    structures.settle_structures(run, each_signal(run.home.ledger), after(at))


def test_a_home_whose_backtest_says_the_same_finds_nothing(run):
    recorded(run, signal("Bear Put Spread"))
    settle(run)
    found = reconcile(run, {"SPY": asked(AT)}, CLOSE)
    (one,) = found.ladders
    assert one.steps == ()
    assert one.live == cents_of(settled_structures(run.home.ledger)[0][0].profit) != 0
    assert found.words().endswith("the same, session by session")


def test_what_the_code_says_otherwise_is_neither_late_nor_corrected(run):
    recorded(run, signal("Bear Put Spread"))
    settle(run)
    run.then = changed(HISTORY, AT + 1, closed=HISTORY.closed[AT] * 1.5)  # as the settlement saw
    (one,) = reconcile(run, {"SPY": asked(AT)}, CLOSE).ladders
    causes = [step.cause for step in one.steps]
    assert causes == ["calculated otherwise", "data corrected since"]
    run.then = until(HISTORY, day(AT + 1))  # what was known does not say what it came to
    (one,) = reconcile(run, {"SPY": asked(AT)}, CLOSE).ladders
    assert one.steps == ()


def test_what_cannot_be_made_again_is_one_cause_with_its_whole_difference(run, monkeypatch):
    recorded(run, signal("Iron Condor"))
    settle(run)

    def gone(*_, **__):
        raise InputError("model gone: direction_SPY version 1")

    monkeypatch.setattr(reconciling, "made_again", gone)
    (one,) = reconcile(run, {"SPY": asked(AT)}, CLOSE).ladders
    assert [(step.cause, step.cents) for step in one.steps] == [("cannot be made again", one.apart)]
    assert one.steps[0].note == "model gone: direction_SPY version 1"


def test_what_is_not_known_yet_waits_and_is_in_no_sum(run):
    recorded(run, signal("Bear Put Spread"), signal("Bear Put Spread", ticker="QQQ"))
    found = reconcile(run, {"SPY": asked(AT, LAST)}, CLOSE)
    assert [(one.session, one.why) for one in found.waiting] == [
        (SESSION, "its position is not settled"),
        (day(LAST), "its expiry lies beyond the history"),
    ]
    settle(run)
    early = reconcile(run, {"SPY": asked(AT - 3)}, CLOSE)
    assert [one.why for one in early.waiting] == ["the backtest has no forecast of it yet"]
    (one,) = reconcile(run, {"SPY": asked(AT - 3, AT + 3)}, CLOSE, end=SESSION).ladders
    assert (one.backtest, [step.cause for step in one.steps]) == (0, ["not in the backtest"])


def test_sessions_without_a_signal_are_missed_between_the_first_and_the_last_asked_for(run):
    recorded(run, signal(None))
    recorded(run, signal("Bear Put Spread", AT + 1), backfilled=True)
    found = reconcile(run, {"SPY": asked(AT - 1, AT, AT + 1, AT + 2)}, CLOSE, end=day(AT + 1))
    first, missed = found.ladders
    assert (first.session, [step.cause for step in first.steps]) == (SESSION, ["another model"])
    assert (missed.live, [step.cause for step in missed.steps]) == (0, ["missed session"])
    assert found.left_out == {"backfilled": 1}
    again = reconcile(run, {"SPY": asked(AT - 1, AT)}, CLOSE, start=day(AT - 1), end=day(AT - 1))
    assert [one.session for one in again.ladders] == [day(AT - 1)]
    short = reconcile(run, {"SPY": asked(5, history=until(HISTORY, day(AT - 1)))}, CLOSE)
    assert [one.why for one in short.waiting] == ["the backtest's window ends before it"]


def test_without_a_signal_in_time_there_is_nothing_to_reconcile(run):
    with pytest.raises(InputError, match="no ledger"):
        reconcile(run, {"SPY": asked(AT)}, CLOSE)
    recorded(run, signal("Bear Put Spread"), backfilled=True)
    recorded(run, signal("Bear Put Spread", version=2), shadow=True)  # nobody follows it
    with pytest.raises(InputError, match="no signal of SPY was recorded in time"):
        reconcile(run, {"SPY": asked(AT)}, CLOSE)


def test_of_two_signals_of_a_session_the_one_that_was_followed_counts(run):
    flow.begin_book(run, 100_000.0, 0.06, after(AT - 1))
    recorded(run, signal("Bear Put Spread", version=1), signal("Iron Condor", version=2))
    flow.take_on(run, after(AT + 2))
    flow.close_trade(run, 1, after(AT + 2))
    side = live_side(run.home.ledger, ["SPY"])
    one = side.lived["SPY", SESSION]
    assert one.signal.key == SignalKey("SPY", SESSION, 1, one.signal.key.regime_version)
    assert (one.acted.fill, one.acted.left) == ("open", day(AT + 2))
    assert side.left_out == {"another recording of its session": 1}
    (found,) = reconcile(run, {"SPY": asked(AT)}, Rules()).ladders
    assert [step.cause for step in found.steps] == ["exit by hand"]
    (found,) = reconcile(run, {"SPY": asked(AT)}, Rules(crossing=0.0)).ladders
    assert [step.cause for step in found.steps] == ["exit by hand", "another cost"]


def test_the_clock_of_a_book_is_that_of_writing_or_of_its_last_session(run):
    flow.begin_book(run, 100_000.0, 0.06, after(AT - 1))
    recorded(run, signal("Bear Put Spread"))
    flow.take_on(run, after(AT + 3))
    events = recorded_events(run.home.ledger)
    one = signal("Bear Put Spread")
    last = events[-1][0].number
    told = {
        origin: clock_of(
            events, last, one.model_copy(update={"provenance": one.provenance.model_copy(
                update={"origin": origin})})
        )
        for origin in ("live", "simulated")
    }  # fmt: skip
    assert told["live"] == pd.Timestamp(events[-1][1])
    following = close(HISTORY.days[[AT + 4]])[0]
    assert told["simulated"] == following - pd.Timedelta(nanoseconds=1)


def test_a_damaged_row_says_nothing_of_its_ticker_and_leaves_the_others(run):
    recorded(run, signal("Bear Put Spread"), signal(None, ticker="QQQ"))
    with closing(sqlite3.connect(run.home.ledger)) as database, database:
        database.execute("UPDATE signals SET strategy = 'x' WHERE ticker = 'SPY'")
    found = reconcile(run, {"SPY": asked(AT), "QQQ": asked(AT)}, CLOSE)
    assert {one.ticker for one in found.ladders} == {"QQQ"}
    assert found.left_out == {"damaged": 1}


@pytest.mark.parametrize("crossing", [1.0, 0.0])
@pytest.mark.parametrize("fill", ["open", "close"])
def test_the_last_rung_is_the_backtests_own(run, fill, crossing):
    recorded(run, signal("Iron Condor"))
    settle(run)
    rules, whole = Rules(fill=fill, crossing=crossing), asked(AT)
    side = live_side(run.home.ledger, ["SPY"])
    scene = Scene.of(whole, rules, np.array([AT]), lambda _: HISTORY, lambda s: same(s.structure))
    found = climbed(scene, side.lived["SPY", SESSION])
    assert isinstance(found, Ladder)
    assert (
        found.backtest
        == scene.backtest(AT)
        == cents_of(float(scene.final["Bear Put Spread"].ends.profit[0]))
    )
    pending = replace(side.lived["SPY", SESSION], cents=None, why="later")
    assert climbed(scene, pending) == Waiting("SPY", SESSION, "later")


ROW = FeatureRow(
    "SPY", HISTORY.days[AT], {"cpi_yoy": 2.0, "rsi_14": 40.0}, {}, beside={"vix_close": NAN},
    carried=("CPIAUCSL 2025-10",), quoted=Quoted("none"),
)  # fmt: skip


def test_what_had_no_value_of_its_own_at_the_clock_is_told_from_what_was_corrected():
    chain = spy_chain()
    now = replace(
        ROW, values={"cpi_yoy": 3.0, "rsi_14": 60.0}, beside={"vix_close": 15.0}, carried=(),
        quoted=Quoted(chain),
    )  # fmt: skip
    later = with_later(ROW, now)
    assert later.values["rsi_14"] == 40.0
    assert later.beside["vix_close"] == 15.0
    assert later.quoted == now.quoted
    assert changes(later, now).startswith("rsi_14 was 40, is 60")
    assert changes(ROW, ROW) == ""
    kept = with_later(ROW, replace(now, carried=ROW.carried))
    assert kept.values["cpi_yoy"] == 2.0
    older = replace(now, quoted=Quoted(replace(chain, bid=chain.bid * 0.9)))
    assert with_later(now, older).quoted == now.quoted
    assert changes(now, older) == "the chain of its session is another"


def test_the_command_prints_the_sum_and_every_ladder(run, monkeypatch, capsys):
    recorded(run, signal("Iron Condor"))
    settle(run)
    run.tickers = lambda: ["SPY"]
    monkeypatch.setattr("optrade.runtime.runtime", lambda: run)
    monkeypatch.setattr(
        "optrade.flows.backtest.run.asked_of_home", lambda *_: {"SPY": asked(AT, AT + 4)}
    )
    command.reconcile(fill="close")
    shown = capsys.readouterr().out
    assert shown.startswith("live ")
    assert "missed session" in shown
    assert "Iron Condor by versions" in shown
    assert shown.rstrip().endswith("2 sessions, 0 pending")
    command.reconcile(fill="close", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert sum(one["cents"] for one in told["causes"]) == told["backtest"] - told["live"]
    assert [len(row["steps"]) for row in told["ladders"]] == [1, 1]
    for given, words in (
        ({"fill": "noon"}, "--fill: got 'noon'"),
        ({"end": "30.6."}, "--end: got '30.6.', allowed is a date such as 2025-06-30"),
    ):
        with pytest.raises(InputError, match=words):
            command.reconcile(**given)


def test_a_signal_is_made_again_with_all_that_prices_its_position(run, monkeypatch):
    monkeypatch.setattr(row, "_row", lambda *_: dict.fromkeys(PRICED_WITH, 5.0))
    models = SimpleNamespace(features=list, distribution=None)
    found = row.row_of(run.home.data, signal("Iron Condor"), models)
    assert found.beside == dict.fromkeys(PRICED_WITH, 5.0)
