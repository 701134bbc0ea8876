import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from home.manifest import Entry, Manifest
from market.calendar import sessions
from training.frames.cache import KEPT, cached, frame_key

DAYS = sessions("2024-11-20", "2024-12-06")
REFERENCES = {"iv": ["iv_rank"], "macro": ["dff"]}


def manifest(**contents: str) -> Manifest:
    """A manifest of files `view__key`, by the hash of their bytes."""
    entries = {}
    for name, sha256 in contents.items():
        view, key = name.split("__")
        entry = Entry(view, key, 1, f"{view}/{key}", 9, "2024-11-20", "2024-12-06", sha256, "then")
        entries[view, key] = entry
    return Manifest("recorded", None, {}, entries)


HELD = manifest(iv__SPY="a", iv__QQQ="b", macro__US="c", technical__SPY="d")
ASKED: dict[str, Any] = {
    "manifest": HELD,
    "service": "volatility",
    "references": REFERENCES,
    "tickers": ["SPY"],
    "sessions": DAYS,
    "code": "feed",
    "known_at": True,
}


def key(**change: Any) -> str:
    return frame_key(**(ASKED | change))


@pytest.mark.parametrize(
    "change",
    [
        {"manifest": manifest(iv__SPY="A", iv__QQQ="b", macro__US="c")},
        {"manifest": manifest(iv__SPY="a", iv__QQQ="b", macro__US="C")},
        {"manifest": manifest(iv__SPY="a", iv__QQQ="b")},
        {"service": "direction"},
        {"references": {"iv": ["iv_rank", "iv_level"], "macro": ["dff"]}},
        {"references": {"macro": ["dff"], "iv": ["iv_rank"], "technical": ["rsi_14"]}},
        {"tickers": ["QQQ"]},
        {"tickers": ["SPY", "QQQ"]},
        {"sessions": DAYS[1:]},
        {"code": "beef"},
        {"known_at": False},
    ],
)
def test_whatever_a_frame_depends_on_changes_its_key(change: dict[str, Any]) -> None:
    assert key(**change) != key()


def test_a_changed_time_of_reading_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    later = DAYS.tz_localize("UTC") + pd.Timedelta("1D")
    monkeypatch.setattr("training.frames.cache.read_time", lambda days: later[: len(days)])
    assert key() != before


@pytest.mark.parametrize(
    "change",
    [
        {"manifest": manifest(iv__SPY="a", iv__QQQ="X", macro__US="c")},
        {"manifest": manifest(iv__SPY="a", macro__US="c", technical__SPY="X", iv__IWM="new")},
        {"sessions": DAYS[::-1]},
    ],
)
def test_what_a_frame_does_not_depend_on_leaves_its_key(change: dict[str, Any]) -> None:
    assert key(**change) == key()


def test_tickers_in_another_order_are_the_same_frame() -> None:
    assert key(tickers=["SPY", "QQQ"]) == key(tickers=["QQQ", "SPY"])


def test_an_on_demand_view_brings_the_stored_views_that_it_is_computed_from() -> None:
    crossed = {"cross": ["earnings_iv_runup"]}
    one = key(references=crossed, manifest=manifest(earnings__SPY="a", sentiment__SPY="s"))
    other = key(references=crossed, manifest=manifest(earnings__SPY="b", sentiment__SPY="s"))
    assert one != other


def frame(seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).standard_normal((len(DAYS), 2))
    values[0, 0], values[1, 1], values[2, 1] = np.nan, -0.0, 5e-324
    columns = {"ticker": "SPY", "session": DAYS, "iv_rank": values[:, 0], "dff": values[:, 1]}
    return pd.DataFrame(columns)


class Reads:
    """A store that counts how often it is read."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> pd.DataFrame:
        self.count += 1
        return frame()


def test_a_hit_equals_a_miss_bit_for_bit_and_reads_nothing(tmp_path: Path) -> None:
    reads = Reads()
    miss = cached(tmp_path, lambda: "k", reads)
    hit = cached(tmp_path, lambda: "k", reads)
    assert reads.count == 1
    pd.testing.assert_frame_equal(miss, frame(), check_exact=True)
    assert (hit.dtypes == miss.dtypes).all()
    for name in frame().columns[2:]:
        assert hit[name].to_numpy().tobytes() == frame()[name].to_numpy().tobytes(), name
    assert hit[["ticker", "session"]].equals(frame()[["ticker", "session"]])
    cached(tmp_path, lambda: "other", reads)
    assert reads.count == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_read_again_and_replaced(tmp_path: Path, damage: str) -> None:
    reads = Reads()
    cached(tmp_path, lambda: "k", reads)
    (path,) = tmp_path.glob("*.parquet")
    whole = path.read_bytes()
    at = len(whole) // 3
    flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    path.write_bytes({"cut": whole[:-7], "flipped": flipped, "empty": b""}[damage])
    pd.testing.assert_frame_equal(cached(tmp_path, lambda: "k", reads), frame(), check_exact=True)
    assert reads.count == 2
    assert path.read_bytes() == whole


def test_a_frame_read_while_something_landed_is_not_kept(tmp_path: Path) -> None:
    keys = iter(["before", "after"])
    pd.testing.assert_frame_equal(cached(tmp_path, lambda: next(keys), frame), frame())
    assert not list(tmp_path.glob("*.parquet"))


def test_the_frames_read_last_are_kept_and_no_more(tmp_path: Path) -> None:
    for number in range(KEPT):
        cached(tmp_path, lambda number=number: f"k{number:02}", frame)
        for path in tmp_path.glob(f"k{number:02}-*"):
            os.utime(path, (number, number))
    reads = Reads()
    cached(tmp_path, lambda: "k00", reads)  # the oldest, and now the one read last
    assert reads.count == 0
    cached(tmp_path, lambda: "one more", frame)
    kept = sorted(path.name.split("-")[0] for path in tmp_path.glob("*.parquet"))
    assert kept == sorted(["k00", "one more", *(f"k{number:02}" for number in range(2, KEPT))])


KILLED = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from training.registry import artifact
from training.frames import cache as frame_cache
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
frame_cache.cached(Path(sys.argv[1]), lambda: "k", lambda: pd.DataFrame({"x": [1.0]}))
"""


def test_a_killed_write_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])
    assert done.returncode == -signal.SIGKILL
    assert not list(tmp_path.glob("*.parquet"))
    (part,) = tmp_path.iterdir()
    reads = Reads()
    pd.testing.assert_frame_equal(cached(tmp_path, lambda: "k", reads), frame())
    assert reads.count == 1
    os.utime(part, (1, 1))
    cached(tmp_path, lambda: "other", reads)
    assert not part.exists(), "what a kill left is swept away in time"


def test_entries_that_differ_in_all_but_content_are_one_file() -> None:
    entry = HELD.entries["iv", "SPY"]
    landed_again = replace(entry, path="elsewhere", landed_at="later")
    again = Manifest("recorded", None, {}, {**HELD.entries, ("iv", "SPY"): landed_again})
    assert key(manifest=again) == key()
