"""Exports as programs wrote them: recognised, their trades those by hand, the unclear refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from market.errors import InputError
from trading.exports.catalogue import FORMATS, MOST_LABELS, freqtrade_results, read_table

FROZEN = Path(__file__).resolve().parents[2] / "frozen" / "exports"


def frozen(name):
    return pd.read_csv(FROZEN / name, dtype=str, keep_default_na=False)


def plain(**columns):
    """Return a table of two trades."""
    made = {"entry": ["2024-01-02", "2024-01-05"], "exit": ["2024-01-09", "2024-01-05"],
            "pnl": ["12.5", "-3"]}  # fmt: skip
    return pd.DataFrame({**made, **columns}, dtype=str)


def refusal(frame, by=()):
    with pytest.raises(InputError) as caught:
        read_table(frame, by)
    return str(caught.value)


def test_backtesting_py_is_after_commissions():
    frame, found = frozen("backtesting.csv"), read_table(frozen("backtesting.csv"))
    assert found.program == "backtesting.py"
    assert found.trades.profit.sum() == pytest.approx(frame["PnL"].astype(float).sum())
    assert set(found.trades.cell.tolist()) == {"long", "other"}
    first = frame.iloc[0]
    moved = float(first["Size"]) * (float(first["ExitPrice"]) - float(first["EntryPrice"]))
    assert found.trades.profit[0] == pytest.approx(moved - float(first["Commission"]))
    assert str(found.trades.entered[0]) == first["EntryTime"]


def test_optopsy_is_a_contract_entered_its_days_before_expiry():
    frame, found = frozen("optopsy.csv"), read_table(frozen("optopsy.csv"))
    first = frame.iloc[0]
    assert found.program == "optopsy"
    assert found.trades.profit[0] == pytest.approx(
        100.0 * (float(first["total_exit_proceeds"]) - float(first["total_entry_cost"]))
    )
    assert str(found.trades.left[0]) == first["expiration"]
    assert (found.trades.left - found.trades.entered)[0].astype(int) == int(first["dte_entry"])
    assert not found.trades.of_risk


def test_a_leg_of_optopsy_that_may_be_bought_or_sold_is_refused():
    assert "whether it was bought or sold" in refusal(frozen("optopsy_one_leg.csv"))


def test_quantconnect_is_before_fees():
    found = read_table(frozen("quantconnect.csv"))
    assert found.program == "QuantConnect"
    assert found.trades.profit.tolist() == [-985.0, 248.0, 148.0]
    assert found.trades.cell.tolist() == ["IWM", "SPY", "SPY"]


def test_freqtrade_is_of_the_stake_and_leaves_open_trades_out():
    document = json.loads((FROZEN / "freqtrade.json").read_text())
    rows = document["strategy"]["Dips"]["trades"]
    found = read_table(freqtrade_results(document))
    assert found.program == "freqtrade"
    assert found.left_out == {"still open": 2}
    ratios = [row["profit_ratio"] for row in rows if not row["is_open"]]
    # The program's ratio is of the stake with its fee.
    assert found.trades.returns == pytest.approx(1.001 * np.array(ratios), abs=1e-6)
    assert set(found.trades.cell.tolist()) == {"Dips", "Dips, dip"}
    by_pair = read_table(freqtrade_results(document), ["pair"])
    assert set(by_pair.trades.cell.tolist()) == {"BTC/USDT", "ETH/USDT"}


def test_a_table_of_freqtrade_reads_as_its_results_do():
    frame = freqtrade_results(json.loads((FROZEN / "freqtrade.json").read_text()))
    assert read_table(frame.drop(columns="strategy")).program == "freqtrade"


@pytest.mark.parametrize(
    "document", [[], {"strategy": {}}, {"strategy": {"a": 1}}, {"strategy": {"a": {"trades": [1]}}}]
)
def test_json_of_something_else_is_refused(document):
    with pytest.raises(InputError):
        freqtrade_results(document)


def test_a_plain_table_is_of_the_risk_where_each_has_one():
    found = read_table(plain(risk=["100", "50"], label=["a", "b"]))
    assert found.trades.returns.tolist() == [0.125, -0.06]
    assert found.trades.cell.tolist() == ["a", "b"]
    partly = read_table(plain(risk=["100", ""]))
    assert not partly.trades.of_risk
    assert partly.notes == ("1 trades have no risk: returns are USD",)
    assert set(partly.trades.cell.tolist()) == {"all"}


def test_names_of_a_plain_table_may_be_capitals_with_blanks():
    frame = plain().set_axis(["Entry", " EXIT ", "PnL"], axis=1)
    assert read_table(frame).program == "plain"


def test_open_trades_are_counted_and_left_out():
    found = read_table(plain(exit=["2024-01-09", "NaT"]))
    assert len(found.trades) == 1
    assert found.left_out == {"still open": 1}
    assert "no closed trade of plain (2 still open)" in refusal(plain(exit=["", ""]))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("pnl", "nan", "row 3: pnl: got 'nan', allowed is a number"),
        ("pnl", "", "row 3: pnl: got ''"),
        ("pnl", "inf", "row 3: pnl: got 'inf'"),
        ("pnl", "1e300", "row 3: pnl: got '1e300'"),
        ("pnl", "12,5", "a number (a decimal point, no comma)"),
        ("pnl", "1,234.5", "a number (a decimal point, no comma)"),
        ("entry", "05/01/2024", "row 3: entry: got '05/01/2024', allowed is a day"),
        ("entry", "2024", "row 3: entry: got '2024'"),
        ("entry", "2024-13-01", "row 3: entry: got '2024-13-01'"),
        ("exit", "2024-01-04", "row 3: exit: got '2024-01-04', allowed is a time not before"),
        ("exit", "2024-01-05T10:00:00Z", "all have a zone, or none has"),
    ],
)
def test_a_value_that_is_none_is_refused_by_its_row(column, value, said):
    first = plain()[column].iloc[0]
    assert said in refusal(plain(**{column: [first, value]}))


@pytest.mark.parametrize("risk", ["0", "-5", "much", "1e-300"])
def test_a_risk_is_above_nothing(risk):
    assert "row 3: risk" in refusal(plain(risk=["100", risk]))


def test_times_of_a_zone_have_its_summer_and_its_winter_and_no_other():
    entry = ["2024-03-08 10:00:00-05:00", "2024-03-11 10:00:00-04:00"]
    exit_ = ["2024-03-11 23:30:00-04:00", "2024-03-12T10:00:00-0400"]
    found = read_table(plain(entry=entry, exit=exit_))
    assert found.trades.left.astype(str).tolist() == ["2024-03-11", "2024-03-12"]
    far = ["2024-03-11 23:30:00+01:00", exit_[1]]
    assert "allowed are times of one zone" in refusal(plain(entry=entry, exit=far))


def test_an_exit_within_a_changed_hour_is_no_earlier_than_its_entry():
    entry, exit_ = "2024-11-03T01:50:00-04:00", "2024-11-03T01:10:00-05:00"
    assert len(read_table(plain(entry=[entry] * 2, exit=[exit_] * 2)).trades) == 2
    assert "not before" in refusal(plain(entry=[exit_] * 2, exit=[entry] * 2))


def test_columns_of_no_program_of_several_and_twice_are_refused():
    assert "allowed are those of freqtrade" in refusal(pd.DataFrame({"a": ["1"]}))
    both = pd.concat([frozen("quantconnect.csv")[:2], plain()], axis=1)
    assert "QuantConnect and of plain" in refusal(both)
    twice = plain().assign(more="1").set_axis(["entry", "exit", "pnl", "PNL"], axis=1)
    assert "'pnl' twice" in refusal(twice)


def test_a_header_alone_and_unknown_labels_are_refused():
    assert "no trade below them" in refusal(plain()[:0])
    assert "--by: got 'colour', allowed are entry, exit, pnl" in refusal(plain(), ["colour"])
    many = pd.DataFrame(
        {"entry": "2024-01-02", "exit": "2024-01-03", "pnl": "1",
         "label": [str(at) for at in range(MOST_LABELS + 1)]}
    )  # fmt: skip
    assert "labels, allowed are 2,000" in refusal(many)


def test_a_label_that_is_a_text_is_refused():
    assert "one of 5,000 characters" in refusal(plain(label=["a", "b" * 5_000]))


@pytest.mark.parametrize("days", ["-1", "1e12", "soon"])
def test_days_to_an_expiry_are_those_of_options(days):
    frame = frozen("optopsy.csv")[:2]
    assert "row 2: dte_entry" in refusal(frame.assign(dte_entry=[days, "5"]))


def test_no_two_programs_have_the_same_columns():
    for one in FORMATS:
        assert not [other for other in FORMATS if other is not one and other.columns <= one.columns]
