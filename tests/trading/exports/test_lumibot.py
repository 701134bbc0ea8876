"""Lumibot's fills are matched by hand, and add up to what its account gained."""

import json
from pathlib import Path

import pandas as pd
import pytest

from market.errors import InputError
from trading.exports.catalogue import read_table

FROZEN = Path(__file__).resolve().parents[2] / "frozen" / "exports"
OPTION = {"asset.asset_type": "option", "asset.right": "CALL", "asset.strike": "100",
          "asset.expiration": "2024-03-15", "asset.multiplier": "100"}  # fmt: skip


def fills(*rows):
    """Return a table of events: day of January, side, quantity, price, and what else."""
    made = []
    for day, side, quantity, price, *more in rows:
        row = {"time": f"2024-01-{day:02d} 00:00:00-05:00", "side": side, "status": "fill",
               "symbol": "SPY", "price": str(price), "filled_quantity": str(quantity),
               "trade_cost": "0", "asset.asset_type": "stock", "asset.right": "",
               "asset.strike": "0.0", "asset.expiration": "", "asset.multiplier": "1"}  # fmt: skip
        made.append(row | (more[0] if more else {}))
    return pd.DataFrame(made, dtype=str)


def test_what_it_wrote_adds_up_to_what_the_account_gained():
    frame = pd.read_csv(FROZEN / "lumibot.csv", dtype=str, keep_default_na=False)
    found = read_table(frame)
    gained = json.loads((FROZEN / "lumibot.json").read_text())["gained"]
    assert found.program == "lumibot"
    assert found.trades.profit.sum() == pytest.approx(gained, abs=0.01)
    assert found.left_out == {}


def test_the_oldest_lot_is_closed_first_and_costs_are_shared():
    found = read_table(
        fills(
            (2, "buy", 10, 100, {"trade_cost": "1"}),
            (3, "buy", 10, 110),
            (4, "sell", 15, 120, {"trade_cost": "3"}),
        )
    )
    assert found.trades.profit.tolist() == [10 * 20 - 1 - 2, 5 * 10 - 1]
    assert found.trades.entered.astype(str).tolist() == ["2024-01-02", "2024-01-03"]
    assert found.left_out == {"still open": 1}


def test_a_fill_that_crosses_nothing_opens_the_other_side():
    found = read_table(
        fills((2, "buy", 1, 100), (3, "sell", 3, 90), (4, "buy", 1, 95), (5, "buy", 1, 80))
    )
    assert found.trades.profit.tolist() == [-10.0, -5.0, 10.0]
    assert found.left_out == {}


def test_contracts_are_apart_and_count_by_their_multiplier():
    other = OPTION | {"asset.strike": "105"}
    found = read_table(
        fills(
            (2, "buy_to_open", 2, 1.5, OPTION),
            (2, "sell_to_open", 2, 0.5, other),
            (9, "sell_to_close", 2, 2.5, OPTION),
            (9, "sell", 2, 0, other | {"status": "new", "price": ""}),
            (10, "buy", 2, 0.0, other | {"status": "expired"}),
        )
    )
    assert found.trades.profit.tolist() == [200.0, 100.0]


def test_an_assigned_option_ends_for_nothing_and_its_shares_start_at_the_strike():
    put = OPTION | {"asset.right": "PUT"}
    found = read_table(
        fills(
            (2, "sell_to_open", 1, 3, put),
            (9, "buy", 1, 8, put | {"status": "assigned"}),
            (9, "buy", 100, 100, {}),
            (10, "sell", 100, 92, {}),
        )
    )
    assert found.trades.profit.tolist() == [300.0, -800.0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"status": "partial_fill"}, "row 2: status: got 'partial_fill'"),
        ({"side": "held"}, "row 2: side: got 'held'"),
        ({"filled_quantity": "0"}, "row 2: filled_quantity: got 0"),
        ({"asset.asset_type": "option", "asset.multiplier": ""}, "the multiplier of a contract"),
        ({"asset.multiplier": "0"}, "an amount above 0"),
        ({"price": ""}, "row 2: price: got ''"),
    ],
)
def test_a_fill_that_says_too_little_is_refused(more, said):
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        read_table(fills((2, "buy", 1, 100, more), (3, "sell", 1, 100)))


def test_orders_that_were_never_filled_are_no_trades():
    with pytest.raises(InputError, match="no closed trade of lumibot"):
        read_table(fills((2, "buy", 1, 100, {"status": "canceled"})))
