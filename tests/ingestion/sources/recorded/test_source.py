"""The recorded source: the vendors' formats, its last session, and the real data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.sources.recorded.source import Recorded
from ingestion.tables.catalogue import TABLES
from ingestion.tables.declare import Pair
from market.availability import SERIES
from market.calendar import sessions
from market.errors import InputError

END = pd.Timestamp("2025-06-30")
FILE = {"prices": ("yahoo", "SPY"), "indices": ("cboe", "VIX"), "macro_series": ("fred", "DGS10")}


def fetch(folder: Path, table: str, *keys: str) -> pd.DataFrame:
    return Recorded(folder).fetch(table, keys or (FILE[table][1],), None, END)


def edit(folder: Path, name: str, change: Callable[[str], str]) -> None:
    path = folder / name
    path.write_text(change(path.read_text()))


def with_splits(*splits: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.splitlines()
        cells = ("Stock Splits", *splits)
        return "\n".join(f"{line},{cell}" for line, cell in zip(lines, cells, strict=True))

    return change


# ---------------------------------------------------------------- formats


def test_yahoo_bars_land_as_they_stand_without_a_split_column(vendor_folder: Path) -> None:
    frame = fetch(vendor_folder, "prices")
    assert frame.iloc[1].to_dict() == {
        "ticker": "SPY", "session": pd.Timestamp("2024-01-03"), "open": 472.0, "high": 473.0,
        "low": 467.0, "close": 468.0, "volume": 1200.0, "dividend": 1.5, "split": 1.0,
        "adj_close": 455.7,
    }  # fmt: skip


def test_a_split_column_gives_back_traded_prices(vendor_folder: Path) -> None:
    edit(vendor_folder, "yahoo/SPY.csv", with_splits("0.0", "0.0", "2.0"))
    frame = fetch(vendor_folder, "prices")
    assert frame["split"].tolist() == [1.0, 1.0, 2.0]
    assert frame["close"].tolist() == [945.0, 936.0, 467.0]
    assert frame["dividend"].tolist() == [0.0, 3.0, 0.0]
    assert frame["volume"].tolist() == [500.0, 600.0, 900.0]
    assert frame["adj_close"].tolist() == [460.1, 455.7, 454.7]


def test_a_split_after_the_end_asked_for_still_counts(vendor_folder: Path) -> None:
    edit(vendor_folder, "yahoo/SPY.csv", with_splits("0.0", "0.0", "2.0"))
    frame = Recorded(vendor_folder).fetch("prices", ["SPY"], None, pd.Timestamp("2024-01-03"))
    assert frame["close"].tolist() == [945.0, 936.0]


def test_rows_in_another_order_are_the_same_rows(vendor_folder: Path) -> None:
    edit(vendor_folder, "yahoo/SPY.csv", with_splits("0.0", "3.0", "2.0"))
    before = fetch(vendor_folder, "prices")

    def upside_down(text: str) -> str:
        header, *rows = text.splitlines()
        return "\n".join([header, *reversed(rows)])

    edit(vendor_folder, "yahoo/SPY.csv", upside_down)
    pd.testing.assert_frame_equal(fetch(vendor_folder, "prices"), before)


@pytest.mark.parametrize("mark", ["", "null"])
def test_an_empty_bar_is_null(vendor_folder: Path, mark: str) -> None:
    edit(vendor_folder, "yahoo/SPY.csv", lambda text: text.replace("468.0,455.7", f"{mark},455.7"))
    assert np.isnan(fetch(vendor_folder, "prices")["close"].iloc[1])


def test_an_index_without_open_high_low_has_them_null(vendor_folder: Path) -> None:
    frame = fetch(vendor_folder, "indices", "RVX")
    assert frame[["open", "high", "low"]].isna().all(axis=None)
    assert frame["close"].tolist() == [21.5]


@pytest.mark.parametrize("mark", [".", ""])
def test_a_day_without_an_observation_is_absent(vendor_folder: Path, mark: str) -> None:
    edit(vendor_folder, "fred/DGS10.csv", lambda text: text.replace("01,.", f"01,{mark}"))
    frame = fetch(vendor_folder, "macro_series")
    assert frame["observation_date"].tolist() == list(pd.to_datetime(["2024-01-02", "2024-01-03"]))
    assert frame["value"].tolist() == [3.95, 3.91]
    assert frame["vintage_date"].isna().all()


IMPOSSIBLE = {
    "a negative price": ("yahoo/SPY.csv", "468.0,455.7", "-468.0,455.7", "prices"),
    "an infinite price": ("yahoo/SPY.csv", "468.0,455.7", "inf,455.7", "prices"),
    "high below low": ("yahoo/SPY.csv", "473.0,467.0", "463.0,467.0", "prices"),
    "a date twice": ("yahoo/SPY.csv", "2024-01-03", "2024-01-02", "prices"),
    "a Sunday": ("yahoo/SPY.csv", "2024-01-03", "2024-01-07", "prices"),
    "a huge level": ("cboe/VIX.csv", "14.04", "1404", "indices"),
    "a null level": ("cboe/VIX.csv", "14.04", "", "indices"),
    "an absurd rate": ("fred/DGS10.csv", "3.91", "39100", "macro_series"),
}


@pytest.mark.parametrize("fault", IMPOSSIBLE)
def test_what_parses_is_left_to_the_gate(vendor_folder: Path, fault: str) -> None:
    name, old, new, table = IMPOSSIBLE[fault]
    right = fetch(vendor_folder, table)
    edit(vendor_folder, name, lambda text: text.replace(old, new))
    wrong = fetch(vendor_folder, table)
    assert len(wrong) == len(right)
    assert not wrong.equals(right)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("472.5", '"472.5"'),
        lambda text: "\n".join(f"{line},x{n}" for n, line in enumerate(text.splitlines())),
    ],
    ids=["byte order mark", "CRLF", "blank lines", "no last newline", "quotes", "more columns"],
)
def test_the_same_table_written_otherwise(
    vendor_folder: Path, change: Callable[[str], str]
) -> None:
    right = fetch(vendor_folder, "prices")
    path = vendor_folder / "yahoo/SPY.csv"
    path.write_bytes(change(path.read_text()).encode())
    pd.testing.assert_frame_equal(fetch(vendor_folder, "prices"), right)


price = st.floats(0.01, 1e5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(rows=st.lists(st.tuples(*[price] * 7), min_size=1, max_size=8))
def test_numbers_are_read_as_pandas_reads_them(
    vendor_folder: Path, rows: list[tuple[float, ...]]
) -> None:
    names = ["Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends"]
    days = pd.date_range("2024-01-02", periods=len(rows), name="Date")
    path = vendor_folder / "yahoo" / "SPY.csv"
    pd.DataFrame(rows, index=days, columns=names).to_csv(path)
    expected = pd.read_csv(path, parse_dates=["Date"])
    frame = fetch(vendor_folder, "prices")
    assert frame["session"].tolist() == expected["Date"].tolist()
    columns = ["open", "high", "low", "close", "adj_close", "volume", "dividend"]
    np.testing.assert_array_equal(frame[columns].to_numpy(), expected[names].to_numpy())


# ---------------------------------------------------------------- the last session


def test_the_last_session_is_the_newest_of_all_price_files(vendor_folder: Path) -> None:
    assert Recorded(vendor_folder).last_session() == pd.Timestamp("2024-01-04")


def test_a_bar_without_a_close_or_off_the_calendar_is_no_last_session(vendor_folder: Path) -> None:
    edit(vendor_folder, "yahoo/SPY.csv", lambda text: text.replace("467.0,454.7", ",454.7"))
    edit(vendor_folder, "yahoo/QQQ.csv", lambda text: text + "2024-01-06,1,1,1,1,1,1,0\n")
    assert Recorded(vendor_folder).last_session() == pd.Timestamp("2024-01-03")


def test_without_prices_there_is_no_last_session(vendor_folder: Path) -> None:
    for path in (vendor_folder / "yahoo").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"no price file: .*yahoo holds no CSV file, allowed is"):
        Recorded(vendor_folder).last_session()
    (vendor_folder / "yahoo/spy.csv").write_text("")
    with pytest.raises(InputError, match=r"no price file: .*yahoo holds spy, .*of SPY, QQQ, IWM"):
        Recorded(vendor_folder).last_session()


def test_prices_without_a_session_have_no_last_session(vendor_folder: Path) -> None:
    (vendor_folder / "yahoo/QQQ.csv").unlink()
    header = (vendor_folder / "yahoo/SPY.csv").read_text().splitlines()[0]
    for row in ("2024-01-06,1,1,1,1,1,1,0", "2024-01-05,1,1,1,,1,1,0"):
        (vendor_folder / "yahoo/SPY.csv").write_text(f"{header}\n{row}\n")
        with pytest.raises(InputError, match="no session with a close in"):
            Recorded(vendor_folder).last_session()


UNREADABLE = {
    "a text in a cell": lambda data: data.replace(b"398.0", b"closed"),
    "a row cut off": lambda data: data[:-9],
    "empty": lambda _: b"",
    "UTF-16": lambda data: data.decode().encode("utf-16"),
}


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_price_file_that_cannot_be_read_does_not_count(vendor_folder: Path, fault: str) -> None:
    qqq, spy = vendor_folder / "yahoo/QQQ.csv", vendor_folder / "yahoo/SPY.csv"
    qqq.write_bytes(UNREADABLE[fault](qqq.read_bytes()))
    (vendor_folder / "yahoo/IWM.csv").mkdir()
    (vendor_folder / "yahoo/SPY (1).csv").write_text("a copy that no ticker names")
    assert Recorded(vendor_folder).last_session() == pd.Timestamp("2024-01-04")
    spy.write_text("")
    with pytest.raises(InputError, match=r"no price file can be read: yahoo/SPY\.csv: .*empty"):
        Recorded(vendor_folder).last_session()


def bars(folder: Path, ticker: str, *days: str) -> None:
    """Write a price file with a bar on each day."""
    header = (folder / "yahoo/SPY.csv").read_text().splitlines()[0]
    rows = [f"{day:.10},1,1,1,1,1,1,0" for day in days]
    (folder / f"yahoo/{ticker}.csv").write_text("\n".join([header, *rows]))


SPRING = [str(day) for day in sessions("2024-02-01", "2024-03-28")]
JUNE = [str(day) for day in sessions("2024-06-03", "2024-06-28")]
ENDS = {
    "a year mistyped": ([*SPRING[:-1], "2025-03-28"], SPRING, SPRING[-1]),
    "a month mistyped": ([*SPRING[:-1], "2024-04-29"], [], SPRING[-2]),
    "a year mistyped in the only file": ([*SPRING[:-1], "2025-03-28"], [], SPRING[-2]),
    "two rows, two years": ([*SPRING, "2025-03-28", "2027-03-29"], [], SPRING[-1]),
    "another year in each": ([*SPRING, "2025-03-28"], [*SPRING, "2026-03-27"], SPRING[-1]),
    "a hole that goes on": ([*SPRING, *JUNE], [], JUNE[-1]),
    "goes on for a week": ([*SPRING, *JUNE[:5]], [], JUNE[4]),
    "both go on for a day": ([*SPRING, JUNE[0]], [*SPRING, JUNE[0]], JUNE[0]),
    "a short hole": ([*SPRING[:-11], SPRING[-1]], [], SPRING[-1]),
    "a first year mistyped": (["2023-02-01", *SPRING[1:4]], [], SPRING[3]),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_stray_last_bar_does_not_move_the_last_session(vendor_folder: Path, case: str) -> None:
    spy, qqq, expected = ENDS[case]
    bars(vendor_folder, "SPY", *spy)
    (vendor_folder / "yahoo/QQQ.csv").unlink()
    if qqq:
        bars(vendor_folder, "QQQ", *qqq)
    assert Recorded(vendor_folder).last_session() == pd.Timestamp(expected)


# ---------------------------------------------------------------- the real data

ROWS = {
    "prices": {"SPY": 8160, "QQQ": 6618, "IWM": 6310},
    "indices": {"VIX": 8935, "VXN": 3965, "RVX": 1400, "VIX3M": 3969},
}


@pytest.mark.recorded
@pytest.mark.parametrize(("table", "key"), [(t, k) for t, rows in ROWS.items() for k in rows])
def test_the_real_files_have_the_rows_they_are_said_to_have(
    recorded_dir: Path, table: str, key: str
) -> None:
    frame = fetch(recorded_dir, table, key)
    assert len(frame) == ROWS[table][key]
    assert not frame.duplicated(list(TABLES[table].key)).any()
    assert frame["session"].max() == END


@pytest.mark.recorded
def test_every_macro_series_is_there_and_has_no_null(recorded_dir: Path) -> None:
    frame = fetch(recorded_dir, "macro_series", *SERIES)
    assert set(frame["series"]) == set(SERIES)
    assert frame["value"].notna().all()
    assert frame.groupby("series")["observation_date"].is_monotonic_increasing.all()
    closes = fetch(recorded_dir, "indices", "VIX").set_index("session")["close"]
    vixcls = frame[frame["series"] == "VIXCLS"].set_index("observation_date")["value"]
    both = closes.index.intersection(vixcls.index)
    assert len(both) == len(closes)
    np.testing.assert_array_equal(closes[both], vixcls[both])


@pytest.mark.recorded
def test_the_rules_reject_two_misprints_of_all_real_bars(recorded_dir: Path) -> None:
    broken = set()
    for table, rows in ROWS.items():
        frame = fetch(recorded_dir, table, *rows)
        for pair in TABLES[table].pairs:
            for row in frame[~pair.holds(frame)].itertuples():
                broken.add((row[1], str(row.session.date()), pair.greater, pair.lesser))
    assert broken == {
        ("VIX", "2004-11-08", "open", "low"),
        ("VIX", "2006-02-08", "high", "open"),
    }


@pytest.mark.recorded
def test_the_tolerance_of_index_openings_is_needed(recorded_dir: Path) -> None:
    frame = fetch(recorded_dir, "indices", "VIX")
    outside = ~(Pair("high", "open").holds(frame) & Pair("open", "low").holds(frame))
    assert outside.sum() == 47
    assert frame.loc[outside, "session"].max() == pd.Timestamp("2006-02-08")


@pytest.mark.recorded
def test_the_last_session_of_the_real_data(recorded_dir: Path) -> None:
    assert Recorded(recorded_dir).last_session() == END
