"""What joins the queries to Streamlit: a cache keyed by the files read, and pages that hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from dashboard.documents import NothingYet
from dashboard.home_files import HomeFiles
from feature_repo.errors import InputError

Result = TypeVar("Result")

HOME = "home"
NOW = "now"


def stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a file does: its time and size, and those of SQLite's log.

    A folder is its files.
    """
    files = sorted(path.rglob("*")) if path.is_dir() else [path, Path(f"{path}-wal")]
    found = []
    for file in files:
        try:
            state = file.stat()
        except FileNotFoundError:
            continue
        found.append((str(file), state.st_mtime_ns, state.st_size))
    return tuple(found)


@st.cache_data(show_spinner=False, max_entries=128)
def _cached(
    _query: Callable[..., Result],
    name: str,  # noqa: ARG001 - part of the key
    path: str,
    watched: tuple[tuple[str, int, int], ...],  # noqa: ARG001 - part of the key
    *arguments: Any,  # noqa: ANN401 - whatever the query takes
) -> Result:
    return _query(Path(path), *arguments)


def load(
    query: Callable[..., Result],
    path: Path,
    *arguments: Any,  # noqa: ANN401 - whatever the query takes
    watch: Path | None = None,
) -> Result:
    """Return what a query says of a path, read again only when a file has changed.

    Parameters
    ----------
    query
        A function of the path and the arguments.
    path
        A file or folder.
    watch
        The file or folder whose change matters, by default the path.
    """
    name = f"{query.__module__}.{query.__qualname__}"
    return _cached(query, name, str(path), stamp(watch or path), *arguments)


def run_page(title: str, show: Callable[[HomeFiles, pd.Timestamp], None]) -> None:
    """Run a page of the home that the app was started with.

    What is missing or damaged is said on the page, and no other page is touched.
    """
    st.title(title)
    with held():
        show(HomeFiles(st.session_state[HOME]), st.session_state[NOW])


class held:  # noqa: N801 - reads as a statement: `with held():`
    """Say on the page what a part of it could not show, and go on with the next part."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        """Show a missing or damaged file; every other error goes on."""
        if isinstance(error, NothingYet):
            st.info(str(error), icon=":material/inbox:")
        elif isinstance(error, InputError):
            st.error(str(error), icon=":material/report:")
        return isinstance(error, InputError)
