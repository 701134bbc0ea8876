"""From a session's close to board, life and outlook: the expiry, and the same paths."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from forecasters.returns import PROBABILITIES, ReturnDistribution
from market.calendar import calendar, sessions
from market.errors import InputError
from market.options.expiries import expirations
from market.options.synthetic_smile import INDEX_FORM
from market.underlyings import UNDERLYINGS, underlying
from trading.structures.expiry import choose_expiry, life_of, usual_expiries, usual_expiry
from trading.structures.quote import PATHS, Closing, listing_of, outlook_of, synthetic_quote

SPY = underlying("SPY")
SESSION = pd.Timestamp("2025-06-27")
CLOSING = Closing(600.0, 17.0, 19.0, 0.04)


def days(*texts):
    return pd.DatetimeIndex(texts)


def test_the_expiry_nearest_to_three_weeks_is_taken_the_earlier_of_two():
    listed = days("2025-07-20", "2025-07-16", "2025-06-30", "2025-09-19")
    assert choose_expiry(SESSION, listed) == pd.Timestamp("2025-07-16")
    assert choose_expiry(SESSION, days("2025-07-25")) == pd.Timestamp("2025-07-25")
    assert choose_expiry(SESSION, days("2025-07-11")) == pd.Timestamp("2025-07-11")


@pytest.mark.parametrize("listed", [days(), days("2025-07-10", "2025-07-26")])
def test_no_expiry_in_the_window_is_refused(listed):
    with pytest.raises(InputError, match=r"none lies 14 to 28 days after 2025-06-27, \d are"):
        choose_expiry(SESSION, listed)


def test_every_session_has_an_expiry_that_is_usual():
    for session in sessions("2024-01-02", "2025-12-31"):
        found = usual_expiry(session)
        assert 14 <= (found - session).days <= 28
        life, years = life_of(session, "SPY", found)
        assert (life.entered, life.closes[-1]) == (session, found)
        assert years > life.years[0] > life.years[-1] == 0.0


def test_expiries_of_many_sessions_are_those_of_each():
    every = sessions("2005-01-03", "2026-06-30")
    found = usual_expiries(every)
    assert found.tolist() == [choose_expiry(day, expirations(day)) for day in every]
    assert len(usual_expiries(every[:0])) == 0


def test_a_session_at_the_end_of_the_calendar_has_no_usual_expiry():
    last = calendar().sessions[-6:]
    with pytest.raises(InputError, match=rf"none lies 14 to 28 days after {last[0].date()}, 1 are"):
        usual_expiries(last)


def test_a_position_without_a_session_left_is_refused():
    for expiration in ("2025-06-27", "2025-06-20"):
        with pytest.raises(InputError, match=r"SPY 2025-06-[0-9]+: has no session left after"):
            life_of(SESSION, "SPY", pd.Timestamp(expiration))


def test_a_board_stands_at_the_close_and_its_forward_carries_rate_less_dividends():
    board, life = synthetic_quote(SPY, SESSION, CLOSING)
    years = life_of(SESSION, "SPY", life.closes[-1])[1]
    assert (board.spot, board.pricing) == (600.0, "synthetic")
    carry = (0.04 - SPY.options.dividend_yield) * years
    assert board.smile.forward == pytest.approx(600.0 * np.exp(carry), rel=1e-12)
    assert board.smile.discount == pytest.approx(np.exp(-0.04 * years), rel=1e-12)


def test_an_anchor_takes_the_place_of_the_form_s_level():
    free, held = (synthetic_quote(SPY, SESSION, CLOSING, at)[0].smile for at in (None, 0.25))
    level = 0.17 * np.exp(INDEX_FORM.level)
    assert held.at_the_money / free.at_the_money == pytest.approx(0.25 / level, rel=1e-12)


def test_outlooks_of_one_distribution_are_the_same_and_lose_the_dividends():
    at = np.array([0.0, 5.0, 20.0])
    shapes = np.tile(ndtri(PROBABILITIES), (2, 1))
    daily = np.random.default_rng(2).standard_normal(400)
    seen = ReturnDistribution(at, 1e-4 * at, 0.0 * at, shapes, daily)
    _, life = synthetic_quote(SPY, SESSION, CLOSING)
    first, again = (outlook_of(seen, CLOSING, life, listing_of(SPY)) for _ in range(2))
    assert np.array_equal(first.paths, again.paths)
    assert first.paths.shape == (PATHS, len(life.closes))
    assert (np.diff(first.ends) >= 0.0).all()
    lost = SPY.options.dividend_yield * (life.closes[-1] - SESSION).days / 365.0
    raw = 600.0 * np.exp(seen.quantiles(len(life.closes)))
    assert first.ends == pytest.approx(raw * np.exp(-lost))


def test_prices_of_a_board_can_be_quoted():
    for row in UNDERLYINGS.values():
        if row.options is None:
            continue
        tick = row.options.tick
        quotes = synthetic_quote(row, SESSION, CLOSING)[0].quotes
        for side in (quotes.calls, quotes.puts):
            for price in (side.bid, side.ask):
                assert np.abs(price / tick - np.rint(price / tick)).max() < 1e-6
            assert (side.ask - side.bid > 0.99 * tick).all()
            assert (side.bid >= 0.0).all()
