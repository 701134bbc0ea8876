"""What positions of recorded signals were worth in money, on a page."""

from typing import Final

import pandas as pd
import streamlit as st

from dashboard import money_charts
from dashboard.loading import computed
from monitoring import money

#: What a share is shown as: a percentage with its sign.
PERCENT: Final = "%+.1f %%"
USD: Final = "%+,.2f"


def _usd(name: str) -> object:
    return st.column_config.NumberColumn(name, format=USD)


WORTH: Final = {
    "held": st.column_config.NumberColumn("held", help="Positions that have not ended."),
    "won": st.column_config.NumberColumn("won", format="percent"),
    "mean": _usd("mean, USD"),
    "total": _usd("total, USD"),
    "mean_of_risk": st.column_config.NumberColumn(
        "mean, % of risk", format=PERCENT, help="Of the most that the contract could lose."
    ),
    "interval": st.column_config.TextColumn("95 % interval", help="Of the mean in % of the risk."),
    "worst": _usd("worst, USD"),
    "priced_by": "priced by",
    "reason": "ended by",
}
TOO_FEW: Final = "too few"
NONE_ENDED: Final = (
    "No position has ended: `optrade settle` writes what positions came to, at their target, their "
    "stop or their expiry, two to four weeks after the signal at the latest."
)


def show_money(positions: pd.DataFrame) -> None:
    """Show what positions came to: the verdict, by strategy, by what ended them, and over time."""
    st.subheader("Money", anchor=False)
    if positions.empty:
        st.info(
            "No signal here has a position: `NO TRADE`, or none that could be priced.",
            icon=":material/inbox:",
        )
        return
    ended = money.ended(positions)
    judgement = computed(money.judged, positions)
    table = money.worth_table(positions, judgement)
    _boxes(positions, ended, table)
    if ended.empty:
        st.info(NONE_ENDED, icon=":material/hourglass_empty:")
        return
    first, *more = money.verdict(judgement)
    mark = st.success if judgement.survivors else st.info
    mark(f"**{first[:1].upper()}{first[1:]}.**", icon=":material/balance:")
    for line in more:
        st.caption(f"{line[:1].upper()}{line[1:]}.")
    st.dataframe(shown(table), hide_index=True, column_config=WORTH)
    st.caption(
        "Of one contract each, entered at the natural price of its signal and left by its plan, "
        "after spreads and commissions; risk is the most that it could lose. Intervals by blocks "
        "of days of entry: positions overlap. What is priced by the synthetic smile is sure to "
        "about a point of volatility, which the intervals do not hold."
    )
    st.plotly_chart(money_charts.accrued(money.accrued(positions)), key="accrued")
    with st.expander("By what ended them"):
        st.dataframe(money.by_reason(positions), hide_index=True, column_config=WORTH)


def _boxes(positions: pd.DataFrame, ended: pd.DataFrame, table: pd.DataFrame) -> None:
    held = len(positions) - len(ended)
    at_risk = positions["risk"].sum() - ended["risk"].sum()
    total = table.iloc[-1]
    boxes = st.columns(5)
    boxes[0].metric("Positions ended", f"{len(ended):,}")
    boxes[1].metric("Held", f"{held:,}", help=f"They can lose {at_risk:,.2f} USD at most.")
    boxes[2].metric("Won", "-" if ended.empty else f"{total['won']:.1%}")
    boxes[3].metric("Total, USD", "-" if ended.empty else f"{total['total']:+,.2f}")
    boxes[4].metric("Mean of risk", "-" if ended.empty else f"{total['mean_of_risk']:+.1%}")


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of worth as it is shown: shares of the risk in percent, one of intervals."""
    interval = [
        TOO_FEW if pd.isna(low) else f"{100 * low:+.1f} to {100 * high:+.1f} %"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]
    told = table.assign(mean_of_risk=100.0 * table["mean_of_risk"].astype(float))
    told.insert(list(told.columns).index("low"), "interval", interval)
    return told.drop(columns=["low", "high"])
