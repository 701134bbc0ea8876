"""What every page has: its place in the navigation, a title, and messages for what is missing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd
import streamlit as st

from dashboard.queries.documents import NothingYet
from home.layout import Home
from market.errors import InputError

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

# File below `pages`, title, icon; the first is shown first.
PAGES: Final = (
    ("daily_signals", "Daily Signals", ":material/today:"),
    ("performance", "Performance", ":material/monitoring:"),
    ("paper_book", "Paper Book", ":material/account_balance:"),
    ("backtests", "Backtests", ":material/history_edu:"),
    ("models", "Models", ":material/model_training:"),
    ("drift", "Drift", ":material/ssid_chart:"),
    ("data_health", "Data Health", ":material/health_and_safety:"),
)
SHOWN: Final = "shown"
# Drawn here: Streamlit fetches the picture of a named icon from a foreign server.
ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<path d="M4 1v14M12 1v14" stroke="#1f5f8b"/>'
    '<path d="M2 5h4v6H2z" fill="#1f5f8b"/><path d="M10 3h4v6h-4z" fill="#d98e04"/></svg>'
)


@dataclass(frozen=True)
class Shown:
    """What the app was started with: the home, and the clock for homes that age."""

    files: Home
    now: pd.Timestamp


def navigation() -> "StreamlitPage":
    """Register the pages and return the one that was asked for."""
    st.set_page_config(page_title="optrade", page_icon=ICON, layout="wide")
    return st.navigation(
        [
            st.Page(f"pages/{name}.py", title=title, icon=icon, default=name == PAGES[0][0])
            for name, title, icon in PAGES
        ]
    )


def run_page(title: str, show: Callable[[Home, pd.Timestamp], None]) -> None:
    """Run a page of the home that the app was started with.

    What is missing or damaged is said on the page, and no other page is touched.
    """
    shown: Shown | None = st.session_state.pop(SHOWN, None)
    if shown is None:
        # Until `st.navigation` is first called, Streamlit takes a folder named `pages` for its
        # older kind of app, and runs the page of an address without the app around it.
        navigation()
        st.rerun()
    st.title(title, anchor=False)
    with held():
        show(shown.files, shown.now)


@contextmanager
def held() -> Iterator[None]:
    """Say on the page what a part of it could not show, and go on after it."""
    try:
        yield
    except NothingYet as nothing:
        st.info(str(nothing), icon=":material/inbox:")
    except InputError as error:
        st.error(str(error), icon=":material/report:")
