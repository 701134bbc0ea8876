"""A position on its own: the same prices as in the signal, of any strategy, for people and JSON."""

import pytest

from home.records.chain import ChainView
from home.records.structure import Structure
from trading.structures.legs import STRUCTURES

pytestmark = pytest.mark.integration


def test_a_position_is_shown_with_legs_terms_and_words(trained_home) -> None:
    asked = ("price", "--ticker", "SPY", "--strategy", "bull PUT spread", "--capital", "1000000")
    found = Structure.parse(trained_home.json(*asked), "structure")
    assert (found.strategy, found.chances) == ("Bull Put Spread", None)
    assert found.contracts == int(20_000 // found.natural.max_loss)
    shown = trained_home(*asked).stdout
    for leg in found.legs:
        assert leg.symbol in shown
    assert f"receives {-found.natural.net:.2f}" in shown
    assert f"Bull Put Spread: {found.contracts} x buy {found.legs[0].strike:g} put, sell" in shown
    assert f"loses at most {found.natural.max_loss:,.0f} a contract" in shown


def test_a_signal_and_a_price_say_the_same(trained_home) -> None:
    for ticker in ("SPY", "IWM"):
        signal = trained_home.json("signal", "--ticker", ticker)
        strategy = signal["strategy"] if signal["structure"] else next(iter(STRUCTURES))
        found = trained_home.json("price", "--ticker", ticker, "--strategy", strategy)
        assert signal["structure"] in (None, found)
        assert (signal["structure"] is None) == (signal["strategy"] == "NO TRADE")


def test_a_price_needs_no_model_and_records_nothing(copied) -> None:
    (copied.home / "data" / "ledger.db").unlink(missing_ok=True)
    for kept in (copied.home / "models" / "serving").iterdir():
        kept.is_file() and kept.unlink()
    found = copied.json("price", "--ticker", "SPY", "--strategy", "Iron Condor")
    assert found["notes"] == [
        "its chances are unknown: no model of the distribution serves: "
        "run `optrade train-distribution --ticker SPY`"
    ]
    assert not (copied.home / "data" / "ledger.db").exists()


def test_a_chain_shows_what_a_price_is_made_on(trained_home) -> None:
    priced = trained_home.json("price", "--ticker", "SPY", "--strategy", "Iron Condor")
    expiry = priced["expiration"]
    told = trained_home.json("chain", "--ticker", "SPY", "--expiry", f"{expiry} ")
    found = ChainView.parse(told, "")
    assert (found.pricing, found.quote_time) == (priced["pricing"], priced["quote_time"])
    at = next(one for one in found.expiries if one.expiration == expiry)
    assert at.at_the_money == priced["at_the_money"]
    quoted = {(one.strike, one.right): (one.bid, one.ask) for one in found.contracts}
    for leg in priced["legs"]:
        assert quoted[leg["strike"], leg["right"]] == (leg["bid"], leg["ask"])
    shown = trained_home("chain", "--ticker", "SPY").stdout
    assert f"{found.pricing}: quotes of SPY of {found.quote_time}" in shown
