"""A position on the index's quotes: its smile, and everything else the fund's own."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from market.errors import InputError
from market.options.expiries import is_monthly
from market.underlyings import UNDERLYINGS, underlying
from tests.trading.structures.quoted import CLOSING, SESSION, index_chain, part
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure
from trading.structures.quote import synthetic_quote
from trading.structures.scaled_quote import index_expiries, scaled_quote

SPY = underlying("SPY")
MONTHLY = pd.Timestamp("2025-07-18")


@pytest.mark.parametrize("strategy", STRUCTURES)
def test_the_index_s_smile_gives_the_fund_s_position_back(strategy: str) -> None:
    written = price_structure(strategy, *synthetic_quote(SPY, SESSION, CLOSING), None)
    found = price_structure(strategy, *scaled_quote(SPY, SESSION, CLOSING, index_chain()), None)
    assert (found.pricing, found.quote_time) == ("scaled chain", "2025-06-30T20:15:00+00:00")
    assert (found.root, found.forward, found.spot) == ("SPY", written.forward, written.spot)
    assert [leg.symbol for leg in found.legs] == [leg.symbol for leg in written.legs]
    assert found.mid.net == pytest.approx(written.mid.net, abs=0.05)
    for own, other in zip(found.legs, written.legs, strict=True):
        assert own.implied_volatility == pytest.approx(other.implied_volatility, abs=0.002)


def test_the_level_is_the_index_s_and_its_spot_is_not_asked() -> None:
    usual, dearer = (
        scaled_quote(SPY, SESSION, CLOSING, replace(index_chain(dearer=by), spot=spot))[0].smile
        for by, spot in ((1.0, 6000.0), (1.25, float("nan")))
    )
    assert dearer.at_the_money / usual.at_the_money == pytest.approx(1.25, abs=0.005)
    assert dearer.forward == usual.forward


def test_time_counts_from_the_quotes_for_the_smile_and_from_the_close_for_the_position() -> None:
    usual, evening = (
        scaled_quote(SPY, SESSION, CLOSING, index_chain(moment))
        for moment in ("2025-06-30 20:00", "2025-07-01 01:30")
    )
    assert evening[0].smile.at_the_money == pytest.approx(usual[0].smile.at_the_money, abs=5e-4)
    assert evening[0].smile.years == usual[0].smile.years
    assert evening[1].entered == usual[1].entered


def test_the_root_that_settles_in_the_afternoon_is_preferred() -> None:
    assert is_monthly(pd.DatetimeIndex([MONTHLY])).all()
    for roots in (("SPX", "SPXW"), ("SPXW", "SPX")):
        chain = index_chain(roots=roots, expiration=MONTHLY)
        assert [quotes.root for quotes in index_expiries(chain)[MONTHLY]] == ["SPXW", "SPX"]
    morning = index_chain(roots=("SPX",), expiration=MONTHLY)
    board, life = scaled_quote(SPY, SESSION, CLOSING, morning)
    assert (board.quotes.root, life.closes[-1], life.years[-1]) == ("SPY", MONTHLY, 0.0)
    assert board.smile.at_the_money == pytest.approx(
        scaled_quote(SPY, SESSION, CLOSING, index_chain(expiration=MONTHLY))[0].smile.at_the_money,
        abs=5e-4,
    )


def test_a_root_that_makes_no_smile_hides_none_that_does() -> None:
    whole = index_chain(roots=("SPX",), expiration=MONTHLY)
    both = index_chain(roots=("SPX", "SPXW"), expiration=MONTHLY)
    # Of SPXW two contracts.
    kept = (both.root == "SPX") | (np.cumsum(both.root == "SPXW") <= 2)
    found, usual = (
        scaled_quote(SPY, SESSION, CLOSING, chain)[0].smile for chain in (part(both, kept), whole)
    )
    assert found.at_the_money == usual.at_the_money


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (index_chain(expiration="2025-07-22"), "14 to 28 days after 2025-06-30, 0 are listed"),
        (index_chain(expiration="2025-08-15"), "14 to 28 days after 2025-06-30, 1 are listed"),
        (replace(index_chain(), root=np.full(len(index_chain().strike), "XSP")), "0 are listed"),
        (replace(index_chain(), bid=np.full(len(index_chain().strike), np.nan)), "SPXW 2025-07-"),
        (replace(index_chain(), underlying="NDX"), "got a chain of NDX, allowed is one of SPX"),
    ],
    ids=["a day of the index alone", "too far", "another root", "no bids", "another index"],
)
def test_a_chain_that_prices_nothing_says_why(chain, words: str) -> None:
    with pytest.raises(InputError, match=words):
        scaled_quote(SPY, SESSION, CLOSING, chain)


@pytest.mark.parametrize("ticker", ["QQQ", "IWM"])
def test_what_follows_no_index_is_refused(ticker: str) -> None:
    assert UNDERLYINGS[ticker].options.scaled_from is None
    with pytest.raises(InputError, match=r"got a chain of SPX, allowed is one of its own alone"):
        scaled_quote(underlying(ticker), SESSION, CLOSING, index_chain())
