"""What came of a price after each session, against plain loops; holes and ends are unknown."""

import numpy as np
import pandas as pd
import pytest

from feature_repo.features.technical.variance import session_variance
from tests.training.returns_market import WARM_UP, make_market
from training.frames.return_rows import HORIZONS, LONGEST, pooled_returns, return_rows
from training.frames.rows import UnlabelledError

COUNT = 90


@pytest.fixture(scope="module")
def market():
    return make_market(COUNT, seed=1)


def test_what_came_is_that_of_plain_loops(market):
    frame, prices = market
    rows = return_rows(frame, prices, "SPY")
    bars = {name: prices[name].to_numpy() for name in ("open", "high", "low", "close")}
    variance = session_variance(**bars)
    assert len(rows.sessions) == COUNT - WARM_UP - LONGEST
    for at in (0, 7, len(rows.sessions) - 1):
        t = at + WARM_UP
        for column, horizon in enumerate(HORIZONS):
            move = np.log(bars["close"][t + horizon] / bars["close"][t])
            assert rows.returns[at, column] == pytest.approx(move)
            total = sum(variance[t + 1 : t + 1 + horizon])
            assert rows.variances[at, column] == pytest.approx(total)
        assert rows.next_day[at] == pytest.approx(np.log(bars["close"][t + 1] / bars["close"][t]))
        assert rows.label_ends[at] == prices["session"][t + LONGEST].to_datetime64()


def test_a_missing_session_leaves_out_all_that_reach_over_it(market):
    frame, prices = market
    hole = WARM_UP + 40
    rows = return_rows(frame, prices.drop(index=hole), "SPY")
    lost = prices["session"][hole - LONGEST : hole + 1].to_numpy()
    # The jump of the session after the hole is not known either.
    assert not np.isin(rows.sessions, lost).any()
    assert len(rows.sessions) == COUNT - WARM_UP - LONGEST - len(lost)


def test_dividends_are_no_losses(market):
    frame, prices = market
    paid = prices.copy()
    paid.loc[WARM_UP + 3, "dividend"] = 2.0
    plain, found = (return_rows(frame, one, "SPY").returns[0, 0] for one in (prices, paid))
    before = prices["close"][WARM_UP + 2]
    assert found - plain == pytest.approx(-np.log(1.0 - 2.0 / before))


def test_other_tickers_are_trained_on_only(market):
    frame, prices = market
    other, _ = make_market(COUNT, seed=2, ticker="QQQ")
    both = pd.concat([frame, other])
    own = return_rows(both, prices, "SPY").within(np.datetime64("2012-03-01"))
    rows = pooled_returns(own, [return_rows(other, prices.assign(ticker="QQQ"), "QQQ")])
    assert (np.diff(rows.sessions.astype(np.int64)) >= 0).all()
    assert rows.own.sum() == len(own.sessions) == (~rows.own).sum()
    assert rows.tested.sum() == own.tested.sum() < len(own.sessions)
    assert not (rows.tested & ~rows.own).any()


def test_a_row_without_a_feature_is_not_usable(market):
    frame, prices = market
    changed = frame.copy()
    changed.loc[0, "log_variance_5"] = np.nan
    changed.loc[1, "vix_close"] = 0.0
    usable = return_rows(changed, prices, "SPY").usable
    assert not usable[:2].any()
    assert usable[2:].all()


def test_too_short_a_history_is_refused(market):
    frame, prices = market
    with pytest.raises(UnlabelledError, match="of SPY among 10 of which is known what came"):
        return_rows(frame.tail(10), prices, "SPY")
