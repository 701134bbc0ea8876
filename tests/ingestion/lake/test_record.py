"""What a key was last built from: any change of it is seen, nothing else is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from home.manifest import Answer, Entry, Manifest
from ingestion.lake.record import fingerprint, landing_fingerprint, read_record, write_record

INPUTS = [("prices", "SPY"), ("news", "market")]
OUTPUTS = [("technical", "SPY"), ("iv", "SPY")]


def entry(table: str, key: str, content: str = "a", generation: int = 1) -> Entry:
    return Entry(table, key, generation, f"{table}/{key}", 1, "", "", content, "")


def manifest(*entries: Entry, first_live: str | None = None) -> Manifest:
    return Manifest("live", first_live, {}, {(row.table, row.key): row for row in entries})


HELD = (entry("prices", "SPY"), entry("technical", "SPY"))


def state(held: Manifest) -> str:
    return fingerprint(held, INPUTS, OUTPUTS)


def test_equal_content_is_an_equal_fingerprint() -> None:
    moved = [replace(row, path="elsewhere", landed_at="2024-01-02") for row in HELD]
    other = entry("prices", "QQQ")
    assert state(manifest(*HELD)) == state(manifest(*moved, other))


@pytest.mark.parametrize(
    "held",
    [
        manifest(HELD[0]),
        manifest(HELD[1]),
        manifest(replace(HELD[0], sha256="b"), HELD[1]),
        manifest(HELD[0], replace(HELD[1], sha256="b")),
        manifest(HELD[0], replace(HELD[1], generation=2)),
        manifest(*HELD, entry("news", "market")),
        manifest(*HELD, entry("iv", "SPY")),
        replace(manifest(*HELD), answers={("prices", "SPY"): Answer("2024-01-02")}),
        manifest(*HELD, first_live="2024-01-02T21:30:00+00:00"),
    ],
)
def test_whatever_features_depend_on_is_in_the_fingerprint(held: Manifest) -> None:
    assert state(held) != state(manifest(*HELD))


def test_other_views_are_another_fingerprint() -> None:
    held = manifest(*HELD)
    assert fingerprint(held, INPUTS, OUTPUTS[:1]) != fingerprint(held, INPUTS, OUTPUTS)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "built.json"
    assert read_record(path) == {}
    write_record(path, {"ticker/SPY": "a", "market/US": "b"})
    assert read_record(path) == {"ticker/SPY": "a", "market/US": "b"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff"])
def test_a_damaged_record_says_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "built.json"
    path.write_bytes(content)
    assert read_record(path) == {}


FRAME = pd.DataFrame({"ticker": ["SPY", None], "close": [1.0, np.nan]})


def landing(
    held: Manifest,
    frame: pd.DataFrame = FRAME,
    keys: tuple[str, ...] = ("SPY",),
    end: str = "2024-01-02",
) -> str:
    return landing_fingerprint(held, "prices", keys, frame, pd.Timestamp(end))


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.iloc[::-1],
        FRAME.head(1),
        FRAME.assign(close=[1.0, 2.0]),
        FRAME.assign(close=[1.0 + 1e-15, np.nan]),
        FRAME.assign(ticker=["SPY", "QQQ"]),
        FRAME.rename(columns={"close": "open"}),
        FRAME.astype({"close": "float32"}),
    ],
)
def test_other_rows_are_another_landing(frame: pd.DataFrame) -> None:
    assert landing(manifest(), frame) != landing(manifest())
    assert landing(manifest(), FRAME.copy()) == landing(manifest())


def test_what_landed_or_was_refused_since_is_another_landing() -> None:
    before = landing(manifest(entry("prices", "SPY")))
    assert landing(manifest(entry("prices", "SPY", "b"))) != before
    assert landing(manifest(entry("prices", "SPY")), end="2024-01-03") != before
    assert landing(manifest(entry("prices", "SPY")), keys=("SPY", "QQQ")) != before
    refused = entry("quarantine/prices", "SPY")
    assert landing(manifest(entry("prices", "SPY"), refused)) != before
    assert landing(manifest(entry("prices", "SPY"), entry("iv", "SPY"))) == before
