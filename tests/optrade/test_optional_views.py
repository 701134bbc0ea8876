"""`--sentiment` and `--earnings`: the service they choose, and homes that cannot fill it."""

import sys
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest

from feature_repo.features.catalogue import (
    FLAG_GROUPS,
    GROUPS,
    ON_DEMAND,
    OPTIONAL_GROUPS,
    UNSAFE,
    find,
    names,
)
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.services import SERVICES
from home.layout import Home
from home.records.drift import DriftReport
from ingestion.lake.lake import Lake
from ingestion.online.feast_registry import apply
from ingestion.tables.catalogue import TABLES
from market.calendar import close, sessions
from market.errors import InputError
from market.underlyings import MARKET
from optrade.cli import main
from optrade.cli.options import _view_flags
from optrade.flows import monitoring
from optrade.flows.train.jobs import Job
from optrade.flows.train.models import train_models, train_one
from optrade.flows.train.window import Window
from optrade.runtime import Runtime
from optrade.settings import Settings
from training.settings import Settings as Training
from training.tasks.direction import DIRECTION, direction_service

DAYS = sessions("2021-01-04", "2023-12-29")
LANDED = close(DAYS[-1:])[0] + pd.Timedelta(hours=1)
WHOLE = "direction_sentiment_earnings"
WINDOW = Window("10y")


def rows(view: str, key: str, days: pd.DatetimeIndex) -> pl.DataFrame:
    group = GROUPS[view]
    draw = np.random.default_rng([5, *view.encode()])
    columns = {
        row.name: draw.integers(0, 2, len(days)) * 1.0
        if row.unit == "flag 0/1"
        else draw.uniform(0, 100, len(days))
        for row in group.features
    }
    at = pl.Series(close(days).tz_localize(None).to_numpy()).cast(pl.Datetime("us"))
    stamps = dict.fromkeys(("event_timestamp", "created_timestamp"), at.dt.replace_time_zone("UTC"))
    session = pl.Series(days.to_numpy()).dt.date()
    return pl.DataFrame({group.entity: [key] * len(days), "session": session, **stamps, **columns})


def prices(days: pd.DatetimeIndex) -> pd.DataFrame:
    steps = 0.015 * np.random.default_rng(1).standard_normal(len(days))
    at = 100 * np.exp(np.cumsum(steps))
    bars = {"open": at, "high": at * 1.01, "low": at * 0.99, "close": at, "volume": 1e6}
    rest = {"dividend": 0.0, "split": 1.0, "adj_close": np.nan}
    return pd.DataFrame({"ticker": "SPY", "session": days, **bars, **rest})


def make_run(root: Path, views: dict[str, pd.DatetimeIndex]) -> Runtime:
    """A home of SPY with these sessions of its views, and its feature registry."""
    home = Home(root)
    with Lake(home.data) as lake:
        lake.land(TABLES["prices"], prices(DAYS), origin="simulated", landed_at=LANDED)
        for view, days in views.items():
            key = MARKET if GROUPS[view].entity == "market" else "SPY"
            lake.open_view(view, GROUPS[view].entity, definition_hash())
            lake.write_features(view, key, rows(view, key, days), LANDED)
        lake.commit("simulated")
    run = Runtime(Settings(), home, LANDED)
    apply(run.feature_store(online=False), home.data)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return make_run(tmp_path_factory.mktemp("whole"), dict.fromkeys(GROUPS, DAYS))


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    required = [view for view in GROUPS if view not in OPTIONAL_GROUPS]
    return make_run(tmp_path_factory.mktemp("lacking"), dict.fromkeys(required, DAYS))


def silent(_what: str, _done: int, _total: int) -> None: ...


@pytest.mark.parametrize(
    ("flags", "service"),
    [
        ((), "direction"),
        (("--sentiment",), "direction_sentiment"),
        (("--earnings",), "direction_earnings"),
        (("--earnings", "--sentiment", "--safe-features"), WHOLE),
    ],
)
def test_flags_choose_the_service(
    flags: tuple[str, ...],
    service: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Job] = []
    monkeypatch.setenv("OPTRADE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["optrade", "train", "--ticker", "SPY", *flags])
    monkeypatch.setattr(
        "optrade.flows.train.models.train_models",
        lambda _run, jobs, *_, **__: asked.extend(jobs) or [],
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    (job,) = asked
    assert job.settings.feature_service == service
    assert job.settings.safe_features == ("--safe-features" in flags)


def test_a_view_brings_its_flag_by_its_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("feature_repo.features.catalogue.FLAG_GROUPS", ("options_flow",))
    _view_flags.cache_clear()
    monkeypatch.setattr(sys, "argv", ["optrade", "train", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    _view_flags.cache_clear()
    shown = capsys.readouterr().out
    assert not ended.value.code
    assert "--options_flow" in shown
    assert "--earnings" not in shown


def test_every_direction_service_has_its_flags() -> None:
    counts = range(len(FLAG_GROUPS) + 1)
    made = {direction_service(some) for n in counts for some in combinations(FLAG_GROUPS, n)}
    assert made == set(SERVICES) - {"volatility", "volatility_paths", "distribution"}


@pytest.mark.parametrize("safe", [False, True])
def test_a_model_of_all_views_names_its_service_and_reads_what_is_on_demand(
    whole: Runtime, safe: bool
) -> None:
    settings = Training(
        "SPY", safe_features=safe, n_features=500, n_folds=2, resamples=20, feature_service=WHOLE
    )
    trained = train_one(whole, whole.feature_store(online=False), Job(DIRECTION, settings), WINDOW)
    assert trained.evidence.feature_service == WHOLE
    read = set(trained.evidence.features) | set(trained.evidence.twins)
    pool = {reference.split(":")[1] for reference in SERVICES[WHOLE]}
    assert read == (pool - set(UNSAFE) if safe else pool)
    assert set(names("cross")) <= read


def test_a_view_that_covers_too_little_is_refused_with_its_flag(tmp_path: Path) -> None:
    late = dict.fromkeys(GROUPS, DAYS) | {"sentiment": DAYS[len(DAYS) // 2 :]}
    run = make_run(tmp_path, late)
    store = run.feature_store(online=False)
    job = Job(DIRECTION, Training("SPY", n_folds=2, resamples=20, feature_service=WHOLE))
    with pytest.raises(InputError, match="the sentiment view is empty: at most 50%") as refused:
        train_one(run, store, job, WINDOW)
    assert "or train without --sentiment" in str(refused.value)
    covered = Window(start="2022-09-01", end="2023-12-29")
    assert train_one(run, store, job, covered).evidence.window.start == "2022-09-01"


@pytest.mark.parametrize(
    ("service", "ticker", "words"),
    [
        ("direction_sentiment", "SPY", "--sentiment: this home has no row of SPY"),
        ("direction_earnings", "SPY", "--earnings: this home has no row of SPY"),
        ("direction_earnings", "IWM", "--earnings: no basket of companies stands for IWM"),
    ],
)
def test_a_home_that_lacks_a_view_refuses_before_anything_is_trained(
    lacking: Runtime, service: str, ticker: str, words: str
) -> None:
    asked = Training("SPY"), Training(ticker, feature_service=service)
    jobs = [Job(DIRECTION, settings) for settings in asked]
    with pytest.raises(InputError, match=words):
        train_models(lacking, jobs, WINDOW, silent)
    assert not lacking.home.mlruns.exists()


# Drift: the views of the model that serves, without those that the home does not have.


def report(run: Runtime, service: str, monkeypatch: pytest.MonkeyPatch) -> DriftReport:
    trained = SimpleNamespace(start="2021-01-04", end="2023-06-30")
    model = SimpleNamespace(trained=trained, feature_service=service)
    monkeypatch.setattr(monitoring, "_served", lambda _run, _ticker: model)
    monkeypatch.setattr(monitoring, "write_report", lambda folder, *_: folder)
    return monitoring.report_drift(run, "SPY", 63)[0]


@pytest.mark.parametrize("service", ["direction", "direction_sentiment", WHOLE])
def test_drift_is_of_what_the_served_models_read(
    whole: Runtime, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = report(whole, service, monkeypatch)
    read = {
        reference.split(":")[1] for name in (service, "volatility") for reference in SERVICES[name]
    }
    assert {row.name for row in found.features} == read
    assert all(row.view == find(row.name)[0].name for row in found.features)


def test_drift_leaves_out_views_that_the_home_does_not_have(
    lacking: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = report(lacking, WHOLE, monkeypatch)
    views = {row.view for row in found.features}
    # Neither does it show what no model reads.
    assert views == set(GROUPS) - set(OPTIONAL_GROUPS) - {"iv_path", "variance"}
    assert found.compared == len(found.features)


def test_a_required_view_without_a_value_stays_in_the_report() -> None:
    frame = pd.DataFrame({"rsi_14": [np.nan], "sentiment_score": [np.nan], "iv_rank": [1.0]})
    assert monitoring.known_views(frame) == {"rsi_14": "technical", "iv_rank": "iv"}
    some = frame.assign(news_buzz_score=0.5)
    assert monitoring.known_views(some)["sentiment_score"] == "sentiment"
    assert not set(ON_DEMAND) & set(monitoring.known_views(some).values())
