"""Feast's quality monitoring, beside its own file store over the same repo."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from feast import FeatureStore
from feast.monitoring.monitoring_service import MonitoringService
from feast.monitoring.monitoring_utils import MONITORING_PARQUET_FILES

from tests.feature_repo.store.asof_home import Home
from tests.feature_repo.store.contract_repo import DASK, KNOWN_AT, LIKE_DASK, T0, make_store

DAY = T0.date()
RUN = ("computed_at", "job_id", "started_at", "completed_at", "duration_ms")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MonitoringService]:
    root = tmp_path_factory.mktemp("monitored")
    made = {}
    for name, offline in {"dask": DASK, "like": LIKE_DASK, "known": KNOWN_AT}.items():
        made[name] = MonitoringService(make_store(root / name, offline))
        made[name].auto_compute(project="rides")
        made[name].compute_baseline(project="rides", feature_view_name="drivers")
    return made


def rows(service: MonitoringService, kind: str, **filters: Any) -> pd.DataFrame:
    store: FeatureStore = service._store
    offline = store._get_provider().offline_store
    found = offline.query_monitoring_metrics(store.config, "rides", kind, **filters)
    frame = pd.DataFrame(found).drop(columns=[n for n in RUN if n in (found or [{}])[0]])
    return frame.sort_values([n for n in frame if n.endswith(("_name", "date", "granularity"))])


@pytest.mark.parametrize("kind", ["feature", "feature_view", "feature_service"])
def test_measures_are_those_of_the_file_store(
    measured: dict[str, MonitoringService], kind: str
) -> None:
    mine, theirs = (rows(measured[name], kind).reset_index(drop=True) for name in ("like", "dask"))
    assert len(mine) > 5
    columns = sorted(set(mine) - {"histogram"})
    pd.testing.assert_frame_equal(mine[columns], theirs[columns], check_dtype=False)
    for one, other in zip(mine.get("histogram", []), theirs.get("histogram", []), strict=True):
        assert one == other


def test_measures_are_found_by_name_and_day(measured: dict[str, MonitoringService]) -> None:
    filters = {"feature_view_name": "drivers", "feature_name": "trips", "granularity": "daily"}
    found = rows(measured["known"], "feature", filters=filters)
    assert set(found["feature_name"]) == {"trips"}
    none = {"start_date": date(2020, 1, 1), "end_date": date(2020, 1, 2)}
    assert rows(measured["known"], "feature", filters=filters, **none).empty


def test_a_measure_sees_the_rows_known_by_the_end_of_its_day(
    measured: dict[str, MonitoringService],
) -> None:
    """The row of 1002 at hour 3 became known ten hours later, on the next day."""
    counts = {}
    for name in ("like", "known"):
        answer = measured[name].compute_transient(
            project="rides", feature_view_name="drivers", start_date=DAY, end_date=DAY
        )
        assert answer["status"] == "completed"
        counts[name] = {row["feature_name"]: row["row_count"] for row in answer["metrics"]}
    assert counts["like"]["trips"] == counts["known"]["trips"] + 1


def test_one_baseline_and_one_row_a_key(measured: dict[str, MonitoringService]) -> None:
    for name in ("like", "dask"):
        service = measured[name]
        before = len(rows(service, "feature"))
        for _ in range(2):
            service.compute_baseline(project="rides", feature_view_name="drivers")
        found = rows(service, "feature")
        assert len(found) == before
        # Feast gave each view a first baseline by itself.
        baselines = found.loc[found["is_baseline"], "feature_name"]
        assert sorted(baselines) == ["city", "conv", "fuel", "trips"]
    store = measured["like"]._store
    store._get_provider().offline_store.clear_monitoring_baseline(store.config, "rides")
    assert not rows(measured["like"], "feature")["is_baseline"].any()


def test_jobs_are_kept(tmp_path: Path) -> None:
    service = MonitoringService(make_store(tmp_path / "repo", KNOWN_AT))
    job = service.job_manager.submit("rides", "auto_compute", "drivers", {"granularity": "daily"})
    service.job_manager.execute_job(job, service)
    found = service.job_manager.get_job(job)
    assert (found["status"], found["parameters"]) == ("completed", {"granularity": "daily"})
    assert found["completed_at"] >= found["started_at"]
    folder = tmp_path / "repo" / "feast_monitoring"
    assert {path.name for path in folder.glob("*.parquet")} == set(
        MONITORING_PARQUET_FILES.values()
    )


def test_measures_of_a_home_stand_with_its_data(home: Home) -> None:
    service = MonitoringService(home.store)
    assert service.auto_compute(project="optrade")["status"] == "completed"
    assert (home.data / "feast_monitoring").is_dir()
    assert not (Path(home.store.config.repo_path) / "feast_monitoring").exists()
