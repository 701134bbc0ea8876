"""Serving against the project's own definitions, registry and model writer."""

import json

import numpy as np
import pandas as pd
import pytest

from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS, names
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.services import SERVICES, VOLATILITY_INPUTS
from forecasters.document import Artifact
from home.records.signal import Signal
from home.strict_json import signed
from market.calendar import close
from serving.answer.open_home import open_home
from serving.reading.configuration import Configuration
from serving.reading.online import open_snapshot, service_references
from serving.reading.refusal import Refusal
from tests.online_rows import vouch

pytestmark = pytest.mark.integration

SESSION = "2025-06-30"
AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")
CONFIGURATION = Configuration(
    as_of=AS_OF.isoformat(), origin="simulated", feature_store="data/feast/feature_store.yaml"
)
POOL = [reference.split(":")[1] for reference in SERVICES["direction"]]


@pytest.fixture
def whole_home(tmp_path, redis_server):
    """A home with the real registry, one row of every view, and a pointer."""
    from feast import FeatureStore

    from feature_repo.store.repo_config import repo_config
    from ingestion.online.feast_registry import apply

    data = tmp_path / "home" / "data"
    url = f"redis://:{redis_server.password}@127.0.0.1:{redis_server.port}"
    store = FeatureStore(config=repo_config(data, url))
    apply(store, data)
    rng = np.random.default_rng(1)
    moment = close(pd.DatetimeIndex([SESSION]))[0]
    for name, group in GROUPS.items():
        key = {"market": "US"} if group.entity == "market" else {"ticker": "SPY"}
        row = {feature.name: float(rng.uniform(0, 1)) for feature in group.features}
        times = {"event_timestamp": moment, "created_timestamp": moment}
        store.write_to_online_store(name, pd.DataFrame([{**key, **row, **times}]))
    vouch(redis_server.client(), {name: names(name) for name in GROUPS})
    pointer = {
        "session": SESSION, "as_of": AS_OF.isoformat(), "origin": "simulated",
        "tickers": ["SPY"], "definition_hash": definition_hash(),
        "data_dir": str(data.resolve()),
    }  # fmt: skip
    redis_server.client().set("optrade:session", json.dumps(signed(pointer)))
    return data.parent


def put_models(home, documents, write):
    rng = np.random.default_rng(2)
    chosen = {"direction": POOL[::3][:40], "regime": list(VOLATILITY_INPUTS)}
    for task, features in chosen.items():
        width, rows = len(features), 1 if task == "direction" else 3
        document = documents[task](
            definition_hash=definition_hash(),
            features=features,
            mean=rng.normal(size=width).tolist(),
            scale=rng.uniform(0.5, 2, width).tolist(),
            coef=rng.normal(size=(rows, width)).tolist(),
        )
        write(home / "models", document)


def test_a_signal_of_the_whole_catalogue(whole_home, documents, write):
    put_models(whole_home, documents, write)
    signal = open_home(whole_home, CONFIGURATION).signal_for("SPY", AS_OF).document()
    Signal.model_validate(signal)
    assert signal["session"] == SESSION
    # The views of paths and of returns belong to services that nothing here asks for.
    read = sorted(set(GROUPS) - set(OPTIONAL_GROUPS) - {"iv_path", "variance"})
    assert signal["provenance"]["age_in_sessions"] == dict.fromkeys(read, 0)


def test_a_signal_of_simulated_paths_reads_their_view(whole_home, documents, write):
    put_models(whole_home, documents, write)
    write(whole_home / "models", documents["paths"](definition_hash=definition_hash()))
    signal = open_home(whole_home, CONFIGURATION).signal_for("SPY", AS_OF).document()
    Signal.model_validate(signal)
    # Without the views of other forecasters.
    read = sorted(set(GROUPS) - set(OPTIONAL_GROUPS) - {"iv_lags", "variance"})
    assert signal["provenance"]["age_in_sessions"] == dict.fromkeys(read, 0)
    assert signal["provenance"]["models"]["regime"]["feature_service"] == "volatility_paths"
    shown = signal["volatility"]["iv_rank_forecast"]
    assert 0 <= shown["low"] <= shown["median"] <= shown["high"] <= 100


def test_a_service_without_the_paths_view_refuses_a_model_of_it(whole_home, documents, write):
    put_models(whole_home, documents, write)
    other = {"definition_hash": definition_hash(), "feature_service": "volatility"}
    write(whole_home / "models", documents["paths"](**other))
    with pytest.raises(Refusal, match=r"model_refused.*vix_high_247d"):
        open_home(whole_home, CONFIGURATION).signal_for("SPY", AS_OF)


def test_references_are_those_of_the_catalogue(whole_home):
    data = whole_home / "data"
    store = open_snapshot(
        data, data / "feast" / "feature_store.yaml", data / "feast" / "serving_registry.db"
    )
    for name, references in SERVICES.items():
        stored = [reference for reference in references if reference.split(":")[0] in GROUPS]
        assert sorted(service_references(store, [name]).values()) == sorted(stored)


def test_a_registry_without_a_snapshot_serves_alike(whole_home, documents, write):
    """What Feast's own `apply` wrote has on-demand views, which serving does not read."""
    put_models(whole_home, documents, write)
    kept = open_home(whole_home, CONFIGURATION).signal_for("SPY", AS_OF)
    (whole_home / "data" / "feast" / "serving_registry.db").unlink()
    home = open_home(whole_home, CONFIGURATION)
    assert not home.store.list_on_demand_feature_views(allow_cache=True)
    assert home.signal_for("SPY", AS_OF) == kept
    references = service_references(home.store, SERVICES).values()
    assert {reference.split(":")[0] for reference in references} == set(GROUPS) - {"option_chain"}


def test_a_view_without_its_time_refuses(whole_home, documents, write, redis_server):
    put_models(whole_home, documents, write)
    client = redis_server.client()
    for key in client.keys("*ticker*"):
        client.hdel(key, "_ts:iv_lags")
    with pytest.raises(Refusal, match="iv_lags") as caught:
        open_home(whole_home, CONFIGURATION).signal_for("SPY", AS_OF)
    assert caught.value.error == "missing_views"


def test_the_model_writer_and_the_model_reader_agree_on_the_hash(documents):
    from home.strict_json import signature, signed

    for make in documents.values():
        written = signed(make() | {"version": 12})
        assert written["sha256"] == signature(written)
        assert Artifact.model_validate(written).version == 12
