"""Predictions from a caller's own features: the seed's form, and every reason for none."""

import json
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.features.catalogue import GROUPS, ON_DEMAND
from feature_repo.features.services import VOLATILITY_INPUTS
from forecasters.document import Artifact
from market.iv_rank import BANDS, REGIMES
from serving.answer.predictions import (
    BAND_CLASSES,
    Question,
    build_prediction,
    check_question,
    suggestion,
)
from serving.answer.signals import Models, build_signal
from serving.http.examples import UNKNOWN_FEATURES
from serving.http.schema import PredictAnswer
from serving.reading.refusal import CallerFault
from serving.reading.row import FeatureRow
from trading.strategies.selector import STRATEGIES, Forecasts, select

DATE = "2024-01-15"
CATALOGUE = [row.name for group in (GROUPS | ON_DEMAND).values() for row in group.features]
SEED_FEATURES = {
    "returns_5d": 0.023, "rsi_14": 58.2, "iv_rank": 35.0, "iv_hv_spread": 2.5,
    "fed_funds_effective": 5.33,
}  # fmt: skip
finite = st.floats(-50, 50)
ranks = st.floats(0, 100)


@pytest.fixture(scope="session")
def models(documents):
    def make(**changes):
        return Models(
            Artifact.model_validate(documents["direction"](**changes)),
            Artifact.model_validate(documents["regime"]()),
        )

    return make


def ask(models, features, regime=False):
    return build_prediction(
        Question("SPY", DATE, features), models.direction, models.regime if regime else None
    ).document()


def fault(call) -> CallerFault:
    with pytest.raises(CallerFault) as caught:
        call()
    assert caught.value.status == 422
    assert len(caught.value.detail) < 3_000
    return caught.value


def test_the_seed_s_features_give_the_seed_s_fields(models, documents, exact):
    answer = ask(models(threshold=0.30), SEED_FEATURES)
    p = exact(documents["direction"](), SEED_FEATURES)
    assert answer == {
        "ticker": "SPY",
        "date": DATE,
        "prediction": {
            "direction": "UP", "probability": pytest.approx(p, abs=1e-12),
            "confidence": pytest.approx(max(p, 1 - p), abs=1e-12), "threshold_used": 0.30,
        },
        "iv_context": {"iv_rank": 35.0, "iv_regime": "normal", "iv_hv_spread": 2.5},
        "strategy_suggestion": {
            "primary": "Bull Call Spread (Long 0.45 delta, short 0.25 delta, 2-4 weeks expiry)",
            "reasoning": "Direction=UP + IV_Normal → Directional play "
                         "(IV: today's band NORMAL, as not all inputs of a forecaster are sent)",
        },
    }  # fmt: skip
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    PredictAnswer.model_validate(answer)


@given(finite, ranks, finite, finite, finite, finite, st.booleans())
def test_a_prediction_is_the_signal_s_for_the_same_features(
    models, returns, rank, spread, funds, vix, hv, forecast
):
    import pandas as pd

    features = {
        "returns_5d": returns / 1000, "iv_rank": rank, "iv_hv_spread": spread,
        "fed_funds_effective": funds, "vix_close": vix, "hv_20": hv,
    }  # fmt: skip
    row = FeatureRow("SPY", pd.Timestamp(DATE), features, {})
    as_of = pd.Timestamp(DATE, tz="UTC")
    signal = build_signal(row, models(), as_of=as_of, origin="simulated").document()
    answer = ask(models(), features, regime=forecast)
    assert answer["prediction"] == signal["prediction"]
    assert answer["iv_context"] == signal["iv_context"]
    PredictAnswer.model_validate(answer)
    if forecast:
        assert answer["strategy_suggestion"]["primary"].startswith(signal["strategy"])


@given(ranks, st.sampled_from([-3.0, 3.0]))
def test_without_a_forecast_today_s_band_drives_the_matrix(models, rank, odds):
    """Decision 19, in pandas' words: half-open quarters, the upper two taken as HIGH."""
    import pandas as pd

    flat = {
        "coef": [[0.0] * 3], "intercept": [odds], "calibration": {"slope": 1.0, "intercept": 0.0}
    }  # fmt: skip
    answer = ask(models(**flat), SEED_FEATURES | {"iv_rank": rank})
    cut = pd.cut([rank], [0, 25, 50, float("inf")], right=False, labels=list(REGIMES))[0]
    strategy = next(
        row.name
        for row in STRATEGIES.values()
        if (row.direction, row.iv_regime) == ("UP" if odds > 0 else "DOWN", cut)
    )
    assert answer["strategy_suggestion"]["primary"].startswith(strategy + " (")
    assert f"IV_{cut.title()} → Directional play" in answer["strategy_suggestion"]["reasoning"]


def test_every_band_has_a_class():
    assert tuple(BAND_CLASSES) == BANDS
    assert set(BAND_CLASSES.values()) == set(REGIMES)


@pytest.mark.parametrize("iv", REGIMES)
@pytest.mark.parametrize("direction", ["UP", "DOWN"])
@pytest.mark.parametrize(("sure", "iv_sure"), [(0.9, 0.9), (0.51, 0.9), (0.3, 0.36), (0.9, 0.3)])
def test_every_choice_is_put_in_words(direction, iv, sure, iv_sure):
    seen = Forecasts(direction, sure, iv, iv_sure)
    choice = select(seen, proven=True)
    words = suggestion(seen, choice, "why").document()
    assert words["primary"].split(" (")[0] == choice.strategy
    assert ("expiry)" in words["primary"]) == (choice.strategy != "NO TRADE")
    assert "no position" not in words["primary"]
    start = f"Direction={direction} + IV_{iv.title()} → "
    kinds = {"directional": "Directional play", "no edge": "No trade"}
    unclear = "Premium play" if choice.strategy == "Iron Condor" else "No trade"
    assert words["reasoning"].startswith(start + kinds.get(choice.rule, unclear))
    assert ("<" in words["reasoning"]) == (choice.rule != "directional")


@pytest.mark.parametrize("left_out", ["returns_5d", "iv_rank", "fed_funds_effective"])
def test_a_model_s_missing_feature_is_named(models, left_out):
    rest = {k: v for k, v in SEED_FEATURES.items() if k != left_out}
    found = fault(lambda: ask(models(), rest))
    assert found.error == "missing_features"
    assert left_out in found.detail
    assert "rsi_14" not in found.detail


def test_all_missing_features_are_named_once(models):
    found = fault(lambda: ask(models(), {}, regime=True))
    for name in (*SEED_FEATURES.keys() - {"rsi_14"}, "vix_close", "hv_20"):
        assert found.detail.count(name) == 1
    assert found.detail.startswith("features: 6 ")


@pytest.mark.parametrize("rank", [-0.01, 100.01])
@pytest.mark.parametrize("regime", [True, False])
def test_an_impossible_rank_is_the_caller_s(models, rank, regime):
    features = dict.fromkeys(["vix_close", "hv_20"], 10.0) | SEED_FEATURES | {"iv_rank": rank}
    found = fault(lambda: ask(models(), features, regime=regime))
    assert found.error == "out_of_range"
    assert "iv_rank" in found.detail


def test_features_that_overflow_a_model_are_the_caller_s(models):
    features = SEED_FEATURES | {"returns_5d": 1e308, "fed_funds_effective": -1e308}
    assert fault(lambda: ask(models(), features)).error == "not_finite"


def test_the_forecaster_answers_when_all_its_inputs_are_there_and_not_before():
    features = dict.fromkeys(VOLATILITY_INPUTS, 1.0)
    assert len(features) == 27
    assert Question("SPY", DATE, features | {"rsi_14": 50.0}).asks_for_forecast
    for name in VOLATILITY_INPUTS:
        rest = {k: v for k, v in features.items() if k != name}
        assert not Question("SPY", DATE, rest).asks_for_forecast


CROSSED = {"mean": [0.0] * 3, "scale": [1.0] * 3, "coef": [[0.7, -0.01, 0.3]]}


def crossed(models):
    """A model of two features on demand, which stand beside a stored one."""
    features = ["sentiment_iv_divergence", "returns_5d", "earnings_iv_runup"]
    return models(features=features, **CROSSED)


@given(st.floats(-1, 1), ranks, st.sampled_from([0.0, 1.0]))
def test_features_on_demand_are_computed_from_those_sent(models, score, rank, near):
    sent = SEED_FEATURES | {
        "sentiment_score": score, "iv_rank": rank, "earnings_within_5d": near
    }  # fmt: skip
    divergence, runup = score * (rank - 50) / 50, near * rank / 100
    computed = ask(crossed(models), sent)
    given_by_hand = sent | {"sentiment_iv_divergence": divergence, "earnings_iv_runup": runup}
    p, same = (
        answer["prediction"]["probability"]
        for answer in (computed, ask(crossed(models), given_by_hand))
    )
    assert p == pytest.approx(same, abs=1e-12)
    log_odds = 1.1 * (0.3 + 0.7 * divergence - 0.01 * 0.023 + 0.3 * runup) + 0.05
    assert p == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=1e-12)


def test_a_feature_on_demand_may_be_sent_without_what_it_is_made_of(models):
    sent = SEED_FEATURES | {"sentiment_iv_divergence": 0.5, "earnings_iv_runup": 0.1}
    assert ask(crossed(models), sent)["prediction"]
    del sent["earnings_iv_runup"]
    found = fault(lambda: ask(crossed(models), sent))
    assert found.error == "missing_features"
    assert found.detail.startswith("features: 1 ")
    assert "missing: earnings_within_5d;" in found.detail


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_feature_of_the_catalogue_may_be_sent(name):
    check_question(Question("SPY", DATE, {name: 1.0}))


@pytest.mark.parametrize("names", [["rsi14"], ["", "IV_RANK"], [f"x{i}" * 99 for i in range(900)]])
def test_other_names_are_refused_by_name(names):
    found = fault(lambda: check_question(Question("SPY", DATE, dict.fromkeys(names, 1.0))))
    assert found.error == "unknown_features"
    assert names[0][:30] in found.detail
    assert f"allowed are the {len(CATALOGUE)} names" in found.detail
    assert f"allowed are the {len(CATALOGUE)} names" in UNKNOWN_FEATURES["detail"]


@pytest.mark.parametrize("day", pd.date_range("2023-12-15", "2024-02-02").strftime("%Y-%m-%d"))
def test_every_day_may_be_asked_about(day):
    check_question(Question("SPY", day, {}))


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2024-02-30", "a day of the calendar"),
        ("2024-13-01", "a day of the calendar"),
        ("0001-01-01", "1990-01-02 to"),
        ("1989-12-29", "1990-01-02 to"),
        ("9999-12-31", "1990-01-02 to"),
    ],
)
def test_other_days_are_refused_with_what_is_allowed(date, words):
    found = fault(lambda: check_question(Question("SPY", date, {})))
    assert found.error == "bad_date"
    assert date in found.detail
    assert words in found.detail
