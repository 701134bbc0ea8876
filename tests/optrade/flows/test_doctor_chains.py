"""What `optrade doctor` says of option chains: what prices positions, and what to do for quotes."""

from pathlib import Path

import pandas as pd
import pytest

from home.layout import Home
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import OPTION_CHAINS, PRICES
from optrade.flows.doctor.chains import check_chains
from optrade.runtime import Runtime
from optrade.settings import Settings

NOW = pd.Timestamp("2025-06-30 21:00", tz="UTC")
NONE = "no chain of {} of 2025-06-30 was known, nor one before"
BY_INDEX = "positions are priced by the volatility index, a point lower or higher: "
NAME_ONE = "set OPTRADE_CHAINS to cboe, yahoo, tradier or massive, whose terms docs/chains.md tells"


def home(root: Path, *quoted: tuple[str, str], origin: str = "live", ticker: str = "SPY") -> Path:
    """Land a bar of a ticker, and a quote of each underlying at its time."""
    bar = {
        "ticker": ticker, "session": pd.Timestamp("2025-06-30"), "open": 1.0, "high": 2.0,
        "low": 1.0, "close": 1.5, "adj_close": 1.5, "volume": 9.0, "dividend": 0.0, "split": 1.0,
    }  # fmt: skip
    quote = {
        "expiration": pd.Timestamp("2025-07-18"), "strike": 600.0, "option_type": "call",
        "bid": 1.0, "ask": 2.0,
    }  # fmt: skip
    with Lake(root / "data") as lake:
        lake.land(
            PRICES, pd.DataFrame([bar]).astype(PRICES.dtypes)[list(PRICES.names)], origin, NOW
        )
        for key, moment in quoted:
            named = {"underlying": key, "root": key, "quote_time": pd.Timestamp(moment, tz="UTC")}
            frame = pd.DataFrame([quote | named]).reindex(columns=list(OPTION_CHAINS.names))
            lake.land(OPTION_CHAINS, frame.astype(OPTION_CHAINS.dtypes), origin, NOW)
    return root


def found(root: Path, **settings: str) -> dict[str, tuple[str, str]]:
    run = Runtime(Settings(**settings), Home(root), NOW)
    return {row.check: (row.level, row.found) for row in check_chains(run)}


@pytest.fixture(autouse=True)
def no_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPTRADE_CHAINS", raising=False)


def test_an_empty_home_has_no_chains_to_speak_of(tmp_path: Path) -> None:
    assert found(tmp_path) == {}


def test_quotes_of_the_session_price_positions(tmp_path: Path) -> None:
    level, words = found(home(tmp_path, ("SPY", "2025-06-30 20:00")))["chains SPY"]
    assert (level, words) == (
        "ok", "positions are priced on quotes of SPY of 2025-06-30 20:00 UTC, 1.0 hours old",
    )  # fmt: skip


def test_those_of_the_index_are_scaled_and_why_not_its_own_is_said(tmp_path: Path) -> None:
    root = home(tmp_path, ("SPX", "2025-06-30 20:00"), ("SPY", "2025-06-26 20:00"))
    level, words = found(root)["chains SPY"]
    assert level == "ok"
    assert words == (
        "positions are priced on quotes of SPX of 2025-06-30 20:00 UTC, 1.0 hours old, scaled; no "
        "chain of SPY of 2025-06-30 was known: the newest is of 2025-06-26, 2 sessions before"
    )


@pytest.mark.parametrize(
    ("chains", "cure"), [({}, NAME_ONE), ({"OPTRADE_CHAINS": "cboe"}, "run `optrade ingest`")]
)
def test_stale_quotes_are_a_warning_with_what_to_run(tmp_path: Path, chains, cure: str) -> None:
    level, words = found(home(tmp_path, ("SPY", "2025-06-26 20:00")), **chains)["chains SPY"]
    assert level == "warning"
    assert words.startswith(f"{BY_INDEX}no chain of SPY of 2025-06-30 was known: the newest is of")
    assert f"2 sessions before and {NONE.format('SPX')}; {cure}" in words


@pytest.mark.parametrize(
    ("origin", "cure"),
    [
        ("live", NAME_ONE),
        (
            "recorded",
            "put chains of that session into option_chains/ of the folder, then run `optrade "
            "ingest --source recorded --recorded-dir FOLDER --as-of 2025-06-30`",
        ),
        ("simulated", "run `optrade ingest --source simulated`"),
    ],
)
def test_without_quotes_it_is_said_how_to_have_some(tmp_path: Path, origin, cure: str) -> None:
    told = found(home(tmp_path, origin=origin, ticker="QQQ"))
    level, words = told["chains QQQ"]
    assert level == "ok"
    assert words.startswith(f"{BY_INDEX}{NONE.format('QQQ')}; {cure}")
    assert ("OPTRADE_CHAINS" in told) == (origin == "live")


@pytest.mark.parametrize(
    ("word", "level", "words"),
    [
        (None, "ok", f"not set: no live option chains land, so {BY_INDEX[:-2]}; to have quotes, "),
        ("cboe", "ok", "cboe: `optrade ingest` lands its live option chains"),
        ("fred", "error", "OPTRADE_CHAINS: got 'fred', allowed are "),
    ],
)
def test_who_gives_live_chains_is_said(tmp_path: Path, word, level: str, words: str) -> None:
    told = found(home(tmp_path), **({} if word is None else {"OPTRADE_CHAINS": word}))
    assert told["OPTRADE_CHAINS"][0] == level
    assert told["OPTRADE_CHAINS"][1].startswith(words)


def test_a_damaged_chain_is_named(tmp_path: Path) -> None:
    root = home(tmp_path, ("SPY", "2025-06-30 20:00"))
    (path,) = (root / "data" / "raw" / "option_chains").glob("SPY.*")
    path.write_bytes(b"no rows")
    level, words = found(root)["chains SPY"]
    assert level == "warning"
    assert "the chain of SPY cannot be read: " in words
    assert "optrade repair" in words
