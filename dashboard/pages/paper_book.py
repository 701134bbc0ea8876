"""Paper Book: what following the recorded signals has come to, to the cent."""

from typing import Final

import pandas as pd
import streamlit as st

from dashboard import money_charts
from dashboard.loading import load
from dashboard.page import run_page
from dashboard.queries.paper import Paper, paper_book
from dashboard.structure_view import exit_words, legs
from home.layout import Home
from trading.paper.book import CENTS, Book, Trade

USD: Final = st.column_config.NumberColumn(format="%+,.2f")
CLOSED: Final = {
    "P&L, USD": USD,
    "early exercise, USD": st.column_config.NumberColumn(
        format="%,.2f", help="What short calls lost that were exercised for a dividend."
    ),
}


def show(files: Home, now: pd.Timestamp) -> None:  # noqa: ARG001 - what every page takes
    """Show the book: equity, positions, closed trades, and signals that were passed over."""
    found = load(paper_book, files.ledger)
    if found.damaged is not None:
        st.error(
            f"The book ends before this, and what follows is not shown: {found.damaged}",
            icon=":material/report:",
        )
    if found.book.stopped:
        st.warning(
            "Stopped: no signal is followed until `optrade paper --resume`.",
            icon=":material/pause_circle:",
        )
    _boxes(found)
    if len(found.equity) > 1:
        st.plotly_chart(money_charts.equity(found.equity), key="equity")
    else:
        st.info("One session so far: `optrade settle` takes the book on.", icon=":material/today:")
    _open(found)
    _closed(found.book)
    _passed(found)
    if len(found.told):
        with st.expander(f"What else happened ({len(found.told):,})"):
            st.dataframe(found.told, hide_index=True)


def _boxes(found: Paper) -> None:
    book = found.book
    gain = book.equity - book.capital
    boxes = st.columns(5)
    boxes[0].metric("Equity, USD", _usd(book.equity), f"{gain / CENTS:+,.2f}")
    boxes[1].metric("Cash, USD", _usd(book.cash))
    boxes[2].metric(
        "At risk, USD", _usd(book.risk),
        help="All that open positions together can lose.",
    )  # fmt: skip
    boxes[3].metric(
        "Below its height", f"{found.equity['drawdown'].iloc[-1]:.1%}",
        help=f"At most it was {found.equity['drawdown'].max():.1%}.",
    )  # fmt: skip
    boxes[4].metric("Open positions", len(book.open))
    st.caption(
        f"Begun {found.equity['session'].iloc[0].date()} with {_usd(book.capital)} USD, at "
        f"{book.marked}. All open positions together may lose {book.cap:.0%} of the equity. "
        f"Every cent of cash is of the capital or of a trade: {book.unexplained} are unexplained."
    )


def _open(found: Paper) -> None:
    st.subheader("Open positions", anchor=False)
    if not found.book.open:
        st.caption("None.")
    for number, trade in found.book.open.items():
        with st.container(border=True):
            _position(number, trade, found.marked_at.get(number))


def _position(number: int, trade: Trade, marked_at: str | None) -> None:
    opened = trade.opened
    contracts = f"{opened.contracts} contract{'s' if opened.contracts > 1 else ''}"
    st.markdown(
        f"**Trade {number}: {opened.ticker} {opened.structure.strategy}**, {contracts}, opened "
        f"{opened.session} on the signal of {opened.signal_session}"
    )
    boxes = st.columns(4)
    way = "Paid" if opened.paid > 0 else "Received"
    boxes[0].metric(f"{way}, USD a share", f"{abs(opened.paid):.2f}")
    boxes[1].metric(
        "Mark, USD a share", "none yet" if marked_at is None else f"{trade.mark:.2f}",
        help="At mid; below 0 where leaving it costs.",
    )  # fmt: skip
    boxes[2].metric("P&L so far, USD", f"{trade.profit / CENTS:+,.2f}")
    boxes[3].metric("Risk, USD", _usd(opened.risk))
    st.dataframe(legs(opened.structure), hide_index=True)
    marked = "It has no mark yet" if marked_at is None else f"Last mark: {marked_at}"
    st.caption(f"{marked}. Quotes of the legs are those of the signal's session.")
    st.markdown(f"**Exit.** {exit_words(opened.exit)}")


def _closed(book: Book) -> None:
    rows = [_row(number, one) for number, one in book.trades.items() if one.closed is not None]
    st.subheader("Closed trades", anchor=False)
    if not rows:
        st.caption("None yet.")
        return
    table = pd.DataFrame(rows[::-1])
    st.dataframe(table, hide_index=True, column_config=CLOSED)
    trades = "1 trade" if len(table) == 1 else f"{len(table):,} trades"
    st.caption(
        f"{trades} came to {table['P&L, USD'].sum():+,.2f} USD, commissions within; "
        f"{(table['P&L, USD'] > 0).mean():.1%} of them with a profit."
    )


def _row(number: int, trade: Trade) -> dict[str, object]:
    opened, closed = trade.opened, trade.closed
    return {
        "trade": number,
        "ticker": opened.ticker,
        "strategy": opened.structure.strategy,
        "opened": opened.session,
        "left": closed and closed.session,
        "why": closed and closed.why,
        "contracts": opened.contracts,
        "paid": f"{opened.paid:.2f}",
        "brought": closed and f"{closed.worth:.2f}",
        "early exercise, USD": trade.assigned / CENTS,
        "P&L, USD": trade.profit / CENTS,
    }


def _passed(found: Paper) -> None:
    st.subheader("Signals passed over", anchor=False)
    if found.passed.empty:
        st.caption("None.")
        return
    counts = found.passed["why"].value_counts()
    st.caption("; ".join(f"{count:,}: {why}" for why, count in counts.items()) + ".")
    with st.expander("Each of them"):
        st.dataframe(found.passed, hide_index=True)


def _usd(cents: int) -> str:
    return f"{cents / CENTS:,.2f}"


run_page("Paper Book", show)
