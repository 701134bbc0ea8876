"""Several tickers and the past in one training: who is tested, and what a fit may know."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from market.errors import InputError
from training.fit.mixture import INNER_FOLDS, fit_regime
from training.frames.folds import walk_forward
from training.frames.rows import Rows, direction_rows, pooled, regime_rows
from training.models.catalogue import MODELS
from training.settings import Settings
from training.tasks.baselines import POOLED_TABLE
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.walk import Trained, training_rows, walk, window_folds

TICKERS = ("SPY", "QQQ", "IWM")
FEW = 50
Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
COUNT = 760
POOLED = Settings("SPY", resamples=FEW, pooled=True)


@pytest.fixture(scope="module")
def frame(make_volatility: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Three tickers, of which one begins later."""
    parts = [make_volatility(COUNT, seed, ticker) for seed, ticker in enumerate(TICKERS, 1)]
    parts[2] = parts[2].iloc[300:]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def start(frame: pd.DataFrame) -> pd.Timestamp:
    return frame.loc[frame["ticker"] == "SPY", "session"].iloc[220]


@pytest.fixture(scope="module")
def trained(frame: pd.DataFrame, start: pd.Timestamp) -> dict[str, Trained]:
    own = frame[frame["ticker"] == "SPY"]
    alone, window = replace(POOLED, pooled=False), own[own["session"] >= start]
    return {
        "window": walk(REGIME, window, None, alone),
        "history": walk(REGIME, own, None, replace(alone, history=True), start),
        "pooled": walk(REGIME, frame[frame["session"] >= start], None, POOLED),
        "both": walk(REGIME, frame, None, replace(POOLED, history=True), start),
    }


WAYS = ("window", "history", "pooled", "both")


def rows_of(frame: pd.DataFrame, start: pd.Timestamp | None = None) -> Rows:
    return training_rows(REGIME, frame, None, POOLED, start)


def ticker_of(frame: pd.DataFrame, rows: Rows) -> np.ndarray:
    """The ticker of each row, found again by its noise."""
    by_noise = frame.set_index("hint")["ticker"]
    return by_noise[rows.values[:, rows.names.index("hint")]].to_numpy()


def test_pooled_rows_are_all_the_tickers_by_session(frame: pd.DataFrame) -> None:
    rows, whole = rows_of(frame), {one: regime_rows(frame, one, 5) for one in TICKERS}
    assert (np.diff(rows.sessions) >= np.timedelta64(0)).all()
    tickers = ticker_of(frame, rows)
    for name, own in whole.items():
        mine = rows.where(tickers == name)
        for field in ("values", "sessions", "label_ends", "labels", "today", "ahead"):
            np.testing.assert_array_equal(getattr(mine, field), getattr(own, field))
    assert len(rows.sessions) == sum(len(own.sessions) for own in whole.values())
    np.testing.assert_array_equal(rows.tested, tickers == "SPY")


def test_history_is_never_tested_nor_are_others(frame: pd.DataFrame, start: pd.Timestamp) -> None:
    rows = rows_of(frame, start)
    tickers = ticker_of(frame, rows)
    np.testing.assert_array_equal(
        rows.tested, (tickers == "SPY") & (rows.sessions >= np.datetime64(start))
    )
    for fold in window_folds(rows, 5):
        assert rows.tested[fold.test].all()
        assert set(tickers[fold.train]) == set(TICKERS)
        assert rows.sessions[fold.train].min() < np.datetime64(start)


def test_no_label_of_any_ticker_reaches_a_test_part(
    frame: pd.DataFrame, start: pd.Timestamp
) -> None:
    rows = rows_of(frame, start)
    for fold in window_folds(rows, 5):
        first = rows.sessions[fold.test].min()
        assert rows.label_ends[fold.train].max() < first
        known = rows.label_ends < first
        assert known.sum() == len(fold.train), "and all that is known by then is trained on"
        assert not set(rows.sessions[fold.train]) & set(rows.sessions[fold.test])


def test_the_tested_sessions_are_the_same_whatever_is_trained_on(
    trained: dict[str, Trained],
) -> None:
    plain = trained["window"].tested
    for way in WAYS[1:]:
        found = trained[way].tested
        np.testing.assert_array_equal(found.sessions, plain.sessions)
        np.testing.assert_array_equal(found.fold, plain.fold)
        np.testing.assert_array_equal(found.labels, plain.labels)


def test_baselines_of_the_window_do_not_change_and_the_pooled_table_sees_all(
    trained: dict[str, Trained],
) -> None:
    plain = trained["window"].evidence.baselines
    assert POOLED_TABLE not in plain
    for way in WAYS[1:]:
        found = dict(trained[way].evidence.baselines)
        table = found.pop(POOLED_TABLE)
        assert found == plain
        assert table != plain["transition_table"]


def test_each_way_trains_on_more_and_says_on_how_much(
    trained: dict[str, Trained], start: pd.Timestamp
) -> None:
    window = {way: trained[way].evidence.window for way in WAYS}
    rows = {way: trained[way].evidence.trained_rows for way in WAYS}
    assert rows["window"] < rows["history"] < rows["pooled"] < rows["both"]
    for way in WAYS:
        assert window[way].start == str(start.date())
        assert window[way].sessions == window["window"].sessions
        assert window[way].trained_on == rows[way]
        assert (window[way].trained_from < window[way].start) is (way in ("history", "both"))
    first = [trained[way].evidence.folds[0].rows.train for way in WAYS]
    assert first[0] < min(first[1:3])
    assert max(first[1:3]) < first[3]


@pytest.mark.parametrize("word", ["logistic", "paths"])
def test_nothing_later_of_any_ticker_changes_a_pooled_fit(
    frame: pd.DataFrame, start: pd.Timestamp, word: str
) -> None:
    settings = replace(POOLED, model_type=word, feature_service="", history=True)
    before = walk(REGIME, frame, None, settings, start)
    first = pd.Timestamp(before.evidence.folds[1].test_start)
    changed, later = frame.copy(), frame["session"] >= first
    rng = np.random.default_rng(3)
    columns = [name for name in frame if name not in ("ticker", "session")]
    changed.loc[later, columns] = rng.uniform(1.0, 100.0, (later.sum(), len(columns)))
    after = walk(REGIME, changed, None, settings, start)
    for fold in (0, 1):
        one, other = before.folds[fold], after.folds[fold]
        assert one.fit.parameters.model_dump() == other.fit.parameters.model_dump()
        assert replace(one, fit=None) == replace(other, fit=None)
    assert before.folds[2].fit.parameters.model_dump() != after.folds[2].fit.parameters.model_dump()


def test_a_ticker_whose_labels_begin_after_the_window_adds_nothing(frame: pd.DataFrame) -> None:
    late = frame.assign(iv_rank=frame["iv_rank"].where(frame["ticker"] != "IWM"))
    rows = rows_of(late)
    assert set(ticker_of(frame, rows)) == {"SPY", "QQQ"}
    with pytest.raises(InputError, match="no labelled session of IWM"):
        training_rows(REGIME, late, None, replace(POOLED, ticker="IWM"), None)


def test_pooling_one_ticker_is_that_ticker(frame: pd.DataFrame) -> None:
    own = frame[frame["ticker"] == "SPY"]
    one, other = rows_of(own), regime_rows(frame, "SPY", 5)
    for name in ("values", "labels", "tested", "ahead"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_window_without_a_session_is_refused(frame: pd.DataFrame) -> None:
    last = frame["session"].max()
    with pytest.raises(InputError, match=f"no labelled session of SPY from {last.date()} on"):
        rows_of(frame, last)


def test_tickers_of_other_features_are_refused(make_regime: Callable[..., pd.DataFrame]) -> None:
    one = regime_rows(make_regime(200), "SPY", 5)
    other = regime_rows(make_regime(200).drop(columns="hint"), "SPY", 5)
    with pytest.raises(InputError, match="pooled tickers have other features"):
        pooled(one, [other])


@pytest.fixture(scope="module")
def directions(make_direction: Frames) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tickers whose first feature tells their own direction, and their prices."""
    made = [make_direction(460, seed, 1.0) for seed in (1, 2)]
    frames = [frame.assign(ticker=name) for name, (frame, _) in zip(TICKERS, made, strict=False)]
    prices = [rows.assign(ticker=name) for name, (_, rows) in zip(TICKERS, made, strict=False)]
    return pd.concat(frames, ignore_index=True), pd.concat(prices, ignore_index=True)


def test_each_ticker_of_a_pooled_direction_is_labelled_by_its_own_prices(
    directions: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    frame, prices = directions
    settings = Settings("SPY", resamples=FEW, pooled=True)
    rows = training_rows(DIRECTION, frame, prices, settings, None)
    for name, mine in (("SPY", rows.tested), ("QQQ", ~rows.tested)):
        own = direction_rows(
            frame, prices[prices["ticker"] == name].drop(columns="ticker"), name, 5, safe=False
        )
        np.testing.assert_array_equal(rows.labels[mine], own.labels)
        np.testing.assert_array_equal(rows.today[mine], own.today)
    evidence = walk(DIRECTION, frame, prices, settings).evidence
    alone = walk(DIRECTION, frame, prices, replace(settings, pooled=False)).evidence
    assert evidence.window.sessions == alone.window.sessions
    assert evidence.baselines == alone.baselines
    assert evidence.trained_rows == (rows.labels >= 0).sum() > alone.trained_rows


def test_pooled_prices_that_are_no_ones_are_refused(
    directions: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    frame, prices = directions
    own = prices[prices["ticker"] == "SPY"].drop(columns="ticker")
    settings = Settings("SPY", pooled=True)
    with pytest.raises(InputError, match="prices of a pooled training lack their ticker"):
        training_rows(DIRECTION, frame, own, settings, None)


def test_calls_of_a_pooled_regime_are_chosen_on_every_underlying(
    frame: pd.DataFrame, start: pd.Timestamp
) -> None:
    rows = training_rows(REGIME, frame, None, POOLED, start)
    train = window_folds(rows, 5)[-1].train
    chosen_on = fit_regime(rows, train, MODELS["table"], 1).chosen_on
    expected = own = 0
    for fold in walk_forward(rows.sessions[train], rows.label_ends[train], INNER_FOLDS):
        days = np.unique(rows.sessions[train][fold.test])[::5]
        tested = train[fold.test][np.isin(rows.sessions[train][fold.test], days)]
        expected += len(tested)
        own += int(rows.tested[tested].sum())
    assert chosen_on == expected
    assert own < expected / 2, "most of them are of other underlyings"
