"""Not a cent of a paper book is unexplained, whatever happens in whatever order."""

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, example, given, settings
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
    with_chains,
    without,
)
from trading.backtest.history import History
from trading.backtest.portfolio import CAP
from trading.paper.advance import Advance, advance, begin, held_by, leave, resume, stop_all
from trading.paper.book import Book, Trade, book_of
from trading.paper.seen import until
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
    closed = left.book.trades[3]
    assert closed.closed is not None
    assert closed.mark == closed.closed.worth
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


#: What may befall a history: after `after` it is known otherwise than before.
CHANGES = ("dividend", "split", "special", "hole", "fall", "still", "chains")


@cache
def world(changes: frozenset[str]) -> History:
    """A history that all that is named befalls."""
    found = rich() if "dividend" in changes else HISTORY
    if "still" in changes:  # so that only time ends a position
        later = found.days > HISTORY.days[AT]
        found = replace(
            found,
            closed=np.where(later, HISTORY.closed[AT], found.closed),
            opened=np.where(later, HISTORY.closed[AT], found.opened),
        )
    if "fall" in changes:  # so deep that nobody would close a put spread
        gone = found.days > HISTORY.days[AT + 1]
        found = replace(found, closed=np.where(gone, 300.0, found.closed))
    if "split" in changes:
        halved = np.where(found.days >= HISTORY.days[AT + 4], 0.5, 1.0)
        found = replace(found, closed=found.closed * halved, opened=found.opened * halved)
        found = changed(found, AT + 4, split=2.0)
    if "special" in changes:
        found = changed(found, AT + 3, dividend=25.0)
    if "chains" in changes:
        found = with_chains(found, range(AT + 1, AT + 30), 0.4)
    return without(found, AT + 6) if "hole" in changes else found


SIGNAL = st.tuples(
    st.just("signal"), st.sampled_from(TICKERS), st.sampled_from([*STRUCTURES, None]),
    st.sampled_from(["chain", "synthetic"]),
)  # fmt: skip
STEPS = st.one_of(
    SIGNAL,
    st.tuples(st.just("days"), st.integers(1, 9)),
    st.tuples(st.just("leave"), st.integers(1, 4)),
    st.tuples(st.just("stop")),
    st.tuples(st.just("resume")),
    st.tuples(st.just("chains"), st.booleans()),
)


def courses(steps: int) -> st.SearchStrategy:
    """A signal, some steps, and days enough to see its end."""
    return st.builds(
        lambda first, more: [first, *more, ("days", 9), ("days", 9)],
        SIGNAL,
        st.lists(STEPS, max_size=steps),
    )


WORLDS = st.frozensets(st.sampled_from(CHANGES))


@dataclass
class Course:
    """A book that steps are taken with, its signals, and the history that is known."""

    changes: frozenset[str]
    book: Book
    at: int = AT
    signals: list = field(default_factory=list)

    @property
    def known(self) -> dict[str, History]:
        return dict.fromkeys(TICKERS, world(self.changes))

    def step(self, word: str, *told) -> Advance | None:
        match word:
            case "signal":
                ticker, strategy, pricing = told
                number = len(self.signals) + 1
                self.signals.append(signal(strategy, self.at, ticker, number, pricing=pricing))
            case "chains":  # they land late, or are taken away
                self.changes = self.changes - {"chains"} | ({"chains"} if told[0] else frozenset())
            case "days":
                self.at = min(self.at + told[0], AT + 40)
                return advance(self.book, self.signals, self.known, HISTORY.days[self.at])
            case "leave":
                return self.left(*told)
            case "stop":
                return stop_all(self.book, self.known)
            case "resume":
                return resume(self.book)
        return None

    def left(self, number: int) -> Advance | None:
        try:
            return leave(self.book, number, self.known)
        except InputError as error:  # it is not open, or its close has no price
            assert (number in self.book.open) == ("nothing prices" in str(error))
            return None


def check(steps: list[tuple], changes: frozenset[str]) -> set[str]:
    """Take a book through steps, and return which ways of ending it saw."""
    first = begin(CAPITAL, CAP, after(AT))
    course, events, same = Course(changes, first.book), [*first.events], True
    for step in steps:
        done = course.step(*step)
        same = same and course.changes == changes
        if done is None:
            continue
        for each in done.events:
            book = course.book = course.book.after(each)
            assert book.unexplained == 0
            moved = sum(one.flows for one in book.trades.values())
            assert book.cash == int(CAPITAL) * 100 + moved
            assert book.risk <= max(book.equity, 0) * 1.0
        assert course.book == done.book
        events += done.events
    kept = [paper_event(canonical(one.document()).decode()) for one in events]
    assert kept == events
    assert book_of(kept) == course.book
    ended = [one for one in course.book.trades.values() if one.closed is not None]
    for one in ended if same else ():
        check_profit(one, world(changes))
    return {one.closed.why + ", expires" * one.closed.expires for one in ended} | {
        one.pricing for one in ended
    }


def check_profit(one: Trade, history: History) -> None:
    """Check that a trade that its plan ended came to what its walk says, to the cent."""
    if one.closed.why in ("target", "stop", "expiry"):
        due = walks(history, [held_by(one)])[0].profit * 100
        assert abs(one.flows / one.opened.contracts - due) <= 1.0
        # Without an exercise nothing is rounded twice: the very cent.
        assert one.assigned or one.flows == round(due * one.opened.contracts)


LIVELY = [
    ("signal", "SPY", "Bear Call Spread", "synthetic"), ("signal", "QQQ", "Iron Condor", "chain"),
    ("days", 1), ("signal", "IWM", "Buy Calls", "synthetic"), ("days", 9), ("leave", 1),
    ("days", 9), ("stop",), ("signal", "SPY", "Buy Puts", "synthetic"), ("days", 2), ("resume",),
    ("signal", "SPY", "Buy Puts", "synthetic"), ("days", 9), ("days", 9),
]  # fmt: skip
FALLING = [
    ("signal", "SPY", "Bull Put Spread", "chain"), ("signal", "IWM", "Iron Condor", "chain"),
    ("signal", "QQQ", "Bull Put Spread", "synthetic"), ("days", 3), ("leave", 3), ("chains", True),
    ("days", 2), ("stop",),
]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(courses(6), WORLDS)
@example(LIVELY, frozenset({"dividend", "special"}))
@example(LIVELY, frozenset({"hole", "still"}))
@example(FALLING, frozenset({"fall", "split"}))
def test_cash_adds_up_to_the_cent_after_every_event(
    steps: list[tuple], changes: frozenset[str]
) -> None:
    check(steps, changes)


@pytest.mark.long
@settings(max_examples=1000, deadline=None)
@given(courses(14), WORLDS)
def test_cash_adds_up_after_a_thousand_sequences(
    steps: list[tuple], changes: frozenset[str]
) -> None:
    for seen in check(steps, changes):
        event(seen)


def test_a_position_nobody_would_close_is_left_to_expire_by_its_plan() -> None:
    fallen = world(frozenset({"fall"}))
    held = on(begun(), signal("Bull Put Spread"), of=fallen, to=AT + 1).book
    (closed,) = [one for one in on(held, of=fallen, to=AT + 2).events if isinstance(one, Closed)]
    opened = held.trades[1].opened
    assert (closed.why, closed.expires) == ("stop", True)
    assert closed.cash == -round(opened.structure.width * 100 * 100) * opened.contracts
    due = walks(fallen, [held_by(held.trades[1])])[0].profit
    assert held.trades[1].flows + closed.cash == round(due * 100 * opened.contracts)


def test_a_position_nobody_would_close_is_left_to_expire_by_hand_and_by_a_stop_of_all() -> None:
    later = HISTORY.days > SESSION
    still = replace(
        HISTORY,
        closed=np.where(later, HISTORY.closed[AT], HISTORY.closed),
        opened=np.where(later, HISTORY.closed[AT], HISTORY.opened),
        index=np.where(later, 0.5, HISTORY.index),  # what is out of the money is worth nothing
    )
    of = dict.fromkeys(TICKERS, still)
    book = on(begun(), signal("Buy Calls"), of=still, to=AT + 1).book
    assert book.open.keys() == {1}
    for left, why in ((leave(book, 1, of), "by hand"), (stop_all(book, of), "stopped")):
        closed = left.events[0]
        assert (closed.why, closed.expires, closed.worth, closed.cash) == (why, True, 0.0, 0)
        with pytest.raises(InputError, match="0 cents were moved, its price says -"):
            book.after(closed.model_copy(update={"expires": False}))


def test_quotes_that_land_after_their_close_are_no_price_to_leave_at() -> None:
    one = signal("Buy Calls", pricing="chain")
    held = on(begun(), one, to=AT + 1).book
    dear = with_chains(HISTORY, range(AT + 1, AT + 2), 30.0)
    at_once = on(begun(), one, of=dear, to=AT + 1)
    assert [event.why for event in at_once.events if isinstance(event, Closed)] == ["target"]
    assert at_once.book.trades[1].pricing == "chain"
    late = on(held, of=dear, to=AT + 2)
    closed = [event for event in late.events if isinstance(event, Closed)]
    assert all(event.why == "stop" and event.worth < 30.0 for event in closed)


def test_a_position_priced_on_quotes_is_filled_at_their_level() -> None:
    def paid(pricing: str, lift: float) -> float:
        one = signal("Buy Calls", pricing=pricing)
        legs = [
            leg.model_copy(update={"implied_volatility": leg.implied_volatility + lift})
            for leg in one.structure.legs
        ]
        moved = one.model_copy(
            update={"structure": one.structure.model_copy(update={"legs": legs})}
        )
        opened = on(begun(), moved, to=AT + 1).events[0]
        assert opened.on_quotes == (pricing == "chain")
        return opened.paid

    by_smile = paid("synthetic", 0.0)
    assert paid("synthetic", 0.05) == by_smile
    assert paid("chain", 0.0) == pytest.approx(by_smile)
    assert paid("chain", 0.05) > by_smile * 1.2


def test_events_of_before_quotes_are_read_as_marked_by_the_smile() -> None:
    events = [
        *begin(CAPITAL, CAP, after(AT)).events,
        *on(begun(), signal("Bear Put Spread")).events,
    ]
    older = []
    for one in events:
        told = one.document()
        for name in ("on_quotes", "quoted", "expires"):
            told.pop(name, None)
        older.append(paper_event(canonical(told).decode()))
    assert older == events
    assert book_of(older).trades[1].pricing == "synthetic"
