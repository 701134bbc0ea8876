"""Models: every version, which one serves, and the evidence for it."""

import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.loading import load
from dashboard.page import held, run_page
from dashboard.queries import models as queries_models
from home.layout import Home
from home.records.training.evidence import TrainingEvidence

FIGURES = {
    "train_start": "train from",
    "train_end": "train to",
    "test_start": "test from",
    "test_end": "test to",
    "baseline_value": st.column_config.NumberColumn("baseline's", format="%.4f"),
    "difference": st.column_config.NumberColumn("better by", format="%+.4f"),
    "improvement": st.column_config.NumberColumn("better by", format="%+.4f"),
    "low": st.column_config.NumberColumn("95 % low", format="%+.4f"),
    "high": st.column_config.NumberColumn("95 % high", format="%+.4f"),
    "rows": st.column_config.NumberColumn("trained on n", format="localized"),
    "train_n": "train n",
    "test_n": "test n",
}
SCORE = {"model": st.column_config.NumberColumn("model's", format="%.4f")}
VERSIONS = {
    "model": "type",
    "trained_at": st.column_config.DatetimeColumn("trained at, UTC", format="YYYY-MM-DD HH:mm"),
    "forced": st.column_config.CheckboxColumn("promoted by force"),
    "trial": st.column_config.CheckboxColumn("trial only"),
    "run_id": "MLflow run",
}


def show(files: Home, now: pd.Timestamp) -> None:  # noqa: ARG001 - what every page takes
    """Show what serves, then one model: its versions, evidence and folds."""
    with held():
        _serving(files)
    versions = load(queries_models.model_versions, files.mlflow)
    st.subheader("One model", anchor=False)
    name = st.selectbox("Model", versions["name"].unique())
    own = versions[versions["name"] == name].drop(columns="name")
    st.dataframe(own, hide_index=True, column_config=VERSIONS)
    if "champion" not in " ".join(own["alias"]):
        st.info(
            "No champion: no version is proven. The newest unproven one serves at half size at "
            "most; where every version is refuted, the baseline does."
        )
    version = st.selectbox("Version", own["version"], format_func=lambda v: f"version {v}")
    run_id = own.loc[own["version"] == version, "run_id"].iloc[0]
    path = queries_models.evidence_path(files.artifacts, run_id)
    _evidence(load(queries_models.read_evidence, path))


def _serving(files: Home) -> None:
    st.subheader("Serving", anchor=False)
    table, faults = load(queries_models.serving_models, files.serving_models)
    for fault in faults:
        st.error(fault, icon=":material/report:")
    if table.empty:
        st.caption("No model serves yet.")
        return
    measured = table["improvement"].notna()
    for metric, rows in table[measured].groupby("metric", sort=False):
        st.plotly_chart(charts.improvements(rows, metric), key=f"improvements {metric}")
    if not measured.all():
        names = ", ".join(table.loc[~measured, "name"])
        st.caption(f"Not drawn, as the baseline itself serves or nothing was measured: {names}.")
    told = FIGURES | {"model": "type"}
    st.dataframe(table.drop(columns="verdict"), hide_index=True, column_config=told)


def _evidence(evidence: TrainingEvidence) -> None:
    gate, verdict = evidence.gate, evidence.verdict
    mark = st.success if verdict.proven else st.warning
    mark(verdict.words[:1].upper() + verdict.words[1:] + ".")
    metric, baseline = (word.replace("_", " ") for word in (gate.metric, gate.baseline))
    st.markdown(
        f"Model type **{evidence.model}**. Gate: pooled out-of-fold **{metric}** against the "
        f"**{baseline}**, n = {evidence.window.tested_decided:,} decided test sessions."
    )
    table = queries_models.folds(evidence)
    st.subheader("Fold by fold", anchor=False)
    if table["difference"].notna().any():
        st.plotly_chart(charts.folds(table, gate.baseline), key="folds")
    st.dataframe(table, hide_index=True, column_config=FIGURES | SCORE)
    st.subheader("All scores, pooled over folds", anchor=False)
    scores = queries_models.comparison(evidence)
    st.dataframe(scores, hide_index=True, column_config=FIGURES | SCORE)
    st.caption("Better by: above 0 is better, whether the score is to be high or low.")


run_page("Models", show)
