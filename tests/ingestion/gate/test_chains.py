"""Quotes of options before the lake: what a chain may hold, and why a row is refused."""

from collections.abc import Callable

import pandas as pd
import pytest

from ingestion.gate.chains import ALIVE, LATER, MARKET, ROOT
from ingestion.gate.expectations import REPEATED, gate
from ingestion.tables.catalogue import OPTION_CHAINS

Frame = Callable[..., pd.DataFrame]
QUOTED = pd.Timestamp("2024-03-14 19:45", tz="UTC")  # 15:45 in New York, a Thursday

SECOND = pd.Timedelta(seconds=1)


def row(chain: Frame, underlying: str = "SPX", **columns: object) -> pd.DataFrame:
    made = chain(underlying, [QUOTED]).assign(**columns)
    return made.astype(OPTION_CHAINS.dtypes)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


REFUSED = {
    "crossed": ({"bid": 2.3, "ask": 2.2}, "ask >= bid"),
    "a negative bid": ({"bid": -0.1}, "bid: >= 0"),
    "a negative ask": ({"bid": None, "ask": -0.1}, "ask: >= 0"),
    "a price of nothing": ({"underlying_price": 0.0}, "underlying_price: > 0"),
    "no market": ({"bid": None, "ask": None}, MARKET),
    "expired the day before": ({"expiration": day("2024-03-13")}, ALIVE),
    "settled this morning": ({"expiration": day("2024-03-14"), "root": "SPX"}, ALIVE),
    "a mini contract": ({"root": "SPX7"}, ROOT),
    "an adjusted contract": ({"root": "SPX1"}, ROOT),
    "a contract on something else": ({"root": "XSP"}, ROOT),
    "an unknown underlying": ({"underlying": "XSP", "root": "XSP"}, ROOT),
    "no root": ({"root": None}, "root: not null"),
}
KEPT = {
    "no bid": {"bid": 0.0},
    "a bid of nobody's": {"bid": None},
    "no ask": {"ask": None},
    "an index that is not of that moment": {"underlying_price": None},
    "settling this afternoon": {"expiration": day("2024-03-14"), "root": "SPXW"},
    "settling tomorrow morning": {"expiration": day("2024-03-15"), "root": "SPX"},
    "a Saturday, as once": {"expiration": day("2024-03-16"), "root": "SPXW"},
    "far beyond the calendar": {"expiration": day("2031-12-19")},
    "no volatility": {"implied_volatility": None, "delta": None, "gamma": None},
}


@pytest.mark.parametrize(("columns", "why"), REFUSED.values(), ids=REFUSED)
def test_a_quote_is_refused_with_the_rule_it_breaks(
    columns: dict[str, object], why: str, chain: Frame
) -> None:
    good, bad = gate(OPTION_CHAINS, row(chain, **columns))
    assert good.empty
    assert why in bad["reason"][0]


def test_a_quote_that_may_be_is_kept(chain: Frame) -> None:
    rows = [row(chain, strike=400.0 + n, **columns) for n, columns in enumerate(KEPT.values())]
    good, bad = gate(OPTION_CHAINS, pd.concat(rows, ignore_index=True))
    assert bad.empty, bad["reason"]
    assert len(good) == len(KEPT)


def test_what_is_quoted_after_it_landed_is_refused(chain: Frame) -> None:
    rows = pd.concat([row(chain), row(chain, strike=401.0, quote_time=QUOTED + SECOND)])
    good, bad = gate(OPTION_CHAINS, rows, known=QUOTED)
    assert (len(good), bad["strike"].tolist(), bad["reason"].tolist()) == (1, [401.0], [LATER])


def test_after_the_close_of_its_last_day_a_contract_is_over(chain: Frame) -> None:
    at_the_close = pd.Timestamp("2024-03-14 20:00", tz="UTC")
    columns = {"expiration": day("2024-03-14"), "root": "SPXW", "quote_time": at_the_close}
    assert ALIVE in gate(OPTION_CHAINS, row(chain, **columns))[1]["reason"][0]
    # One dated on a Saturday trades for the last time on the Friday.
    friday = pd.Timestamp("2024-03-15 21:00", tz="UTC")
    columns = {"expiration": day("2024-03-16"), "root": "SPXW", "quote_time": friday}
    assert ALIVE in gate(OPTION_CHAINS, row(chain, **columns))[1]["reason"][0]


def test_one_day_and_strike_of_two_roots_are_two_contracts(chain: Frame) -> None:
    two = pd.concat([row(chain, root="SPX"), row(chain, root="SPXW")], ignore_index=True)
    good, bad = gate(OPTION_CHAINS, two)
    assert (len(good), len(bad)) == (2, 0)
    twice = pd.concat([two, row(chain, root="SPX", bid=2.1)], ignore_index=True)
    good, bad = gate(OPTION_CHAINS, twice)
    assert good["root"].tolist() == ["SPXW"]
    assert bad["reason"].str.contains("root, quote_time.*: once").all()
    good, bad = gate(OPTION_CHAINS, pd.concat([two, two.tail(1)], ignore_index=True))
    assert (good["root"].tolist(), bad["reason"].tolist()) == (["SPX", "SPXW"], [REPEATED])


def test_days_that_are_judged_apart_are_judged_as_together(chain: Frame, monkeypatch) -> None:
    times = [QUOTED + pd.Timedelta(days=n) for n in (0, 0, 1, 4, 5)]
    sent = [columns for columns, _ in REFUSED.values()] + list(KEPT.values())
    rows = [
        row(chain, strike=400.0 + n, quote_time=times[n % len(times)], **columns)
        for n, columns in enumerate(sent)
    ]
    twice = [rows[-1].assign(bid=0.5), rows[-2], rows[-2], rows[-3].assign(quote_time=pd.NaT)]
    frame = pd.concat([*rows, *twice], ignore_index=True).astype(OPTION_CHAINS.dtypes)
    whole = gate(OPTION_CHAINS, frame)
    assert {len(part) > 3 for part in whole} == {True}
    monkeypatch.setattr("ingestion.gate.expectations.CHUNK", 4)
    for together, apart in zip(whole, gate(OPTION_CHAINS, frame), strict=True):
        pd.testing.assert_frame_equal(together, apart)
