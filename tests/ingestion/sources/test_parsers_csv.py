"""CSV files and answers of every vendor, bent in every way: parsed to the letter, or refused."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pandas as pd
import pytest
from hypothesis import strategies as st

from ingestion.sources.base import Source
from ingestion.sources.cboe.source import Cboe
from ingestion.sources.fred.source import Fred
from ingestion.sources.headlines.scores import HeadlineScores
from ingestion.sources.recorded.source import Recorded
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.patience import Patience
from ingestion.tables.catalogue import TABLES
from market.errors import SchemaViolation
from tests.ingestion.sources.test_parsers_oracle import (
    END,
    LONG,
    SHORT,
    assert_gated,
    parsed_or_refused,
)

ONCE = Patience(attempts=1, attempt_seconds=60, budget_seconds=60)
# One good cell. Drawn by chance from one seed: nothing in it is worth shrinking, and hypothesis
# is left to choose what is bent.
Cells = Callable[[Random], str]


# --- cells --------------------------------------------------------------------------------------

FIRST_DAY = date(2024, 1, 2)
# Texts that some reader of numbers or of dates takes for what it is not.
ODD = (
    "", " ", "null", "NULL", "None", "NaN", "nan", "NA", "N/A", "#N/A", ".", "-", "inf", "-inf",
    "Infinity", "1e400", "-1e400", "1e308", "1e-400", "5e-324", "-0.0", "0", "-1", "1,000", "1_000",
    "0x10", "1e5", "+1", "1.", ".5", "1 2", " 7", "7 ", "$5", "50%", "True", "false", "\uff11",
    "9" * 25, "9" * 400, "-" + "9" * 25, "18446744073709551616", "9223372036854775808",
    "2024-02-30", "2024-13-01", "1677-09-20", "2262-04-12", "9999-12-31", "0001-01-01",
    "2024-1-2", "20240102", "01/02/2024", "13/02/2024", "2024-01-02T00:00:00", "2024-01-02 16:00",
    "2024-01-02T16:00:00Z", "2024-01-02T16:00:00+25:00", "2024-W01-2", "now", "today", "NaT",
    "1704205800", "1704205800000", "-62135596800", "1e18",
    "a\nb", 'a"b', "a,b", "<b>", "\x00", "\x1a", "\ufeff1", "\u2212" + "1", "é", "😀", "x" * 300,
)  # fmt: skip
ODD_CELLS = st.one_of(st.sampled_from(ODD), st.text(max_size=4), st.floats().map(repr))


def mostly(good: Cells) -> Cells:
    """Cells of which most are good: a file of odd ones alone is refused at its first."""
    return lambda chance: chance.choice(ODD) if chance.random() < 1 / 80 else good(chance)


def number(low: float, high: float, digits: int = 2) -> Cells:
    return mostly(lambda chance: f"{chance.uniform(low, high):.{digits}f}")


def count(most: int = 500) -> Cells:
    return mostly(lambda chance: str(chance.randint(0, most)))


def day(form: str = "%Y-%m-%d", after: int = 0) -> Cells:
    return mostly(
        lambda chance: (FIRST_DAY + timedelta(after + chance.randrange(30))).strftime(form)
    )


def word(*words: str) -> Cells:
    return mostly(lambda chance: chance.choice(words))


PRICE = number(99.0, 101.0)
TIME = day("%Y-%m-%dT17:50:00-05:00")
COUNT = count()


# --- files --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class File:
    """A vendor's file: who reads it, its columns, and the column that tells payloads apart."""

    table: str
    key: str
    path: str
    columns: dict[str, Cells]
    distinguish: str


YAHOO = {
    "Date": day(), "Open": PRICE, "High": number(101.0, 103.0), "Low": number(97.0, 99.0),
    "Close": PRICE, "Adj Close": PRICE, "Volume": count(10**9),
    "Dividends": word("0.0", "0.0", "1.5"), "Stock Splits": word("0.0", "0.0", "2.0", "0.5"),
}  # fmt: skip
RECORDED = {
    "prices": File("prices", "SPY", "yahoo/SPY.csv", YAHOO, "ticker"),
    "indices": File(
        "indices", "VIX", "cboe/VIX.csv",
        {"Date": day(), "Open": PRICE, "High": PRICE, "Low": PRICE, "Close": PRICE}, "symbol",
    ),
    "macro_series": File(
        "macro_series", "DGS10", "fred/DGS10.csv",
        {"observation_date": day(), "DGS10": word("3.95", ".", "")},
        "observation_date",
    ),
    "news": File(
        "news", "market", "finnhub/news.csv",
        {
            "datetime": mostly(lambda chance: str(chance.randint(1_704_205_800, 1_706_000_000))),
            "headline": word("Stocks rise", "Stocks fall", "S&amp;P"), "id": COUNT,
            "source": word("Reuters", ""), "recorded_at": TIME,
        },
        "news_id",
    ),
    "mentions": File(
        "mentions", "SPY", "apewisdom/history.csv",
        {
            "ts": TIME, "filter": word("wallstreetbets", "all-stocks", "crypto"),
            "ticker": word("SPY", "QQQ"), "rank": COUNT, "name": word("SPDR S&amp;P 500"),
            "mentions": COUNT, "upvotes": COUNT, "rank_24h_ago": COUNT, "mentions_24h_ago": COUNT,
        },
        "ticker",
    ),
    "earnings_calendar": File(
        "earnings_calendar", "AAPL", "finnhub/earnings_calendar.csv",
        {
            "date": day(), "epsActual": PRICE, "epsEstimate": word("1.5", ""),
            "hour": word("bmo", "amc", "dmh", ""), "quarter": word("1", "2", "3", "4"),
            "revenueActual": word("1000000", ""), "revenueEstimate": word("1e6", ""),
            "symbol": word("AAPL"), "year": word("2023", "2024"),
        },
        "symbol",
    ),
    "option_chains": File(
        "option_chains", "QQQ", "option_chains/QQQ_2024-01-31.csv",
        {
            "quote_time": TIME, "underlying": word("QQQ"), "underlying_last": PRICE,
            "expiration": day(after=30), "strike": number(50, 150, 0),
            "option_type": word("call", "put"),
            "bid": number(1, 2), "ask": number(2, 3), "volume": COUNT,
            "implied_volatility": word("0.2", "0", ""), "delta": number(-1, 1),
            "gamma": number(0, 1), "open_interest": COUNT,
        },
        "quote_time",
    ),
}  # fmt: skip
CBOE = File(
    "indices", "VIX", "",
    {"DATE": day("%m/%d/%Y"), "OPEN": PRICE, "HIGH": PRICE, "LOW": PRICE, "CLOSE": PRICE}, "symbol",
)  # fmt: skip
DOWNLOAD = File(
    "macro_series", "DGS10", "",
    {"observation_date": day(), "DGS10": word("3.95", "4.1", ".", "")}, "observation_date",
)  # fmt: skip


# --- what may be wrong with a file --------------------------------------------------------------

Lines = list[list[str]]
Draw = Callable[[st.SearchStrategy], Any]


def drop_column(draw: Draw, lines: Lines) -> Lines:
    at = draw(st.integers(0, len(lines[0]) - 1))
    return [line[:at] + line[at + 1 :] for line in lines]


def rename_column(draw: Draw, lines: Lines) -> Lines:
    at = draw(st.integers(0, len(lines[0]) - 1))
    bend = draw(st.sampled_from([str.lower, str.upper, str.title, " {} ".format, "{}.1".format]))
    header = [bend(name) if n == at else name for n, name in enumerate(lines[0])]
    return [header, *lines[1:]]


def extra_column(draw: Draw, lines: Lines) -> Lines:
    at = draw(st.integers(0, len(lines[0])))
    name = draw(st.one_of(st.sampled_from(["", "Source", *lines[0]]), st.text(max_size=5)))
    return [[*line[:at], name if n == 0 else "7", *line[at:]] for n, line in enumerate(lines)]


def shuffle_columns(draw: Draw, lines: Lines) -> Lines:
    order = draw(st.permutations(range(len(lines[0]))))
    return [[line[at] for at in order if at < len(line)] for line in lines]


def shuffle_rows(draw: Draw, lines: Lines) -> Lines:
    return [lines[0], *draw(st.permutations(lines[1:]))]


def repeat_row(draw: Draw, lines: Lines) -> Lines:
    at = draw(st.integers(0, len(lines) - 1))
    return [*lines, lines[at]]


def ragged_row(draw: Draw, lines: Lines) -> Lines:
    at = draw(st.integers(0, len(lines) - 1))
    bent = lines[at][:-1] if draw(st.booleans()) else [*lines[at], "7"]
    return [*lines[:at], bent, *lines[at + 1 :]]


def blank_row(draw: Draw, lines: Lines) -> Lines:
    at = draw(st.integers(0, len(lines)))
    return [*lines[:at], draw(st.sampled_from([[], [""], [" "]])), *lines[at:]]


def odd_cell(draw: Draw, lines: Lines) -> Lines:
    if len(lines) < 2:
        return lines
    at, column = draw(st.integers(1, len(lines) - 1)), draw(st.integers(0, 30))
    row = [draw(ODD_CELLS) if n == column % len(lines[at]) else c for n, c in enumerate(lines[at])]
    return [*lines[:at], row, *lines[at + 1 :]]


def no_header(_: Draw, lines: Lines) -> Lines:
    return lines[1:]


def header_only(_: Draw, lines: Lines) -> Lines:
    return lines[:1]


BENT_LINES = (
    drop_column, rename_column, extra_column, shuffle_columns, shuffle_rows, repeat_row,
    ragged_row, blank_row, odd_cell, odd_cell, no_header, header_only,
)  # fmt: skip

PAGES = (
    b"", b"\n", b" \r\n ", b"<!DOCTYPE html><html><body>Just a moment...</body></html>",
    b'{"error": "no"}', b"Too Many Requests", b"\x00" * 40, b"\xff\xfe\x00\x00",
    b"\x1f\x8b\x08\x00", b"null", b"[]", b'"', b",", b"\xef\xbb\xbf", b"\xe9", b"a" * 9_999,
)  # fmt: skip


def cut(draw: Draw, content: bytes) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def other_newlines(draw: Draw, content: bytes) -> bytes:
    return content.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\n", b"\x0b", b" \n"])))


def byte_order_mark(draw: Draw, content: bytes) -> bytes:
    return draw(st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf" * 2])) + content


def other_encoding(draw: Draw, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(draw(st.sampled_from(["utf-16", "utf-32", "cp1252", "utf-7"])), "replace")


def other_delimiter(draw: Draw, content: bytes) -> bytes:
    return content.replace(b",", draw(st.sampled_from([b";", b"\t", b", ", b"|"])))


def splice(draw: Draw, content: bytes) -> bytes:
    at = draw(st.integers(0, len(content)))
    return (
        content[:at] + draw(st.one_of(st.binary(max_size=4), st.sampled_from(PAGES))) + content[at:]
    )


def quote(draw: Draw, content: bytes) -> bytes:
    lines = content.split(b"\n")
    end = draw(st.sampled_from([b'"', b""]))
    return b"\n".join(b'"' + line.replace(b",", b'","') + end if line else b"" for line in lines)


def page(draw: Draw, _: bytes) -> bytes:
    return draw(st.sampled_from(PAGES))


BENT_BYTES = (
    cut, cut, other_newlines, byte_order_mark, other_encoding, other_delimiter, splice, quote, page,
)  # fmt: skip


@st.composite
def contents(draw: Draw, file: File) -> bytes:
    """A file in the vendor's shape, half of the time bent once or twice."""
    chance = Random(draw(st.integers(0, 2**32)))
    rows = [[cell(chance) for cell in file.columns.values()] for _ in range(chance.randint(1, 5))]
    lines: Lines = [list(file.columns), *rows]
    bends = draw(st.integers(0, 7))
    if bends & 1:
        lines = draw(st.sampled_from(BENT_LINES))(draw, lines)
    if bends & 2 and lines and all(lines):
        lines = draw(st.sampled_from(BENT_LINES))(draw, lines)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    content = text.getvalue().encode("utf-8", "replace")
    return draw(st.sampled_from(BENT_BYTES))(draw, content) if bends == 4 else content


# --- the property -------------------------------------------------------------------------------


def fuzz(file: File, read: Callable[[bytes], pd.DataFrame], count: int) -> None:
    table = TABLES[file.table]
    outcome = parsed_or_refused(table, read, contents(file), count)
    assert_gated(table, outcome, file.distinguish)


def no_mood(headlines: list[str]) -> list[float]:
    return [0.0 for _ in headlines]


def read_recorded(folder: Path, file: File) -> Callable[[bytes], pd.DataFrame]:
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)

    def read(content: bytes) -> pd.DataFrame:
        path.write_bytes(content)
        source = Recorded(folder, HeadlineScores("none", no_mood))
        return source.fetch(file.table, [file.key], None, END)

    return read


def read_answer(
    open_source: Callable[[Http], Source], file: File
) -> Callable[[bytes], pd.DataFrame]:
    def read(content: bytes) -> pd.DataFrame:
        answer = httpx2.MockTransport(lambda _: httpx2.Response(200, content=content))
        source = open_source(Http(ONCE, answer))
        return source.fetch(file.table, [file.key], None, END)

    return read


def cboe(http: Http) -> Source:
    return Cboe(http=http)


def fred(http: Http) -> Source:
    return Fred(http=http)


ANSWERS = {"Cboe": (cboe, CBOE), "FRED's download": (fred, DOWNLOAD)}


@pytest.mark.parametrize("table", RECORDED)
def test_recorded_file(table: str, tmp_path: Path) -> None:
    fuzz(RECORDED[table], read_recorded(tmp_path, RECORDED[table]), SHORT)


@pytest.mark.parametrize("vendor", ANSWERS)
def test_answer(vendor: str) -> None:
    open_source, file = ANSWERS[vendor]
    fuzz(file, read_answer(open_source, file), SHORT)


@pytest.mark.long
@pytest.mark.parametrize("table", RECORDED)
def test_recorded_file_at_length(table: str, tmp_path: Path) -> None:
    fuzz(RECORDED[table], read_recorded(tmp_path, RECORDED[table]), LONG)


@pytest.mark.long
@pytest.mark.parametrize("vendor", ANSWERS)
def test_answer_at_length(vendor: str) -> None:
    open_source, file = ANSWERS[vendor]
    fuzz(file, read_answer(open_source, file), LONG)


@pytest.mark.parametrize("names", ["a" * 10_000, "Date," + ",".join(["b" * 9_000] * 2)])
@pytest.mark.parametrize("file", [RECORDED["prices"], CBOE], ids=lambda f: f.table)
def test_a_column_of_any_length_is_named_in_short(file: File, names: str, tmp_path: Path) -> None:
    read = read_recorded(tmp_path, file) if file.path else read_answer(cboe, file)
    with pytest.raises(SchemaViolation) as refused:
        read(f"{names}\n{names}\n".encode())
    assert len(str(refused.value)) < 1_000


def test_every_recorded_table_is_fuzzed(tmp_path: Path) -> None:
    for file in RECORDED.values():
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).touch()
    assert set(Recorded(tmp_path).tables) == set(RECORDED)
    assert set(Recorded(tmp_path).tables) >= {"prices", "indices", "macro_series"}


@pytest.mark.parametrize("file", [*RECORDED.values(), CBOE, DOWNLOAD], ids=lambda f: f.table)
def test_a_file_that_is_not_bent_parses(file: File, tmp_path: Path) -> None:
    good = {
        "Date": "2024-01-02", "DATE": "01/02/2024", "observation_date": "2024-01-02",
        "ts": "2024-01-02T12:00:00Z", "quote_time": "2024-01-31T17:50:00-05:00",
        "recorded_at": "2024-01-02T12:00:00Z", "datetime": "1704205800", "date": "2024-01-02",
        "expiration": "2024-02-02", "filter": "all-stocks", "ticker": "SPY", "headline": "Up",
        "source": "Reuters", "hour": "amc", "symbol": "AAPL", "quarter": "1", "year": "2024",
        "underlying": "QQQ", "option_type": "call", "delta": "0.5", "gamma": "0.1",
        "Dividends": "0.0", "Stock Splits": "0.0",
    }  # fmt: skip
    cells = [good.get(name, "7") for name in file.columns]
    content = f"{','.join(file.columns)}\n{','.join(cells)}\n".encode()
    if file.path:
        frame = read_recorded(tmp_path, file)(content)
    else:
        frame = read_answer(cboe if file is CBOE else fred, file)(content)
    assert len(TABLES[file.table].check(frame)) >= 1
