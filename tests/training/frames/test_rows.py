from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from feature_repo.features.catalogue import FLAG_GROUPS, GROUPS, UNSAFE, names
from market.errors import InputError
from training.frames.labels import direction_labels
from training.frames.rows import Rows, direction_rows, regime_rows, require_views

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def rows_of(frame: pd.DataFrame, prices: pd.DataFrame, **change: object) -> Rows:
    given = {"ticker": "SPY", "horizon": 5, "safe": False} | change
    return direction_rows(frame, prices, **given)


def test_features_and_labels_stand_side_by_side(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    rows = rows_of(frame, prices)
    labels = direction_labels(prices.set_index("session")["close"])
    assert len(rows.sessions) == 115, "the last five sessions have no label yet"
    for at in (0, 57, 114):
        day = pd.Timestamp(rows.sessions[at])
        assert rows.values[at].tolist() == frame[frame["session"] == day].iloc[0, 2:].tolist()
        code = {"DOWN": 0, "UP": 1, "FLAT": -1}[labels.loc[day, "label"]]
        assert rows.labels[at] == code
        assert pd.Timestamp(rows.label_ends[at]) == labels.loc[day, "label_end"]
        assert rows.every_outcome[at] == int(labels.loc[day, "forward_return"] > 0)


def test_every_outcome_agrees_with_the_decided_labels(make_direction: Frames) -> None:
    rows = rows_of(*make_direction(300))
    decided = rows.labels >= 0
    assert (rows.every_outcome[decided] == rows.labels[decided]).all()
    assert set(rows.every_outcome[~decided]) == {0, 1}


def test_today_is_the_last_five_session_return(make_direction: Frames) -> None:
    frame, prices = make_direction(60)
    rows = rows_of(frame, prices)
    close = prices["close"].to_numpy()
    assert np.isnan(rows.today[:5]).all()
    np.testing.assert_allclose(rows.today[5:], close[5:55] / close[:50] - 1, atol=1e-11)


def test_prices_may_reach_beyond_the_frame(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    rows = rows_of(frame.iloc[40:80], prices)
    assert len(rows.sessions) == 40
    assert np.isfinite(rows.today).all()


def test_the_order_of_the_rows_does_not_matter(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    shuffled = frame.sample(frac=1.0, random_state=1)
    one, other = rows_of(frame, prices), rows_of(shuffled, prices.iloc[::-1])
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_only_the_ticker_asked_for(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    both = pd.concat([frame, frame.assign(ticker="QQQ", f0=99.0)])
    two_prices = pd.concat([prices.assign(ticker="SPY"), prices.assign(ticker="QQQ", close=1.0)])
    np.testing.assert_array_equal(rows_of(both, two_prices).values, rows_of(frame, prices).values)


def test_nulls_stay_null(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    frame.loc[10, "f3"] = np.nan
    assert np.isnan(rows_of(frame, prices).values[10, 3])


def test_safe_features_leave_the_price_levels_out(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    for name in (*UNSAFE, "rsi_14"):
        frame[name] = 1.0
    assert set(UNSAFE) <= set(rows_of(frame, prices).names)
    safe = rows_of(frame, prices, safe=True)
    assert not set(UNSAFE) & set(safe.names)
    assert "rsi_14" in safe.names
    assert safe.values.shape[1] == len(safe.names)


@pytest.mark.parametrize("view", GROUPS)
def test_an_empty_view_is_refused_by_name(view: str) -> None:
    share = {name: np.ones(100) for group in GROUPS for name in names(group)}
    for name in names(view):
        share[name] = np.where(np.arange(100) < 59, 1.0, np.nan)
    values = np.column_stack(list(share.values()))
    with pytest.raises(InputError, match=f"the {view} view is empty: at most 59% of 100") as no:
        require_views(list(share), values)
    assert (f"or train without --{view}" in str(no.value)) == (view in FLAG_GROUPS)
    share[names(view)[0]] = np.where(np.arange(100) < 60, 1.0, np.nan)
    require_views(list(share), np.column_stack(list(share.values())))


def test_an_infinite_feature_is_refused(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    frame.loc[3, "f2"] = np.inf
    with pytest.raises(InputError, match="infinite values in f2"):
        rows_of(frame, prices)


def test_a_session_twice_is_refused(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    with pytest.raises(InputError, match="SPY 2012-01-03 twice"):
        rows_of(pd.concat([frame, frame.head(1)]), prices)


def test_an_absent_ticker_is_refused(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    with pytest.raises(InputError, match="no rows of IWM in the training frame: got SPY"):
        rows_of(frame, prices, ticker="IWM")


def test_no_label_at_all_is_refused(make_direction: Frames) -> None:
    frame, prices = make_direction(120)
    with pytest.raises(InputError, match="no labelled session of SPY among 5"):
        rows_of(frame.tail(5), prices)


def test_regime_rows_look_at_the_rank(make_regime: Callable[..., pd.DataFrame]) -> None:
    frame = make_regime(100)
    rows = regime_rows(frame, "SPY", 5)
    rank = frame["iv_rank"].to_numpy()
    assert len(rows.sessions) == 95
    assert (rows.today == rank[:95]).all()
    assert (rows.labels == np.searchsorted([30, 60], rank[5:], side="right")).all()
    assert (rows.every_outcome == rows.labels).all()


def test_regime_rows_need_the_rank(make_regime: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(InputError, match="lacks iv_rank; read the volatility service"):
        regime_rows(make_regime(100).drop(columns="iv_rank"), "SPY", 5)


def test_a_rank_never_known_is_refused(make_regime: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(InputError, match="no labelled session"):
        regime_rows(make_regime(100).assign(iv_rank=np.nan), "SPY", 5)
