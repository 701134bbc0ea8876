"""A position on the underlying's own quotes: theirs are the prices, the smile is what they say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from market.errors import InputError
from market.underlyings import underlying
from tests.trading.structures.quoted import CLOSING, SESSION, joined, part, spy_chain
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure
from trading.structures.quote import chain_quote, price_words, synthetic_quote

SPY = underlying("SPY")


@pytest.mark.parametrize("strategy", STRUCTURES)
def test_the_quotes_of_a_smile_give_its_position_back(strategy: str) -> None:
    written = price_structure(strategy, *synthetic_quote(SPY, SESSION, CLOSING), None)
    found = price_structure(strategy, *chain_quote(SPY, SESSION, CLOSING, spy_chain()), None)
    assert (found.pricing, found.quote_time) == ("chain", "2025-06-30T20:15:00+00:00")
    assert [leg.symbol for leg in found.legs] == [leg.symbol for leg in written.legs]
    assert found.natural == written.natural
    for own, other in zip(found.legs, written.legs, strict=True):
        assert own.implied_volatility == pytest.approx(other.implied_volatility, abs=0.005)
        assert own.delta == pytest.approx(other.delta, abs=0.01)


def test_prices_are_those_that_are_quoted() -> None:
    dearer = spy_chain()
    dearer = replace(dearer, ask=dearer.ask + 0.05)
    found = price_structure("Buy Calls", *chain_quote(SPY, SESSION, CLOSING, dearer), None)
    usual = price_structure("Buy Calls", *chain_quote(SPY, SESSION, CLOSING, spy_chain()), None)
    assert found.natural.net == pytest.approx(usual.natural.net + 0.05)


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (spy_chain(days=14), "none lies 14 to 28 days after 2025-06-30"),
        (
            replace(spy_chain(), root=np.full(len(spy_chain().strike), "SPY7")),
            "SPY: got contracts of the roots SPY7, standard ones are SPY",
        ),
        (replace(spy_chain(), bid=np.full(len(spy_chain().strike), np.nan)), "SPY 2025-07-"),
    ],
    ids=["no expiry", "another root", "no bids"],
)
def test_a_chain_that_prices_nothing_says_why(chain, words: str) -> None:
    with pytest.raises(InputError, match=words):
        chain_quote(SPY, SESSION, CLOSING, chain)


@pytest.mark.parametrize("away", [-0.019, -0.006, 0.002, 0.006, 0.019])
def test_a_position_starts_from_the_price_of_its_quotes(away: float) -> None:
    closing = replace(CLOSING, spot=600.0 / (1.0 + away))
    board, _ = chain_quote(SPY, SESSION, closing, spy_chain())
    if abs(away) < 0.0025:
        assert (board.spot, price_words(board, closing)) == (closing.spot, [])
        return
    assert board.spot == pytest.approx(600.0, rel=1e-4)
    (words,) = price_words(board, closing)
    assert f"a price of {board.spot:.2f}, the session closed at {closing.spot:.2f}" in words


@pytest.mark.parametrize("moment", ["2025-06-30 13:35", "2025-06-30 20:00", "2025-07-01 01:30"])
def test_time_counts_from_the_quotes_for_the_smile_and_from_the_close_for_the_position(
    moment: str,
) -> None:
    usual, usual_life = chain_quote(SPY, SESSION, CLOSING, spy_chain(moment="2025-06-30 20:00"))
    board, life = chain_quote(SPY, SESSION, CLOSING, spy_chain(moment=moment))
    since = pd.Timestamp(moment) - pd.Timestamp("2025-06-30 20:00")
    assert usual.smile.years - board.smile.years == pytest.approx(since / pd.Timedelta(days=365))
    assert life.years.tolist() == usual_life.years.tolist()
    # The same prices of less time are of more volatility.
    levels = board.smile.at_the_money, usual.smile.at_the_money
    variances = [
        level**2 * one.smile.years for level, one in zip(levels, (board, usual), strict=True)
    ]
    assert variances[0] == pytest.approx(variances[1], rel=1e-3)


@pytest.mark.parametrize("day", ["2025-07-21", "2025-07-20", "2025-07-04"])
def test_a_contract_of_an_expiry_that_is_unfit_hides_no_whole_one(day: str) -> None:
    one = part(spy_chain(), slice(100, 101))
    one = replace(one, expiration=np.array([day], dtype="M8[D]"))
    board, _ = chain_quote(SPY, SESSION, CLOSING, joined(spy_chain(), one))
    assert board.quotes.expiration == pd.Timestamp("2025-07-18")


def test_a_wide_spread_tells_no_other_price() -> None:
    wide = spy_chain()
    wide = replace(wide, bid=np.maximum(wide.bid - 1.5, 0.0), ask=wide.ask + 1.5)
    closing = replace(CLOSING, spot=597.0)
    assert chain_quote(SPY, SESSION, closing, wide)[0].spot == 597.0


def test_quotes_of_another_price_are_refused() -> None:
    with pytest.raises(InputError, match=r"a price of 6\d\d\.\d\d, the session closed at 570"):
        chain_quote(SPY, SESSION, replace(CLOSING, spot=570.0), spy_chain())
