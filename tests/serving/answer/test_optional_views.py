"""Models that read optional views and what is computed on demand: online is offline, or why not."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from feast import FeatureStore

from feature_repo.features.catalogue import FLAG_GROUPS, GROUPS, ON_DEMAND, names
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.services import SERVICES, VOLATILITY_INPUTS
from feature_repo.store.repo_config import repo_config
from ingestion.lake.lake import Lake
from ingestion.online.materialize import materialize
from market.calendar import close, decision_time, sessions
from market.underlyings import MARKET
from serving.answer.open_home import OpenHome, open_home
from serving.reading.artifact import load_artifact
from serving.reading.configuration import Configuration
from serving.reading.refusal import Refusal
from training.frames.dataset import load_frame

pytestmark = pytest.mark.integration

DAYS = sessions("2025-06-02", "2025-06-30")
AS_OF = decision_time(DAYS[-1:])[0]
CONFIGURATION = Configuration(
    as_of=AS_OF.isoformat(), origin="simulated", feature_store="data/feast/feature_store.yaml"
)
DIRECTION = [name for name in SERVICES if name.startswith("direction")]
WHOLE = "direction_sentiment_earnings"


def feature_rows(view: str, days: pd.DatetimeIndex, **fixed: float | None) -> pl.DataFrame:
    """Rows of one view: flags are 0 or 1, all else lies in 0 to 100, `fixed` in every row."""
    group = GROUPS[view]
    draw = np.random.default_rng([7, *view.encode()])
    columns = {
        row.name: draw.integers(0, 2, len(days)) * 1.0
        if row.unit == "flag 0/1"
        else draw.uniform(0, 100, len(days))
        for row in group.features
    }
    columns |= {name: np.full(len(days), value, float) for name, value in fixed.items()}
    key = MARKET if group.entity == "market" else "SPY"
    times = pl.Series(close(days).tz_localize(None).to_numpy()).cast(pl.Datetime("us"))
    return pl.DataFrame(
        {
            group.entity: [key] * len(days),
            "session": pl.Series(days.to_numpy()).dt.date(),
            "event_timestamp": times.dt.replace_time_zone("UTC"),
            "created_timestamp": times.dt.replace_time_zone("UTC"),
            **{name: pl.Series(column).fill_nan(None) for name, column in columns.items()},
        }
    )


@dataclass
class StoredHome:
    """A home whose views are written, materialised and served by the platform's own code."""

    root: Path
    url: str
    documents: dict[str, Callable[..., dict]]
    write_model: Callable[[Path, dict], Path]

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def store(self) -> FeatureStore:
        return FeatureStore(config=repo_config(self.data, self.url, timeout=5))

    def fill(
        self, without: tuple[str, ...] = (), behind: tuple[str, ...] = (), **fixed: float | None
    ) -> "StoredHome":
        with Lake(self.data) as lake:
            for view, group in GROUPS.items():
                if view in without:
                    continue
                days = DAYS[:-1] if view in behind else DAYS
                mine = {name: value for name, value in fixed.items() if name in names(view)}
                rows = feature_rows(view, days, **mine)
                lake.open_view(view, group.entity, definition_hash())
                lake.write_features(view, rows.item(0, 0), rows, AS_OF)
            lake.commit("simulated")
        assert materialize(self.store, self.data, AS_OF).session == str(DAYS[-1].date())
        return self

    def train(self, service: str, features: list[str] | None = None) -> "StoredHome":
        """Write models as a training does, with coefficients of their own for every feature."""
        chosen = features or [reference.split(":")[1] for reference in SERVICES[service]]
        drawn = np.random.default_rng(3)
        for task, read, rows in (
            ("direction", chosen, 1),
            ("regime", list(VOLATILITY_INPUTS), 3),
        ):
            document = self.documents[task](
                definition_hash=definition_hash(),
                feature_service={"direction": service, "regime": "volatility"}[task],
                features=read,
                mean=drawn.uniform(0, 100, len(read)).tolist(),
                scale=drawn.uniform(50, 100, len(read)).tolist(),
                coef=drawn.normal(scale=0.2, size=(rows, len(read))).tolist(),
            )
            self.write_model(self.root / "models", document)
        return self

    def open(self) -> OpenHome:
        return open_home(self.root, CONFIGURATION)

    def signal(self) -> dict:
        return self.open().signal_for("SPY", AS_OF).document()

    def refusal(self) -> Refusal:
        with pytest.raises(Refusal) as caught:
            self.signal()
        return caught.value


@pytest.fixture
def stored_home(tmp_path, redis_server, documents, write) -> StoredHome:
    url = f"redis://:{redis_server.password}@127.0.0.1:{redis_server.port}"
    return StoredHome(tmp_path / "home", url, documents, write)


@pytest.mark.parametrize("service", DIRECTION)
def test_a_signal_is_what_training_reads_of_the_same_session(stored_home, service):
    stored_home.fill().train(service)
    frame = load_frame(stored_home.store, service, ["SPY"], DAYS[-1:])
    assert set(frame) - {"ticker", "session"} == {r.split(":")[1] for r in SERVICES[service]}
    assert frame.notna().all(axis=None)
    offline = frame.drop(columns=["ticker", "session"]).iloc[0].to_dict()
    model = load_artifact(stored_home.root / "models", "direction", "SPY", definition_hash())
    signal = stored_home.signal()
    assert signal["prediction"]["probability"] == model.probability_up(offline)
    served = signal["provenance"]["models"]["direction"]
    assert served["feature_service"] == service
    read = {reference.split(":")[0] for reference in SERVICES[service]} & GROUPS.keys()
    assert signal["provenance"]["age_in_sessions"].keys() == read | {"iv_lags"}


def test_what_is_on_demand_moves_the_answer(stored_home):
    """Of two homes that differ in one input, a model of the cross view alone tells which."""
    on_demand = list(names("cross"))
    low = stored_home.fill(iv_rank=20.0).train(WHOLE, on_demand).signal()
    high = stored_home.fill(iv_rank=90.0).signal()
    assert low["prediction"]["probability"] != high["prediction"]["probability"]


@pytest.mark.parametrize("view", FLAG_GROUPS)
def test_an_optional_view_of_another_session_refuses_the_models_that_read_it(stored_home, view):
    stored_home.fill(behind=(view,)).train(WHOLE)
    found = stored_home.refusal()
    assert found.error == "mixed_sessions"
    assert f"{view} {DAYS[-2].date()}" in found.detail
    (other,) = set(FLAG_GROUPS) - {view}
    for service in ("direction", f"direction_{other}"):
        assert stored_home.train(service).signal()["session"] == str(DAYS[-1].date())


@pytest.mark.parametrize("view", FLAG_GROUPS)
def test_an_optional_view_that_a_home_lacks_refuses_the_models_that_read_it(stored_home, view):
    stored_home.fill(without=(view,)).train(WHOLE)
    found = stored_home.refusal()
    assert found.error == "missing_views"
    assert f"no row of SPY in {view}:" in found.detail
    stored_home.open().check_ready()
    (other,) = set(FLAG_GROUPS) - {view}
    for service in ("direction", f"direction_{other}"):
        assert stored_home.train(service).signal()["session"] == str(DAYS[-1].date())


def test_an_unknown_input_of_an_on_demand_feature_refuses_with_both(stored_home):
    stored_home.fill(sentiment_score=np.nan)
    stored_home.train(WHOLE, ["sentiment_iv_divergence", "rsi_14"])
    found = stored_home.refusal()
    assert found.error == "null_features"
    assert found.detail.endswith("sentiment_iv_divergence, sentiment_score")
    assert stored_home.train(WHOLE, ["sentiment_bullish_high_iv", "rsi_14"]).signal()


@pytest.mark.parametrize("name", names("cross"))
def test_a_service_without_the_inputs_of_a_feature_does_not_hold_it(stored_home, name):
    stored_home.fill().train("direction", [name, "rsi_14"])
    (feature,) = (row for row in ON_DEMAND["cross"].features if row.name == name)
    found = stored_home.refusal()
    assert found.error == "model_refused"
    assert feature.inputs[0] in found.detail
