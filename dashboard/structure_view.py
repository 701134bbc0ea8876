"""The position of a signal on a page: legs, terms, profit by price and day, greeks, exit, notes."""

from typing import Final

import pandas as pd
import streamlit as st

from dashboard import position_charts
from home.records.signal import Signal
from home.records.structure import Chances, ExitRule, Structure
from home.records.structure_outcome import StructureOutcome

#: Name, value and what it means.
Metric = tuple[str, str, str]
WIDTHS: Final = (2, 2, 2, 2, 2, 3)
LOSES: Final = (
    "Expected to lose after costs, by the distribution of returns, which does not know the "
    "forecast of the direction."
)
PRICED_BY: Final = {
    "chain": "priced on the underlying's own chain",
    "scaled chain": "priced on the chain of the index that it follows, scaled,",
    "synthetic": "priced by the volatility index, not by quotes",
}

MARKED_BY: Final = {
    "chain": "marked by the underlying's own chains",
    "mixed": "marked by the underlying's own chains, where there was none by the volatility index",
    "synthetic": "marked by the volatility index, not by quotes",
}


def came_to_words(found: StructureOutcome) -> str:
    """Return what a position came to by its plan, and what its closes were marked by."""
    return (
        f"**Came to** {found.profit:+,.2f} USD a contract: {found.reason} on {found.end_session}, "
        f"{MARKED_BY[found.pricing]}."
    )


def show_position(signal: Signal) -> None:
    """Show the position of a signal, or why there is none."""
    found = signal.structure
    if found is None:
        st.caption(f"No position: {signal.structure_note or 'recorded before there was one'}.")
        return
    st.markdown(head(found))
    if found.chances is not None and found.chances.expected_value < 0.0:
        st.warning(LOSES)
    st.dataframe(legs(found), hide_index=True)
    for row in (terms(found), odds(found.chances)):
        # The last is the widest: it holds a band.
        for column, (name, value, more) in zip(st.columns(WIDTHS), row, strict=False):
            column.metric(name, value, help=more)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Profit by price of the underlying**, entered at mid")
        _chart(position_charts.payoff(found), f"payoff {signal.ticker}")
        st.table(_greeks(found))
    with right:
        st.markdown("**Profit by day and price**, USD a contract")
        _chart(position_charts.profits(found), f"profits {signal.ticker}")
    st.markdown(f"**Exit.** {exit_words(found.exit)}")
    if found.events:
        st.markdown(f"**Ahead.** {', '.join(event.words() for event in found.events)}")
    if found.chances is not None and found.chances.by is not None:
        st.caption(
            f"Chances by {found.chances.by.words()}; the forecast of the direction has no part."
        )
    for note in found.notes:
        st.caption(f"{note[:1].upper()}{note[1:]}.")


def legs(found: Structure) -> pd.DataFrame:
    """Return the legs, one a row, as they are shown."""
    return pd.DataFrame(
        [
            {
                "symbol": leg.symbol,
                "action": leg.action,
                "right": leg.right,
                "strike": f"{leg.strike:g}",
                "bid": f"{leg.bid:.2f}",
                "ask": f"{leg.ask:.2f}",
                "delta": f"{leg.delta:+.3f}",
                "IV": f"{leg.implied_volatility:.1%}",
                "smile": "beyond the quotes" if leg.extrapolated else "within",
            }
            for leg in found.legs
        ]
    )


def terms(found: Structure) -> list[Metric]:
    """Return what a position comes to where it is entered across the spread."""
    natural = found.natural
    most = "no limit" if natural.max_profit is None else f"{natural.max_profit:,.0f}"
    paid = "pays" if natural.net > 0 else "receives"
    return [
        (paid, f"{abs(natural.net):.2f}", f"USD a share; {abs(found.mid.net):.2f} at mid"),
        ("largest loss", f"{natural.max_loss:,.0f}", "USD a contract, commission within"),
        ("largest profit", most, "USD a contract, commission within"),
        (
            "contracts",
            "-" if found.contracts is None else f"{found.contracts:,}",
            "allowed by the capital (OPTRADE_CAPITAL, --capital); none where none is told",
        ),
        (
            "breakevens",
            _prices(natural.breakevens),
            f"USD of the underlying at expiry; entered at mid {_prices(found.mid.breakevens)}",
        ),
    ]


def _prices(prices: list[float]) -> str:
    return " / ".join(f"{price:.2f}" for price in prices)


def odds(found: Chances | None) -> list[Metric]:
    """Return how likely a position's ends are, and its expected value; nothing where unknown."""
    if found is None:
        return []
    by = "" if found.by is None else f" By {found.by.words()}."
    return [
        (
            "P(profit), plan",
            "-" if found.profit_by_plan is None else f"{found.profit_by_plan:.0%}",
            "after costs, held by the exit rule; held to expiry "
            f"{found.profit:.0%}, by our distribution of the return",
        ),
        (
            "P(profit), smile",
            f"{found.profit_risk_neutral:.0%}",
            f"at expiry, by the prices of the options; ours {found.profit:.0%}",
        ),
        ("target first", f"{found.target:.0%}", "chance that the profit target ends it"),
        ("stop first", f"{found.stop:.0%}", "chance that the stop ends it"),
        (
            "expected value",
            f"{found.expected_value:+,.0f}",
            "USD a contract after costs, held by the exit rule; "
            f"{found.expected_value_of_risk:+.1%} of the largest loss.{by}",
        ),
        (
            "with volatility ±1 point",
            f"{found.low:+,.0f} to {found.high:+,.0f}",
            "the expected value with volatility a point lower and higher; no confidence interval",
        ),
    ]


def exit_words(plan: ExitRule) -> str:
    """Return when a position is closed, in a sentence."""
    way = "brings" if plan.target > 0 else "costs no more than"
    stops = [
        f"{word} {price:.2f}"
        for word, price in (("below", plan.stop_below), ("above", plan.stop_above))
        if price is not None
    ]
    return (
        f"Close it when that {way} {abs(plan.target):.2f} USD a share, when the underlying closes "
        f"{' or '.join(stops)}, or on {plan.last_day}, whichever comes first."
    )


def head(found: Structure) -> str:
    """Return expiry, volatility, what it is priced on and what entering costs, in a sentence."""
    at = "" if found.quote_time is None else f" of {found.quote_time}"
    return (
        f"Expires {found.expiration}, in {found.days_to_expiry} days; {found.root} at "
        f"{found.spot:.2f}, volatility at the money {found.at_the_money:.1%}, expected move "
        f"{found.expected_move:.2f}; {PRICED_BY[found.pricing]}{at}. Costs of entering a contract: "
        f"spread {found.costs.spread:.2f}, commission {found.costs.commission:.2f} USD."
    )


def _greeks(found: Structure) -> pd.DataFrame:
    held = found.greeks
    rows = [
        ("delta", f"{held.delta:+.1f}", "USD by a USD of the underlying"),
        ("gamma", f"{held.gamma:+.2f}", "of delta, by a USD of the underlying"),
        ("theta", f"{held.theta:+.1f}", "USD by a day"),
        ("vega", f"{held.vega:+.1f}", "USD by a point of volatility"),
    ]
    return pd.DataFrame(rows, columns=["greek", "a contract", "unit"]).set_index("greek")


def _chart(figure: object, key: str) -> None:
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})
