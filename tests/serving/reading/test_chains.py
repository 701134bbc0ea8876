"""The chain of a session: the last one that was known, of that day, from the lake as it is."""

from pathlib import Path

import pandas as pd
import pytest

from home.manifest import read_manifest
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import OPTION_CHAINS
from market.options.chain import TRIED, Chain
from serving.reading.chains import LandedChains

DAY = pd.Timestamp("2025-06-30")
TIMES = ("2025-06-27 20:00", "2025-06-30 19:00", "2025-07-01 01:30", "2025-07-01 20:00")


def utc(moment: str) -> pd.Timestamp:
    return pd.Timestamp(moment, tz="UTC")


def land(
    data: Path, moment: str, landed: str, ask: float = 2.0, key: str = "SPY", strike: float = 600.0
) -> None:
    row = {
        "underlying": key, "root": key, "quote_time": utc(moment),
        "expiration": pd.Timestamp("2025-07-18"), "strike": strike, "option_type": "call",
        "underlying_price": 600.0, "bid": 1.0, "ask": ask,
    }  # fmt: skip
    frame = pd.DataFrame([row]).reindex(columns=list(OPTION_CHAINS.names))
    with Lake(data) as lake:
        lake.land(OPTION_CHAINS, frame.astype(OPTION_CHAINS.dtypes), "live", utc(landed))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for moment in TIMES:
        land(tmp_path, moment, moment)
    return tmp_path


def told(found: Chain | tuple[Chain, ...] | str | None) -> str | None:
    newest = found[0] if isinstance(found, tuple) else found
    return f"{newest.quote_time:%Y-%m-%d %H:%M}" if isinstance(newest, Chain) else newest


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (
            "2025-06-30 18:59",
            "no chain of SPY of 2025-06-30 was known: the newest is of 2025-06-27, 1 session "
            "before",
        ),
        ("2025-06-27 19:59", "no chain of SPY of 2025-06-30 was known, nor one before"),
        ("2025-06-30 19:00", TIMES[1]),
        ("2025-07-01 01:29", TIMES[1]),
        ("2025-07-01 01:30", TIMES[2]),  # half past nine in the evening in New York
        ("2025-07-08 20:00", TIMES[2]),
    ],
)
def test_it_is_the_last_of_the_session_that_was_known(
    data: Path, as_of: str, expected: str | None
) -> None:
    assert told(LandedChains(data).newest("SPY", DAY, utc(as_of))) == expected


def test_quotes_that_landed_later_were_not_known_before(tmp_path: Path) -> None:
    land(tmp_path, TIMES[1], "2025-07-03 12:00")
    chains = LandedChains(tmp_path)
    assert isinstance(chains.newest("SPY", DAY, utc("2025-07-03 11:59")), str)
    assert told(chains.newest("SPY", DAY, utc("2025-07-03 12:00"))) == TIMES[1]


def test_what_lands_is_seen_and_what_did_not_change_is_read_once(data: Path) -> None:
    chains = LandedChains(data)
    first = chains.newest("SPY", DAY, utc("2025-07-08 20:00"))
    assert chains.newest("SPY", DAY, utc("2025-07-08 20:00"))[0] is first[0]
    land(data, "2025-07-01 02:00", "2025-07-01 02:00")
    assert told(chains.newest("SPY", DAY, utc("2025-07-08 20:00"))) == "2025-07-01 02:00"


def test_a_correction_counts_from_its_landing(data: Path) -> None:
    land(data, TIMES[2], "2025-07-02 12:00", ask=3.0)
    land(data, TIMES[2], "2025-07-02 13:00", strike=605.0)
    chains = LandedChains(data)

    def asks(as_of: str) -> list[float]:
        return chains.newest("SPY", DAY, utc(as_of))[0].ask.tolist()

    # What was known before stays what it was.
    assert asks("2025-07-02 11:59") == [2.0]
    assert asks("2025-07-02 12:00") == [3.0]
    assert asks("2025-07-02 13:00") == [3.0, 2.0]


def test_those_before_the_newest_of_a_session_follow_it(data: Path) -> None:
    chains = LandedChains(data)
    for minute in range(10, 10 + TRIED):
        land(data, f"2025-06-30 19:{minute}", "2025-06-30 21:00")
    found = chains.newest("SPY", DAY, utc("2025-06-30 21:00"))
    assert [told(one)[-5:] for one in found] == ["19:14", "19:13", "19:12", "19:11", "19:10"]
    quoted = chains.quoted("SPY", DAY, utc("2025-06-30 21:00"))
    assert quoted.candidates()[: len(found)] == found
    assert quoted.candidates()[len(found) :] == (quoted.index,)


def test_a_ticker_or_a_session_without_a_chain_has_none(data: Path, tmp_path: Path) -> None:
    chains, late = LandedChains(data), utc("2025-07-08 20:00")
    none = "no chain of {} of {} was known, nor one before"
    assert chains.newest("IWM", DAY, late) == none.format("IWM", "2025-06-30")
    early = pd.Timestamp("2025-06-26")
    assert chains.newest("SPY", early, late) == none.format("SPY", "2025-06-26")
    stale = chains.newest("SPY", pd.Timestamp("2025-07-07"), late)
    assert stale.endswith("the newest is of 2025-07-01, 3 sessions before")
    assert "nor one before" in LandedChains(tmp_path / "nowhere").newest("SPY", DAY, late)


def test_an_index_s_chain_stands_beside_the_fund_s(data: Path) -> None:
    late = utc("2025-07-08 20:00")
    assert told(LandedChains(data).quoted("SPY", DAY, late).index).startswith("no chain of SPX of")
    land(data, "2025-07-01 01:18", "2025-07-01 01:18", key="SPX")
    found = LandedChains(data).quoted("SPY", DAY, late)
    assert [told(one) for one in (found.own, found.index)] == [TIMES[2], "2025-07-01 01:18"]
    assert [told(one) for one in found.candidates()] == [TIMES[2], TIMES[1], "2025-07-01 01:18"]
    assert len(LandedChains(data).quoted("QQQ", DAY, late).candidates()) == 1


@pytest.mark.parametrize("spoil", [lambda p: p.write_bytes(b"no rows"), lambda p: p.unlink()])
def test_a_file_that_cannot_be_read_is_named(data: Path, spoil) -> None:
    path = data / read_manifest(data).entries["option_chains", "SPY"].path
    spoil(path)
    found = LandedChains(data).newest("SPY", DAY, utc("2025-07-08 20:00"))
    assert found.startswith("the chain of SPY cannot be read: ")
    assert path.name in found
    assert "optrade repair" in found
