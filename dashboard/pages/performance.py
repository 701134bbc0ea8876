"""Performance: hits and money of the ledger as it is, every figure with its n."""

import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.loading import load
from dashboard.money_view import show_money
from dashboard.page import run_page
from dashboard.queries.ledger import History, signal_history
from home.layout import Home
from monitoring import scores as scoring

ALL = "all"
LIVE, BACKFILLED = "given in time", "backfilled"
RATES = {
    "direction_rate": st.column_config.NumberColumn("direction right", format="percent"),
    "up_share": st.column_config.NumberColumn("always UP", format="percent"),
    "iv_rate": st.column_config.NumberColumn("IV class right", format="percent"),
    "direction_hits": "direction hits",
    "iv_known": "IV settled",
    "iv_hits": "IV hits",
}
DATES = {
    "session": st.column_config.DateColumn("session", format="YYYY-MM-DD"),
    "month": st.column_config.DateColumn("month", format="MMM YYYY"),
}


def show(files: Home, now: pd.Timestamp) -> None:  # noqa: ARG001 - what every page takes
    """Show counts, money, hits, calibration, strategies and time."""
    history = load(signal_history, files.ledger)
    for fault in history.damaged:
        st.error(fault, icon=":material/report:")
    if history.signals.empty:
        return
    past_alone = _known(history, backfilled=True) and not _known(history, backfilled=False)
    backfilled = _backfilled(history.signals, past_alone)
    signals = scoring.given_in_time(history.signals, backfilled=backfilled)
    positions = scoring.given_in_time(history.positions, backfilled=backfilled)
    tickers = [ALL, *sorted(signals["ticker"].unique())]
    ticker = st.segmented_control("Ticker", tickers, default=ALL) or ALL
    if ticker != ALL:
        signals = signals[signals["ticker"] == ticker]
        positions = positions[positions["ticker"] == ticker]
    _counts(signals)
    show_money(positions)
    _advantage(signals)
    _calibration(signals)
    st.subheader("Hits by strategy", anchor=False)
    st.dataframe(scoring.hit_table(signals, "strategy"), hide_index=True, column_config=RATES)
    st.caption("Hits are of the two forecasts, not of profit. A rate is empty where its n is 0.")
    _over_time(signals)


def _known(history: History, *, backfilled: bool) -> bool:
    """Return whether anything that was backfilled, or given in time, has come to something."""
    signals, positions = (
        scoring.given_in_time(one, backfilled=backfilled)
        for one in (history.signals, history.positions)
    )
    return bool(signals["label"].notna().any() or positions["reason"].notna().any())


def _backfilled(signals: pd.DataFrame, past_alone: bool) -> bool:
    """Return whether those made for the past are shown, or those given in time: never both.

    Where the past alone has come to something, it is what there is to see, and shown first.
    """
    late = int(signals["backfilled"].sum())
    if not late:
        return False
    kinds = [LIVE, BACKFILLED] if late < len(signals) else [BACKFILLED]
    first = BACKFILLED if past_alone else kinds[0]
    kind = st.segmented_control("Signals", kinds, default=first) or first
    st.caption(
        f"{late:,} of {len(signals):,} signals are backfilled: recorded when the session they are "
        "filled at had opened. No live score counts them."
    )
    if kind == BACKFILLED:
        st.warning("Backfilled: nobody could have followed these.", icon=":material/history:")
    return kind == BACKFILLED


def _counts(rows: pd.DataFrame) -> None:
    settled = int(rows["label"].notna().sum())
    boxes = st.columns(5)
    boxes[0].metric("Signals", f"{len(rows):,}")
    boxes[1].metric("Sessions", f"{rows['session'].nunique():,}")
    boxes[2].metric("Settled", f"{settled:,}")
    boxes[3].metric("Decided (UP or DOWN)", f"{len(scoring.decided(rows)):,}")
    boxes[4].metric("Proven at the time", f"{int(rows['proven'].sum()):,} of {len(rows):,}")
    st.caption(f"Sessions {rows['session'].min().date()} to {rows['session'].max().date()}.")
    if not settled:
        st.info(
            "No outcome has been settled: five sessions after a signal, run `optrade settle`.",
            icon=":material/hourglass_empty:",
        )


def _advantage(rows: pd.DataFrame) -> None:
    found = scoring.advantages(rows)
    if not found:
        return
    st.subheader("Direction", anchor=False)
    table = [
        {
            "baseline": one.baseline,
            "n": one.n,
            "sessions": one.sessions,
            "direction right": f"{one.hit_rate:.1%}",
            "baseline right": f"{one.baseline_rate:.1%}",
            "better by": f"{one.difference:+.1%}",
            "95 % interval": _interval(one.interval),
        }
        for one in found
    ]
    st.dataframe(pd.DataFrame(table), hide_index=True)
    st.caption(
        f"Of decided signals; FLAT outcomes decide nothing. Intervals by stationary block "
        f"bootstrap over sessions, mean block {scoring.MEAN_BLOCK}."
    )


def _interval(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return f"too few: needs {scoring.MIN_SESSIONS} decided sessions"
    return f"{ends[0]:+.1%} to {ends[1]:+.1%}"


def _calibration(rows: pd.DataFrame) -> None:
    st.subheader("Calibration of P(UP)", anchor=False)
    n = len(scoring.decided(rows))
    if n < scoring.MIN_DECIDED:
        st.info(
            f"Too few to judge: {n} decided signals, {scoring.MIN_DECIDED} are needed.",
            icon=":material/hourglass_empty:",
        )
        return
    table = scoring.reliability(rows)
    left, right = st.columns([3, 2], gap="large")
    left.plotly_chart(charts.reliability(table), key="reliability")
    shown = table.assign(bin=[f"{r.low:.1f} to {r.high:.1f}" for r in table.itertuples()])
    right.dataframe(
        shown[["bin", "n", "forecast", "came"]],
        hide_index=True,
        column_config={
            "forecast": st.column_config.NumberColumn("mean P(UP)", format="%.3f"),
            "came": st.column_config.NumberColumn("went UP", format="%.3f"),
        },
    )
    right.caption(f"{n:,} decided signals. Outcomes of neighbouring sessions overlap.")


def _over_time(rows: pd.DataFrame) -> None:
    st.subheader("Over time", anchor=False)
    period = scoring.period_of(rows)
    counts = scoring.strategies_by_period(rows, period)
    st.plotly_chart(charts.strategies_over_time(counts, period), key="strategies")
    table = scoring.by_period(rows, period)
    if table["decided"].sum():
        st.plotly_chart(charts.hit_rate_over_time(table, period), key="hits")
        st.caption("The larger the point, the larger its n; the table holds them.")
    with st.expander(f"Each {period} in a table"):
        st.dataframe(table, hide_index=True, column_config=RATES | {"period": DATES[period]})


run_page("Performance", show)
