"""The service over HTTP: a real `bentoml serve`, from a home of its own."""

import json
import os
import socket

import httpx2
import pandas as pd
import pytest

from feature_repo.features.definition_hash import definition_hash
from serving.answer.open_home import open_home
from serving.reading.configuration import read_configuration, write_configuration

pytestmark = pytest.mark.integration

AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")


def post(base, ticker="SPY"):
    return httpx2.post(f"{base}/signal", json={"ticker": ticker}, timeout=30)


def problem(answer):
    document = answer.json()
    assert sorted(document) == ["detail", "error"]
    assert answer.headers["content-type"] == "application/json"
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)
    return answer.status_code, document


def test_a_signal_is_that_of_the_command_line_field_by_field(served):
    home, base = served
    answer = post(base)
    assert answer.status_code == 200
    found = open_home(home.root, read_configuration(home.data)).signal_for("SPY", AS_OF)
    assert answer.json() == found.document()


def test_it_listens_on_this_machine_alone(served):
    _, base = served
    port = int(base.rsplit(":", 1)[1])
    with socket.socket() as other:
        # Another address of the loopback network: reached only by a server bound to all.
        assert other.connect_ex(("127.0.0.2", port)) != 0


@pytest.mark.parametrize(
    "ticker",
    [
        "XYZ",
        "xyz",
        "\u017fpy",
        "",
        "../../etc/passwd",
        "SPY/../QQQ",
        "%2e%2e",
        "a" * 5_000,
        "\x00",
        "\u202e",
    ],
)
def test_unknown_tickers_are_404(served, ticker):
    body = json.dumps({"ticker": ticker}).encode()
    headers = {"content-type": "application/json"}
    status, document = problem(httpx2.post(f"{served[1]}/signal", content=body, headers=headers))
    assert (status, document["error"]) == (404, "unknown_ticker")
    assert "SPY, QQQ, IWM" in document["detail"]
    assert len(document["detail"]) < 300


def test_a_ticker_in_small_letters_is_the_ticker(served):
    base = served[1]
    assert post(base, "spy").json() == post(base, "SPY").json()
    several = httpx2.post(f"{base}/signals", json={"tickers": ["spy", "SPY", "xyz"]}, timeout=30)
    assert [row["ticker"] for row in several.json()] == ["SPY", "SPY", "xyz"]


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"ticker": NaN}', "application/json", 400),
        (b"", "application/json", 400),
        (b"{}", "application/json", 422),
        (b'{"ticker": "SPY", "x": 1}', "application/json", 422),
        (b'{"ticker": 1}', "application/json", 422),
        (b'{"ticker": "SPY"}', "text/plain", 415),
        (b'{"ticker": "SPY"}', "multipart/form-data; boundary=b", 415),
        (b"\x80\x04K\x01.", "application/vnd.bentoml+pickle", 415),
        (b'{"ticker": "' + b"S" * 70_000 + b'"}', "application/json", 413),
    ],
    ids=lambda v: repr(v)[:30],
)
def test_bad_requests_say_so_in_json(served, content, media_type, status):
    headers = {"content-type": media_type}
    answer = httpx2.post(f"{served[1]}/signal", content=content, headers=headers, timeout=30)
    assert problem(answer)[0] == status


def test_a_real_multipart_body_is_415(served):
    answer = httpx2.post(f"{served[1]}/signal", files={"ticker": b"SPY"}, timeout=30)
    assert problem(answer)[0] == 415


def test_a_stream_over_the_limit_is_413(served):
    def chunks():
        yield b'{"ticker": "'
        for _ in range(40):
            yield b"S" * 4_096

    headers = {"content-type": "application/json"}
    answer = httpx2.post(f"{served[1]}/signal", content=chunks(), headers=headers, timeout=30)
    assert problem(answer)[0] == 413


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/signal", 405), ("GET", "/no", 404)]
)
def test_wrong_methods_and_paths_say_so_in_json(served, method, path, status):
    assert problem(httpx2.request(method, served[1] + path, timeout=30))[0] == status


def test_a_known_ticker_without_model_is_ours(served):
    status, document = problem(post(served[1], "QQQ"))
    assert (status, document["error"]) == (503, "model_missing")


def test_an_empty_store_is_503_with_retry_after(restored):
    home, base = restored
    home.server.client().flushall()
    answer = post(base)
    assert problem(answer) == (503, answer.json())
    assert answer.json()["error"] == "not_published"
    assert int(answer.headers["retry-after"]) > 0


def test_a_stale_store_is_503(restored):
    home, base = restored
    home.server.client().flushall()
    home.put("2025-06-26")
    home.publish("2025-06-26", definition_hash=definition_hash())
    assert problem(post(base))[1]["error"] == "stale"


def test_a_null_feature_is_503_by_name(restored):
    home, base = restored
    home.server.client().flushall()
    home.put(iv_hv_spread=float("nan"))
    home.publish(definition_hash=definition_hash())
    status, document = problem(post(base))
    assert (status, document["error"]) == (503, "null_features")
    assert "iv_hv_spread" in document["detail"]


def test_a_damaged_model_is_503(restored):
    home, base = restored
    path = home.models / "serving" / "direction_SPY.json"
    path.write_text(path.read_text().replace("0.45", "0.46"))
    assert problem(post(base))[1]["error"] == "model_refused"


def test_a_pipe_in_the_place_of_a_models_hash_is_503(restored):
    home, base = restored
    path = home.models / "serving" / "direction_SPY.json"
    path.with_suffix(".sha256").unlink()
    os.mkfifo(path.with_suffix(".sha256"))
    path.write_bytes(path.read_bytes())  # else it is kept as it was once checked
    status, document = problem(post(base))
    assert (status, document["error"]) == (503, "model_refused")
    assert "direction_SPY.sha256 is a pipe" in document["detail"]
    path.with_suffix(".sha256").unlink()


def test_unproven_models_are_503_where_proof_is_required(restored, documents):
    home, base = restored
    evidence = documents["direction"]()["evidence"] | {"proven": False, "standing": "unproven"}
    home.add_models(definition_hash=definition_hash(), evidence=evidence)
    assert post(base).json()["evidence"]["proven"] is False
    strict = read_configuration(home.data).model_copy(update={"require_proven": True})
    write_configuration(home.data, strict)
    assert problem(post(base))[1]["error"] == "unproven"


def test_a_broken_configuration_is_503(restored):
    home, base = restored
    (home.data / "serving.json").write_text("{")
    assert problem(post(base))[1]["error"] == "not_configured"
    status, document = problem(httpx2.get(f"{base}/readyz", timeout=30))
    assert (status, document["error"]) == (503, "not_configured")


def test_a_frozen_redis_is_503_for_everybody_at_once(served, restored):
    from concurrent.futures import ThreadPoolExecutor

    home, base = restored
    post(base)
    home.server.freeze()
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: post(base), range(8)))
    finally:
        home.server.thaw()
    assert {problem(a)[1]["error"] for a in answers} == {"store_unavailable"}
    assert post(base).status_code == 200


def test_many_at_once_all_get_the_same_answer(served):
    from concurrent.futures import ThreadPoolExecutor

    _, base = served
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(base), range(40)))
    assert {a.status_code for a in answers} == {200}, {a.text for a in answers}
    assert len({a.text for a in answers}) == 1
