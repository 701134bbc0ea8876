"""Questions and answers for the service's documentation, in the forms of the schema."""

from functools import cache
from typing import Final

from home.strict_json import Json
from serving.http.structure_example import STRUCTURE

DATE: Final = "2024-01-16"
# The design's own values; the other features take the value of their unit.
SEED_FEATURES: Final = {
    "returns_5d": 0.023,
    "rsi_14": 58.2,
    "iv_rank": 35.0,
    "iv_hv_spread": 2.5,
    "fed_funds_effective": 5.33,
}
UNIT_VALUES: Final = {
    "price (USD)": 475.0,
    "index 0-100": 50.0,
    "% 0-100": 50.0,
    "annualised % points": 12.0,
    "vol points (annualised %)": 14.5,
    "%": 1.0,
    "flag 0/1": 0.0,
    "count": 40.0,
    "sessions": 20.0,
    "log change per session": 0.07,
}
# A week's return or a spread: small beside one.
OTHER_VALUE: Final = 0.01

SIGNAL_QUESTION: Final = {"ticker": "SPY"}
SIGNALS_QUESTION: Final = {"tickers": ["SPY", "XYZ"]}

_EVIDENCE: Final = {
    "proven": False,
    "standing": "unproven",
    "metric": "log_loss",
    "baseline": "class_prior",
    "improvement": -0.004,
    "interval": [-0.021, 0.012],
    "verdict": "unproven: the improvement's interval holds zero",
}


@cache
def features(*, forecaster: bool) -> dict[str, float]:
    """Return a value for every feature that a served model may read.

    Parameters
    ----------
    forecaster
        Also those that volatility forecasters alone read.
    """
    from feature_repo.features.catalogue import GROUPS

    return {
        row.name: SEED_FEATURES.get(row.name, UNIT_VALUES.get(row.unit, OTHER_VALUE))
        for group in GROUPS.values()
        if forecaster or not group.auxiliary
        for row in group.features
    }


def predict_question(*, forecaster: bool) -> dict[str, Json]:
    """Return a body of /predict that every model of the catalogue can answer."""
    return {"ticker": "SPY", "date": DATE, "features": features(forecaster=forecaster)}


# fmt: off
PREDICT_ANSWER: Final = {
    "ticker": "SPY",
    "date": DATE,
    "prediction": {
        "direction": "UP", "probability": 0.65, "confidence": 0.65, "threshold_used": 0.3,
    },
    "iv_context": {"iv_rank": 35.0, "iv_regime": "normal", "iv_hv_spread": 2.5},
    "strategy_suggestion": {
        "primary": "Bull Call Spread (Long 0.45 delta, short 0.25 delta, 2-4 weeks expiry)",
        "reasoning": "Direction=UP + IV_Normal → Directional play "
                     "(IV: forecast five sessions ahead, probability 0.74)",
    },
}

SIGNAL_ANSWER: Final = {
    "ticker": "SPY",
    "session": DATE,
    "strategy": "Bull Call Spread",
    "direction": "UP",
    "iv_regime": "NORMAL",
    "direction_confidence": 0.65,
    "iv_confidence": 0.74,
    "overall_confidence": 0.686,
    "position_size": "half",
    "reasoning": "Bullish outlook + fairly priced options = defined risk and reward. "
                 "Rule 'directional': UP with IV forecast NORMAL; every floor is passed by "
                 "direction confidence 0.6500, IV confidence 0.7400, overall confidence 0.6860. "
                 "Size half: overall confidence 0.6860 < 0.70.",
    "trade_parameters": {
        "expiry": "2-4 weeks",
        "strike": "Long 0.45 delta, short 0.25 delta",
        "max_loss": "2.0% of portfolio",
        "profit_target": "50% of max profit",
        "stop_loss": "Close if underlying moves 2% against",
    },
    "prediction": PREDICT_ANSWER["prediction"],
    "iv_context": PREDICT_ANSWER["iv_context"],
    "volatility": {
        "predicted_regime": "NORMAL",
        "regime_probabilities": {"LOW": 0.2, "NORMAL": 0.74, "HIGH": 0.06},
        "expected_iv_direction": "STABLE",
        "confidence": 0.74,
        "iv_rank_forecast": {"median": 38.1, "low": 24.6, "high": 57.3, "level": 0.8},
    },
    "alternatives": [
        {"strategy": "Buy Calls", "why_not": "needs IV forecast LOW, it is NORMAL"},
        {"strategy": "NO TRADE", "why_not": "every floor is passed"},
        {
            "strategy": "NO TRADE (required edge)",
            "why_not": "an edge is not required; its expected value after costs is +8 USD a "
                       "contract, -3 to +23 with volatility a point lower or higher",
        },
    ],
    "structure": STRUCTURE,
    "structure_note": None,
    "evidence": {
        "proven": False,
        "direction": _EVIDENCE,
        "regime": _EVIDENCE | {"baseline": "transition_table"},
    },
    "provenance": {
        "as_of": f"{DATE}T21:30:00+00:00",
        "origin": "simulated",
        "definition_hash": "5f" * 32,
        "models": {
            task: {
                "name": f"{task}_SPY", "model": model, "version": 1, "alias": "challenger",
                "note": None, "run_id": "0a" * 16, "artifact_sha256": "c4" * 32,
                "feature_service": service,
            }
            for task, model, service in (
                ("direction", "logistic", "direction"), ("regime", "paths", "volatility_paths"),
            )
        },
        "age_in_sessions": {"iv": 0, "iv_lags": 0, "iv_path": 0, "macro": 0, "technical": 0},
        "carried": [],
    },
}

UNKNOWN_TICKER: Final = {
    "error": "unknown_ticker",
    "detail": "unknown ticker: got 'XYZ', allowed are SPY, QQQ, IWM; another underlying is one "
              "row in market/underlyings.py",
}
SIGNALS_ANSWER: Final = [SIGNAL_ANSWER, {"ticker": "XYZ", **UNKNOWN_TICKER}]

NO_JSON: Final = {
    "error": "bad_request",
    "detail": "the body is no JSON document: NaN is no JSON number",
}
TOO_LARGE: Final = {
    "error": "request_entity_too_large", "detail": "the body is over 65536 bytes",
}
NOT_JSON_TYPE: Final = {
    "error": "unsupported_media_type",
    "detail": "got content type text/plain, allowed is application/json",
}
WRONG_FIELDS: Final = {"error": "unprocessable_entity", "detail": "ticker: Field required"}
NO_TICKERS: Final = {
    "error": "unprocessable_entity",
    "detail": "tickers: List should have at least 1 item after validation, not 0",
}
MISSING_FEATURES: Final = {
    "error": "missing_features",
    "detail": "features: 2 that the served models of SPY read are missing: rsi_28, vix_close; "
              "none is filled in",
}
UNKNOWN_FEATURES: Final = {
    "error": "unknown_features",
    "detail": "features: got 'rsi14'; allowed are the 189 names of the feature catalogue, see "
              "the example of /predict in /docs.json",
}
BAD_DATE: Final = {
    "error": "bad_date",
    "detail": "date: got '2024-02-30', allowed is a day of the calendar",
}
STALE: Final = {
    "error": "stale",
    "detail": "the store holds 2024-01-12, the last complete session at "
              f"{DATE}T23:30:00+00:00 is {DATE}; run `optrade ingest`",
}
MODEL_MISSING: Final = {
    "error": "model_missing",
    "detail": "no direction model for SPY yet: run `optrade train-all`",
}
STORE_UNAVAILABLE: Final = {
    "error": "store_unavailable",
    "detail": "the online store does not answer: `optrade serve` mends that within seconds, "
    "else run `optrade materialize`",
}
# fmt: on
METRICS: Final = (
    'optrade_signals_total{position_size="half",strategy="Bull Call Spread",ticker="SPY"} 1.0\n'
    'optrade_refusals_total{endpoint="/signals",reason="unknown_ticker"} 1.0\n'
)
