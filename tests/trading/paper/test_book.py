"""Not a cent of a paper book is unexplained, whatever happens in whatever order."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from home.records.paper import Closed, Marked, Opened, paper_event
from home.strict_json import canonical
from market.errors import InputError
from tests.trading.paper.books import (
    AT,
    HISTORY,
    SESSION,
    after,
    changed,
    signal,
    structure,
    without,
)
from trading.backtest.portfolio import CAP
from trading.paper.advance import Advance, advance, begin, leave, resume, stop_all
from trading.paper.book import Book, book_of
from trading.paper.walks import Held, walks
from trading.structures.legs import STRUCTURES

CAPITAL = 1_000_000.0
TICKERS = ("SPY", "QQQ", "IWM")


def begun(capital: float = CAPITAL) -> Book:
    return begin(capital, CAP, after(AT)).book


def on(book: Book, *signals, to: int = AT + 30, of=HISTORY) -> Advance:
    return advance(book, signals, dict.fromkeys(TICKERS, of), HISTORY.days[to])


def kinds(found: Advance) -> list[str]:
    return [event.kind for event in found.events]


def test_a_signal_is_followed_at_the_next_open_and_left_by_its_plan() -> None:
    found = on(begun(), signal("Bear Put Spread"), to=AT + 8)
    opened = found.events[0]
    assert isinstance(opened, Opened)
    assert opened.session == str(HISTORY.days[AT + 1].date())
    legs = 2 * opened.contracts
    assert opened.cash == -round(opened.paid * 100 * 100 * opened.contracts) - 65 * legs
    assert opened.risk <= CAPITAL * 100 * 0.02
    (closed,) = [event for event in found.events if isinstance(event, Closed)]
    assert closed.why in ("target", "stop")
    assert closed.cash == round(closed.worth * 100 * 100 * opened.contracts) - 65 * legs
    book = found.book
    assert book.open == {}
    assert book.cash == book.equity == CAPITAL * 100 + opened.cash + closed.cash
    assert [event.session for event in found.events if isinstance(event, Marked)] == [
        str(day.date()) for day in HISTORY.days[AT + 1 : AT + 9]
    ]


def test_day_by_day_or_at_once_is_the_same_book() -> None:
    signals = [signal("Iron Condor"), signal("Buy Puts", AT + 1, "QQQ")]
    book, told = begun(), []
    for at in range(AT, AT + 31):
        known = on(book, *[one for one in signals if one.session <= str(HISTORY.days[at].date())],
                   to=at)  # fmt: skip
        book, told = known.book, [*told, *known.events]
    once = on(begun(), *signals)
    assert tuple(told) == once.events
    assert book == once.book


def test_one_position_of_an_underlying_and_a_cap_on_all() -> None:
    again = signal("Buy Puts", AT + 1)
    found = on(begun(), signal("Iron Condor"), again, to=AT + 2)
    assert [event.why for event in found.events if event.kind == "passed"] == [
        "a position of SPY is open"
    ]
    found = on(begun(20_000.0), signal("Iron Condor", size="half"), to=AT + 1)
    assert "no room for a contract" in found.events[0].why
    small = begin(CAPITAL, 0.03, after(AT)).book
    both = on(small, signal("Iron Condor"), signal("Iron Condor", ticker="QQQ"), to=AT + 1)
    assert both.book.risk <= 0.03 * CAPITAL * 100
    assert both.book.open[2].opened.contracts < both.book.open[1].opened.contracts


def test_no_signal_is_followed_in_hindsight() -> None:
    late = begin(CAPITAL, CAP, after(AT + 3)).book
    found = on(late, signal("Buy Puts"), signal("Buy Puts", AT + 3), to=AT + 4)
    assert found.events[0].why == "its fill had passed when it was recorded here"
    assert isinstance(found.events[1], Opened)
    at_noon = begin(CAPITAL, CAP, after(AT) + pd.Timedelta(days=3, hours=19)).book
    assert on(at_noon, signal("Buy Puts"), to=AT + 1).events[0].why == (
        "its fill had passed when the book began"
    )


def test_what_is_not_known_yet_is_waited_for_and_a_hole_is_told() -> None:
    from trading.paper.walks import until

    one = signal("Bear Put Spread")
    short = until(HISTORY, str(HISTORY.days[AT + 2].date()))
    found = on(begun(), one, of=short)
    assert found.book.marked == str(HISTORY.days[AT + 2].date())
    assert found.waits == (f"SPY: waits for the prices of {HISTORY.days[AT + 3].date()}",)
    hole = on(found.book, of=without(HISTORY, AT + 3))
    assert "nothing prices the close" in next(
        event for event in hole.events if isinstance(event, Marked)
    ).notes[0]  # fmt: skip
    assert hole.book.open == {}
    assert on(begun(), one, of=without(HISTORY, AT + 1)).events[0].why == "no price at the open"


def test_a_stop_leaves_all_and_follows_none_until_it_is_lifted() -> None:
    histories = dict.fromkeys(TICKERS, HISTORY)
    held = on(begun(), signal("Iron Condor"), signal("Buy Puts", ticker="QQQ"), to=AT + 1).book
    stopped = stop_all(held, histories)
    assert kinds(stopped) == ["closed", "closed", "stopped"]
    passed = on(stopped.book, signal("Buy Puts", AT + 1), to=AT + 2)
    assert passed.events[0].why == "the book is stopped"
    again = on(resume(passed.book).book, signal("Buy Puts", AT + 2), to=AT + 3)
    assert isinstance(again.events[0], Opened)
    left = leave(again.book, 3, histories)
    assert left.events[0].why == "by hand"
    with pytest.raises(InputError, match="trade 3 is not open: allowed are none"):
        leave(left.book, 3, histories)


def test_an_assignment_for_a_dividend_costs_what_the_walk_says() -> None:
    found = on(begun(), signal("Bear Call Spread"), of=rich(), to=AT + 30)
    (assigned,) = [event for event in found.events if event.kind == "assigned"]
    assert assigned.cash < 0
    assert found.book.trades[1].assigned == -assigned.cash
    held = Held(SESSION, structure("Bear Call Spread"), found.book.trades[1].opened.paid,
                found.book.trades[1].opened.exit)  # fmt: skip
    lost = walks(rich(), [held])[0].assigned
    assert -assigned.cash == round(lost * 100) * found.book.trades[1].opened.contracts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": 7}, "event 3 was due"),
        ({"balance": 5}, "cents are not 5"),
        ({"session": "2020-01-02"}, "the book is at"),
    ],
)
def test_an_event_that_does_not_follow_is_refused(change: dict, words: str) -> None:
    events = [*begin(CAPITAL, CAP, after(AT)).events, *on(begun(), signal("Buy Puts")).events]
    with pytest.raises(InputError, match=words):
        book_of([*events[:2], events[2].model_copy(update=change), *events[3:]])


def test_a_price_that_is_not_what_was_paid_is_refused() -> None:
    first, opened = (
        *begin(CAPITAL, CAP, after(AT)).events,
        on(begun(), signal("Buy Puts")).events[0],
    )
    with pytest.raises(InputError, match="cents were moved, its price says"):
        book_of([first, opened.model_copy(update={"paid": opened.paid + 0.01})])


@cache
def rich():
    """A history that rises to where a call of any structure is exercised for its dividend."""
    of = structure("Bear Call Spread")  # its short strike lies just below its stop
    between = (min(leg.strike for leg in of.legs) + of.exit.stop_above) / 2.0
    risen = np.where(HISTORY.days > SESSION, between, HISTORY.closed)
    quiet = replace(
        HISTORY, closed=risen, opened=np.where(HISTORY.days > SESSION, HISTORY.closed[AT], risen)
    )
    return changed(quiet, AT + 2, dividend=19.0)


@cache
def world(dividend: bool):
    return rich() if dividend else HISTORY


STEPS = st.one_of(
    st.tuples(st.just("signal"), st.sampled_from(TICKERS), st.sampled_from([*STRUCTURES, None])),
    st.tuples(st.just("days"), st.integers(1, 9)),
    st.tuples(st.just("leave"), st.integers(1, 4)),
    st.tuples(st.just("stop")),
    st.tuples(st.just("resume")),
)


def check(steps: list[tuple], dividend: bool) -> None:
    of, at = dict.fromkeys(TICKERS, world(dividend)), AT
    first = begin(CAPITAL, CAP, after(AT))
    book, events, signals = first.book, [*first.events], []
    for word, *told in steps:
        match word:
            case "signal":
                signals.append(signal(told[1], at, told[0], version=len(signals) + 1))
                continue
            case "days":
                at = min(at + told[0], AT + 40)
                done = advance(book, signals, of, HISTORY.days[at])
            case "leave":
                if told[0] not in book.open:
                    with pytest.raises(InputError):
                        leave(book, told[0], of)
                    continue
                done = leave(book, told[0], of)
            case "stop":
                done = stop_all(book, of)
            case "resume":
                done = resume(book)
        for event in done.events:
            book = book.after(event)
            assert book.unexplained == 0
            moved = sum(one.flows for one in book.trades.values())
            assert book.cash == int(CAPITAL) * 100 + moved
            assert book.risk <= max(book.equity, 0) * 1.0
        assert book == done.book
        events += done.events
    kept = [paper_event(canonical(event.document()).decode()) for event in events]
    assert kept == events
    assert book_of(kept) == book


LIVELY = [
    ("signal", "SPY", "Bear Call Spread"), ("signal", "QQQ", "Iron Condor"), ("days", 1),
    ("signal", "IWM", "Buy Calls"), ("days", 9), ("leave", 1), ("days", 9), ("stop",),
    ("signal", "SPY", "Buy Puts"), ("days", 2), ("resume",), ("signal", "SPY", "Buy Puts"),
    ("days", 9), ("days", 9),
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=8), st.booleans())
@example(LIVELY, True)
@example(LIVELY, False)
def test_cash_adds_up_to_the_cent_after_every_event(steps: list[tuple], dividend: bool) -> None:
    check(steps, dividend)


@pytest.mark.long
@settings(max_examples=1000, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=16), st.booleans())
def test_cash_adds_up_after_a_thousand_sequences(steps: list[tuple], dividend: bool) -> None:
    check(steps, dividend)
