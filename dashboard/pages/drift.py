"""Drift: which features have left their reference, against what chance would do."""

from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.loading import load
from dashboard.page import run_page
from dashboard.queries import drift as queries_drift
from home.layout import Home
from home.records.drift import DOCUMENT, INDEX, DriftReport

ALL = "all views"


def show(files: Home, now: pd.Timestamp) -> None:  # noqa: ARG001 - what every page takes
    """Show a drift report, the latest unless another is chosen."""
    names = queries_drift.report_names(files.drift)
    name = st.selectbox("Report", names, help="The latest report stands first.")
    folder = files.drift / name
    report = load(queries_drift.read_report, folder / DOCUMENT)
    _verdict(report)
    rows = queries_drift.feature_table(report)
    view = st.selectbox("View", [ALL, *sorted(rows["view"].unique())])
    rows = rows if view == ALL else rows[rows["view"] == view]
    _features(rows)
    _page(folder)


def _verdict(report: DriftReport) -> None:
    before, after = report.reference, report.current
    st.markdown(
        f"Current window **{after.start} to {after.end}** (n = {after.rows}) against "
        f"the reference **{before.start} to {before.end}** (n = {before.rows})."
    )
    if report.alert is None or report.alarmed_level is None:
        st.info("This report makes no overall verdict: no feature could be compared.")
        return
    words = (
        f"{report.alarmed} of {report.compared} compared features are above their own level; "
        f"chance alone stays at or below {report.alarmed_level:g} in 99 cases of 100."
    )
    if report.alert:
        st.error(f"**Drift alert.** {words}", icon=":material/warning:")
    else:
        st.success(f"**No alert.** {words}", icon=":material/check_circle:")


def _features(rows: pd.DataFrame) -> None:
    compared = rows.dropna(subset=["psi", "alarm_level"])
    if len(compared):
        st.subheader("Nearest to their alarm level, or above it", anchor=False)
        st.plotly_chart(charts.drift(compared), key="drift")
    else:
        st.info("No feature of this view could be compared; the table says why.")
    st.subheader(f"All {len(rows)} features", anchor=False)
    st.dataframe(
        rows.sort_values("psi", ascending=False, na_position="last"),
        hide_index=True,
        column_config={
            "psi": st.column_config.NumberColumn("PSI", format="%.4f"),
            "alarm_level": st.column_config.NumberColumn("alarm level", format="%.4f"),
            "null_share": st.column_config.NumberColumn("null share", format="percent"),
            "reference_null_share": st.column_config.NumberColumn(
                "null share of the reference", format="percent"
            ),
        },
    )
    st.caption(
        "The alarm level is the 99th percentile of the index under no drift, feature by feature, "
        "at this window's length; the usual 0.1 and 0.25 mean little for short windows."
    )


def _page(folder: Path) -> None:
    page = folder / INDEX
    if not page.exists():
        return
    st.subheader("The report as a page", anchor=False)
    st.markdown(f"`{page}` opens in a browser, with Evidently's pages behind its links.")


run_page("Drift", show)
