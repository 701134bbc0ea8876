"""Quotes of a home's own chains: of the closes, expiries and root that positions ask for alone."""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

from home.manifest import Manifest
from market.errors import DamagedFile
from optrade.flows.paper import quotes as flow
from optrade.flows.paper.quotes import asked_of, quotes_of, with_quotes
from tests.trading.paper.books import AT, HISTORY, SESSION, after, structure, with_chains
from trading.paper.walks import Held, walks

UTC = ZoneInfo("UTC")
CHAIN = structure("Iron Condor").model_copy(update={"pricing": "chain"})
EXPIRY = date.fromisoformat(CHAIN.expiration)
#: Of the closes after the signal.
DAYS = [day.date() for day in HISTORY.days[AT : AT + 5]]


def quote(day: date, hour: float, **fields: Any) -> dict[str, Any]:
    """Return a row of a chain, quoted at an hour of New York in winter, landed a minute later."""
    minutes = int(hour * 60)
    at = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60,
                  tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)  # fmt: skip
    return {
        "underlying": "SPY", "root": "SPY", "quote_time": at, "expiration": EXPIRY,
        "strike": 400.0, "option_type": "call", "underlying_price": None, "bid": 1.0, "ask": 2.0,
        "landed_at": at + pd.Timedelta(minutes=1).to_pytimedelta(), **fields,
    }  # fmt: skip


@pytest.fixture
def landed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Land rows as the chains of SPY."""

    def land(rows: list[dict[str, Any]], *without: str) -> None:
        frame = pl.DataFrame(rows, schema_overrides={"underlying_price": pl.Float64})
        monkeypatch.setattr(
            flow, "read_manifest", lambda _: Manifest(entries={("option_chains", "SPY"): None})
        )
        monkeypatch.setattr(
            flow, "read_rows",
            lambda *_, part: part(frame.drop(without).lazy()).collect(),
        )  # fmt: skip

    return land


def found(as_of: pd.Timestamp | None = None) -> dict:
    asked = asked_of([(SESSION, CHAIN)])
    return quotes_of(Path(), "SPY", asked, after(AT + 4) if as_of is None else as_of)


def bids(of: dict, day: date) -> list[float]:
    return of[pd.Timestamp(day)][pd.Timestamp(EXPIRY)].calls.bid.tolist()


def test_a_close_has_the_last_quotes_from_half_an_hour_before_it_on(landed: Any) -> None:
    landed([
        quote(DAYS[1], 10, bid=3.0),  # of a morning
        quote(DAYS[1], 15.75, bid=4.0), quote(DAYS[1], 18, bid=5.0),
        quote(DAYS[2], 9, bid=6.0),
        quote(DAYS[3], 16, bid=7.0), quote(DAYS[3], 16, bid=8.0, root="SPXW"),
        quote(DAYS[3], 16, bid=9.0, expiration=date(2024, 6, 21)),
        quote(DAYS[4], 20, bid=10.0),  # after the clock
        quote(date(2023, 7, 1), 16, bid=11.0),  # no session
    ])  # fmt: skip
    of = found()
    assert [*of] == [pd.Timestamp(DAYS[1]), pd.Timestamp(DAYS[3])]
    assert (bids(of, DAYS[1]), bids(of, DAYS[3])) == ([5.0], [7.0])
    assert all([*quotes] == [pd.Timestamp(EXPIRY)] for quotes in of.values())


def test_the_newest_version_that_had_landed_counts(landed: Any) -> None:
    late = after(AT + 3).to_pydatetime()
    landed([quote(DAYS[1], 16), quote(DAYS[1], 16, bid=1.5, landed_at=late)])
    assert bids(found(after(AT + 2)), DAYS[1]) == [1.0]
    assert bids(found(), DAYS[1]) == [1.5]


def test_rows_of_before_there_were_roots_are_the_tickers_own(landed: Any) -> None:
    landed([quote(DAYS[1], 16)], "root")
    assert bids(found(), DAYS[1]) == [1.0]


def test_positions_priced_by_a_smile_ask_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "read_manifest", lambda _: pytest.fail("was read"))
    position = ("SPY", SESSION, structure("Iron Condor"))
    same, unread = with_quotes(Path(), {"SPY": HISTORY}, [position], after(AT + 4))
    assert (same["SPY"], unread) == (HISTORY, {})


def test_chains_that_cannot_be_read_leave_their_ticker_unread(
    landed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed([quote(DAYS[1], 16)])

    def damaged(*_: object, part: object) -> None:
        raise DamagedFile("x.parquet is damaged")

    monkeypatch.setattr(flow, "read_rows", damaged)
    known, unread = with_quotes(
        Path(), {"SPY": HISTORY, "QQQ": HISTORY}, [("SPY", SESSION, CHAIN)], after(AT + 4)
    )
    assert [*known] == ["QQQ"]
    assert unread == {"SPY": "its chains cannot be read: x.parquet is damaged"}


def test_what_is_read_marks_as_the_quotes_do(landed: Any) -> None:
    """The way over rows changes no mark."""
    due = with_chains(HISTORY, range(AT + 1, AT + 5), 0.1)
    rows = []
    for day, quotes in due.quotes.items():
        of = quotes[pd.Timestamp(EXPIRY)]
        for kind, side in (("call", of.calls), ("put", of.puts)):
            rows += [
                quote(day.date(), 16, strike=strike, option_type=kind, bid=bid, ask=ask)
                for strike, bid, ask in zip(of.strike, side.bid, side.ask, strict=True)
            ]
    landed(rows)
    known, _ = with_quotes(Path(), {"SPY": HISTORY}, [("SPY", SESSION, CHAIN)], after(AT + 4))
    one = Held(SESSION, CHAIN, CHAIN.natural.net, CHAIN.exit, on_quotes=True)
    read, made = (walks(of, [one])[0] for of in (known["SPY"], due))
    np.testing.assert_array_equal(read.quoted, made.quoted)
    np.testing.assert_allclose(read.marks, made.marks)
    assert read.quoted.any()
