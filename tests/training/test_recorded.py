"""On recorded history: the baselines come out as measured, and chance is called chance."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.services import VOLATILITY_INPUTS
from market.adjust import RAW_PRICES, adjust
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.tasks.scores import regime_scores
from training.walk import walk

pytestmark = pytest.mark.recorded
WINDOW = ("2011-01-01", "2024-11-29")


def vendor(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, parse_dates=["Date"], index_col="Date")


@pytest.fixture(scope="module")
def prices(recorded_dir: Path) -> pd.DataFrame:
    rows = vendor(recorded_dir / "yahoo" / "SPY.csv").rename(columns=str.lower)
    rows = rows.rename(columns={"dividends": "dividend"}).assign(split=1.0)
    rows = rows.rename_axis("session").reset_index()
    return rows.loc[rows["session"] <= WINDOW[1], ["session", *RAW_PRICES]]


@pytest.fixture(scope="module")
def frame(recorded_dir: Path, prices: pd.DataFrame) -> pd.DataFrame:
    days = pd.DatetimeIndex(prices["session"])
    raw = {name: prices[name].to_numpy(float) for name in RAW_PRICES}
    technical = GROUPS["technical"].compute(adjust(**raw))
    index = {
        name: vendor(recorded_dir / "cboe" / f"{name}.csv")["Close"].reindex(days).to_numpy(float)
        for name in ("VIX", "VIX3M")
    }
    iv = GROUPS["iv"].compute(
        {
            "vix_close": index["VIX"],
            "vix3m_close": index["VIX3M"],
            "spx_vix_close": index["VIX"],
            "hv_20": technical["hv_20"],
        }
    )
    lags = GROUPS["iv_lags"].compute({"iv_rank": iv["iv_rank"]})
    made = pd.DataFrame({"ticker": "SPY", "session": days} | technical | iv | lags)
    return made[made["session"].between(*WINDOW)]


def test_the_regimes_baselines_are_as_measured_and_beat_the_seeds_recipe(
    frame: pd.DataFrame,
) -> None:
    inputs = frame[["ticker", "session", *VOLATILITY_INPUTS]]
    trained = walk(REGIME, inputs, None, Settings("SPY"))
    evidence, tested = trained.evidence, trained.tested
    persistence, table = (evidence.baselines[one] for one in ("persistence", "transition_table"))
    assert persistence["accuracy"] == pytest.approx(0.774, abs=0.005)
    assert persistence["macro_f1"] == pytest.approx(0.626, abs=0.005)
    assert table["accuracy"] == pytest.approx(0.797, abs=0.005)
    assert table["log_loss"] == pytest.approx(0.528, abs=0.005)
    likeliest = replace(tested.model, calls=tested.model.probabilities.argmax(axis=1))
    scores = regime_scores(tested.labels, likeliest, np.ones((1, len(tested.labels))))
    assert scores["accuracy"][0] == pytest.approx(0.767, abs=0.01)
    assert scores["macro_f1"][0] == pytest.approx(0.503, abs=0.03)
    assert scores["log_loss"][0] == pytest.approx(evidence.pooled.scores["log_loss"])
    # Calls weighed inside each training part: more of the rare classes, no accuracy lost.
    assert evidence.pooled.scores["macro_f1"] > scores["macro_f1"][0] + 0.01
    assert evidence.pooled.scores["accuracy"] > scores["accuracy"][0] - 0.01
    assert evidence.difference["transition_table"].interval[1] < 0
    assert evidence.verdict.standing == "refuted"


def test_direction_is_close_to_chance_and_said_to_be(
    frame: pd.DataFrame, prices: pd.DataFrame
) -> None:
    features = frame.drop(columns=list(GROUPS["iv_lags"].compute({"iv_rank": np.ones(30)})))
    evidence = walk(DIRECTION, features, prices, Settings("SPY")).evidence
    assert evidence.pooled.fold_mean["auc_uncalibrated"] == pytest.approx(0.5, abs=0.05)
    assert abs(evidence.gate.improvement) < 0.02
    assert not evidence.verdict.promoted
    assert evidence.verdict.words.startswith(f"{evidence.verdict.standing}: ")
