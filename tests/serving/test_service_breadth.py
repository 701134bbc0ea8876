"""`/signals`, `/predict` and the service's own routes over HTTP, on the same real process."""

import json
import re

import httpx2
import pandas as pd
import pytest

from feature_repo.features.definition_hash import definition_hash
from serving.answer.open_home import open_home
from serving.answer.predictions import Question
from serving.http.documentation import document
from serving.http.schema import MAX_TICKERS
from serving.reading.artifact import load_artifact
from serving.reading.configuration import read_configuration, write_configuration

pytestmark = pytest.mark.integration

AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")
# The seed's prediction input; its date, a holiday, is another test's.
SEED = {
    "ticker": "SPY",
    "date": "2024-01-15",
    "features": {
        "returns_5d": 0.023, "rsi_14": 58.2, "iv_rank": 35.0, "iv_hv_spread": 2.5,
        "fed_funds_effective": 5.33,
    },
}  # fmt: skip


def post(base, path, document):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {"content-type": "application/json"}
    return httpx2.post(base + path, content=content, headers=headers, timeout=30)


def seed(**changes):
    return {**SEED, **changes}


def with_features(**changes):
    return seed(features=SEED["features"] | changes)


def without(name):
    return seed(features={k: v for k, v in SEED["features"].items() if k != name})


def signal(home, ticker="SPY"):
    return open_home(home.root, read_configuration(home.data)).signal_for(ticker, AS_OF).document()


@pytest.mark.parametrize(
    ("tickers", "errors"),
    [
        (["SPY"], [None]),
        (["XYZ", "SPY"], ["unknown_ticker", None]),
        (["SPY", "QQQ", "SPY"], [None, "model_missing", None]),
        (["", "xyz", "a" * 5_000], ["unknown_ticker"] * 3),
        (["SPY"] * MAX_TICKERS, [None] * MAX_TICKERS),
    ],
    ids=lambda v: str(v)[:40],
)
def test_signals_answers_each_ticker_in_the_order_asked(served, tickers, errors):
    home, base = served
    answer = post(base, "/signals", {"tickers": tickers})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    entries = answer.json()
    assert [entry["ticker"] for entry in entries] == tickers
    assert [entry.get("error") for entry in entries] == errors
    expected = signal(home)
    for entry in entries:
        assert entry == expected or sorted(entry) == ["detail", "error", "ticker"]


def test_signals_of_an_empty_store_are_errors_that_say_so(restored):
    home, base = restored
    home.server.client().flushall()
    (entry,) = post(base, "/signals", {"tickers": ["SPY"]}).json()
    assert (entry["ticker"], entry["error"]) == ("SPY", "not_published")


def test_the_seed_s_prediction_input_has_the_seed_s_output(served, documents, exact):
    _, base = served
    answer = post(base, "/predict", SEED)
    assert answer.status_code == 200
    p = exact(documents["direction"](), SEED["features"])
    found = answer.json()
    suggestion = found.pop("strategy_suggestion")
    assert found == {
        "ticker": "SPY",
        "date": "2024-01-15",
        "prediction": {
            "direction": "UP", "probability": pytest.approx(p, abs=1e-12),
            "confidence": pytest.approx(max(p, 1 - p), abs=1e-12), "threshold_used": 0.45,
        },
        "iv_context": {"iv_rank": 35.0, "iv_regime": "normal", "iv_hv_spread": 2.5},
    }  # fmt: skip
    assert sorted(suggestion) == ["primary", "reasoning"]
    assert suggestion["primary"].startswith("Bull Call Spread (")
    assert suggestion["reasoning"].startswith("Direction=UP + IV_Normal → Directional play")


def test_a_prediction_over_http_is_that_of_the_open_home(served):
    home, base = served
    expected = (
        open_home(home.root, read_configuration(home.data)).predict(Question(**SEED)).document()
    )
    assert post(base, "/predict", SEED).json() == expected


def examples(path):
    body = document()["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return {name: row["value"] for name, row in body["examples"].items()}


@pytest.mark.parametrize(
    ("path", "name"), [(p, n) for p in ("/signal", "/signals", "/predict") for n in examples(p)]
)
def test_every_documented_question_has_an_answer(served, path, name):
    assert post(served[1], path, examples(path)[name]).status_code == 200


def test_with_all_inputs_the_forecast_drives_the_strategy(restored, documents, write):
    home, base = restored
    sure_of_high = {
        "features": ["iv_rank", "vix_close", "iv_rank_lag_5"],
        "coef": [[0.0] * 3] * 3, "intercept": [0.0, 0.0, 5.0],
    }  # fmt: skip
    write(home.models, documents["regime"](definition_hash=definition_hash(), **sure_of_high))
    bodies = examples("/predict")
    answers = {name: post(base, "/predict", body).json() for name, body in bodies.items()}
    assert answers["IV forecast"]["prediction"] == answers["today's band"]["prediction"]
    reasons = {n: a["strategy_suggestion"]["reasoning"] for n, a in answers.items()}
    assert "IV_High" in reasons["IV forecast"]
    assert "IV_Normal" in reasons["today's band"]


def test_a_prediction_needs_no_online_store(restored):
    home, base = restored
    home.server.client().flushall()
    assert post(base, "/predict", SEED).status_code == 200


def test_a_prediction_needs_the_forecaster_only_where_it_is_asked(restored):
    home, base = restored
    (home.models / "serving" / "regime_SPY.json").unlink()
    bodies = examples("/predict")
    assert post(base, "/predict", bodies["today's band"]).status_code == 200
    answer = post(base, "/predict", bodies["IV forecast"])
    assert (answer.status_code, answer.json()["error"]) == (503, "model_missing")


def test_unproven_predictions_are_503_where_proof_is_required(restored, documents, write):
    home, base = restored
    strict = read_configuration(home.data).model_copy(update={"require_proven": True})
    write_configuration(home.data, strict)
    assert post(base, "/predict", SEED).status_code == 200
    evidence = documents["direction"]()["evidence"] | {"proven": False, "standing": "unproven"}
    changes = {"definition_hash": definition_hash(), "evidence": evidence}
    write(home.models, documents["direction"](**changes))
    answer = post(base, "/predict", SEED)
    assert (answer.status_code, answer.json()["error"]) == (503, "unproven")


BAD = [
    ("/signals", {"tickers": []}, 422, "unprocessable_entity", "tickers"),
    ("/signals", {"tickers": ["SPY"] * (MAX_TICKERS + 1)}, 422, "unprocessable_entity", "50"),
    ("/signals", {"tickers": "SPY"}, 422, "unprocessable_entity", "tickers"),
    ("/signals", {"tickers": ["SPY", 1]}, 422, "unprocessable_entity", "tickers.1"),
    ("/signals", {"tickers": ["SPY", None]}, 422, "unprocessable_entity", "tickers.1"),
    ("/signals", {}, 422, "unprocessable_entity", "tickers"),
    ("/signals", {"ticker": "SPY"}, 422, "unprocessable_entity", "tickers"),
    ("/signals", {"tickers": ["SPY"], "x": 1}, 422, "unprocessable_entity", "x"),
    ("/signals", b'["SPY"]', 422, "unprocessable_entity", "body"),
    ("/signals", b"{", 400, "bad_request", "JSON"),
    ("/signals", b'{"tickers": ["' + b"S" * 70_000 + b'"]}', 413, "request_entity_too_large", ""),
    ("/predict", seed(ticker="XYZ"), 404, "unknown_ticker", "SPY, QQQ, IWM"),
    ("/predict", seed(ticker="QQQ"), 503, "model_missing", "QQQ"),
    ("/predict", seed(date="1899-01-15"), 422, "bad_date", "1990-01-02"),
    ("/predict", seed(date="2024-02-30"), 422, "bad_date", "2024-02-30"),
    ("/predict", seed(date="15.01.2024"), 422, "unprocessable_entity", "date"),
    ("/predict", seed(date="2024-01-16T00:00"), 422, "unprocessable_entity", "date"),
    ("/predict", seed(date="\u0662024-01-16"), 422, "unprocessable_entity", "date"),
    ("/predict", seed(date=20240116), 422, "unprocessable_entity", "date"),
    ("/predict", seed(features={}), 422, "missing_features", "returns_5d"),
    ("/predict", seed(features=[]), 422, "unprocessable_entity", "features"),
    ("/predict", without("returns_5d"), 422, "missing_features", "returns_5d"),
    ("/predict", without("iv_hv_spread"), 422, "missing_features", "iv_hv_spread"),
    ("/predict", with_features(rsi14=1.0), 422, "unknown_features", "rsi14"),
    ("/predict", with_features(rsi_14=None), 422, "unprocessable_entity", "features.rsi_14"),
    ("/predict", with_features(rsi_14="58"), 422, "unprocessable_entity", "features.rsi_14"),
    ("/predict", with_features(rsi_14=True), 422, "unprocessable_entity", "features.rsi_14"),
    ("/predict", with_features(rsi_14=10**400), 422, "unprocessable_entity", "features.rsi_14"),
    ("/predict", with_features(iv_rank=101.0), 422, "out_of_range", "iv_rank"),
    ("/predict", with_features(returns_5d=1e308), 422, "not_finite", "direction_SPY"),
    ("/predict", with_features(rsi_14=float("nan")), 400, "bad_request", "NaN"),
    ("/predict", with_features(rsi_14=float("inf")), 400, "bad_request", "Infinity"),
    ("/predict", json.dumps(SEED).replace("58.2", "1e999").encode(), 400,
     "bad_request", "1e999"),
    ("/predict", {"ticker": "SPY", "date": "2024-01-15"}, 422, "unprocessable_entity", "features"),
    ("/predict", seed(x=1), 422, "unprocessable_entity", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "error", "words"), BAD)
def test_statuses(served, path, body, status, error, words):
    answer = post(served[1], path, body)
    found = answer.json()
    assert (answer.status_code, found["error"]) == (status, error)
    assert sorted(found) == ["detail", "error"]
    assert words in found["detail"]
    assert len(found["detail"]) < 1_000
    assert ("retry-after" in answer.headers) == (status == 503)


@pytest.mark.parametrize(
    "case", [row for row in BAD if row[2] in (404, 422, 503)], ids=lambda c: f"{c[0]}-{c[3]}"
)
def test_every_status_given_is_documented(case):
    path, _, status, *_ = case
    assert str(status) in document()["paths"][path]["post"]["responses"]


@pytest.mark.parametrize("path", ["/signals", "/predict"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_405(served, path, method):
    answer = httpx2.request(method, served[1] + path, timeout=30)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/metrics", "/docs.json"])
def test_the_service_s_own_routes_answer(served, path):
    assert httpx2.get(served[1] + path, timeout=30).status_code == 200


def test_the_document_over_http_is_ours(served):
    answer = httpx2.get(f"{served[1]}/docs.json", timeout=30)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document()


def test_not_ready_says_why(restored):
    home, base = restored
    home.yaml.rename(home.yaml.with_suffix(".away"))
    try:
        answer = httpx2.get(f"{base}/readyz", timeout=30)
    finally:
        home.yaml.with_suffix(".away").rename(home.yaml)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"] == "not_configured"
    assert int(answer.headers["retry-after"]) > 0
    assert httpx2.get(f"{base}/livez", timeout=30).status_code == 200


def metric(base, name, **labels):
    text = httpx2.get(f"{base}/metrics", timeout=30).text
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}\{{(.*)\}} (\S+)", line)
        if found and dict(re.findall(r'(\w+)="([^"]*)"', found[1])) == labels:
            return float(found[2])
    return 0.0


def test_signals_predictions_and_refusals_are_counted(served):
    home, base = served
    row = signal(home)
    counted = [
        ("optrade_signals_total", {k: row[k] for k in ("ticker", "strategy", "position_size")}),
        ("optrade_predictions_total", {"ticker": "SPY", "direction": "UP"}),
        ("optrade_refusals_total", {"endpoint": "/signals", "reason": "unknown_ticker"}),
        ("optrade_refusals_total", {"endpoint": "/predict", "reason": "bad_date"}),
        ("optrade_refusals_total", {"endpoint": "/signal", "reason": "model_missing"}),
    ]
    before = [metric(base, name, **labels) for name, labels in counted]
    post(base, "/signals", {"tickers": ["SPY", "XYZ"]})
    post(base, "/signal", {"ticker": "SPY"})
    post(base, "/signal", {"ticker": "QQQ"})
    post(base, "/predict", SEED)
    post(base, "/predict", seed(date="2024-02-30"))
    after = [metric(base, name, **labels) for name, labels in counted]
    assert [a - b for a, b in zip(after, before, strict=True)] == [2, 1, 1, 1, 1]


def test_seconds_are_bentoml_s_own(served):
    text = httpx2.get(f"{served[1]}/metrics", timeout=30).text
    assert "bentoml_service_request_duration_seconds" in text


def test_the_model_that_answers_is_the_one_that_is_served(restored, documents, write):
    home, base = restored
    before = post(base, "/predict", SEED).json()["prediction"]["probability"]
    changed = documents["direction"](definition_hash=definition_hash(), intercept=[1.0])
    write(home.models, changed)
    after = post(base, "/predict", SEED).json()["prediction"]["probability"]
    artifact = load_artifact(home.models, "direction", "SPY", definition_hash())
    assert before < after == artifact.probability_up(SEED["features"])
