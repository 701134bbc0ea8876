"""Daily Signals: the trade of each ticker for one session, and why."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.loading import load
from dashboard.page import run_page
from dashboard.queries.signals import positions_of, recorded_sessions, signals_of
from dashboard.structure_view import came_to_words, show_position
from home.layout import Home
from home.records.evidence import Evidence
from home.records.signal import ServedModel, Signal
from home.records.structure_outcome import StructureOutcome
from market.iv_rank import REGIMES
from trading.ledger.read import DailySignal


def show(files: Home, now: pd.Timestamp) -> None:  # noqa: ARG001 - what every page takes
    """Show the signals of a session, the latest unless another is chosen."""
    sessions = load(recorded_sessions, files.ledger)
    session = st.selectbox("Session", sessions, help="The latest session stands first.")
    daily, faults = load(signals_of, files.ledger, session)
    ended, damaged = load(positions_of, files.ledger, session)
    for fault in (*faults, *damaged):
        st.error(fault, icon=":material/report:")
    if daily:
        st.dataframe(_overview([row.signal for row in daily]), hide_index=True)
    for row in daily:
        with st.container(border=True):
            _signal(row, ended.get(row.signal.key))


def _overview(signals: list[Signal]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "ticker": signal.ticker,
                "strategy": signal.strategy,
                "size": signal.position_size,
                "direction": signal.direction,
                "P(UP)": f"{signal.prediction.probability:.3f}",
                "IV forecast": f"{signal.iv_regime} ({signal.iv_confidence:.3f})",
                "overall confidence": f"{signal.overall_confidence:.3f}",
                "direction by": _answered_by(*_models(signal)[0]),
                "regime by": _answered_by(*_models(signal)[1]),
                "oldest data": _age(max(signal.provenance.age_in_sessions.values(), default=None)),
            }
            for signal in signals
        ]
    )


def _models(signal: Signal) -> list[tuple[ServedModel, Evidence]]:
    models, evidence = signal.provenance.models, signal.evidence
    return [(models.direction, evidence.direction), (models.regime, evidence.regime)]


def _answered_by(model: ServedModel, evidence: Evidence) -> str:
    """Return the type of a model and how it stands; of a baseline that no model is better."""
    if model.alias == "baseline":
        return f"{model.model}, {model.note}"
    return f"{model.model or 'unknown type'}, {evidence.standing}"


def _signal(daily: DailySignal, ended: StructureOutcome | None) -> None:
    signal = daily.signal
    st.subheader(f"{signal.ticker}: {signal.strategy}", anchor=False)
    _badges(daily)
    left, right = st.columns([5, 4], gap="large")
    with left:
        st.markdown(f"**Why.** {signal.reasoning}")
        for model, evidence in _models(signal):
            st.markdown(_evidence(model, evidence))
        if ended is not None:
            st.markdown(came_to_words(ended))
    with right:
        st.plotly_chart(
            charts.forecasts(
                signal.prediction.probability,
                signal.prediction.threshold_used,
                {name: signal.volatility.regime_probabilities[name] for name in REGIMES},
                signal.iv_regime,
            ),
            key=f"forecasts {signal.ticker}",
            config={"displayModeBar": False},
        )
    names = ["Position", "Parameters", "Alternatives", "Volatility", "Provenance"]
    for tab, draw in zip(st.tabs(names), _TABS, strict=True):
        with tab:
            draw(daily)


def _badges(daily: DailySignal) -> None:
    signal = daily.signal
    colour = {"UP": "green", "DOWN": "red"}.get(signal.direction, "gray")
    proof = ":green-badge[proven]" if signal.evidence.proven else ":orange-badge[unproven]"
    origin = (
        ":red-badge[SIMULATED]"
        if signal.provenance.origin == "simulated"
        else f":gray-badge[{signal.provenance.origin}]"
    )
    st.markdown(
        f":{colour}-badge[{signal.direction}] :blue-badge[size {signal.position_size}] {proof} "
        f":gray-badge[session {signal.session}] {origin} :gray-badge[signal {daily.number}]"
        + (" :orange-badge[backfilled]" if daily.backfilled else "")
    )


def _evidence(model: ServedModel, evidence: Evidence) -> str:
    if model.alias == "baseline":
        return f"**{model.name}**, {model.model}: :orange[{model.note}]."
    colour = {"proven": "green", "refuted": "red"}.get(evidence.standing, "orange")
    figure = "no figure"
    if evidence.improvement is not None:
        figure = f"improvement in {evidence.metric.replace('_', ' ')} {evidence.improvement:+.4f}"
    if evidence.interval is not None:
        low, high = evidence.interval
        figure += f" (95 % interval {low:+.4f} to {high:+.4f})"
    return (
        f"**{model.name}** version {model.version}, {model.model or 'unknown type'}, "
        f"{model.alias}, :{colour}[{evidence.standing}]: {figure} "
        f"over the {evidence.baseline.replace('_', ' ')}; above 0 is better."
        + ("" if model.note is None else f" It answers because {model.note}.")
    )


def _position(daily: DailySignal) -> None:
    show_position(daily.signal)


def _parameters(daily: DailySignal) -> None:
    signal = daily.signal
    rows = [(name.replace("_", " "), text) for name, text in signal.trade_parameters.items()]
    _table(rows, "parameter", "value")


def _alternatives(daily: DailySignal) -> None:
    rows = [(choice.strategy, choice.why_not) for choice in daily.signal.alternatives]
    _table(rows, "strategy", "why not")


def _volatility(daily: DailySignal) -> None:
    signal = daily.signal
    today = signal.iv_context
    _table(
        [
            ("IV rank today", f"{today.iv_rank:.1f} of 100, band {today.iv_regime}"),
            ("IV less realised volatility", f"{today.iv_hv_spread:+.2f} points"),
            ("forecast, five sessions ahead", f"{signal.iv_regime} ({signal.iv_confidence:.4f})"),
            ("expected direction of IV", signal.volatility.expected_iv_direction),
        ],
        "volatility",
        "value",
    )


def _provenance(daily: DailySignal) -> None:
    source, models = daily.signal.provenance, _models(daily.signal)
    ages = [(f"age of {view}", _age(age)) for view, age in source.age_in_sessions.items()]
    files = [
        (f"{m.name} v{m.version}, {m.model}", f"sha256 {m.artifact_sha256[:16]}…")
        for m, _ in models
    ]
    rows = [
        ("as of", source.as_of),
        ("recorded at", daily.recorded_at),
        ("recordings of this session", str(daily.recordings)),
        ("origin", source.origin),
        ("carried from the month before", _carried(source.carried)),
    ]
    _table([*rows, *ages, *files], "provenance", "value")
    for model, evidence in models:
        st.caption(f"{model.name}: {evidence.verdict}")


_TABS = (_position, _parameters, _alternatives, _volatility, _provenance)


def _carried(months: list[str] | None) -> str:
    if months is None:
        return "unknown"
    return ", ".join(months) or "nothing"


def _age(age: int | None) -> str:
    if age is None:
        return "unknown"
    return "current session" if age == 0 else f"{age} session{'s' if age > 1 else ''} old"


def _table(rows: list[tuple[Any, Any]], first: str, second: str) -> None:
    st.table(pd.DataFrame(rows, columns=[first, second]).set_index(first))


run_page("Daily Signals", show)
