"""Data health: what has landed, its age, what is null, worth a look, or was refused."""

import pandas as pd
import streamlit as st

from dashboard.loading import load
from dashboard.page import held, run_page
from dashboard.queries import data as queries_data
from dashboard.queries.findings import told_findings
from dashboard.queries.lacking import lacking
from dashboard.queries.quarantine import quarantined
from home.layout import Home

LANDED = st.column_config.DatetimeColumn("landed at, UTC", format="YYYY-MM-DD HH:mm")
RELEASED = st.column_config.DatetimeColumn("released at, UTC", format="YYYY-MM-DD HH:mm")


def show(files: Home, now: pd.Timestamp) -> None:
    """Show the lake, table by table."""
    table = load(queries_data.tables, files.data, now, watch=files.manifest)
    _counts(table)
    _lacking(files)
    with held():
        _nulls(files)
    with held():
        _findings(files)
    with held():
        _quarantine(files)
    _tables(table)
    _bytes(files)


def _counts(table: pd.DataFrame) -> None:
    boxes = st.columns(4)
    boxes[0].metric("Files", f"{len(table):,}")
    for box, kind in zip(boxes[1:], ("raw", "view", "quarantine"), strict=True):
        box.metric(f"Rows, {kind}", f"{int(table.loc[table['kind'] == kind, 'rows'].sum()):,}")


def _lacking(files: Home) -> None:
    rows = load(lacking, files.data, watch=files.manifest)
    if rows.empty:
        return
    st.subheader("What keeps tickers from a signal", anchor=False)
    for row in rows.itertuples():
        st.warning(
            f"**{row.ticker}** lacks {row.lacks} in `{row.table}`: {row.wrong}. To act? {row.act}.",
            icon=":material/report:",
        )


def _nulls(files: Home) -> None:
    st.subheader("Nulls in the latest session", anchor=False)
    nulls = load(queries_data.latest_nulls, files.data, watch=files.manifest)
    if nulls.empty:
        st.info("No features yet: run `optrade build-features`.", icon=":material/inbox:")
        return
    st.dataframe(
        nulls,
        hide_index=True,
        column_config={
            "null_share": st.column_config.NumberColumn("null share", format="percent"),
            "names": "null columns",
            "act": "to act?",
            "carried": "months carried from the one before",
        },
    )
    absent = load(queries_data.absent_views, files.data, watch=files.manifest)
    if absent:
        st.caption(f"Not there, as nothing has landed in them: {', '.join(absent)}.")


def _findings(files: Home) -> None:
    st.subheader("Findings", anchor=False)
    found = load(told_findings, files.data, watch=files.files.findings)
    if found is None:
        st.info("None are kept yet: the next `optrade ingest` looks.", icon=":material/inbox:")
    elif found.empty:
        st.success("Nothing in the raw tables is worth a look.", icon=":material/check_circle:")
    else:
        columns = {
            "wrong": st.column_config.TextColumn("what is wrong", width="large"),
            "act": st.column_config.TextColumn("to act?", width="medium"),
        }
        st.dataframe(found, hide_index=True, column_config=columns)
        st.caption("Of rows that landed all the same: nothing is filled, and no row is kept out.")


def _quarantine(files: Home) -> None:
    st.subheader("Quarantine", anchor=False)
    refused = load(quarantined, files.data, watch=files.manifest)
    if refused.empty:
        st.success("The gate has refused no row.", icon=":material/check_circle:")
        return
    times = {"landed_at": LANDED, "released_at": RELEASED}
    st.dataframe(refused, hide_index=True, column_config=times)
    kept = int(refused["released_at"].isna().sum())
    st.caption(
        f"Rows that the gate refused: {len(refused):,}, of which {kept:,} are kept out. "
        "To act? No, features are built without them. One that is right after all: "
        "`optrade quarantine show` gives its id, and `optrade quarantine release --table … --key … "
        "--row …` lands it."
    )


def _tables(table: pd.DataFrame) -> None:
    for kind, title in (("view", "Feature views"), ("raw", "Raw tables")):
        st.subheader(title, anchor=False)
        rows = table[table["kind"] == kind].drop(columns="kind")
        if kind == "raw":
            rows = rows.drop(columns=["definitions", "generation"])
        st.dataframe(
            rows,
            hide_index=True,
            column_config={
                "rows": st.column_config.NumberColumn(format="localized"),
                "age": st.column_config.NumberColumn("age, sessions"),
                "landed_at": LANDED,
            },
        )
    st.caption(
        "Age counts sessions completed after the last date held: of a live home to now, of others "
        "to their last session with prices. Monthly series are dated by the first of their month, "
        "and published weeks later."
    )


def _bytes(files: Home) -> None:
    if st.toggle("Check every file against its hash"):
        with held():
            wrong = queries_data.damaged_files(files.data)
            if wrong:
                names = ", ".join(f"`{path}`" for path in wrong)
                st.error(
                    f"Missing or not as landed: {names}. To act? Yes: run `optrade repair`, which "
                    "makes again what can be, and says what to do of the rest."
                )
            else:
                st.success("Every file is as it landed.")


run_page("Data Health", show)
