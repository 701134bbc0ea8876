"""The dashboard: `streamlit run dashboard/app.py -- --home FOLDER`, read only."""

import os
import sys
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard.loading import load
from dashboard.page import SHOWN, Shown, held, navigation
from dashboard.queries.data import origin
from home.default import default_root
from home.layout import Home

BANNERS = {
    "simulated": (
        "**SIMULATED.** This market is made up by a random number generator. What it shows says "
        "nothing about real prices."
    ),
    "recorded": "**Recorded data.** A past market, read from files; it does not move on.",
}


def home_of(arguments: list[str], variable: str | None) -> Path:
    """Return the home: `--home FOLDER`, else OPTRADE_HOME, else the default one."""
    named = variable
    for place, word in enumerate(arguments):
        if word == "--home" and place + 1 < len(arguments):
            named = arguments[place + 1]
        elif word.startswith("--home="):
            named = word.removeprefix("--home=")
    return Path(named).expanduser().resolve() if named else default_root()


def main() -> None:
    """Draw the frame around the pages, and the page that was chosen."""
    files = Home(home_of(sys.argv[1:], os.environ.get("OPTRADE_HOME")))
    page = navigation()
    _frame(files)
    st.session_state[SHOWN] = Shown(files, pd.Timestamp.now(tz="UTC").floor("min"))
    page.run()


def _frame(files: Home) -> None:
    with st.sidebar:
        st.caption(f"Home: `{files.root}`")
    if not files.root.is_dir():
        st.warning(f"There is no folder {files.root}: `optrade demo` makes a home to look at.")
        return
    found = None
    with held():
        found = load(origin, files.data, watch=files.manifest)
    with st.sidebar:
        st.caption(f"Origin of its data: **{found or 'none yet'}**")
        st.caption("Read only. Research software, no investment advice.")
    if found in BANNERS:
        show = st.warning if found == "simulated" else st.info
        show(BANNERS[found], icon=":material/science:")


main()
