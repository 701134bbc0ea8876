"""The level, skew and curvature of 30 days, and the level of 90, out of whole chains."""

from dataclasses import replace

import numpy as np
import pytest

from market.options.chain_terms import chain_terms
from market.options.smile_terms import smile_terms
from tests.market.options.made_chain import RATE, made_chain, smile_at

# A Monday: 18 and 46 days to the third Fridays, 32 to an end of a month, 81 and 109 later.
MOMENT = "2023-04-03 20:00"
NEAR, BEYOND, LATE = "2023-04-21", "2023-05-19", "2023-07-21"
LEVELS = {("SPXW", NEAR): 18.0, ("SPXW", BEYOND): 20.0, ("SPXW", LATE): 21.0}


def test_the_terms_of_30_and_90_days_are_those_of_the_expiries_around_them():
    found = chain_terms(made_chain(MOMENT, LEVELS), RATE)
    near, beyond, late = (smile_at(MOMENT, *key, level) for key, level in LEVELS.items())
    share = (30 / 365 - near.years) / (beyond.years - near.years)
    variances = [s.at_the_money**2 * s.years for s in (near, beyond, late)]
    total = (1 - share) * variances[0] + share * variances[1]
    assert found.smile.at_the_money == pytest.approx(100 * np.sqrt(total * 365 / 30), rel=2e-3)
    skews = [smile_terms(smile).skew for smile in (near, beyond)]
    assert found.smile.skew == pytest.approx((1 - share) * skews[0] + share * skews[1], rel=0.03)
    share = (90 / 365 - beyond.years) / (late.years - beyond.years)
    total = (1 - share) * variances[1] + share * variances[2]
    assert found.long == pytest.approx(100 * np.sqrt(total * 365 / 90), rel=2e-3)


def test_the_expiry_nearest_to_90_days_stands_for_them_from_60():
    levels = dict(list(LEVELS.items())[:2])
    assert np.isnan(chain_terms(made_chain(MOMENT, levels), RATE).long)
    levels[("SPXW", "2023-06-16")] = 22.0
    assert chain_terms(made_chain(MOMENT, levels), RATE).long == pytest.approx(22.0, rel=2e-3)


def test_of_two_roots_of_a_day_that_of_the_afternoon_counts_if_it_makes_a_smile():
    both = LEVELS | {("SPX", NEAR): 30.0}
    alone = chain_terms(made_chain(MOMENT, LEVELS), RATE)
    chain = made_chain(MOMENT, both)
    assert chain_terms(chain, RATE).smile == pytest.approx(alone.smile)
    empty = (chain.root == "SPXW") & (chain.expiration == np.datetime64(NEAR))
    dead = replace(chain, bid=np.where(empty, 0.0, chain.bid))
    morning = {("SPX", NEAR): 30.0} | {key: LEVELS[key] for key in list(LEVELS)[1:]}
    expected = chain_terms(made_chain(MOMENT, morning), RATE)
    assert chain_terms(dead, RATE).smile == pytest.approx(expected.smile)


def test_an_expiry_without_a_smile_gives_way_to_the_next_one():
    more = LEVELS | {("SPXW", "2023-05-05"): 40.0}
    chain = made_chain(MOMENT, more)
    dead = np.where(chain.expiration == np.datetime64("2023-05-05"), np.nan, chain.ask)
    found = chain_terms(replace(chain, ask=dead), RATE).smile
    assert found == pytest.approx(chain_terms(made_chain(MOMENT, LEVELS), RATE).smile)


def test_quotes_of_nobody_and_an_unknown_rate_say_nothing():
    chain = made_chain(MOMENT, LEVELS)
    nobody = replace(chain, bid=np.zeros_like(chain.bid))
    for found in (chain_terms(nobody, RATE), chain_terms(chain, float("nan"))):
        assert np.isnan([*found.smile, found.long]).all()


def test_what_lies_beyond_the_window_or_settles_on_no_session_is_not_read():
    odd = [("SPXW", "2023-04-06"), ("SPXW", "2023-12-15"), ("SPXW", "2023-06-16")]
    chain = made_chain(MOMENT, LEVELS | dict.fromkeys(odd, 60.0))
    saturday = np.where(chain.expiration == np.datetime64("2023-06-16"), 1, 0)
    chain = replace(chain, expiration=chain.expiration + saturday.astype("m8[D]"))
    assert chain_terms(chain, RATE) == chain_terms(made_chain(MOMENT, LEVELS), RATE)
