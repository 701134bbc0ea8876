"""Recorded files that cannot be read are refused: file, line, column, what was got, allowed."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from ingestion.sources.recorded.source import FORMATS, Recorded
from market.errors import InputError, KeyUnavailable, SchemaViolation

KEYS = {"yahoo": "SPY", "cboe": "VIX", "fred": "DGS10"}
YAHOO = "Date, Open, High, Low, Close, Volume, Dividends, Adj Close"
DATE = "a date such as 2024-01-31"
NUMBER = "a number, or an empty cell for null"
PRICE = "a number, or an empty cell or 'null' for null"
RATE = "a number, or '.' or an empty cell for null"
SPLIT = "0 for none, or new shares per old"


class Fault(NamedTuple):
    """A change of a vendor's file, and the message after the file's name."""

    vendor: str
    change: Callable[[bytes], bytes]
    message: str


def cell(old: str, new: str) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old.encode() in data
        return data.replace(old.encode(), new.encode(), 1)

    return change


def splits(*cells: str) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        lines = zip(data.decode().splitlines(), ("Stock Splits", *cells), strict=True)
        return "\n".join(f"{line},{cell}" for line, cell in lines).encode()

    return change


def at(line: int, column: str, got: str, allowed: str) -> str:
    return f", line {line}, column {column}: got {got!r}, allowed is {allowed}"


FAULTS = {
    # the whole file
    "empty": Fault("yahoo", lambda _: b"", ": the file is empty, allowed is a header and rows"),
    "blank": Fault("fred", lambda _: b"\n\n", ": the file is empty, allowed is a header and rows"),
    "header only": Fault(
        "cboe",
        lambda data: data.splitlines()[0],
        ": got a header and no row, allowed is at least one row",
    ),
    "UTF-16": Fault(
        "yahoo",
        lambda data: data.decode().encode("utf-16"),
        ": got byte 0xff at position 0, allowed is UTF-8 text",
    ),
    "Latin-1": Fault(
        "cboe",
        lambda data: data.replace(b"Low", b"L\xf6w"),
        ": got byte 0xf6 at position 16, allowed is UTF-8 text",
    ),
    "a page in place of data": Fault(
        "fred",
        lambda _: b"<html>\n<body>Too many requests</body>\n</html>\n",
        ", line 1: missing column observation_date, DGS10; got <html>, "
        "allowed are at least observation_date, DGS10",
    ),
    # the header
    "no date column": Fault(
        "yahoo",
        cell("Date,", "Day,"),
        ", line 1: missing column Date; got Day, Open, High, Low, Close, Adj Close, Volume, "
        f"Dividends, allowed are at least {YAHOO}",
    ),
    "two columns missing": Fault(
        "yahoo",
        cell("Close,Adj Close", "Last,Adjusted"),
        ", line 1: missing column Close, Adj Close; got Date, Open, High, Low, Last, Adjusted, "
        f"Volume, Dividends, allowed are at least {YAHOO}",
    ),
    "no close": Fault(
        "cboe",
        cell("Close", "Last"),
        ", line 1: missing column Close; got Date, Open, High, Low, Last, "
        "allowed are at least Date, Close",
    ),
    "another series": Fault(
        "fred",
        cell("DGS10", "DGS2"),
        ", line 1: missing column DGS10; got observation_date, DGS2, "
        "allowed are at least observation_date, DGS10",
    ),
    "column twice": Fault(
        "yahoo",
        cell("Open,High", "High,High"),
        ", line 1: got column High more than once, allowed is once",
    ),
    # rows
    "cell too few": Fault(
        "yahoo", cell(",1200,1.5", ",1200"), ", line 3: got 7 cells, allowed are 8 as in the header"
    ),
    "cell too many": Fault(
        "cboe", cell("14.04", "14.04,9"), ", line 3: got 6 cells, allowed are 5 as in the header"
    ),
    "cut inside quotes": Fault("cboe", cell("14.04", '"14.04'), ", line 3: unexpected end of data"),
    # dates
    "not a date": Fault("yahoo", cell("2024-01-03", "yesterday"), at(3, "Date", "yesterday", DATE)),
    "impossible date": Fault(
        "cboe", cell("2024-01-03", "2024-02-30"), at(3, "Date", "2024-02-30", DATE)
    ),
    "American date": Fault(
        "cboe", cell("2024-01-02", "01/02/2024"), at(2, "Date", "01/02/2024", DATE)
    ),
    "date with a time": Fault(
        "yahoo",
        cell("2024-01-04", "2024-01-04 00:00:00-05:00"),
        at(4, "Date", "2024-01-04 00:00:00-05:00", DATE),
    ),
    "null date": Fault("fred", cell("2024-01-02,", ","), at(3, "observation_date", "", DATE)),
    "date out of range": Fault(
        "fred", cell("2024-01-02", "9999-01-02"), at(3, "observation_date", "9999-01-02", DATE)
    ),
    # numbers
    "not a number": Fault("yahoo", cell("468.0,455.7", "n/a,455.7"), at(3, "Close", "n/a", PRICE)),
    "thousands": Fault("yahoo", cell("1200", '"1,200"'), at(3, "Volume", "1,200", PRICE)),
    "nan": Fault("yahoo", cell("467.0,454.7", "nan,454.7"), at(4, "Close", "nan", PRICE)),
    "truth": Fault("cboe", cell("14.04", "True"), at(3, "Close", "True", NUMBER)),
    "decimal comma": Fault("cboe", cell("14.04", '"14,04"'), at(3, "Close", "14,04", NUMBER)),
    "another vendor's null": Fault("cboe", cell("14.04", "null"), at(3, "Close", "null", NUMBER)),
    "error of a sheet": Fault("fred", cell("3.91", "#N/A"), at(4, "DGS10", "#N/A", RATE)),
    # splits
    "negative split": Fault("yahoo", splits("0", "-2", "0"), at(3, "Stock Splits", "-2", SPLIT)),
    "infinite split": Fault("yahoo", splits("0", "inf", "0"), at(3, "Stock Splits", "inf", SPLIT)),
    "unknown split": Fault("yahoo", splits("0", "0", ""), at(4, "Stock Splits", "", SPLIT)),
}


def fetch(folder: Path, vendor: str, key: str) -> pd.DataFrame:
    table = next(table for table, (name, _) in FORMATS.items() if name == vendor)
    return Recorded(folder).fetch(table, [key], None, pd.Timestamp("2024-01-04"))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_cannot_be_read_says_where_and_what_is_allowed(
    vendor_folder: Path, fault: str
) -> None:
    vendor, change, message = FAULTS[fault]
    name = f"{vendor}/{KEYS[vendor]}.csv"
    path = vendor_folder / name
    fetch(vendor_folder, vendor, KEYS[vendor])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(SchemaViolation) as caught:
        fetch(vendor_folder, vendor, KEYS[vendor])
    assert str(caught.value) == f"{name}{message}"


def test_a_long_cell_is_cut_in_the_message(vendor_folder: Path) -> None:
    path = vendor_folder / "cboe/VIX.csv"
    path.write_text(path.read_text().replace("14.04", "x" * 5000))
    with pytest.raises(SchemaViolation, match="got 'xxx") as caught:
        fetch(vendor_folder, "cboe", "VIX")
    assert len(str(caught.value)) < 200


def test_a_missing_file_says_what_is_there(vendor_folder: Path) -> None:
    with pytest.raises(KeyUnavailable) as caught:
        fetch(vendor_folder, "yahoo", "IWM")
    assert str(caught.value) == (
        f"no file yahoo/IWM.csv in {vendor_folder}: yahoo/ holds QQQ.csv, SPY.csv"
    )


@pytest.mark.parametrize("vendor", KEYS)
def test_a_missing_folder_is_said(tmp_path: Path, vendor: str) -> None:
    with pytest.raises(KeyUnavailable, match=r"no file .* holds no CSV file$"):
        fetch(tmp_path / "nowhere", vendor, KEYS[vendor])


def test_a_folder_in_place_of_a_file_is_said(vendor_folder: Path) -> None:
    (vendor_folder / "yahoo/IWM.csv").mkdir()
    with pytest.raises(KeyUnavailable, match=r"cannot read yahoo/IWM\.csv in .*: Is a directory"):
        fetch(vendor_folder, "yahoo", "IWM")


@pytest.mark.parametrize("key", ["../yahoo/SPY", "spy", "", ".", "a/b", "S PY", "SPY\n", "\x00"])
def test_a_key_cannot_lead_out_of_the_folder(vendor_folder: Path, key: str) -> None:
    with pytest.raises(InputError, match="impossible key: got"):
        fetch(vendor_folder, "yahoo", key)


def test_a_fault_in_one_file_leaves_the_others_readable(vendor_folder: Path) -> None:
    (vendor_folder / "yahoo/SPY.csv").write_text("")
    assert len(fetch(vendor_folder, "yahoo", "QQQ")) == 2


def test_prose_before_the_header_is_passed_over(vendor_folder: Path) -> None:
    path = vendor_folder / "cboe/VIX.csv"
    before = fetch(vendor_folder, "cboe", "VIX")
    path.write_text("DISCLAIMER: VALUES ARE GIVEN AS THEY ARE\n\nSEE BELOW\n" + path.read_text())
    pd.testing.assert_frame_equal(fetch(vendor_folder, "cboe", "VIX"), before)


def test_a_first_line_that_is_no_header_is_named(vendor_folder: Path) -> None:
    path = vendor_folder / "cboe/VIX.csv"
    path.write_text("DISCLAIMER: VALUES, AS THEY ARE\n" + path.read_text())
    with pytest.raises(SchemaViolation, match=r"line 1: got 'DISCLAIMER.* no header of the 5"):
        fetch(vendor_folder, "cboe", "VIX")
