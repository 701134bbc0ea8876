"""The clock of a command, and what a home says of itself."""

import json

import pandas as pd
import pytest

from home.layout import Home
from market.errors import ConfigurationError, InputError
from market.underlyings import UNDERLYINGS
from optrade.cli.options import chosen_tickers
from optrade.clock import parse_as_of, resolve_as_of
from optrade.runtime import Runtime
from optrade.settings import Settings

NOW = pd.Timestamp("2025-07-05 12:00", tz="UTC")


def home_of(tmp_path, origin: str, last: str) -> Home:
    home = Home(tmp_path)
    home.data.mkdir()
    entry = {
        "table": "prices", "key": "SPY", "generation": 1, "path": "raw/prices/SPY.x.parquet",
        "rows": 1, "first": "2010-01-04", "last": last, "sha256": "0", "landed_at": "2025-01-01",
    }  # fmt: skip
    document = {
        "format": 1, "origin": origin, "first_live_landing": None,
        "tables": {"prices": {"key": ["ticker", "session"], "generation": 1,
                              "definition_hash": None}},
        "entries": [entry],
    }  # fmt: skip
    (home.data / "manifest.json").write_text(json.dumps(document))
    return home


def test_a_recorded_home_does_not_age(tmp_path) -> None:
    home = home_of(tmp_path, "recorded", "2024-11-29")
    # A half day: it closes at 13:00 in New York.
    assert resolve_as_of(home, None, NOW) == pd.Timestamp("2024-11-29 18:30", tz="UTC")


def test_a_live_home_has_the_clock_of_the_wall(tmp_path) -> None:
    assert resolve_as_of(home_of(tmp_path, "live", "2024-11-29"), None, NOW) == NOW


def test_what_is_asked_for_wins(tmp_path) -> None:
    home = home_of(tmp_path, "live", "2024-11-29")
    assert resolve_as_of(home, "2024-06-28", NOW) == pd.Timestamp("2024-06-28 20:30", tz="UTC")


def test_an_empty_home_says_what_to_run(tmp_path) -> None:
    with pytest.raises(InputError, match="optrade ingest"):
        resolve_as_of(Home(tmp_path), None, NOW)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-06-30", "2025-06-30T20:30+00:00"),
        ("2025-01-10T16:30-05:00", "2025-01-10T21:30+00:00"),
        ("2025-01-11T09:00Z", "2025-01-11T09:00+00:00"),
    ],
)
def test_clock_words(text, moment) -> None:
    assert parse_as_of(text) == pd.Timestamp(moment)


@pytest.mark.parametrize("text", ["", "soon", "NaT", "2025-06-30 12:00", "2025-06-29"])
def test_bad_clock_words(text) -> None:
    with pytest.raises(InputError, match="--as-of: "):
        parse_as_of(text)


def test_a_file_is_no_home(tmp_path) -> None:
    (tmp_path / "home").write_text("notes")
    for home in ("home", "home/below"):
        with pytest.raises(ConfigurationError, match=r"/home: a file stands where a folder"):
            Settings(OPTRADE_HOME=tmp_path / home).home_at()
    assert Settings(OPTRADE_HOME=tmp_path / "none").home_at().root == tmp_path / "none"


def test_a_home_is_asked_for_its_own_tickers_and_a_new_one_for_all(tmp_path) -> None:
    new = Runtime(Settings(), Home(tmp_path / "new"), NOW)
    assert new.tickers() == list(UNDERLYINGS)
    held = Runtime(Settings(), home_of(tmp_path, "recorded", "2024-11-29"), NOW)
    assert chosen_tickers(held, None) == ["SPY"]
    assert chosen_tickers(held, "iwm, QQQ") == ["IWM", "QQQ"]
