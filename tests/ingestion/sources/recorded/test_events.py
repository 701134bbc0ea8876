"""Recorded news, mentions, earnings and chains: the formats, the clock, faults, the real files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ingestion.sources.recorded.source as recorded
from ingestion.gate.chains import ALIVE
from ingestion.gate.expectations import gate
from ingestion.sources.later import Later
from ingestion.sources.recorded.source import FORMATS, Recorded
from ingestion.tables.catalogue import MENTION_FILTERS, TABLES
from market.baskets import basket_symbols
from market.errors import InputError, SchemaViolation

LATE = pd.Timestamp("2024-03-01")
FILES = {
    "news": "finnhub/news.csv",
    "mentions": "apewisdom/history.csv",
    "earnings_calendar": "finnhub/earnings_calendar.csv",
    "option_chains": "option_chains/SPY_2024-01-03.csv",
}
KEY = {"news": "market", "mentions": "SPY", "earnings_calendar": "AAPL", "option_chains": "SPY"}


class Lengths:
    """A scorer that counts what it is asked: longer is better."""

    name = "lengths 1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, headlines: list[str]) -> list[float]:
        self.asked += headlines
        return [len(text) / 1000 for text in headlines]


def fetch(folder: Path, table: str, *keys: str, end: pd.Timestamp = LATE) -> pd.DataFrame:
    source = Recorded(folder, scorer=Lengths())
    return source.fetch(table, keys or (KEY[table],), None, end)


def edit(folder: Path, table: str, change: Callable[[str], str]) -> None:
    path = folder / FILES[table]
    path.write_text(change(path.read_text()))


# ---------------------------------------------------------------- which tables


def test_a_folder_has_the_tables_whose_files_are_there(vendor_folder: Path) -> None:
    assert Recorded(vendor_folder).tables == (*FORMATS, *FILES)


@pytest.mark.parametrize("table", FILES)
def test_a_folder_without_a_file_goes_on_without_its_table(vendor_folder: Path, table: str) -> None:
    for path in [vendor_folder / FILES[table], *(vendor_folder / "option_chains").iterdir()]:
        if path.name == Path(FILES[table]).name or table == "option_chains":
            path.unlink(missing_ok=True)
    source = Recorded(vendor_folder)
    assert table not in source.tables
    assert len(source.fetch("prices", ["SPY"], None, LATE)) == 3
    with pytest.raises(InputError, match=f"source recorded has no table '{table}', allowed are"):
        source.fetch(table, [KEY[table]], None, LATE)


def test_tables_are_those_of_the_instance(vendor_folder: Path, tmp_path: Path) -> None:
    both = Recorded(vendor_folder), Recorded(tmp_path / "nowhere")
    assert both[1].tables == tuple(FORMATS)
    assert both[0].tables != both[1].tables


@pytest.mark.parametrize("table", ["news", "mentions", "earnings_calendar"])
def test_a_file_of_all_keys_is_read_once(
    vendor_folder: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    read = []
    real = recorded.read_csv
    monkeypatch.setattr(recorded, "read_csv", lambda *args: read.append(args) or real(*args))
    source = Recorded(vendor_folder, scorer=Lengths())
    first = source.fetch(table, [KEY[table]], None, LATE)
    second = source.fetch(table, [KEY[table]], None, LATE)
    pd.testing.assert_frame_equal(first, second)
    assert len(read) == 1


def test_what_is_given_may_be_changed_by_who_gets_it(vendor_folder: Path) -> None:
    source = Recorded(vendor_folder)
    first = source.fetch("earnings_calendar", ["AAPL"], None, LATE)
    kept = first.copy()
    first.loc[:, "eps_actual"] = -9.0
    pd.testing.assert_frame_equal(source.fetch("earnings_calendar", ["AAPL"], None, LATE), kept)


# ---------------------------------------------------------------- what lies after the clock

AFTER = {
    "prices": Later(2, "SPY", pd.Timestamp("2024-01-03")),
    "indices": Later(1, "VIX", pd.Timestamp("2024-01-03")),
    "macro_series": Later(1, "DGS10", pd.Timestamp("2024-01-03")),
    "news": Later(3, "market", pd.Timestamp("2024-01-02")),  # the first is of the evening
    "mentions": Later(2, "SPY", pd.Timestamp("2024-01-03")),
    "earnings_calendar": Later(1, "AAPL", pd.Timestamp("2024-01-19")),  # not announced yet
    "option_chains": Later(2, "SPY", pd.Timestamp("2024-01-03")),
}


@pytest.mark.parametrize("table", AFTER)
def test_what_lies_after_the_clock_is_counted(vendor_folder: Path, table: str) -> None:
    source, key = Recorded(vendor_folder, scorer=Lengths()), AFTER[table].key
    assert source.later(table, [key]) is None
    given = source.fetch(table, [key], None, pd.Timestamp("2024-01-02"))
    assert source.later(table, [key]) == AFTER[table]
    assert len(source.fetch(table, [key], None, LATE)) == len(given) + AFTER[table].rows
    assert source.later(table, [key]) is None


def test_the_first_of_all_keys_after_the_clock_is_named(vendor_folder: Path) -> None:
    path = vendor_folder / "yahoo/QQQ.csv"
    path.write_text(path.read_text() + "2061-01-05,1,1,1,1,1,1,0\n")
    source = Recorded(vendor_folder)
    source.fetch("prices", ["QQQ", "SPY"], None, pd.Timestamp("2024-01-03"))
    assert source.later("prices", ["QQQ", "SPY"]) == Later(2, "SPY", pd.Timestamp("2024-01-04"))
    assert source.later("prices", ["QQQ"]) == Later(1, "QQQ", pd.Timestamp("2061-01-05"))


def test_a_chain_of_a_later_day_is_counted_unread(vendor_folder: Path) -> None:
    edit(vendor_folder, "option_chains", lambda text: text.replace("470.0", "no strike"))
    (vendor_folder / "option_chains/SPY_2024-01-04.csv").mkdir()
    source = Recorded(vendor_folder)
    assert source.fetch("option_chains", ["SPY"], None, pd.Timestamp("2024-01-02")).empty
    assert source.later("option_chains", ["SPY"]) == Later(3, "SPY", pd.Timestamp("2024-01-03"))


# ---------------------------------------------------------------- formats


def test_a_headline(vendor_folder: Path) -> None:
    frame = fetch(vendor_folder, "news")
    assert frame.iloc[1].to_dict() == {
        "scope": "market", "news_id": "102",
        "published": pd.Timestamp("2024-01-03 19:30", tz="UTC"),
        "recorded_at": pd.Timestamp("2024-01-03 19:30", tz="UTC"),
        "headline": "Stocks rise, great gains", "source": None, "score": 0.024,
        "scorer": "lengths 1",
    }  # fmt: skip


def test_a_recording_that_says_when_it_was_made_is_believed(vendor_folder: Path) -> None:
    times = ("recorded_at", "2024-01-02T22:10:00Z", "2024-01-03T22:00:00Z", "2024-01-05T09:00:00Z")

    def timed(text: str) -> str:
        lines = zip(text.splitlines(), times, strict=True)
        return "\n".join(f"{line},{time}" for line, time in lines)

    edit(vendor_folder, "news", timed)
    frame = fetch(vendor_folder, "news")
    assert frame["recorded_at"].tolist() == [pd.Timestamp(time) for time in times[1:]]
    # Published before the decision time of the third, read after it.
    known = fetch(vendor_folder, "news", end=pd.Timestamp("2024-01-03"))
    assert known["news_id"].tolist() == ["101"]


def test_each_text_is_scored_once_and_one_without_words_never(vendor_folder: Path) -> None:
    same = "general,1704402001,Stocks trade flat,104,,,,,\ngeneral,1704402002,,105,,,,,\n"
    edit(vendor_folder, "news", lambda text: text + same)
    scorer = Lengths()
    frame = Recorded(vendor_folder, scorer).fetch("news", ["market"], None, LATE)
    assert len(frame) == 5
    assert sorted(scorer.asked) == sorted(set(frame["headline"].dropna()))
    assert frame["score"].isna().tolist() == [False, False, False, False, True]
    good, bad = gate(TABLES["news"], frame)
    assert len(good) == 4
    assert "headline: not null" in bad["reason"].iloc[0]


def test_a_ticker_that_a_list_does_not_hold_has_nulls(vendor_folder: Path) -> None:
    frame = fetch(vendor_folder, "mentions", "QQQ", "IWM")
    qqq = frame[frame["ticker"] == "QQQ"]
    assert qqq[["filter", "mentions", "rank"]].astype(object).fillna(0).to_numpy().tolist() == [
        ["all-stocks", 12.0, 1.0],
        ["wallstreetbets", 0, 0],  # in the snapshot of the second, not in its list
        ["wallstreetbets", 0, 0],
        ["wallstreetbets", 90.0, 1.0],
    ]
    iwm = frame[frame["ticker"] == "IWM"]
    assert len(iwm) == len(qqq)
    assert iwm.drop(columns=["ticker", "filter", "recorded_at"]).isna().all(axis=None)


def test_a_place_of_nothing_a_day_before_is_null(vendor_folder: Path) -> None:
    frame = fetch(vendor_folder, "mentions", "QQQ")
    listed = frame[frame["filter"] == "all-stocks"].iloc[0]
    assert np.isnan(listed["rank_24h_ago"])
    assert np.isnan(listed["mentions_24h_ago"])
    spy = fetch(vendor_folder, "mentions", "SPY")
    assert 530.0 in spy["mentions_24h_ago"].tolist()


def test_lists_that_are_not_summed_are_passed_over(vendor_folder: Path) -> None:
    frame = fetch(vendor_folder, "mentions", "SPY")
    assert set(frame["filter"]) == set(MENTION_FILTERS)
    assert 600.0 not in frame["mentions"].tolist()


def test_a_report(vendor_folder: Path) -> None:
    frame = fetch(vendor_folder, "earnings_calendar")
    assert frame.iloc[0].to_dict() == {
        "symbol": "AAPL", "fiscal_year": 2023, "fiscal_quarter": 4,
        "date": pd.Timestamp("2024-01-02"), "hour": "amc", "eps_actual": 2.18,
        "eps_estimate": 2.10, "revenue_actual": 119575000000.0,
        "revenue_estimate": 117900000000.0,
    }  # fmt: skip
    assert np.isnan(frame["eps_estimate"].iloc[1])


def test_a_report_without_a_fiscal_quarter_is_refused_by_the_gate(vendor_folder: Path) -> None:
    table = TABLES["earnings_calendar"]
    edit(vendor_folder, table.name, lambda text: text.replace("bmo,1,,,AAPL,2024", "bmo,,,,AAPL,"))
    good, bad = gate(table, fetch(vendor_folder, table.name))
    assert good["fiscal_year"].tolist() == [2023]
    assert "fiscal_year: not null" in bad["reason"].item()


def test_a_quote(vendor_folder: Path) -> None:
    frame = fetch(vendor_folder, "option_chains")
    assert frame.iloc[1].to_dict() == {
        "underlying": "SPY", "root": "SPY",
        "quote_time": pd.Timestamp("2024-01-03 20:45", tz="UTC"),
        "expiration": pd.Timestamp("2024-01-19"), "strike": 470.0, "option_type": "call",
        "underlying_price": 468.5, "bid": 4.05, "ask": 4.12, "volume": 2100.0,
        "open_interest": 9000.0, "implied_volatility": 0.1175, "delta": 0.4512, "gamma": 0.0312,
    }  # fmt: skip
    assert np.isnan(frame["implied_volatility"].iloc[0])
    assert frame["delta"].iloc[0] == 1.0


def test_an_underlying_without_a_file_has_no_quotes(vendor_folder: Path) -> None:
    assert fetch(vendor_folder, "option_chains", "IWM").empty
    assert set(fetch(vendor_folder, "option_chains", "SPY", "IWM")["underlying"]) == {"SPY"}


def test_only_files_of_the_days_asked_for_are_read(vendor_folder: Path) -> None:
    (vendor_folder / "option_chains/SPY_2024-01-04.csv").write_text("not read")
    day = pd.Timestamp("2024-01-03")
    source = Recorded(vendor_folder)
    assert len(source.fetch("option_chains", ["SPY"], day, day)) == 2
    with pytest.raises(SchemaViolation, match=r"SPY_2024-01-04\.csv: got a header and no row"):
        source.fetch("option_chains", ["SPY"], day, LATE)


# ---------------------------------------------------------------- the clock


@pytest.mark.parametrize(
    ("end", "known"), [("2024-01-03", ["101", "102"]), ("2024-01-02", []), ("2024-01-04", 3)]
)
def test_headlines_come_when_recorded(
    vendor_folder: Path, end: str, known: list[str] | int
) -> None:
    found = fetch(vendor_folder, "news", end=pd.Timestamp(end))["news_id"].tolist()
    assert found == known or len(found) == known


def test_a_snapshot_after_the_decision_time_waits(vendor_folder: Path) -> None:
    # One at the decision time of the third, one a millisecond later.
    frame = fetch(vendor_folder, "mentions", "QQQ", end=pd.Timestamp("2024-01-03"))
    assert frame["recorded_at"].max() == pd.Timestamp("2024-01-03 21:30", tz="UTC")
    assert fetch(vendor_folder, "mentions", "QQQ")["recorded_at"].max() > frame["recorded_at"].max()


def test_results_and_dates_wait_for_their_time(vendor_folder: Path) -> None:
    def known(day: str) -> list[tuple[str, bool]]:
        frame = fetch(vendor_folder, "earnings_calendar", "AAPL", "MSFT", end=pd.Timestamp(day))
        return [(row.symbol, row.eps_actual == row.eps_actual) for row in frame.itertuples()]

    assert known("2023-12-01") == []
    assert known("2024-01-02") == [("AAPL", False), ("MSFT", False)]
    assert known("2024-01-03") == [("AAPL", True), ("MSFT", False)]
    assert known("2024-01-04") == [("AAPL", True), ("AAPL", False), ("MSFT", False)]
    assert known("2024-01-05") == [("AAPL", True), ("AAPL", False), ("MSFT", True)]
    assert known("2024-01-19") == [("AAPL", True), ("AAPL", True), ("MSFT", True)]


# ---------------------------------------------------------------- faults

TIME = "a time such as 2024-01-31T21:30:00Z"
SECONDS = "whole seconds since 1970 such as 1706736600"
NUMBER = "a number, or an empty cell for null"
WHOLE = "a whole number, or an empty cell"
FAULTS = {
    "a time without a zone": (
        "mentions", "2024-01-03T21:30:00Z", "2024-01-03T21:30:00",
        f"line 5, column ts: got '2024-01-03T21:30:00', allowed is {TIME}",
    ),
    "no time": (
        "mentions", "2024-01-03T21:30:00Z", "soon",
        f"line 5, column ts: got 'soon', allowed is {TIME}",
    ),
    "a day for a time": (
        "option_chains", "2024-01-03T15:45:00-05:00", "2024-01-03",
        f"line 2, column quote_time: got '2024-01-03', allowed is {TIME}",
    ),
    "an impossible time": (
        "mentions", "2024-01-03T21:30:00Z", "2024-01-03T25:30:00Z",
        f"line 5, column ts: got '2024-01-03T25:30:00Z', allowed is {TIME}",
    ),
    "a count that is none": (
        "mentions", ",400,", ",many,",
        f"line 5, column mentions: got 'many', allowed is {NUMBER}",
    ),
    "milliseconds": (
        "news", "1704310200", "1704310200000",
        f"line 3, column datetime: got '1704310200000', allowed is {SECONDS}",
    ),
    "half a second": (
        "news", "1704310200", "1704310200.5",
        f"line 3, column datetime: got '1704310200.5', allowed is {SECONDS}",
    ),
    "no date of a headline": (
        "news", "1704310200", "", f"line 3, column datetime: got '', allowed is {SECONDS}",
    ),
    "no headline column": (
        "news", "headline", "title",
        "line 1: missing column headline; got category, datetime, title, id, image, related, "
        "source, summary, url, allowed are at least datetime, headline, id, source",
    ),
    "half a quarter": (
        "earnings_calendar", "amc,4,119", "amc,4.5,119",
        f"line 2, column quarter: got '4.5', allowed is {WHOLE}",
    ),
    "an infinite year": (
        "earnings_calendar", "AAPL,2023", "AAPL,inf",
        f"line 2, column year: got 'inf', allowed is {WHOLE}",
    ),
    "dashes for a result": (
        "earnings_calendar", "2.18", "--",
        f"line 2, column epsActual: got '--', allowed is {NUMBER}",
    ),
    "a report on no day": (
        "earnings_calendar", "2024-01-04", "2024-01-32",
        "line 3, column date: got '2024-01-32', allowed is a date such as 2024-01-31",
    ),
    "another underlying": (
        "option_chains", ",SPY,468.5,2024-01-19,470", ",QQQ,468.5,2024-01-19,470",
        "line 2, column underlying: got 'QQQ', allowed is SPY",
    ),
    "an expiration that is none": (
        "option_chains", "2024-01-19,470", "weekly,470",
        "line 2, column expiration: got 'weekly', allowed is a date such as 2024-01-31",
    ),
    "an exponent out of range": (
        "option_chains", "4.05", "4.05.1",
        f"line 2, column bid: got '4.05.1', allowed is {NUMBER}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cell_that_cannot_be_read_says_where(vendor_folder: Path, fault: str) -> None:
    table, old, new, message = FAULTS[fault]
    fetch(vendor_folder, table)
    assert old in (vendor_folder / FILES[table]).read_text()
    edit(vendor_folder, table, lambda text: text.replace(old, new, 1))
    with pytest.raises(SchemaViolation) as caught:
        fetch(vendor_folder, table)
    assert str(caught.value) == f"{FILES[table]}, {message}"


def test_a_chain_of_no_day_is_refused_by_its_name(vendor_folder: Path) -> None:
    (vendor_folder / "option_chains/SPY_latest.csv").write_text("")
    # As any file that cannot be read: its key is named, and the others land.
    with pytest.raises(
        SchemaViolation, match=r"got the file option_chains/SPY_latest\.csv, allowed is"
    ):
        fetch(vendor_folder, "option_chains")


@pytest.mark.parametrize("key", ["../SPY", "aapl", "", "A APL"])
@pytest.mark.parametrize("table", FILES)
def test_a_key_cannot_lead_out_of_the_folder(vendor_folder: Path, table: str, key: str) -> None:
    with pytest.raises(InputError, match=r"(impossible key|unknown \w+( of news)?): got"):
        fetch(vendor_folder, table, key)


WRONG = {
    "a count below nothing": ("mentions", ",400,", ",-400,", "mentions"),
    "a fifth quarter": ("earnings_calendar", "amc,4,119", "amc,5,119", "fiscal_quarter"),
    "an hour of its own": ("earnings_calendar", "2.10,amc", "2.10,noon", "hour"),
    "a strike of nothing": ("option_chains", "470.0,call", "0,call", "strike"),
    "a third type": ("option_chains", "470.0,call", "470.0,straddle", "option_type"),
    "a bid above the ask": ("option_chains", "4.05,4.12", "4.55,4.12", "ask >= bid"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_parses_is_left_to_the_gate(vendor_folder: Path, fault: str) -> None:
    table, old, new, rule = WRONG[fault]
    assert gate(TABLES[table], fetch(vendor_folder, table))[1].empty
    edit(vendor_folder, table, lambda text: text.replace(old, new, 1))
    _, bad = gate(TABLES[table], fetch(vendor_folder, table))
    assert len(bad) == 1
    assert rule in bad["reason"].iloc[0]


# ---------------------------------------------------------------- the real data

COMPANIES = {"AAPL": 28, "MSFT": 28, "AMZN": 28, "FB": 28, "GOOGL": 22, "META": 0, "BRK.B": 2}
END = pd.Timestamp("2025-06-30")


@pytest.fixture(scope="module")
def real(recorded_dir: Path) -> Recorded:
    return Recorded(recorded_dir)


@pytest.mark.recorded
def test_the_real_folder_has_what_was_recorded(real: Recorded) -> None:
    assert real.tables == (*FORMATS, "mentions", "earnings_calendar", "option_chains")


@pytest.mark.recorded
@pytest.mark.parametrize("symbol", COMPANIES)
def test_real_reports_are_counted(real: Recorded, symbol: str) -> None:
    frame = real.fetch("earnings_calendar", [symbol], None, END)
    assert len(frame) == COMPANIES[symbol]
    assert frame["date"].between("2012-07-01", "2019-08-31").all()
    assert frame["eps_actual"].notna().all()
    assert frame[["revenue_actual", "revenue_estimate"]].isna().all(axis=None)


@pytest.mark.recorded
def test_real_reports_are_known_when_they_were(real: Recorded) -> None:
    frame = real.fetch("earnings_calendar", ["AAPL"], None, pd.Timestamp("2015-07-21"))
    assert frame["date"].max() == pd.Timestamp("2015-07-21")
    assert frame["eps_actual"].isna().tolist() == [False] * 11 + [True]  # after the close
    early = real.fetch("earnings_calendar", ["AAPL"], None, pd.Timestamp("2015-07-06"))
    assert early["date"].max() == pd.Timestamp("2015-04-27")  # eleven sessions before


@pytest.mark.recorded
def test_the_gate_lets_the_reports_of_all_baskets_through(real: Recorded) -> None:
    symbols = dict.fromkeys([*basket_symbols("SPY"), *basket_symbols("QQQ")])
    frame = real.fetch("earnings_calendar", list(symbols), None, END)
    good, bad = gate(TABLES["earnings_calendar"], frame)
    assert len(good) > 600
    assert len(bad) < 0.03 * len(frame)
    assert bad["reason"].str.contains("fiscal_quarter: not null").all()


@pytest.mark.recorded
def test_real_mentions_are_of_2026_only(real: Recorded) -> None:
    tickers = ["SPY", "QQQ", "IWM"]
    assert real.fetch("mentions", tickers, None, END).empty
    frame = real.fetch("mentions", tickers, None, pd.Timestamp("2026-05-04"))
    assert set(frame["recorded_at"].dt.year) == {2026}
    assert len(frame) == 3 * 2 * 10
    assert set(frame["filter"]) == set(MENTION_FILTERS)
    by_ticker = frame[frame["filter"] == "wallstreetbets"].groupby("ticker")["mentions"]
    assert by_ticker.count().to_dict() == {"IWM": 7, "QQQ": 10, "SPY": 10}
    assert by_ticker.max()["SPY"] == 573.0
    assert gate(TABLES["mentions"], frame)[1].empty


@pytest.mark.recorded
def test_snapshots_of_a_day_come_by_its_decision_time(real: Recorded) -> None:
    friday = real.fetch("mentions", ["SPY"], None, pd.Timestamp("2026-05-01"))
    assert len(friday) == 2 * 4  # the fifth was taken in the evening
    assert friday["recorded_at"].max() < pd.Timestamp("2026-05-01 20:30", tz="UTC")


@pytest.mark.recorded
def test_the_real_chain_is_known_the_day_after(real: Recorded) -> None:
    # Quoted at 17:50 in New York, after the decision time of its session.
    assert real.fetch("option_chains", ["QQQ"], None, pd.Timestamp("2026-07-14")).empty
    frame = real.fetch("option_chains", ["QQQ"], None, pd.Timestamp("2026-07-15"))
    assert len(frame) == 11574
    assert frame["expiration"].nunique() == 34
    assert frame["implied_volatility"].isna().sum() == 1260
    assert frame["implied_volatility"].min() > 0.0
    assert set(frame["underlying_price"]) == {720.1}
    good, bad = gate(TABLES["option_chains"], frame)
    assert set(bad["reason"]) == {ALIVE}
    assert set(bad["expiration"]) == {pd.Timestamp("2026-07-14")}
    assert good["expiration"].nunique() == 33
