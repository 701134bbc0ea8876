"""Queries behind Streamlit's cache, keyed by the state of the files they read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

Result = TypeVar("Result")


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


@st.cache_data(show_spinner=False, max_entries=32)
def _computed(
    _figures: Callable[[pd.DataFrame], Result],
    name: str,  # noqa: ARG001 - part of the key
    frame: pd.DataFrame,
) -> Result:
    return _figures(frame)


def computed(figures: Callable[[pd.DataFrame], Result], frame: pd.DataFrame) -> Result:
    """Return the figures of a frame, made again only for another frame."""
    return _computed(figures, f"{figures.__module__}.{figures.__qualname__}", frame)
