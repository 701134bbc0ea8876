"""Model artifacts as data, and small real Feast stores on a real Redis."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from home.strict_json import signed
from optrade.redis.process import server_path
from tests.online_rows import vouch

SESSION = "2025-06-30"
AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")
DEFINITIONS = "d" * 64
VIEWS = {
    "technical": ("returns_5d", "hv_20", "sma_20", "price_to_sma_20"),
    "iv": ("iv_rank", "iv_hv_spread", "vix_close", "vix_term_slope"),
    "macro": ("fed_funds_effective", "unemployment_rate", "treasury_3m"),
}
SERVICES = {
    "direction": ("technical", "iv", "macro"),
    "volatility": ("technical", "iv"),
    "volatility_paths": ("technical", "iv"),
    "distribution": ("iv",),
    # No optional views here: their services, which a ready home has, hold the others alone.
    "direction_sentiment": ("technical", "iv", "macro"),
    "direction_earnings": ("technical", "iv", "macro"),
    "direction_sentiment_earnings": ("technical", "iv", "macro"),
}
VALUES = {
    "returns_5d": 0.012,
    "hv_20": 14.5,
    "sma_20": 600.0,
    "price_to_sma_20": 0.02,
    "iv_rank": 18.0,
    "iv_hv_spread": 2.25,
    "vix_close": 16.75,
    "vix_term_slope": 1.5,
    "fed_funds_effective": 4.33,
    "unemployment_rate": 4.2,
    "treasury_3m": 4.3,
}


def seal(document: dict) -> dict:
    """Return a document with the hash of its canonical JSON, worked out independently."""
    rest = {k: v for k, v in document.items() if k != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return {**rest, "sha256": sha256(text.encode()).hexdigest()}


LINEAR = ("mean", "scale", "coef", "intercept")


def model_document(document: dict, linear: dict, changes: dict) -> dict:
    """Return a sealed document; changes of a linear model's numbers go where these are."""
    features = changes.get("features", document["features"])
    numbers = linear | {name: changes[name] for name in LINEAR if name in changes}
    parameters = {"kind": "linear", "features": features, **numbers}
    rest = {name: value for name, value in changes.items() if name not in LINEAR}
    return seal({**document, "parameters": parameters, **rest})


def direction_document(ticker: str = "SPY", **changes: object) -> dict:
    return model_document(
        {
            "format": 2, "name": f"direction_{ticker}", "task": "direction", "model": "logistic",
            "ticker": ticker, "version": 3, "run_id": "a1b2", "alias": "champion",
            "feature_service": "direction", "definition_hash": DEFINITIONS,
            "features": ["returns_5d", "iv_rank", "fed_funds_effective"],
            "classes": ["DOWN", "UP"], "calibration": {"slope": 1.1, "intercept": 0.05},
            "threshold": 0.45, "call_weights": None,
            "trained": {"start": "2012-01-03", "end": "2025-06-20", "rows": 2100},
            "evidence": {
                "proven": True, "standing": "proven", "metric": "log_loss",
                "baseline": "class_prior",
                "improvement": 0.0125, "interval": [0.001, 0.024], "verdict": "proven: better",
            },
        },
        {
            "mean": [0.001, 30.0, 2.0], "scale": [0.02, 25.0, 1.5],
            "coef": [[0.4, -0.2, 0.1]], "intercept": [0.3],
        },
        changes,
    )  # fmt: skip


def regime_document(ticker: str = "SPY", **changes: object) -> dict:
    return model_document(
        {
            "format": 2, "name": f"regime_{ticker}", "task": "regime", "model": "logistic",
            "ticker": ticker, "version": 2, "run_id": "c3d4", "alias": "champion",
            "feature_service": "volatility", "definition_hash": DEFINITIONS,
            "features": ["iv_rank", "vix_close", "hv_20"], "classes": ["LOW", "NORMAL", "HIGH"],
            "calibration": None, "threshold": None, "call_weights": [1.0, 1.0, 1.0],
            "trained": {"start": "2012-01-03", "end": "2025-06-20", "rows": 3300},
            "evidence": {
                "proven": True, "standing": "proven", "metric": "log_loss",
                "baseline": "transition_table",
                "improvement": 0.031, "interval": [0.012, 0.05], "verdict": "proven: better",
            },
        },
        {
            "mean": [30.0, 18.0, 15.0], "scale": [25.0, 6.0, 7.0],
            "coef": [[-2.0, -0.4, 0.1], [0.3, 0.1, 0.0], [1.7, 0.3, -0.1]],
            "intercept": [0.6, 0.4, -1.0],
        },
        changes,
    )  # fmt: skip


def path_document(ticker: str = "SPY", **changes: object) -> dict:
    """A path simulation of a few drawn paths."""
    from feature_repo.features.catalogue import names

    rng = np.random.default_rng(6)

    def ridge(width: int) -> dict:
        return {
            "mean": rng.normal(size=width).tolist(), "scale": rng.uniform(1, 2, width).tolist(),
            "coef": rng.normal(scale=0.1, size=width).tolist(), "intercept": -2.5,
        }  # fmt: skip

    features = ["vix_close", *names("iv_path")]
    parameters = {
        "kind": "paths", "features": features, "volatility": ridge(8), "drift": ridge(4),
        "paths": rng.normal(size=(60, 5)).tolist(), "floor": 0.003, "smallest": 0.001,
    }  # fmt: skip
    given = {"model": "paths", "feature_service": "volatility_paths", "features": features}
    return regime_document(ticker, **{**given, "parameters": parameters, **changes})


DOCUMENTS = {"direction": direction_document, "regime": regime_document, "paths": path_document}


def write_model(models_dir: Path, document: dict) -> Path:
    path = models_dir / "serving" / f"{document['task']}_{document['ticker']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    digest = sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".sha256").write_text(f"{digest}  {path.name}\n")
    return path


@pytest.fixture(scope="session")
def documents() -> dict[str, Callable[..., dict]]:
    """Makers of sealed model documents, by task."""
    return DOCUMENTS


@pytest.fixture(scope="session")
def reseal() -> Callable[[dict], dict]:
    return seal


@pytest.fixture(scope="session")
def write() -> Callable[[Path, dict], Path]:
    return write_model


@dataclass
class RedisServer:
    """A redis-server of its own, ended by its pid."""

    folder: Path
    password: str = "12345678"
    port: int = 0
    process: subprocess.Popen | None = field(default=None, repr=False)

    def start(self) -> "RedisServer":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [server_path(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--requirepass", self.password, "--dir", self.folder],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while not self.accepts():
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)
        return self

    def accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.thaw()
            self.process.kill()
            self.process.wait()

    def connection_string(self) -> str:
        # Quoted, so that a password of digits stays one.
        return (
            f'127.0.0.1:{self.port},password="{self.password}",'
            "socket_timeout=0.25,socket_connect_timeout=0.25,retry=null"
        )

    def client(self):
        import redis

        return redis.Redis(port=self.port, password=self.password)


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    shared_redis.client().flushall()
    return shared_redis


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that a test may freeze or kill."""
    server = RedisServer(tmp_path).start()
    yield server
    server.stop()


class FeastHome:
    """A small Feast repo in a home, with the real store's entities and a Redis online store."""

    def __init__(self, root: Path, server: RedisServer) -> None:
        from feast import (
            Entity,
            FeatureService,
            FeatureStore,
            FeatureView,
            Field,
            FileSource,
            ValueType,
        )
        from feast.types import Float64, String

        self.root, self.server = root, server
        self.data, self.models = root / "data", root / "models"
        self.repo = self.data / "feast"
        self.repo.mkdir(parents=True)
        self.yaml = self.repo / "feature_store.yaml"
        self.registry = self.repo / "registry.db"
        self.write_yaml()
        self.writer = FeatureStore(repo_path=str(self.repo), fs_yaml_file=self.yaml)
        entities = {
            name: Entity(name=name, join_keys=[name], value_type=ValueType.STRING)
            for name in ("ticker", "market")
        }
        views = {}
        for name, features in VIEWS.items():
            key = "market" if name == "macro" else "ticker"
            fields = [Field(name=key, dtype=String)]
            fields += [Field(name=feature, dtype=Float64) for feature in features]
            path = f"{self.data}/{name}.parquet"
            source = FileSource(name=name, path=path, timestamp_field="event_timestamp")
            views[name] = FeatureView(
                name=name, entities=[entities[key]], schema=fields, source=source
            )
        services = [
            FeatureService(name=name, features=[views[v] for v in used])
            for name, used in SERVICES.items()
        ]
        self.writer.apply([*entities.values(), *views.values(), *services])

    def write_yaml(self) -> None:
        import yaml

        document = {
            "project": "small", "provider": "local", "registry": str(self.registry),
            "online_store": {
                "type": "redis", "connection_string": self.server.connection_string(),
                "skip_dedup": True,
            },
            "offline_store": {"type": "file"}, "entity_key_serialization_version": 3,
        }  # fmt: skip
        self.yaml.write_text(yaml.safe_dump(document))

    def put(
        self,
        session: str = SESSION,
        views: tuple[str, ...] = tuple(VIEWS),
        ticker: str = "SPY",
        moment: pd.Timestamp | None = None,
        **changes: float,
    ) -> None:
        from market.calendar import close

        at = close(pd.DatetimeIndex([session]))[0] if moment is None else moment
        for view in views:
            key = {"market": "US"} if view == "macro" else {"ticker": ticker}
            row = {f: changes.get(f, VALUES[f]) for f in VIEWS[view]}
            frame = pd.DataFrame([{**key, **row, "event_timestamp": at, "created": at}])
            self.writer.write_to_online_store(view, frame)
        self.vouch(*views)

    def vouch(self, *views: str) -> None:
        """Put the checks beside the rows of views, as `optrade materialize` does."""
        vouch(self.server.client(), {view: VIEWS[view] for view in views})

    def publish(self, session: str = SESSION, **changes: object) -> None:
        pointer = {
            "session": session, "as_of": AS_OF.isoformat(), "origin": "recorded",
            "tickers": ["SPY"], "definition_hash": DEFINITIONS,
            "data_dir": str(self.data.resolve()), **changes,
        }  # fmt: skip
        self.server.client().set("optrade:session", json.dumps(signed(pointer)))

    def fill(self, session: str = SESSION) -> "FeastHome":
        self.put(session)
        self.publish(session)
        return self

    def add_models(self, **changes: object) -> "FeastHome":
        write_model(self.models, direction_document(**changes))
        write_model(self.models, regime_document(**changes))
        return self

    def open(self):
        from serving.reading.online import connect, open_snapshot

        store = open_snapshot(self.repo, self.yaml, self.repo / "serving_registry.db")
        return store, connect(store)


@pytest.fixture(scope="session")
def make_home() -> type[FeastHome]:
    return FeastHome


@pytest.fixture
def feast_home(tmp_path: Path, redis_server: RedisServer) -> FeastHome:
    return FeastHome(tmp_path / "home", redis_server)


@pytest.fixture
def home_on_own_redis(tmp_path: Path, own_redis: RedisServer) -> FeastHome:
    return FeastHome(tmp_path / "home", own_redis)


def exact_probability(document: dict, values: dict[str, float]) -> float:
    """P(UP) by plain Python arithmetic."""
    model = document["parameters"]
    z = model["intercept"][0] + sum(
        c * (values[f] - m) / s
        for f, m, s, c in zip(
            model["features"], model["mean"], model["scale"], model["coef"][0], strict=True
        )
    )
    curve = document["calibration"]
    return 1 / (1 + math.exp(-(curve["slope"] * z + curve["intercept"])))


@pytest.fixture(scope="session")
def exact() -> Callable[[dict, dict[str, float]], float]:
    return exact_probability


@pytest.fixture
def values() -> dict[str, float]:
    return dict(VALUES)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20250630)


def restore(home: FeastHome) -> None:
    """Put the served home right: data, models of this code's definitions, clock and origin."""
    from feature_repo.features.definition_hash import definition_hash
    from serving.reading.configuration import Configuration, write_configuration

    yaml = str(home.yaml.relative_to(home.root))
    home.server.client().flushall()
    home.put()
    home.publish(definition_hash=definition_hash())
    home.add_models(definition_hash=definition_hash())
    write_configuration(
        home.data,
        Configuration(as_of=AS_OF.isoformat(), origin="recorded", feature_store=yaml),
    )


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FeastHome, str]]:
    """A home, and the base URL of the one service over it, that runs as users run it."""
    server = RedisServer(tmp_path_factory.mktemp("served_redis")).start()
    home = FeastHome(tmp_path_factory.mktemp("served") / "home", server)
    restore(home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home.root / "serve.log"
    # As a user starts it: nothing in the environment says that usage is not to be reported.
    kept = {k: v for k, v in os.environ.items() if not k.endswith("DO_NOT_TRACK")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("bentoml"), "serve", "serving.service:SignalService",
             "--port", str(port)],
            cwd=Path(__file__).resolve().parents[2],
            env={
                **kept,
                "OPTRADE_HOME": str(home.root),
                # A service of another test empties the folder of metrics that all share.
                "BENTOML_HOME": str(home.root / "bentoml"),
            },
            stdout=output, stderr=output,
        )  # fmt: skip
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process, log)
            yield home, f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
            server.stop()


def wait_until_ready(base: str, process: subprocess.Popen, log: Path) -> None:
    import httpx2

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{base}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the service did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def restored(served: tuple[FeastHome, str]) -> Iterator[tuple[FeastHome, str]]:
    """The served home, put right again after a test has spoiled it."""
    yield served
    restore(served[0])
