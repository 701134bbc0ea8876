"""An open home: from a ticker to its signal over a real store, and every reason for none."""

import json
import math

import pandas as pd
import pytest

from feature_repo.features.catalogue import names
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.services import VOLATILITY_INPUTS
from feature_repo.store.repo_config import REFILL_ASKED
from home.layout import standby_models
from home.records.signal import Signal
from home.served_model import write_checked
from market.errors import ConfigurationError, InputError
from serving.answer.open_home import open_home
from serving.answer.predictions import Question
from serving.answer.served_home import ServedHome
from serving.reading.configuration import Configuration
from serving.reading.refusal import CallerFault, Refusal

pytestmark = pytest.mark.integration

AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")
CONFIGURATION = Configuration(
    as_of=AS_OF.isoformat(), origin="recorded", feature_store="data/feast/feature_store.yaml"
)


@pytest.fixture
def full_home(feast_home, documents, write):
    """A home with features, models of this code's definitions, and a pointer."""
    feast_home.put()
    feast_home.publish(definition_hash=definition_hash())
    for task in ("direction", "regime"):
        write(feast_home.models, documents[task](definition_hash=definition_hash()))
    return feast_home


def refusal(home, configuration=CONFIGURATION, as_of=AS_OF) -> Refusal:
    with pytest.raises(Refusal) as caught:
        open_home(home.root, configuration).signal_for("SPY", as_of)
    return caught.value


def test_a_signal_of_a_real_store(full_home, values, documents, exact):
    signal = open_home(full_home.root, CONFIGURATION).signal_for("SPY", AS_OF).document()
    Signal.model_validate(signal)
    assert (signal["ticker"], signal["session"]) == ("SPY", "2025-06-30")
    assert signal["prediction"]["probability"] == pytest.approx(
        exact(documents["direction"](), values), abs=1e-12
    )
    assert signal["iv_context"] == {"iv_rank": 18.0, "iv_regime": "low", "iv_hv_spread": 2.25}
    assert signal["provenance"]["origin"] == "recorded"
    assert signal["provenance"]["definition_hash"] == definition_hash()
    assert signal["provenance"]["age_in_sessions"] == {"iv": 0, "macro": 0, "technical": 0}


def test_a_price_is_the_position_of_a_signal_and_of_any_other_strategy(full_home):
    home = open_home(full_home.root, CONFIGURATION)
    signal = home.signal_for("SPY", AS_OF)
    assert signal.structure.spot == pytest.approx(612.0)
    assert signal.structure_note is None
    assert home.price_for("SPY", signal.strategy, AS_OF) == signal.structure
    other = home.price_for("SPY", "Iron Condor", AS_OF)
    assert (other.strategy, other.chances) == ("Iron Condor", None)
    with pytest.raises(InputError, match="strategy: got 'Straddle', allowed are Buy Calls"):
        home.price_for("SPY", "Straddle", AS_OF)
    with pytest.raises(InputError, match="allowed are SPY, QQQ, IWM"):
        home.price_for("TSLA", "Iron Condor", AS_OF)


def test_a_price_needs_no_model_of_a_direction_but_a_row_of_the_session(full_home):
    for file in (full_home.models / "serving").iterdir():
        file.unlink()
    home = open_home(full_home.root, CONFIGURATION)
    assert home.price_for("SPY", "Buy Puts", AS_OF).spot == pytest.approx(612.0)
    with pytest.raises(Refusal, match="stale"):
        home.price_for("SPY", "Buy Puts", AS_OF + pd.Timedelta(days=7))
    full_home.put(vix_close=float("nan"))
    with pytest.raises(InputError, match="SPY: its index VIX is nan"):
        home.price_for("SPY", "Buy Puts", AS_OF)
    full_home.put(sma_20=float("nan"))
    with pytest.raises(Refusal, match=r"null_features: .*sma_20"):
        home.price_for("SPY", "Buy Puts", AS_OF)


def test_a_price_is_sized_as_the_largest_position_of_its_strategy(full_home):
    rich = CONFIGURATION.model_copy(update={"capital": 1e6})
    home = open_home(full_home.root, rich)
    for strategy, allowed in (("Bull Put Spread", 20_000), ("Iron Condor", 10_000)):
        found = home.price_for("SPY", strategy, AS_OF)
        assert found.contracts == int(allowed // found.natural.max_loss)


def test_a_feature_of_a_close_that_the_store_lacks_leaves_the_signal(full_home):
    full_home.put(treasury_3m=float("nan"))
    signal = open_home(full_home.root, CONFIGURATION).signal_for("SPY", AS_OF)
    assert signal.structure is None
    assert signal.structure_note == "SPY: the rate of three months is unknown"


@pytest.mark.parametrize("carried", [["CPIAUCSL 2025-10", "UNRATE 2025-10"], [], None])
def test_a_signal_says_what_its_macro_row_carries(full_home, carried):
    told = {} if carried is None else {"carried": carried}
    full_home.publish(definition_hash=definition_hash(), **told)
    home = open_home(full_home.root, CONFIGURATION)
    provenance = home.signal_for("SPY", AS_OF).document()["provenance"]
    assert provenance["carried"] == carried


def test_the_same_question_has_the_same_answer(full_home):
    home = open_home(full_home.root, CONFIGURATION)
    assert home.signal_for("SPY", AS_OF) == home.signal_for("SPY", AS_OF)
    assert home.signal_for("SPY", AS_OF) == open_home(full_home.root, CONFIGURATION).signal_for(
        "SPY", AS_OF
    )


def test_an_unknown_ticker_is_the_caller_s(full_home):
    with pytest.raises(InputError, match="allowed are SPY, QQQ, IWM"):
        open_home(full_home.root, CONFIGURATION).signal_for("../SPY", AS_OF)


def test_a_new_model_serves_at_once(full_home, documents, write):
    home = open_home(full_home.root, CONFIGURATION)
    before = home.signal_for("SPY", AS_OF).document()
    write(
        full_home.models,
        documents["direction"](definition_hash=definition_hash(), version=9, intercept=[1.0]),
    )
    after = home.signal_for("SPY", AS_OF).document()
    assert after["provenance"]["models"]["direction"]["version"] == 9
    assert after["prediction"]["probability"] > before["prediction"]["probability"]


SEED = {"returns_5d": 0.023, "iv_rank": 35.0, "iv_hv_spread": 2.5, "fed_funds_effective": 5.33}


def reasoning(home, features) -> str:
    question = Question("SPY", "2024-01-16", features)
    answer = open_home(home.root, CONFIGURATION).predict(question).document()
    return answer["strategy_suggestion"]["reasoning"]


def test_a_prediction_forecasts_with_all_that_the_model_reads_and_not_before(full_home):
    """Decision 19, by the model's own features: three here, not the 27 of Decision 2."""
    whole = SEED | {"vix_close": 16.0, "hv_20": 12.0}
    assert "forecast five sessions ahead" in reasoning(full_home, whole)
    for name in ("vix_close", "hv_20"):
        rest = {k: v for k, v in whole.items() if k != name}
        assert "today's band NORMAL" in reasoning(full_home, rest)


def test_all_27_inputs_are_not_enough_for_a_model_that_reads_more(full_home, documents, write):
    write(full_home.models, documents["paths"](definition_hash=definition_hash()))
    inputs = dict.fromkeys(VOLATILITY_INPUTS, 10.0) | SEED
    assert "today's band NORMAL" in reasoning(full_home, inputs)
    levels = dict.fromkeys(names("iv_path"), 0.1) | {"vix_high_247d": 30.0, "vix_low_247d": 9.0}
    assert "forecast five sessions ahead" in reasoning(full_home, inputs | levels)
    with pytest.raises(CallerFault, match=r"out_of_range: vix_low_247d"):
        reasoning(full_home, inputs | levels | {"vix_low_247d": -9.0})


def test_a_prediction_needs_a_forecaster_only_where_it_is_asked_for(full_home):
    (full_home.models / "serving" / "regime_SPY.json").unlink()
    assert "today's band NORMAL" in reasoning(full_home, SEED)
    with pytest.raises(Refusal, match="model_missing"):
        reasoning(full_home, dict.fromkeys(VOLATILITY_INPUTS, 10.0) | SEED)


def test_a_prediction_beside_a_damaged_forecaster_refuses(full_home):
    """Nobody knows what it reads, so nobody knows that the question does not ask it."""
    path = full_home.models / "serving" / "regime_SPY.json"
    path.write_text(path.read_text().replace("0.6", "0.7", 1))
    with pytest.raises(Refusal, match="model_refused"):
        reasoning(full_home, SEED)


@pytest.mark.parametrize("task", ["direction", "regime"])
def test_a_model_that_is_not_there_refuses(full_home, task):
    (full_home.models / "serving" / f"{task}_SPY.json").unlink()
    assert refusal(full_home).error == "model_missing"


def test_a_model_of_other_definitions_refuses(full_home, documents, write):
    write(full_home.models, documents["regime"]())
    assert refusal(full_home).error == "model_refused"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": ["returns_5d", "iv_rank", "sentiment_score"]}, "sentiment_score"),
        ({"feature_service": "volatility"}, "fed_funds_effective"),
    ],
)
def test_a_feature_that_the_service_does_not_hold_refuses(
    full_home, documents, write, changes, words
):
    document = documents["direction"](definition_hash=definition_hash(), **changes)
    write(full_home.models, document)
    found = refusal(full_home)
    assert found.error == "model_refused"
    assert words in found.detail


@pytest.mark.parametrize("unproven", ["direction", "regime"])
def test_require_proven_refuses_unless_both_are(full_home, documents, write, unproven):
    strict = CONFIGURATION.model_copy(update={"require_proven": True})
    assert (
        open_home(full_home.root, strict).signal_for("SPY", AS_OF).document()["evidence"]["proven"]
    )
    word = {"proven": False, "standing": "unproven", "verdict": "no better"}
    evidence = documents[unproven]()["evidence"] | word
    write(
        full_home.models,
        documents[unproven](definition_hash=definition_hash(), evidence=evidence),
    )
    found = refusal(full_home, strict)
    assert found.error == "unproven"
    assert "no better" in found.detail
    served = open_home(full_home.root, CONFIGURATION).signal_for("SPY", AS_OF).document()
    assert not served["evidence"]["proven"]
    assert served["position_size"] != "full"


def stand_by(home, document) -> None:
    """Keep a version for where what serves cannot answer."""
    path = standby_models(home.models, document["name"]) / f"{document['version']}.json"
    write_checked(path, json.dumps(document).encode())


def test_a_version_that_does_not_read_a_null_answers_and_says_so(full_home, documents):
    of = definition_hash()
    full_home.put(fed_funds_effective=float("nan"))
    assert refusal(full_home).error == "null_features", "there is no other version"
    reads = {"definition_hash": of, "alias": "challenger"}
    stand_by(full_home, documents["direction"](**reads, version=2))
    assert refusal(full_home).error == "null_features", "the other reads it too"
    blind = ["returns_5d", "iv_rank", "hv_20"]
    stand_by(full_home, documents["direction"](**reads, version=1, features=blind))
    signal = open_home(full_home.root, CONFIGURATION).signal_for("SPY", AS_OF).document()
    Signal.model_validate(signal)
    found = signal["provenance"]["models"]
    assert (found["direction"]["version"], found["direction"]["alias"]) == (1, "challenger")
    assert found["direction"]["note"] == (
        "version 3 (logistic) does not answer: fed_funds_effective without a value, which this one "
        "does not read"
    )
    assert found["regime"]["note"] is None
    full_home.put()
    whole = open_home(full_home.root, CONFIGURATION).signal_for("SPY", AS_OF)
    assert whole.provenance.models.direction.version == 3


def test_a_null_that_only_the_other_version_reads_is_gone_around_as_well(
    full_home, documents, write
):
    of, nan = definition_hash(), float("nan")
    full_home.put(fed_funds_effective=nan, vix_close=nan)
    regime = documents["regime"](definition_hash=of, features=["iv_rank", "returns_5d", "hv_20"])
    write(full_home.models, regime)
    for version, reads in ((2, "vix_close"), (1, "hv_20")):
        features = ["returns_5d", "iv_rank", reads]
        document = documents["direction"](definition_hash=of, version=version, features=features)
        stand_by(full_home, document)
    signal = open_home(full_home.root, CONFIGURATION).signal_for("SPY", AS_OF)
    assert signal.provenance.models.direction.version == 1
    assert "version 3 (logistic)" in signal.provenance.models.direction.note


def test_a_null_that_every_signal_shows_refuses(full_home, documents):
    full_home.put(iv_hv_spread=float("nan"))
    stand_by(full_home, documents["direction"](definition_hash=definition_hash(), version=1))
    assert refusal(full_home).error == "null_features"


def test_a_version_asked_instead_has_to_be_proven_where_proof_is_required(full_home, documents):
    evidence = {"proven": False, "standing": "unproven", "verdict": "no better"}
    document = documents["direction"](
        definition_hash=definition_hash(), version=1, features=["returns_5d", "iv_rank", "hv_20"],
        evidence=documents["direction"]()["evidence"] | evidence,
    )  # fmt: skip
    stand_by(full_home, document)
    full_home.put(fed_funds_effective=float("nan"))
    strict = CONFIGURATION.model_copy(update={"require_proven": True})
    assert refusal(full_home, strict).error == "unproven"
    assert refusal(full_home, strict).detail.startswith("SPY: direction: no better")


def test_a_baseline_serves_without_features_and_half_at_most(full_home, documents, write):
    """The class prior: what is served where every version is refuted."""
    found = documents["direction"]()["evidence"]
    evidence = found | {
        "proven": False, "standing": "unproven", "improvement": None, "interval": None,
        "verdict": "baseline: no model is better; version 3 (ridge) is refuted",
    }  # fmt: skip
    full_home.put(fed_funds_effective=float("nan"))
    prior = documents["direction"](
        definition_hash=definition_hash(), features=[], mean=[], scale=[], coef=[[]],
        intercept=[0.5], calibration={"slope": 1.0, "intercept": 0.0}, threshold=0.5,
        alias="baseline", model="class_prior", evidence=evidence,
    )  # fmt: skip
    write(full_home.models, prior)
    signal = open_home(full_home.root, CONFIGURATION).signal_for("SPY", AS_OF).document()
    assert signal["prediction"]["probability"] == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert signal["provenance"]["models"]["direction"]["note"] == "baseline: no model is better"
    assert signal["evidence"]["direction"]["verdict"].startswith("baseline: no model is better")
    assert signal["position_size"] in ("none", "half")
    strict = CONFIGURATION.model_copy(update={"require_proven": True})
    assert refusal(full_home, strict).error == "unproven"


def test_the_settle_time_of_the_configuration_decides(full_home):
    later = pd.Timestamp("2025-07-01 20:31", tz="UTC")
    home = open_home(full_home.root, CONFIGURATION)
    assert home.signal_for("SPY", later).document()["provenance"]["age_in_sessions"]["iv"] == 1
    impatient = CONFIGURATION.model_copy(update={"settle_minutes": 0})
    assert refusal(full_home, impatient, later).error == "stale"


def test_a_home_without_data_says_what_to_do(tmp_path):
    with pytest.raises(Refusal, match="optrade ingest"):
        open_home(tmp_path, Configuration())


def test_origin_is_the_manifest_s_unless_told(full_home):
    manifest = {
        "format": 1, "origin": "recorded", "first_live_landing": None, "tables": {}, "entries": [],
    }  # fmt: skip
    (full_home.data / "manifest.json").write_text(json.dumps(manifest))
    told = CONFIGURATION.model_copy(update={"origin": None})
    signal = open_home(full_home.root, told).signal_for("SPY", AS_OF).document()
    assert signal["provenance"]["origin"] == "recorded"


def test_a_store_of_another_kind_is_refused(full_home):
    full_home.yaml.write_text(
        f"project: small\nprovider: local\nregistry: {full_home.registry}\n"
        f"online_store:\n  type: sqlite\n  path: {full_home.data}/online.db\n"
        "entity_key_serialization_version: 3\n"
    )
    with pytest.raises(ConfigurationError, match="must be redis"):
        open_home(full_home.root, CONFIGURATION)


def write_configuration(home, configuration=CONFIGURATION):
    from serving.reading.configuration import write_configuration

    write_configuration(home.data, configuration)


def test_a_served_home_answers_by_its_configured_clock(full_home):
    write_configuration(full_home)
    served = ServedHome(full_home.root)
    now = pd.Timestamp.now(tz="UTC")
    direct = open_home(full_home.root, CONFIGURATION).signal_for("SPY", AS_OF)
    assert served.signal_for("SPY", now) == direct
    served.check_ready()


def test_a_served_home_ages_when_no_clock_is_told(full_home):
    write_configuration(full_home, CONFIGURATION.model_copy(update={"as_of": None}))
    served = ServedHome(full_home.root)
    assert served.signal_for("SPY", AS_OF).document()["session"] == "2025-06-30"
    with pytest.raises(Refusal, match="stale"):
        served.signal_for("SPY", AS_OF + pd.Timedelta(days=7))


def test_a_served_home_opens_when_it_is_there(full_home):
    served = ServedHome(full_home.root)
    kept = full_home.yaml.read_text()
    full_home.yaml.unlink()
    write_configuration(full_home)
    for ask in (served.check_ready, lambda: served.signal_for("SPY", AS_OF)):
        with pytest.raises(Refusal, match="not_configured"):
            ask()
    full_home.yaml.write_text(kept)
    served.check_ready()
    assert served.signal_for("SPY", AS_OF).document()["session"] == "2025-06-30"


def test_a_served_home_follows_a_redis_that_moved(full_home, own_redis, tmp_path):
    write_configuration(full_home)
    served = ServedHome(full_home.root)
    assert served.signal_for("SPY", AS_OF)
    full_home.server = own_redis
    full_home.write_yaml()
    with pytest.raises(Refusal, match="not_published"):
        served.signal_for("SPY", AS_OF)


def test_a_served_home_that_lost_a_row_asks_for_it(full_home):
    write_configuration(full_home)
    served, client = ServedHome(full_home.root), full_home.server.client()
    assert served.signal_for("SPY", AS_OF)
    assert not client.exists(REFILL_ASKED)
    rows = {key: client.dump(key) for key in client.keys("*SPY*")}
    client.delete(*rows)
    try:
        with pytest.raises(Refusal, match="missing_views"):
            served.signal_for("SPY", AS_OF)
        assert client.delete(REFILL_ASKED)
    finally:
        for key, held in rows.items():
            client.restore(key, 0, held)


def test_a_served_home_is_not_ready_with_a_broken_configuration(full_home):
    (full_home.data / "serving.json").write_text("{")
    served = ServedHome(full_home.root)
    for ask in (served.check_ready, lambda: served.signal_for("SPY", AS_OF)):
        with pytest.raises(ConfigurationError):
            ask()


def test_a_served_home_is_not_ready_without_its_redis(full_home, own_redis):
    full_home.server = own_redis
    full_home.write_yaml()
    write_configuration(full_home)
    served = ServedHome(full_home.root)
    served.check_ready()
    own_redis.stop()
    with pytest.raises(Refusal, match="store_unavailable"):
        served.check_ready()


def test_a_registry_that_lost_a_view_is_not_ready_until_it_is_published_again(full_home):
    from feast.protos.feast.core.Registry_pb2 import Registry

    write_configuration(full_home)
    snapshot = full_home.repo / "serving_registry.db"
    whole = Registry.FromString(full_home.registry.read_bytes())
    broken = Registry.FromString(full_home.registry.read_bytes())
    (lost,) = (i for i, v in enumerate(broken.feature_views) if v.spec.name == "macro")
    del broken.feature_views[lost]
    snapshot.write_bytes(broken.SerializeToString())
    served = ServedHome(full_home.root)
    with pytest.raises(Refusal, match=r"missing_views.*macro"):
        served.check_ready()
    snapshot.write_bytes(whole.SerializeToString())
    served.check_ready()


def test_a_registry_without_a_service_is_not_ready(full_home):
    from feast.protos.feast.core.Registry_pb2 import Registry

    registry = Registry.FromString(full_home.registry.read_bytes())
    del registry.feature_services[:]
    (full_home.repo / "serving_registry.db").write_bytes(registry.SerializeToString())
    write_configuration(full_home)
    with pytest.raises(Refusal, match="unknown_service"):
        ServedHome(full_home.root).check_ready()
