"""Out-of-fold forecasts that are kept are the same, and no more once anything has changed."""

import os
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from forecasters.document import Artifact
from forecasters.returns import N_QUANTILES, PROBABILITIES, Returns
from home.layout import Home
from home.records.evidence import WALK_FORWARD, Evidence
from home.strict_json import signed
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import TABLES
from market.calendar import close, sessions
from optrade.flows.backtest.forecasts import placed
from optrade.flows.train.jobs import job_of
from optrade.flows.train.walked import KEPT, Walked, keep_walked, kept_walked, kept_walks
from optrade.flows.train.window import Window

DAYS = sessions("2023-01-03", "2023-03-31")
WINDOW = Window("max")
JOB = job_of("direction", "SPY", "logistic", pooled=False)
MODEL = Returns(
    features=["vix_close"],
    horizons=[5, 21],
    intercept=[-6.0, -4.0],
    coef=[[0.5], [0.5]],
    shapes=np.tile(np.linspace(-2.0, 2.0, N_QUANTILES), (2, 1)).tolist(),
    drift=[0.001, 0.004],
    daily=PROBABILITIES.tolist(),
)
EVIDENCE = Evidence(
    proven=False, standing="unproven", metric="crps", baseline="history", improvement=None,
    interval=None, verdict="unproven",
)  # fmt: skip


def model(end):
    return Artifact.model_validate(signed({
        "format": 2, "name": "distribution_SPY", "task": "distribution", "model": "log_har",
        "ticker": "SPY", "version": 0, "run_id": "walk", "alias": WALK_FORWARD,
        "feature_service": "distribution", "definition_hash": "d", "features": ["vix_close"],
        "parameters": MODEL.model_dump(), "classes": [], "calibration": None, "threshold": None,
        "call_weights": None, "trained": {"start": "2020-01-02", "end": end, "rows": 700},
        "evidence": EVIDENCE.document(),
    }))  # fmt: skip


FOUND = Walked(
    DAYS[:4], np.array([0, 0, 1, 1]), np.array([1, 0, -1, 1]),
    np.array([0.61, 0.52, np.nan, 0.7]), (model("2022-12-20"), model("2022-12-27")),
)  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    home = Home(tmp_path)
    land(home, DAYS)
    monkeypatch.setattr(Walked, "of", classmethod(lambda _cls, _trained, _run: FOUND))
    return SimpleNamespace(home=home)


def land(home, days):
    at = np.linspace(100.0, 120.0, len(days))
    rows = pd.DataFrame(
        {
            "ticker": "SPY", "session": days, "open": at, "high": at * 1.01, "low": at * 0.99,
            "close": at, "volume": 1e6, "dividend": 0.0, "split": 1.0, "adj_close": np.nan,
        }
    )  # fmt: skip
    with Lake(home.data) as lake:
        landed_at = close(days[-1:])[0] + pd.Timedelta(hours=1)
        lake.land(TABLES["prices"], rows, origin="simulated", landed_at=landed_at)


def test_kept_forecasts_are_those_that_were_made(run):
    assert kept_walked(run, JOB, WINDOW) is None
    keep_walked(run, JOB, WINDOW, trained=None)
    kept = kept_walked(run, JOB, WINDOW)
    assert kept.sessions.equals(FOUND.sessions)
    for name in ("fold", "calls", "sure"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(FOUND, name))
    (path,) = (run.home.files.processed / "walked").iterdir()
    _, walk, _ = path.name.split(".")
    (again,) = kept_walks(run.home, walk)
    assert list(kept_walks(run.home, "another")) == []
    for one in (kept, again):
        assert [m.model_dump_json() for m in one.models] == [
            m.model_dump_json() for m in FOUND.models
        ]


def test_a_session_is_answered_by_the_newest_model_that_had_not_seen_it():
    days = sessions("2022-12-30", "2023-01-10")
    ends = [one and one.trained.end for one in map(FOUND.model_at, days)]
    assert ends == [None, "2022-12-20", "2022-12-20", *["2022-12-27"] * (len(days) - 3)]


def test_only_a_model_of_a_walk_is_of_no_version():
    document = FOUND.models[0].model_dump()
    for change in ({"version": 1}, {"alias": "champion"}):
        with pytest.raises(ValidationError, match="allowed is 0 for a model of a walk-forward"):
            Artifact.model_validate({**document, **change})


def test_what_was_made_from_something_else_is_made_again(run):
    keep_walked(run, JOB, WINDOW, trained=None)
    assert kept_walked(run, JOB, Window("1mo")) is None
    other = job_of("direction", "SPY", "logistic", pooled=True)
    assert kept_walked(run, other, WINDOW) is None
    land(run.home, sessions("2023-01-03", "2023-04-03"))
    assert kept_walked(run, JOB, WINDOW) is None


def test_walks_of_other_windows_stay_beside_it_the_last_of_them(run):
    windows = [Window(start=str(day.date())) for day in DAYS[: KEPT + 1]]
    for at, window in enumerate(windows):
        keep_walked(run, JOB, window, trained=None)
        for path in (run.home.files.processed / "walked").iterdir():
            os.utime(path, ns=(path.stat().st_mtime_ns - 10**9,) * 2)
        assert kept_walked(run, JOB, windows[0]) is not None or at >= KEPT
    assert len(list((run.home.files.processed / "walked").iterdir())) <= KEPT
    assert kept_walked(run, JOB, windows[-1]) is not None


@pytest.mark.parametrize("damage", [lambda text: text[:-40], lambda _: b"", lambda _: b"[1]"])
def test_a_damaged_file_is_made_again(run, damage):
    keep_walked(run, JOB, WINDOW, trained=None)
    (path,) = (run.home.files.processed / "walked").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert kept_walked(run, JOB, WINDOW) is None


def test_forecasts_stand_at_their_sessions():
    found = placed(FOUND.sessions, FOUND.calls, DAYS[1:6], -1)
    assert found.tolist() == [0, -1, 1, -1, -1]
    assert np.isnan(placed(FOUND.sessions, FOUND.sure, DAYS[10:12], np.nan)).all()
