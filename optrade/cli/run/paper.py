"""Commands of the paper book: what recorded signals would have come to, with money of no one."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table
from optrade.limits import LARGEST, SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from home.records.paper import PaperEvent
    from home.strict_json import Json
    from trading.paper.book import Book, Trade

StopAll = Annotated[
    bool | None,
    typer.Option(
        "--stop-all/--resume",
        help="Leave every position at its last close and follow no signal; or follow them again.",
    ),
]
Number = Annotated[int, typer.Argument(max=LARGEST, help="Of the trade, as `positions` shows it.")]
COLUMNS = ["trade", "ticker", "strategy", "opened", "contracts", "paid", "mark", "by",
           "profit", "left"]  # fmt: skip


def parse_cap(value: float | None) -> float | None:
    """Return a cap as a fraction; raises BadParameter where it is out of range."""
    try:
        return None if value is None else SHARE.check(value) / 100.0
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Cap = Annotated[
    float | None,
    typer.Option(
        "--cap",
        callback=parse_cap,
        help="Percent of the equity that all open positions together may lose; by default 6.",
    ),
]


def paper(
    capital: options.Capital = None,
    cap: Cap = None,
    stop_all: StopAll = None,
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Follow recorded signals on paper: filled at the next open, left by their plans.

    Begins a book where there is none; `settle` and `run-daily` take it on from then on. Exit code
    3 where a row of the ledger is damaged.
    """
    from market.errors import InputError
    from optrade.flows.paper.book import NONE_YET, begin_book, paper_book, switch, take_on
    from optrade.runtime import runtime
    from trading.backtest.portfolio import CAP, CAPITAL

    run = runtime()
    clock = run.as_of(as_of)
    book = paper_book(run)
    events: tuple[PaperEvent, ...] = ()
    if book is None:
        if stop_all is not None:
            raise InputError(NONE_YET)
        events = begin_book(run, capital or run.settings.capital or CAPITAL, cap or CAP, clock)
    elif capital is not None or cap is not None:
        raise InputError(
            f"--capital, --cap: the book began with {book.capital / 100:,.2f} USD and a cap of "
            f"{book.cap:.0%}, which stay; move the ledger away to begin another"
        )
    taken = take_on(run, clock)
    events += () if taken is None else taken.done.events
    told = () if taken is None else taken.told
    if stop_all is not None:
        switched = switch(run, clock, stop=stop_all)
        events, told = (*events, *switched.done.events), (*told, *switched.told)
    found = paper_book(run)
    if found is not None:
        _show(found, events, told, as_json)
    if taken is not None and taken.damaged:
        raise typer.Exit(3)


def positions(as_json: options.AsJson = False) -> None:
    """Show the paper book as the ledger has it: cash, equity, open positions and past ones."""
    from market.errors import InputError
    from optrade.flows.paper.book import NONE_YET, paper_book
    from optrade.runtime import runtime

    book = paper_book(runtime())
    if book is None:
        raise InputError(NONE_YET)
    _show(book, (), (), as_json)


def close(number: Number, as_of: options.AsOf = None, as_json: options.AsJson = False) -> None:
    """Leave a position of the paper book at its last close, across the spread."""
    from optrade.flows.paper.book import close_trade
    from optrade.runtime import runtime

    run = runtime()
    taken = close_trade(run, number, run.as_of(as_of))
    _show(taken.book, taken.done.events, taken.told, as_json)


def _show(
    book: "Book", events: "Sequence[PaperEvent]", told: "Sequence[str]", as_json: bool
) -> None:
    if as_json:
        print_json({**book_document(book), "events": [one.document() for one in events],
                    "waits": [*told]})  # fmt: skip
        return
    for event in events:
        if (words := event_words(event)) is not None:
            typer.echo(words)
    trades = [_row(number, one) for number, one in book.trades.items()]
    if trades:
        print_table("paper book", COLUMNS, trades)
    typer.echo(
        f"{book.marked}: cash {usd(book.cash)}, equity {usd(book.equity)} of "
        f"{usd(book.capital)}; at risk {usd(book.risk)}, allowed {book.cap:.0%}"
        + ("; stopped: no signal is followed (`optrade paper --resume`)" if book.stopped else "")
    )
    for words in told:
        typer.echo(words)


def book_document(book: "Book") -> "dict[str, Json]":
    """Return a book as JSON; every amount of cash in cents."""
    return {
        "session": book.marked,
        "capital": book.capital,
        "cash": book.cash,
        "equity": book.equity,
        "risk": book.risk,
        "cap": book.cap,
        "stopped": book.stopped,
        "trades": [
            {
                "trade": number,
                "ticker": one.opened.ticker,
                "strategy": one.opened.structure.strategy,
                "signal": {**one.opened.signal._asdict()},
                "opened": one.opened.session,
                "contracts": one.opened.contracts,
                "paid": one.opened.paid,
                "legs": [leg.document() for leg in one.opened.structure.legs],
                "exit": one.opened.exit.document(),
                "risk": one.opened.risk,
                "mark": one.mark,
                "pricing": one.pricing,
                "assigned": one.assigned,
                "profit": one.profit,
                "closed": None
                if one.closed is None
                else {
                    "session": one.closed.session,
                    "why": one.closed.why,
                    "expires": one.closed.expires,
                },
            }
            for number, one in book.trades.items()
        ],
    }


def event_words(event: "PaperEvent") -> str | None:
    """Return what happened in a line; None of what the table shows."""
    match event.kind:
        case "begun":
            return f"{event.session}: begun with {usd(event.cash)}"
        case "opened":
            return (
                f"{event.session}: opened trade {event.trade}, {event.ticker} "
                f"{event.structure.strategy}, {event.contracts} contracts, {usd(event.cash)}"
            )
        case "passed":
            return f"{event.session}: {event.ticker} {event.signal_session} passed: {event.why}"
        case "assigned":
            return f"{event.session}: trade {event.trade}: a short call was exercised, " + (
                usd(event.cash)
            )
        case "closed":
            left = "; nobody would close it: left to expire" if event.expires else ""
            return (
                f"{event.session}: left trade {event.trade}, {event.why}, {usd(event.cash)}{left}"
            )
        case "marked":
            return "\n".join(event.notes) or None
        case "stopped" | "resumed":
            return f"{event.session}: {event.kind}"


def usd(cents: int) -> str:
    """Return cents in words."""
    return f"{cents / 100:,.2f} USD"


def _row(number: int, one: "Trade") -> list[object]:
    opened = one.opened
    left = None if one.closed is None else f"{one.closed.session}, {one.closed.why}"
    return [number, opened.ticker, opened.structure.strategy, opened.session, opened.contracts,
            f"{opened.paid:.2f}", f"{one.mark:.2f}", one.pricing, usd(one.profit),
            left]  # fmt: skip


COMMANDS = {"paper": paper, "positions": positions, "close": close}
