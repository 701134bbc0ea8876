"""Bad input of every model type: a clear refusal, and so nothing to register."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from feature_repo.features.catalogue import names
from market.errors import InputError
from training.models.catalogue import words
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.walk import Trained, walk

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
FEW = 50
directions = pytest.mark.parametrize("word", words("direction"))
regimes = pytest.mark.parametrize("word", words("regime"))


def regime(frame: pd.DataFrame, word: str) -> Trained:
    return walk(REGIME, frame, None, Settings("SPY", word, resamples=FEW))


@directions
def test_too_few_sessions_of_a_direction(make_direction: Frames, word: str) -> None:
    with pytest.raises(InputError, match=r"got 295 labelled sessions, needed .*; train on a long"):
        walk(DIRECTION, *make_direction(300), Settings("SPY", word, resamples=FEW))


@directions
def test_one_direction_only(make_direction: Frames, word: str) -> None:
    frame, prices = make_direction(460)
    prices["close"] = 100.0 * 1.01 ** np.arange(460)
    with pytest.raises(InputError, match=r"of 1 classes .* train on a longer period"):
        walk(DIRECTION, frame, prices, Settings("SPY", word, resamples=FEW))


@directions
@pytest.mark.parametrize(("value", "words_"), [(np.nan, "0 have"), (3.0, "8 have")])
def test_a_direction_without_a_feature_that_varies(
    make_direction: Frames, word: str, value: float, words_: str
) -> None:
    frame, prices = make_direction(460)
    frame[[f"f{at}" for at in range(8)]] = value
    with pytest.raises(InputError, match=f"no usable feature: got 8 .* {words_}"):
        walk(DIRECTION, frame, prices, Settings("SPY", word, resamples=FEW))


@directions
def test_a_view_of_nulls_is_named(make_direction: Frames, word: str) -> None:
    frame, prices = make_direction(460)
    frame = frame.assign(**dict.fromkeys(names("macro"), np.nan))
    with pytest.raises(InputError, match="the macro view is empty: at most 0% of 455 sessions"):
        walk(DIRECTION, frame, prices, Settings("SPY", word, resamples=FEW))


@regimes
def test_too_few_sessions_of_a_regime(
    make_volatility: Callable[..., pd.DataFrame], word: str
) -> None:
    with pytest.raises(InputError, match="got 295 labelled sessions, needed at least 360"):
        regime(make_volatility(300), word)


@regimes
def test_a_regime_that_never_occurs(
    make_volatility: Callable[..., pd.DataFrame], word: str
) -> None:
    frame = make_volatility(400)
    frame["iv_rank"] = frame["iv_rank"].clip(upper=29.0)
    with pytest.raises(InputError, match="got LOW, needed LOW, NORMAL, HIGH; train on a longer"):
        regime(frame, word)


@regimes
def test_a_rank_that_is_never_known(
    make_volatility: Callable[..., pd.DataFrame], word: str
) -> None:
    with pytest.raises(InputError, match="no labelled session of SPY among 400"):
        regime(make_volatility(400).assign(iv_rank=np.nan), word)


@pytest.mark.parametrize("word", ["paths", "blend"])
def test_a_path_view_of_nulls_is_named(
    make_volatility: Callable[..., pd.DataFrame], word: str
) -> None:
    frame = make_volatility(400).assign(**dict.fromkeys(names("iv_path"), np.nan))
    with pytest.raises(InputError, match="the iv_path view is empty: at most 0% of 395"):
        regime(frame, word)


@pytest.mark.parametrize("word", ["paths", "blend"])
def test_an_index_of_nulls_beside_known_views(
    make_volatility: Callable[..., pd.DataFrame], word: str
) -> None:
    with pytest.raises(InputError, match="usable rows of 0 classes"):
        regime(make_volatility(900).assign(vix_close=np.nan), word)


@pytest.mark.parametrize("word", ["logistic", "trees"])
def test_a_regime_without_a_feature_that_varies(
    make_volatility: Callable[..., pd.DataFrame], word: str
) -> None:
    """The rank makes the labels; what is read beside it is constant, and it is not read."""
    frame = make_volatility(400)
    kept = frame[["ticker", "session", "iv_rank"]].assign(hint=1.0, other=2.0)
    trained = regime(kept, word)
    assert trained.evidence.features == ["iv_rank"]
    assert trained.evidence.constant == ["hint", "other"]


@pytest.mark.parametrize("word", ["logistic", "trees"])
def test_a_regime_that_the_fitted_rows_lack(
    make_volatility: Callable[..., pd.DataFrame], word: str
) -> None:
    """A null where the class occurs drops all its rows: what would serve could not call it."""
    frame = make_volatility(500)
    ahead = frame["iv_rank"].shift(-5)
    frame.loc[ahead < 30.0, "hint"] = np.nan
    frame["hint"] += (ahead > 60.0) * 3.0
    known = frame["hint"].notna().mean()
    assert known > 0.6, "so that the coverage rule keeps it"
    with pytest.raises(InputError, match="got NORMAL, HIGH, needed LOW, NORMAL, HIGH"):
        regime(frame, word)
