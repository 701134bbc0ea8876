"""A damaged raw file of one ticker: the others land, are built, published and answered."""

import json
import re
from pathlib import Path

import pytest

from audit.lookahead import refuse_leaks
from home.manifest import read_manifest
from tests.optrade.conftest import CommandLine

pytestmark = pytest.mark.integration
NEXT = ("--as-of", "2024-11-18")


def ends(home: CommandLine, table: str) -> dict[str, str]:
    """Return the last session of each key of a table."""
    manifest = read_manifest(home.home / "data")
    return {key: manifest.entries[table, key].last for key in manifest.keys(table)}


def path_of(home: CommandLine, table: str, key: str) -> Path:
    data = home.home / "data"
    return data / read_manifest(data).entries[table, key].path


def test_the_others_go_on_from_the_fetch_to_the_signal(copied: CommandLine) -> None:
    copied("signal-all", "--record")
    path = path_of(copied, "prices", "SPY")
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    damaged = re.escape(f"{path} is damaged") + ".* `optrade repair`, which says how to fetch"
    # The home's own tickers are meant where none is named: there is no word of QQQ.
    day = copied("run-daily", *NEXT, "--json", code=3)
    answers = {row["ticker"]: row for row in json.loads(day.stdout)["signals"]}
    # Of the damaged one there is what was published before.
    assert {ticker: row["session"] for ticker, row in answers.items()} == {
        "SPY": "2024-11-15", "IWM": "2024-11-18",
    }  # fmt: skip
    for words in ("prices of SPY did not land", "the features of SPY were not built"):
        assert re.search(f"optrade: {words}: {damaged}", day.stderr), day.stderr
    assert ends(copied, "prices") == {"IWM": "2024-11-18", "SPY": "2024-11-15"}
    for view in ("technical", "iv"):
        assert ends(copied, view) == {"IWM": "2024-11-18", "SPY": "2024-11-15"}
    assert ends(copied, "macro") == {"US": "2024-11-18"}
    for words in (("build-features",), ("ingest", *NEXT)):
        assert re.search(
            f"features of SPY were not built: {damaged}", copied(*words, code=3).stderr
        )
    refuse_leaks(copied.home / "data", "IWM")
    settled = copied("settle", "--json", code=3)
    assert settled.stderr.startswith(f"optrade: SPY is not settled: {path} is damaged")
    pending = json.loads(settled.stdout)["pending"]
    assert {row["key"]["ticker"]: str(path) in row["reason"] for row in pending} == {
        "SPY": True, "IWM": False,
    }  # fmt: skip
    assert f"{path.relative_to(copied.home / 'data')}; run `optrade repair`" in (
        copied("doctor", "--json", code=1).stdout
    )
    (lost,) = json.loads(copied("repair", "--json", code=3).stdout)
    assert (lost["what"], lost["state"]) == (str(path.relative_to(copied.home / "data")), "lost")
    path.write_bytes(good)
    copied("run-daily", *NEXT)
    assert ends(copied, "technical") == {"IWM": "2024-11-18", "SPY": "2024-11-18"}


def test_features_that_need_no_damaged_raw_file_are_repaired(copied: CommandLine) -> None:
    raw, built = path_of(copied, "prices", "SPY"), path_of(copied, "technical", "IWM")
    raw.unlink()
    raw.mkdir()
    good = built.read_bytes()
    built.write_bytes(b"")
    told = {
        row["what"]: row["state"] for row in json.loads(copied("repair", "--json", code=3).stdout)
    }
    data = copied.home / "data"
    assert told == {str(raw.relative_to(data)): "lost", str(built.relative_to(data)): "restored"}
    assert built.read_bytes() == good


def test_a_damaged_feature_file_of_the_market_is_told_with_what_was_done(
    copied: CommandLine,
) -> None:
    path = path_of(copied, "macro", "US")
    path.write_bytes(b"none")
    done = copied("ingest", *NEXT, code=3)
    assert f"the features of US were not built: {path} is damaged" in done.stderr
    assert f"nothing was published: {path} is damaged" in done.stderr
    assert ends(copied, "technical") == {"IWM": "2024-11-18", "SPY": "2024-11-18"}
