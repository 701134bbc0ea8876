"""The chain that a position is priced on, as it is shown: its source, expiries and strikes."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from home.records.chain import ChainView
from market.errors import InputError, UnknownName
from market.options.chain import Chain
from market.options.expiries import expirations
from optrade.cli.run.chain import show_chain
from serving.answer.chain import build_chain
from serving.answer.structure import Pricing
from serving.reading.row import FeatureRow, Quoted
from tests.trading.structures.quoted import SESSION, index_chain, spy_chain

AS_OF = pd.Timestamp("2025-06-30 22:15", tz="UTC")
EXPIRY = "2025-07-18"
CLOSE = {
    "sma_20": 595.0, "price_to_sma_20": 600.0 / 595.0 - 1.0, "vix_close": 16.75,
    "vix_term_slope": 1.5, "treasury_3m": 4.3,
}  # fmt: skip
NONE = "no chain of SPY of 2025-06-30 was known, nor one before"


def row(own=NONE, index="no chain of SPX", ticker="SPY", **changes) -> FeatureRow:
    quoted = Quoted(own, index if ticker == "SPY" else None)
    return FeatureRow(ticker, SESSION, {}, {}, beside=CLOSE | changes, quoted=quoted)


def told(by_vendor=0.2) -> Chain:
    chain = spy_chain()
    return replace(chain, vendor_volatility=np.full(len(chain.strike), by_vendor))


def test_an_own_chain_says_what_its_quotes_are_worth() -> None:
    found = build_chain(row(spy_chain()), AS_OF)
    assert (found.pricing, found.quoted_on, found.band) == ("chain", "SPY", None)
    assert (found.quote_time, found.age_hours) == ("2025-06-30T20:15:00+00:00", 2.0)
    (one,) = found.expiries
    assert (one.expiration, one.days_to_expiry, one.root) == (EXPIRY, 18, "SPY")
    assert one.parity == 1.0
    assert (one.butterflies, one.why_none, found.contracts) == (0, None, None)
    assert 0.0 < one.spread < 0.1 < one.at_the_money < 0.2
    assert one.skew > 0.02 > one.curvature > 0.0
    assert one.strikes > 50
    assert ChainView.parse(json.loads(json.dumps(found.document())), "chain") == found


@pytest.mark.parametrize(
    ("own", "index"), [(spy_chain(), NONE), (NONE, index_chain()), (NONE, NONE)]
)
def test_it_is_what_a_position_is_priced_on(own, index) -> None:
    found = build_chain(row(own, index), AS_OF, EXPIRY)
    priced = Pricing().priced(row(own, index), "Bull Put Spread", "full", None).structure
    assert (found.pricing, found.quote_time) == (priced.pricing, priced.quote_time)
    one = next(one for one in found.expiries if one.expiration == priced.expiration)
    assert (one.forward, one.at_the_money) == (priced.forward, priced.at_the_money)
    contracts = {(one.strike, one.right): one for one in found.contracts}
    for leg in priced.legs:
        shown = contracts[leg.strike, leg.right]
        assert (shown.bid, shown.ask, shown.delta) == (leg.bid, leg.ask, leg.delta)
        assert shown.implied_volatility == pytest.approx(leg.implied_volatility, abs=1e-6)


def test_our_volatility_stands_beside_the_vendor_s() -> None:
    found = build_chain(row(told()), AS_OF, EXPIRY).contracts
    assert {one.vendor_volatility for one in found} == {0.2}
    plain = build_chain(row(spy_chain()), AS_OF, EXPIRY).contracts
    assert {one.vendor_volatility for one in plain} == {None}
    assert [one.implied_volatility for one in plain] == [one.implied_volatility for one in found]
    calls = [one for one in found if one.right == "call"]
    assert [one.strike for one in calls] == sorted(one.strike for one in calls)
    assert any(one.extrapolated for one in found)


def test_quotes_of_another_price_than_the_close_are_shown_at_theirs() -> None:
    found = build_chain(row(spy_chain(), price_to_sma_20=609.0 / 595.0 - 1.0), AS_OF, EXPIRY)
    assert found.spot == pytest.approx(600.0, rel=1e-3)
    assert found.notes[-1].startswith(f"its quotes imply a price of {found.spot:.2f}, the session")


def test_a_close_below_the_quotes_makes_no_delta_beyond_one() -> None:
    low = 599.0 / 595.0 - 1.0
    found = build_chain(row(spy_chain(), price_to_sma_20=low), AS_OF, EXPIRY).contracts
    assert max(abs(one.delta) for one in found) == 1.0


def test_without_a_chain_the_usual_expiries_stand_with_a_band() -> None:
    found = build_chain(row(), AS_OF)
    assert (found.pricing, found.quoted_on, found.quote_time) == ("synthetic", None, None)
    assert (found.band, found.age_hours) == (0.01, None)
    assert [one.expiration for one in found.expiries] == [
        str(day.date()) for day in expirations(SESSION)
    ]
    assert {one.strikes for one in found.expiries} == {None}
    assert found.notes == [NONE, "no chain of SPX"]
    assert build_chain(row(ticker="QQQ"), AS_OF).notes == [NONE]


def test_a_chain_that_does_not_count_is_named_and_the_next_one_shown() -> None:
    bare = replace(spy_chain(), bid=np.full(len(spy_chain().strike), np.nan))
    found = build_chain(row(bare, index_chain()), AS_OF)
    assert (found.pricing, found.quoted_on) == ("scaled chain", "SPX")
    assert found.notes == [
        "the chain of SPY of 2025-06-30 20:15 UTC does not count: none of 1 expiries has a smile: "
        "SPY 2025-07-18: got 0 strikes near the money with bid and ask of call and put, needed "
        "are 3"
    ]
    moved = replace(spy_chain(), strike=0.9 * spy_chain().strike)
    assert "its quotes are of a price of" in build_chain(row(moved), AS_OF).notes[0]


def test_an_expiry_that_is_not_there_is_refused_with_those_that_are() -> None:
    for expiry in ("2025-07-17", "tomorrow"):
        with pytest.raises(UnknownName, match=rf"expiry of SPY: got '{expiry}', .* {EXPIRY}"):
            build_chain(row(spy_chain()), AS_OF, expiry)


def test_an_expiry_without_a_smile_says_why() -> None:
    chain = spy_chain()
    far = replace(chain, bid=np.full(len(chain.strike), np.nan), expiration=chain.expiration + 7)
    names = ("root", "expiration", "strike", "sign", "bid", "ask")
    both = {name: np.concatenate([getattr(chain, name), getattr(far, name)]) for name in names}
    found = build_chain(row(replace(chain, **both)), AS_OF)
    assert [one.why_none is None for one in found.expiries] == [True, False]
    assert found.expiries[1].forward is None
    with pytest.raises(InputError, match=r"2025-07-25: got 0 strikes near .* has no smile"):
        build_chain(row(replace(chain, **both)), AS_OF, "2025-07-25")


def test_a_close_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="SPY: its price is nan"):
        build_chain(row(spy_chain(), sma_20=float("nan")), AS_OF)


@pytest.mark.parametrize(
    ("own", "index", "words"),
    [
        (told(), NONE, "chain: quotes of SPY of 2025-06-30T20:15:00+00:00, 2.0 hours old"),
        (NONE, index_chain(), "scaled chain: quotes of SPX of 2025-06-30T20:15:00+00:00, scaled "),
        (NONE, NONE, "synthetic: no quotes, a form of the volatility index at the usual expiries"),
    ],
    ids=["chain", "scaled", "synthetic"],
)
def test_people_are_told_the_source_and_why(own, index, words: str, capsys) -> None:
    show_chain(build_chain(row(own, index), AS_OF, EXPIRY))
    shown = capsys.readouterr().out
    assert words in shown
    assert ("1 point lower or higher" in shown) == words.startswith("synthetic")
    assert (NONE in shown) == (own == NONE)
    assert "20.0%" in shown or own == NONE
