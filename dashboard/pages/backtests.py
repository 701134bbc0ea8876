"""Backtests: the pages of judged trades, each with its verdict."""

from typing import Final

import pandas as pd
import streamlit as st
from streamlit.components import v1 as components

from dashboard.loading import load
from dashboard.page import run_page
from dashboard.queries.reports import ReportPage, content_of, report_pages
from home.layout import Home

HEIGHT: Final = 900  # pixels of a page within the page
MEBIBYTE: Final = 1024**2


def show(files: Home, now: pd.Timestamp) -> None:  # noqa: ARG001 - what every page takes
    """Show the verdict of the newest page, all of them in a list, and one to open."""
    pages, faults = load(report_pages, files.backtests)
    for fault in faults:
        st.error(fault, icon=":material/report:")
    if not pages:
        return
    newest = pages[0]
    st.info(f"**{newest.verdict}**  \n{newest.about}", icon=":material/balance:")
    st.dataframe(
        pd.DataFrame([_row(page) for page in pages]),
        hide_index=True,
        column_config={
            "written": st.column_config.DatetimeColumn("written, UTC", format="YYYY-MM-DD HH:mm"),
            "size": st.column_config.NumberColumn("MiB", format="%.1f"),
        },
    )
    names = {page.path.name: page for page in pages}
    name = st.selectbox("Page", list(names), help="The newest stands first.")
    _offer(names[name])


def _row(page: ReportPage) -> dict[str, object]:
    # The verdict is as long as it is: what stands before it is never cut.
    return {
        "written": pd.Timestamp(page.written, unit="s", tz="UTC"),
        "size": page.size / MEBIBYTE,
        "file": page.path.name,
        "trades": page.about,
        "verdict": page.verdict,
    }


def _offer(page: ReportPage) -> None:
    content = content_of(page)
    left, right = st.columns([1, 4], vertical_alignment="center")
    left.download_button("Download", content, page.path.name, "text/html", on_click="ignore")
    right.caption(f"`{page.path}` opens in a browser: one file that needs no other.")
    # Plotly's script is in each page: not sent to a browser that did not ask for it.
    if st.toggle(f"Show it here ({page.size / MEBIBYTE:.1f} MiB)"):
        components.html(content, height=HEIGHT, scrolling=True)


run_page("Backtests", show)
