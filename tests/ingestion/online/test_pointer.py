"""The session pointer says what the macro row of its session carries."""

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import polars as pl
import pytest

from ingestion.online import pointer
from ingestion.online.pointer import Materialization, pointer_of

ROWS = pl.DataFrame(
    {
        "session": [date(2025, 11, 13), date(2025, 12, 18)],
        "carried": [None, "CPIAUCSL 2025-10, UNRATE 2025-10"],
    },
    schema={"session": pl.Date, "carried": pl.String},
)


def published(session: str) -> dict:
    clock = pd.Timestamp(f"{session} 22:00", tz="UTC")
    views = {"technical": {"SPY": session}, "macro": {"SPY": session}}
    _, text = pointer_of(Materialization(clock, "live", ("SPY",), views), Path())
    return json.loads(text)


@pytest.mark.parametrize(
    ("rows", "session", "carried"),
    [
        (ROWS, "2025-12-18", ["CPIAUCSL 2025-10", "UNRATE 2025-10"]),
        (ROWS, "2025-11-13", []),
        (ROWS.drop("carried"), "2025-11-13", None),  # built before there was the column
    ],
)
def test_what_is_carried_is_published_with_its_session(
    rows: pl.DataFrame, session: str, carried: list | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    macro = SimpleNamespace(tables={"macro": SimpleNamespace(key=("session",))})
    monkeypatch.setattr(pointer, "read_manifest", lambda _: macro)
    monkeypatch.setattr(pointer, "read_rows", lambda *_, **__: rows)
    monkeypatch.setattr(pointer, "latest", lambda held, *_: held)
    assert published(session)["carried"] == carried
