"""The position of a signal on the page and in figures: what the record says, to the digit."""

import sqlite3
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import position_charts
from dashboard.structure_view import (
    LOSES,
    MARKED_BY,
    PRICED_BY,
    exit_words,
    head,
    legs,
    odds,
    terms,
)
from home.records.structure import Pricing
from home.records.structure_outcome import MarkedBy, StructureOutcome
from tests.dashboard.test_pages import APP
from tests.trading.structures.boards import board, life, outlook
from trading.ledger.outcomes import record_structure_outcomes
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure


def position(strategy, seen=None):
    return price_structure(strategy, board(), life(), seen)


def opened(home, monkeypatch):
    monkeypatch.setattr("sys.argv", [str(APP), "--home", str(home)])
    return AppTest.from_file(str(APP), default_timeout=60).switch_page(
        "pages/daily_signals.py"
    ).run()  # fmt: skip


@pytest.mark.parametrize("strategy", STRUCTURES)
def test_the_payoff_turns_at_the_strikes_and_crosses_at_the_breakevens(strategy):
    found = position(strategy)
    figure = position_charts.payoff(found)
    today, half, expiry = figure.data
    assert [line.name for line in figure.data] == [
        "today, 2025-06-27", "half way, 2025-07-08", "expiry, 2025-07-18",
    ]  # fmt: skip
    assert list(today.y) == found.table.profit[0]
    assert list(half.y) == found.table.profit[2]
    assert {leg.strike for leg in found.legs} <= set(expiry.x)
    # Of the table it is the last day, to the cent that its prices are rounded to.
    kept = np.isin(expiry.x, found.table.spot)
    assert expiry.y[kept] == pytest.approx(np.array(found.table.profit[-1]), abs=1.01)
    for price in found.mid.breakevens:
        assert np.interp(price, expiry.x, expiry.y) == pytest.approx(0.0, abs=1e-6)
    words = [note.text for note in figure.layout.annotations]
    assert [f"breakeven {price:.2f}" for price in found.mid.breakevens] == words[2:]
    (band,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (band.x1 - band.x0) / 2 == pytest.approx(found.expected_move)


def test_a_profit_and_a_loss_never_share_a_colour():
    for strategy in STRUCTURES:
        found = position(strategy)
        (heat,) = position_charts.profits(found).data
        assert np.array_equal(heat.z, np.transpose(found.table.profit))
        low, zero, high = (place for place, _ in heat.colorscale)
        assert low < zero < high
        assert heat.zmin + zero * (heat.zmax - heat.zmin) == pytest.approx(0.0, abs=1e-9)
        assert list(heat.y) == [f"{price:.2f}" for price in found.table.spot]


def test_the_source_of_its_prices_is_named_with_its_time():
    plain = position("Iron Condor")
    assert "priced by the volatility index, not by quotes. Costs" in head(plain)
    assert set(PRICED_BY) == set(get_args(Pricing))
    quoted = {"pricing": "scaled chain", "quote_time": "2025-06-27T20:15:00+00:00"}
    assert (
        "priced on the chain of the index that it follows, scaled, of 2025-06-27T20:15:00+00:00."
    ) in head(plain.model_copy(update=quoted))


def test_figures_say_what_the_record_says():
    found = position("Bull Put Spread", outlook())
    told = {name: value for name, value, _ in terms(found)}
    assert told["receives"] == f"{-found.natural.net:.2f}"
    assert told["largest loss"] == f"{found.natural.max_loss:,.0f}"
    assert told["contracts"] == "-"
    held = found.model_copy(update={"contracts": 7})
    assert ("contracts", "7") in [(name, value) for name, value, _ in terms(held)]
    seen = found.chances
    assert [value for _, value, _ in odds(seen)] == [
        f"{seen.profit_by_plan:.0%}", f"{seen.profit_risk_neutral:.0%}", f"{seen.target:.0%}",
        f"{seen.stop:.0%}", f"{seen.expected_value:+,.0f}",
        f"{seen.low:+,.0f} to {seen.high:+,.0f}",
    ]  # fmt: skip
    assert odds(None) == []
    table = legs(found)
    assert list(table["symbol"]) == [leg.symbol for leg in found.legs]
    assert list(table["action"]) == ["buy", "sell"]


def test_a_long_option_has_no_largest_profit_and_a_stop_on_one_side():
    found = position("Buy Puts")
    told = {name: value for name, value, _ in terms(found)}
    assert (found.natural.max_profit is None) == (told["largest profit"] == "no limit")
    assert terms(position("Buy Calls"))[2][:2] == ("largest profit", "no limit")
    assert f"closes above {found.exit.stop_above:.2f}, or" in exit_words(found.exit)
    both = position("Iron Condor")
    stops = f"below {both.exit.stop_below:.2f} or above {both.exit.stop_above:.2f}"
    assert stops in exit_words(both.exit)
    assert f"costs no more than {-both.exit.target:.2f}" in exit_words(both.exit)


def test_the_page_shows_a_position_one_without_chances_and_why_there_is_none(
    tmp_path, signal, monkeypatch, keep
):
    spy, *others = (signal(ticker, up=0.8) for ticker in ("SPY", "QQQ", "IWM"))
    keep(tmp_path, [spy, *others])
    ended = StructureOutcome(
        **spy.key._asdict(), strategy=spy.strategy, reason="target", end_session="2025-07-03",
        worth=9.0, profit=41.2, assigned=0.0, pricing="mixed", notes=[],
    )  # fmt: skip
    record_structure_outcomes(
        tmp_path / "data" / "ledger.db", [ended], pd.Timestamp("2025-07-03 20:30", tz="UTC")
    )
    app = opened(tmp_path, monkeypatch)
    assert not app.exception
    (came,) = [row.value for row in app.markdown if row.value.startswith("**Came to**")]
    assert "+41.20 USD a contract: target on 2025-07-03, marked by" in came
    assert MARKED_BY["mixed"] in came
    assert MARKED_BY.keys() == {*get_args(MarkedBy)}
    assert [tab.label for tab in app.tabs][:2] == ["Position", "Parameters"]
    shown = [row.value["symbol"].tolist() for row in app.dataframe if "symbol" in row.value]
    assert shown == [["SPY250718C00604000"]] * 2
    told = [row.value for row in app.caption]
    assert "No position: IWM: its index RVX is nan, so no structure is priced." in told
    assert "Its chances are unknown." in told
    worth = [row.value for row in app.metric if row.label == "expected value"]
    assert [LOSES for value in worth if value.startswith("-")] == [row.value for row in app.warning]
    names = [row.label for row in app.metric]
    assert (names.count("largest loss"), names.count("P(profit), plan")) == (2, 1)


def test_a_signal_of_before_positions_is_still_shown(tmp_path, signal, monkeypatch, keep):
    keep(tmp_path, [signal("SPY", up=0.8)])
    with sqlite3.connect(tmp_path / "data" / "ledger.db") as ledger:
        ledger.execute(
            "UPDATE signals SET sha256 = NULL, document = "
            "json_remove(json_set(document, '$.structure', NULL), '$.structure_note')"
        )
    ledger.close()
    app = opened(tmp_path, monkeypatch)
    assert not app.exception
    assert not app.error
    assert "No position: recorded before there was one." in [row.value for row in app.caption]
