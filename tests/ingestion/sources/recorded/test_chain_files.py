"""The parquet shape that chains are passed on in."""

from pathlib import Path

import pandas as pd
import pytest

from ingestion.gate.expectations import gate
from ingestion.sources.recorded import chains
from ingestion.sources.recorded.chain_files import as_file, chain_file
from ingestion.sources.recorded.source import Recorded
from ingestion.tables.catalogue import OPTION_CHAINS
from market.errors import InputError, SchemaViolation

ROW = {
    "quote_date": "2023-02-23", "underlying": "SPX", "spot": 4012.32, "expiry": "2023-03-17",
    "right": "C", "strike": 4000.0, "bid": 71.2, "ask": 71.9, "last": 70.0, "volume": 12,
    "open_interest": 90, "iv": 0.1812, "delta": 0.54, "source": "a vendor", "root": "SPX",
    "quote_time": "2023-02-23 21:18 ET",
}  # fmt: skip


def written(path: Path, *rows: dict[str, object]) -> Path:
    pd.DataFrame([ROW | row for row in rows or ({},)]).to_parquet(path / "SPX.parquet")
    return path / "SPX.parquet"


def one(path: Path, **columns: object) -> pd.Series:
    return chain_file(written(path, columns)).iloc[0]


def test_a_row_as_it_lands(tmp_path: Path) -> None:
    found = one(tmp_path)
    assert found.drop("gamma").to_dict() == {
        "underlying": "SPX", "root": "SPX", "expiration": pd.Timestamp("2023-03-17"),
        "quote_time": pd.Timestamp("2023-02-24 02:18", tz="UTC"), "option_type": "call",
        "strike": 4000.0, "underlying_price": 4012.32, "bid": 71.2, "ask": 71.9, "volume": 12.0,
        "open_interest": 90.0, "implied_volatility": 0.1812, "delta": 0.54,
    }  # fmt: skip
    assert pd.isna(found["gamma"])


SUMMER: dict[str, object] = {"quote_date": "2023-06-02"}
LANDS = {
    "the close of a day without a time": ({"quote_time": None}, "quote_time", "2023-02-23 21:00"),
    "the close of a half day": (
        {"quote_time": None, "quote_date": "2023-11-24"}, "quote_time", "2023-11-24 18:00",
    ),
    "summer time": (
        SUMMER | {"quote_time": "2023-06-02 21:29 ET"}, "quote_time", "2023-06-03 01:29",
    ),
    "seconds": (
        SUMMER | {"quote_time": "2023-06-02 21:29:30 ET"}, "quote_time", "2023-06-03 01:29:30",
    ),
    "the morning after": (
        {"quote_time": "2023-02-24 07:01 ET"}, "quote_time", "2023-02-24 12:01",
    ),
    "a weekend's night": (
        SUMMER | {"quote_time": "2023-06-04 21:20 ET"}, "quote_time", "2023-06-05 01:20",
    ),
    "a put": ({"right": "P"}, "option_type", "put"),
    "a volatility of 0": ({"iv": 0.0}, "implied_volatility", None),
    "a volatility of Yahoo's": ({"iv": 1e-5}, "implied_volatility", None),
    "no bid": ({"bid": 0.0}, "bid", 0.0),
    "neither bid nor ask": ({"bid": 0.0, "ask": 0.0}, "bid", None),
    "no ask": ({"ask": 0.0}, "ask", None),
    "an unknown spot": ({"spot": float("nan")}, "underlying_price", None),
    "an unknown volume": ({"volume": None}, "volume", None),
    "a gamma": ({"gamma": 0.01}, "gamma", 0.01),
    "a date": ({"expiry": pd.Timestamp("2023-03-17").date()}, "expiration", "2023-03-17"),
    "a midnight": ({"expiry": pd.Timestamp("2023-03-17")}, "expiration", "2023-03-17"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "column", "lands"), LANDS.values(), ids=LANDS)
def test_what_is_written_lands_as_what_it_means(
    sent: dict[str, object], column: str, lands: object, tmp_path: Path
) -> None:
    found = one(tmp_path, **sent)[column]
    if column == "quote_time":
        lands = pd.Timestamp(lands, tz="UTC")
    elif column == "expiration":
        lands = pd.Timestamp(lands)
    assert pd.isna(found) if lands is None else found == lands


WRONG = {
    "another right": ({"right": "X"}, "right: got 'X', allowed are C and P"),
    "no date": ({"expiry": "03/17/2023"}, "expiry: got the date '03/17/2023', allowed is"),
    "no time": ({"quote_time": "evening"}, "quote_time: got 'evening', allowed is 2023-02-23"),
    "a day beyond what a time may be": (
        {"expiry": "9999-12-31"}, "got the date '9999-12-31', allowed is a day such as 2023-02-23, "
        "from 1677-09-22 to 2262-04-11",
    ),
    "the hour that is there twice": ({"quote_time": "2023-11-05 01:30 ET"}, "is there twice"),
    "the hour that is not there": (
        {"quote_time": "2023-03-12 02:30 ET"}, "got '2023-03-12 02:30 ET', which does not exist",
    ),
    "a time of the day before": (
        {"quote_time": "2023-02-22 16:00 ET"},
        "got quote_time 2023-02-22 16:00 ET beside quote_date 2023-02-23, allowed is",
    ),
    "a time of the session after": ({"quote_time": "2023-02-24 09:30 ET"}, "beside quote_date"),
    "no underlying": ({"underlying": None}, "underlying: got none in a row, allowed is"),
    "a number for a root": ({"root": 1}, "root: got values of type int64, allowed are texts"),
    "a list for a day": ({"expiry": [1]}, "expiry: got values of type list"),
    "a time without a text": (
        {"quote_time": pd.Timestamp("2023-02-23 21:18")}, "quote_time: got values of type timestamp"
    ),
    "no session and no time": (
        {"quote_time": None, "quote_date": "2023-02-25"}, "not an XNYS session: got 2023-02-25",
    ),
    "a word for a number": ({"bid": "none"}, "bid: got values of type object, allowed are num"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_refused(
    sent: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SchemaViolation) as caught:
        chain_file(written(tmp_path, sent))
    assert str(caught.value).startswith("SPX.parquet: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("whose", [None, "SPX", "SPY"])
def test_a_row_of_no_underlying_is_refused_whoever_is_asked_for(
    whose: str | None, tmp_path: Path
) -> None:
    path = written(tmp_path, {}, {"underlying": None})
    with pytest.raises(SchemaViolation, match="underlying: got none in a row"):
        chain_file(path, whose)


def test_a_file_that_is_read_in_chunks_gives_the_same_rows(tmp_path: Path, monkeypatch) -> None:
    sent = [
        {"strike": float(strike), "underlying": name, "root": name, "quote_time": time}
        for strike in (3990, 4000, 4010)
        for name in ("SPX", "SPY")
        for time in ("2023-02-23 21:18 ET", None)
    ]
    path = written(tmp_path, *sent)
    whole = {key: chain_file(path, key) for key in ("SPX", "SPY", "QQQ", None)}
    assert [len(rows) for rows in whole.values()] == [6, 6, 0, 12]
    monkeypatch.setattr("ingestion.sources.recorded.chain_files.CHUNK", 5)
    for key, rows in whole.items():
        pd.testing.assert_frame_equal(chain_file(path, key), rows)


def test_a_missing_date_and_a_category_are_told_apart(tmp_path: Path) -> None:
    path = written(tmp_path, {"expiry": None}, {})
    with pytest.raises(SchemaViolation, match="expiry: got no date, allowed is a day such as 2023"):
        chain_file(path)
    frame = pd.DataFrame([ROW]).astype({"underlying": "category", "right": "category"})
    frame.to_parquet(path)
    assert list(chain_file(path, "SPX")["option_type"]) == ["call"]


def test_another_file_or_shape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chain.parquet").write_text("bid,ask")
    with pytest.raises(SchemaViolation, match="no parquet"):
        chain_file(tmp_path / "chain.parquet")
    pd.DataFrame([ROW]).drop(columns=["root", "iv"]).to_parquet(tmp_path / "old.parquet")
    with pytest.raises(SchemaViolation, match="has no column root, iv"):
        chain_file(tmp_path / "old.parquet")


def folder(path: Path) -> Recorded:
    (path / "option_chains").mkdir()
    late = {"quote_time": "2023-02-24 21:00 ET", "quote_date": "2023-02-24"}
    spy = {"underlying": "SPY", "root": "SPY", "strike": 400.0, "quote_time": None}
    written(path / "option_chains", {}, {"right": "P", "root": "SPXW"}, late, spy)
    return Recorded(path)


def test_a_recorded_folder_gives_the_chains_of_its_parquet_files(tmp_path: Path) -> None:
    source = folder(tmp_path)
    assert "option_chains" in source.tables
    end = pd.Timestamp("2023-02-24")
    rows = source.fetch("option_chains", ["SPX", "SPY", "QQQ"], None, end)
    assert rows.groupby("underlying")["root"].agg(list).to_dict() == {
        "SPX": ["SPX", "SPXW"], "SPY": ["SPY"],
    }  # fmt: skip
    # An evening's quotes are known on the day after.
    later = source.fetch("option_chains", ["SPX"], None, pd.Timestamp("2023-02-27"))
    assert len(later) == 3
    assert gate(OPTION_CHAINS, later)[1].empty
    with pytest.raises(InputError, match="got 'XSP', allowed are SPY"):
        source.fetch("option_chains", ["XSP"], None, end)


def test_what_is_written_is_read_as_the_same_rows(tmp_path: Path) -> None:
    source = folder(tmp_path)
    rows = source.fetch("option_chains", ["SPX", "SPY"], None, pd.Timestamp("2023-02-27"))
    (tmp_path / "again.parquet").write_bytes(as_file(rows))
    again = chain_file(tmp_path / "again.parquet")[list(OPTION_CHAINS.names)]
    pd.testing.assert_frame_equal(again.astype(OPTION_CHAINS.dtypes), rows)
    assert as_file(rows) == as_file(rows)


def test_recorded_chains_of_an_index(recorded_dir: Path) -> None:
    rows = chain_file(recorded_dir.parent / "chains" / "SPX_2022-03-23_2023-09-14.parquet", "SPX")
    rows = rows[list(OPTION_CHAINS.names)].astype(OPTION_CHAINS.dtypes)
    near = rows[(rows["strike"] / rows["underlying_price"] - 1).abs() < 0.05]
    good, bad = gate(OPTION_CHAINS, near.reset_index(drop=True))
    assert set(good["root"]) == {"SPX", "SPXW"}
    assert good["quote_time"].nunique() == 2
    assert len(bad) < 0.05 * len(good)


@pytest.mark.parametrize(
    ("symbol", "own", "root"),
    [
        ("SPY250718P00550000", ("SPY",), "SPY"),
        ("SPY1250718P00550000", ("SPY",), "SPY1"),
        ("A1", ("SPY",), "SPY"),
        ("", ("SPY",), "SPY"),
        ("A1", ("SPX", "SPXW"), None),
        ("SPY250718X00550000", ("SPY",), None),
        ("SPY 250718", ("SPY",), None),
        ("P0055000", ("SPY",), None),
    ],
)
def test_a_word_that_is_meant_for_no_symbol_leaves_the_root_to_the_underlying(symbol, own, root):
    assert chains._root(symbol, own) == root
