"""The position of a row: the same for the same row, and every reason for none leaves a signal."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from feature_repo.features.catalogue import find
from forecasters.base import ForecastError
from forecasters.document import Artifact
from forecasters.returns import PROBABILITIES, ReturnDistribution
from market.underlyings import UNDERLYINGS, underlying
from serving.answer.boards import ANCHORED, CLOSING_FEATURES, closing_of, named
from serving.answer.signals import Models, build_signal
from serving.answer.structure import (
    LOSES,
    NO_POSITION,
    NOT_PRICED,
    Pricing,
    references,
    unjudged_words,
)
from serving.reading.row import FeatureRow, Quoted
from tests.trading.structures.quoted import index_chain, joined, part, spy_chain
from trading.structures.words import in_words

AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")
BESIDE = {
    "sma_20": 595.0, "price_to_sma_20": 600.0 / 595.0 - 1.0, "vix_close": 16.75,
    "vix_term_slope": 1.5, "treasury_3m": 4.3,
}  # fmt: skip
NAN = float("nan")
SURE = {
    "coef": [[0.0] * 3], "intercept": [3.0], "calibration": {"slope": 1.0, "intercept": 0.0},
    "threshold": 0.5,
}  # fmt: skip


def row(ticker="SPY", values=None, **changes):
    return FeatureRow(
        ticker, pd.Timestamp("2025-06-30"), values or {}, {}, beside=BESIDE | changes
    )  # fmt: skip


def model(drift=0.0, error=None):
    """A model of the distribution: normal, one per cent a session, and a drift a session."""

    def distribution(_):
        if error is not None:
            raise error
        at = np.array([0.0, 5.0, 20.0])
        shapes = np.tile(ndtri(PROBABILITIES), (2, 1))
        daily = np.random.default_rng(1).standard_normal(500)
        return ReturnDistribution(at, 1e-4 * at, drift * at, shapes, daily)

    return SimpleNamespace(
        features=["vix_close"], sha256=f"{drift} {error}", distribution=distribution,
        model="log_har", version=3, alias="champion", evidence=SimpleNamespace(standing="unproven"),
    )  # fmt: skip


def why_none(on=None, strategy="Bull Put Spread", capital=None, size="full"):
    structure, words = Pricing(capital).priced(on or row(), strategy, size, None)
    assert structure is None
    return words


def test_a_row_prices_a_position_at_its_close_without_a_model_of_the_distribution():
    found, none = Pricing().priced(row(), "Bull Put Spread", "full", None)
    assert none is None
    assert (found.spot, found.pricing, found.chances) == (pytest.approx(600.0), "synthetic", None)
    assert found.notes == [f"its chances are unknown: {unjudged_words('SPY')}"]
    assert found.contracts is None


def test_a_position_has_chances_where_a_model_serves_and_says_why_it_has_none():
    seen = Pricing().priced(row(), "Bull Put Spread", "full", model(drift=0.002)).structure
    assert (seen.notes, seen.chances.paths) == ([], 1000)
    assert seen.chances.expected_value > 0.0
    assert seen.chances.by.words() == "log_har version 3, unproven"
    assert "a point lower or higher) by log_har version 3, unproven" in in_words(seen)
    worse = Pricing().priced(row(), "Bull Put Spread", "full", model(drift=-0.01)).structure
    assert worse.chances.expected_value < 0.0
    assert worse.notes == [LOSES]
    refused = model(error=ForecastError("out_of_range", "vix_close: got -1.0"))
    found = Pricing().priced(row(), "Bull Put Spread", "full", refused).structure
    assert found.chances is None
    assert found.notes == ["its chances are unknown: vix_close: got -1.0"]


def test_a_synthetic_smile_is_anchored_where_a_chain_said_its_level():
    plain, none, other, same = (
        Pricing().priced(on, "Buy Puts", "full", model()).structure
        for on in (row(), *(row(chain_iv_anchor=x) for x in (NAN, 20.0, 16.75 * np.exp(-0.15))))
    )
    assert none == plain
    assert ANCHORED not in plain.notes
    assert (other.pricing, other.notes[0]) == ("synthetic", ANCHORED)
    # A level of 14.4 points without it.
    assert other.legs[0].implied_volatility > 1.3 * plain.legs[0].implied_volatility
    assert same.mid.net == pytest.approx(plain.mid.net)
    quoted = Pricing().priced(
        replace(row(chain_iv_anchor=20.0), quoted=Quoted(own=spy_chain())), "Buy Puts", "full", None
    )
    assert ANCHORED not in quoted.structure.notes


def test_the_same_row_and_model_price_once():
    pricing = Pricing()
    first = pricing.priced(row(), "Iron Condor", "half", model())
    assert pricing.priced(row(), "Iron Condor", "half", model()) is first
    others = [
        pricing.priced(row(vix_close=17.0), "Iron Condor", "half", model()),
        pricing.priced(row(), "Buy Puts", "half", model()),
        pricing.priced(row(), "Iron Condor", "half", model(drift=0.001)),
        pricing.priced(row(ticker="QQQ"), "Iron Condor", "half", model()),
    ]
    assert all(other.structure != first.structure for other in others)
    bad = pricing.priced(row(sma_20=NAN), "Iron Condor", "half", None)
    assert bad.structure is None


def test_what_is_kept_does_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr("serving.answer.structure.KEPT", 2)
    pricing = Pricing()
    for strategy in ("Buy Calls", "Buy Puts", "Iron Condor", "Bull Put Spread"):
        pricing.priced(row(), strategy, "half", None)
    assert len(pricing._kept) <= 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vix_close": NAN}, "SPY: its index VIX is nan, so no structure is priced"),
        ({"vix_close": 0.0}, "SPY: its index VIX is 0.0, so no structure is priced"),
        (
            {"vix_term_slope": NAN},
            "SPY: its volatility index of three months is nan, so no structure is priced",
        ),
        ({"sma_20": NAN}, "SPY: its price is nan, so no structure is priced"),
        ({"price_to_sma_20": NAN}, "SPY: its price is nan, so no structure is priced"),
        ({"treasury_3m": NAN}, "SPY: the rate of three months is unknown"),
    ],
)
def test_what_a_session_lacks_is_named(changes, words):
    assert why_none(row(**changes)) == words


def test_a_view_that_is_not_there_is_a_number_that_is_missing():
    held = replace(row(), beside={"sma_20": 595.0, "price_to_sma_20": 0.0})
    assert "its index VIX is nan" in why_none(held)


def test_an_underlying_without_a_listing_is_refused_by_its_row(monkeypatch):
    monkeypatch.setitem(UNDERLYINGS, "SPY", replace(underlying("SPY"), options=None))
    assert why_none().startswith(
        "SPY: its row in market/underlyings.py does not say how its options"
    )


def test_a_capital_below_one_contract_says_what_one_needs():
    words = why_none(capital=1000.0)
    assert words.startswith("Bull Put Spread: a contract can lose ")
    assert "2% of 1,000 USD at size full is 20; one contract needs a capital of " in words
    enough = float(words.rpartition("capital of ")[2].removesuffix(" USD").replace(",", ""))
    found = Pricing(enough + 1.0).priced(row(), "Bull Put Spread", "full", None).structure
    assert found.contracts == 1
    assert (
        Pricing(2 * enough + 2.0).priced(row(), "Bull Put Spread", "half", None)[0].contracts == 1
    )


def test_no_trade_takes_no_position():
    assert why_none(strategy="NO TRADE") == NO_POSITION


def test_a_close_is_read_of_features():
    closing = closing_of(BESIDE)
    assert closing.spot == pytest.approx(600.0)
    assert (closing.index, closing.long_index) == (16.75, 18.25)
    assert closing.rate == pytest.approx(0.043)
    assert np.isnan(closing_of({}).spot)


def test_references_are_those_of_the_views_that_hold_the_features():
    found = references(CLOSING_FEATURES)
    assert found["vix_close"] == "iv:vix_close"
    assert found == {name: f"{find(name)[0].name}:{name}" for name in CLOSING_FEATURES}


@pytest.fixture
def signal(documents, values):
    """A signal that calls UP, on a row and by a model of the distribution."""

    def made(pricing, distribution=None, quoted=None, **beside):
        models = Models(
            Artifact.model_validate(documents["direction"](**SURE)),
            Artifact.model_validate(documents["regime"]()),
            distribution=distribution,
        )
        given = replace(row(values=values, **beside), quoted=quoted)
        return build_signal(given, models, as_of=AS_OF, origin="recorded", pricing=pricing)

    return made


def test_a_signal_goes_on_without_a_position(signal):
    plain = signal(None)
    assert (plain.structure, plain.structure_note) == (None, NOT_PRICED)
    missing = signal(Pricing(), vix_close=NAN)
    assert missing.structure is None
    assert missing.structure_note == "SPY: its index VIX is nan, so no structure is priced"
    kept = {"structure", "structure_note"}
    assert missing.model_dump(exclude=kept) == plain.model_dump(exclude=kept)


def test_a_signal_carries_its_position_and_what_a_required_edge_would_choose(signal):
    found = signal(Pricing(), model())
    assert found.strategy == found.structure.strategy != "NO TRADE"
    assert found.structure_note is None
    assert found.alternatives[-1].strategy in (
        "NO TRADE (required edge)",
        f"{found.strategy} (required edge)",
    )
    assert json.loads(json.dumps(found.document(), allow_nan=False)) == found.document()


@pytest.mark.parametrize(("drift", "taken"), [(-0.004, False), (0.01, True)])
def test_a_required_edge_refuses_a_position_without_one(signal, drift, taken):
    free, strict = (signal(Pricing(require_edge=edge), model(drift)) for edge in (False, True))
    assert (free.structure.chances.low > 0.0) == taken
    if taken:
        assert strict == free
        return
    assert (strict.strategy, strict.position_size) == ("NO TRADE", "none")
    assert (strict.structure, strict.structure_note) == (None, NO_POSITION)
    assert strict.alternatives[0].strategy == free.strategy
    assert "Refused, required edge: its expected value after costs is -" in strict.reasoning


def test_a_required_edge_is_not_there_where_nothing_says_so(signal):
    strict = signal(Pricing(require_edge=True))
    assert strict.strategy == "NO TRADE"
    assert "its expected value is unknown" in strict.reasoning


def quoted(own="no chain of SPY", index="no chain of SPX", **changes):
    """Price a spread on what is quoted."""
    on = replace(row(**changes), quoted=Quoted(own, index))
    return Pricing().priced(on, "Bull Put Spread", "full", model(drift=0.002)).structure


def test_the_own_chain_prices_a_position_whatever_the_index_says():
    for index in ("no chain of SPX", index_chain()):
        found = quoted(spy_chain(), index)
        assert (found.pricing, found.notes) == ("chain", [])
        assert "priced on the chain of 2025-06-30T20:15:00+00:00" in in_words(found)


def test_what_lies_ahead_starts_from_the_price_of_the_quotes():
    usual, later = (quoted(spy_chain(), price_to_sma_20=x / 595.0 - 1.0) for x in (600.0, 609.0))
    assert later.notes[0].startswith("its quotes imply a price of 600.0")
    assert later.notes[0].split(":")[0].endswith("the session closed at 609.00")
    assert usual.notes == later.notes[1:] == []
    assert later.spot == pytest.approx(usual.spot, rel=1e-3)
    assert later.exit.stop_below == pytest.approx(usual.exit.stop_below, rel=1e-3)
    for name in ("profit", "target", "stop"):
        assert getattr(later.chances, name) == pytest.approx(getattr(usual.chances, name), abs=0.02)
    assert later.chances.expected_value == pytest.approx(usual.chances.expected_value, abs=3.0)


def test_the_index_s_chain_is_scaled_and_named_where_the_own_one_is_not():
    found = quoted(index=index_chain("2025-07-01 01:18"))
    scaled = "scaled from the chain of SPX of 2025-07-01 01:18 UTC"
    assert found.pricing == "scaled chain"
    assert found.notes == ["no chain of SPY", scaled]
    words = "priced on the index's chain of 2025-07-01T01:18:00+00:00, scaled; no chain of SPY; "
    assert in_words(found).endswith(words + scaled)


BARE = np.full(len(spy_chain().strike), np.nan)


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        (spy_chain(days=14), "expiries: none lies 14 to 28 days after 2025-06-30, 1 are listed"),
        (spy_chain(days=-18), "expiries: none lies 14 to 28 days after 2025-06-30, 1 are listed"),
        (replace(spy_chain(), bid=BARE), "SPY 2025-07-18: got 0 strikes near the money with bid"),
        (
            replace(spy_chain(), root=np.full(len(BARE), "SPY7")),
            "SPY: got contracts of the roots SPY7, standard ones are SPY",
        ),
        (
            replace(spy_chain(), strike=0.9 * spy_chain().strike),
            "SPY: its quotes are of a price of ",
        ),
    ],
    ids=["too far", "expired", "one-sided", "mini contracts", "another price"],
)
def test_a_chain_that_cannot_price_is_left_aside_with_the_reason(chain, why):
    before = f"not priced on the chain of SPY of 2025-06-30 20:15 UTC: {why}"
    without, scaled = quoted(chain), quoted(chain, index_chain())
    assert (without.pricing, scaled.pricing) == ("synthetic", "scaled chain")
    for found in (without, scaled):
        assert found.notes[0].startswith(before)
    assert without.notes[1] == "no chain of SPX"
    assert without.natural == quoted().natural


def test_a_wide_chain_is_left_aside_as_nothing_can_be_won_on_it():
    wide = replace(spy_chain(), bid=0.2 * spy_chain().bid, ask=1.8 * spy_chain().ask)
    why = "nothing can be won at the natural price"
    for index, pricing in ((index_chain(), "scaled chain"), ("no chain of SPX", "synthetic")):
        found = quoted(wide, index)
        assert found.pricing == pricing
        assert found.notes[0].startswith(f"not priced on {named(wide)}: {why}")
        assert len(found.notes) == 2


def test_an_expiry_without_the_strategy_s_legs_hides_none_that_has_them():
    far = np.abs(spy_chain().strike / 600.0 - 1.0) > 0.02
    chain = joined(spy_chain(), part(spy_chain(days=3), far))
    on = replace(row(), quoted=Quoted(chain))
    for strategy, day in (("Buy Calls", "2025-07-18"), ("Bull Put Spread", "2025-07-21")):
        found = Pricing().priced(on, strategy, "full", None).structure
        assert (found.pricing, found.expiration) == ("chain", day)
        why = "an expiry nearer to 21 days is left aside: SPY 2025-07-21: no call with bid and ask"
        assert found.notes[0].startswith(why) == (day == "2025-07-18")


@pytest.mark.parametrize("points", [0.4, 5.7, 36.1, 900.0])
def test_an_anchor_that_no_market_makes_is_not_taken(points):
    plain = Pricing().priced(row(), "Buy Puts", "full", None).structure
    found = Pricing().priced(row(chain_iv_anchor=points), "Buy Puts", "full", None).structure
    assert found.natural == plain.natural
    assert f"two sessions old says, {points:.1f} points, is not taken" in found.notes[0]
    assert "the volatility index says 14.4, allowed are 5.8 to 36.0" in found.notes[0]


def test_neither_chain_leaves_the_volatility_index_and_both_reasons():
    one_sided = replace(index_chain(), bid=np.full(len(index_chain().strike), np.nan))
    found = quoted("the chain of SPY cannot be read: x is damaged", one_sided)
    assert found.pricing == "synthetic"
    assert found.notes[0] == "the chain of SPY cannot be read: x is damaged"
    assert found.notes[1].startswith("not priced on the chain of SPX of 2025-06-30 20:15 UTC: SPXW")


def test_a_signal_goes_on_with_a_chain_that_is_stale(signal):
    stale = (
        "no chain of SPY of 2025-06-30 was known: the newest is of 2025-06-25, 3 sessions before"
    )
    plain, found = signal(Pricing()), signal(Pricing(), quoted=Quoted(stale))
    assert found.structure.notes == [stale, *plain.structure.notes]
    assert (found.strategy, found.structure.pricing) == (plain.strategy, "synthetic")


def test_a_row_with_a_feature_unknown_is_priced_once():
    pricing = Pricing()
    first, again = (
        pricing.priced(row(chain_iv_anchor=float("nan")), "Bull Put Spread", "full", None)
        for _ in range(2)
    )
    assert first.structure is not None
    assert again is first
