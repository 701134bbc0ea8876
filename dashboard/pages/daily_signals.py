"""Daily Signals: the trade of each ticker for one session, and why."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.loading import load
from dashboard.page import run_page
from dashboard.queries.signals import DailySignal, ModelEvidence, recorded_sessions, signals_of
from home.layout import Home


def show(files: Home, now: pd.Timestamp) -> None:  # noqa: ARG001 - what every page takes
    """Show the signals of a session, the latest unless another is chosen."""
    sessions = load(recorded_sessions, files.ledger)
    session = st.selectbox("Session", sessions, help="The latest session stands first.")
    signals = load(signals_of, files.ledger, session)
    st.dataframe(_overview(signals), hide_index=True)
    for signal in signals:
        with st.container(border=True):
            _signal(signal)


def _overview(signals: list[DailySignal]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "ticker": signal.ticker,
                "strategy": signal.strategy,
                "size": signal.position_size,
                "direction": signal.direction,
                "P(UP)": f"{signal.probability_up:.3f}",
                "IV forecast": f"{signal.iv_regime} ({signal.iv_confidence:.3f})",
                "overall confidence": f"{signal.overall_confidence:.3f}",
                "evidence": "proven" if signal.proven else "not proven",
                "oldest data": _age(max(signal.ages.values(), default=None)),
            }
            for signal in signals
        ]
    )


def _signal(signal: DailySignal) -> None:
    st.subheader(f"{signal.ticker}: {signal.strategy}", anchor=False)
    _badges(signal)
    left, right = st.columns([5, 4], gap="large")
    with left:
        st.markdown(f"**Why.** {signal.reasoning}")
        for model in signal.models:
            st.markdown(_evidence(model))
    with right:
        st.plotly_chart(
            charts.forecasts(
                signal.probability_up,
                signal.threshold,
                signal.regime_probabilities,
                signal.iv_regime,
            ),
            key=f"forecasts {signal.ticker}",
            config={"displayModeBar": False},
        )
    names = ["Parameters", "Alternatives", "Volatility", "Provenance"]
    for tab, draw in zip(st.tabs(names), _TABS, strict=True):
        with tab:
            draw(signal)


def _badges(signal: DailySignal) -> None:
    colour = {"UP": "green", "DOWN": "red"}.get(signal.direction, "gray")
    proof = ":green-badge[proven]" if signal.proven else ":orange-badge[not proven]"
    origin = (
        ":red-badge[SIMULATED]"
        if signal.origin == "simulated"
        else (f":gray-badge[{signal.origin}]")
    )
    st.markdown(
        f":{colour}-badge[{signal.direction}] :blue-badge[size {signal.position_size}] {proof} "
        f":gray-badge[session {signal.session}] {origin}"
    )


def _evidence(model: ModelEvidence) -> str:
    mark = ":green[proven]" if model.proven else ":orange[not proven]"
    figure = "no figure"
    if model.improvement is not None:
        figure = f"improvement in {model.metric.replace('_', ' ')} {model.improvement:+.4f}"
    if model.low is not None:
        figure += f" (95 % interval {model.low:+.4f} to {model.high:+.4f})"
    return (
        f"**{model.name}** version {model.version}, {model.alias}, {mark}: {figure} "
        f"over the {model.baseline.replace('_', ' ')}; above 0 is better."
    )


def _parameters(signal: DailySignal) -> None:
    rows = [(name.replace("_", " "), text) for name, text in signal.parameters.items()]
    _table(rows, "parameter", "value")
    if signal.structure is None:
        st.caption("No priced structure in this signal.")
        return
    legs = signal.structure.get("legs")
    if isinstance(legs, list) and legs:
        st.dataframe(pd.json_normalize(legs), hide_index=True)
    rest = [(k.replace("_", " "), str(v)) for k, v in signal.structure.items() if k != "legs"]
    _table(rows=rest, first="structure", second="value")


def _alternatives(signal: DailySignal) -> None:
    _table(list(signal.alternatives), "strategy", "why not")


def _volatility(signal: DailySignal) -> None:
    _table(
        [
            ("IV rank today", f"{signal.iv_rank:.1f} of 100, band {signal.iv_band}"),
            ("IV less realised volatility", f"{signal.iv_hv_spread:+.2f} points"),
            ("forecast, five sessions ahead", f"{signal.iv_regime} ({signal.iv_confidence:.4f})"),
            ("expected direction of IV", signal.expected_iv_direction),
        ],
        "volatility",
        "value",
    )


def _provenance(signal: DailySignal) -> None:
    ages = [(f"age of {view}", _age(age)) for view, age in signal.ages.items()]
    models = [(f"{m.name} v{m.version}", f"sha256 {m.sha256[:16]}…") for m in signal.models]
    rows = [
        ("as of", signal.as_of),
        ("recorded at", signal.recorded_at),
        ("recordings of this session", str(signal.recordings)),
        ("origin", signal.origin),
    ]
    _table([*rows, *ages, *models], "provenance", "value")
    for model in signal.models:
        st.caption(f"{model.name}: {model.verdict}")


_TABS = (_parameters, _alternatives, _volatility, _provenance)


def _age(age: int | None) -> str:
    if age is None:
        return "unknown"
    return "current session" if age == 0 else f"{age} session{'s' if age > 1 else ''} old"


def _table(rows: list[tuple[Any, Any]], first: str, second: str) -> None:
    st.table(pd.DataFrame(rows, columns=[first, second]).set_index(first))


run_page("Daily Signals", show)
