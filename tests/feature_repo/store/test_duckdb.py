"""The as-of store beside Feast's own duckdb store: where they agree, and why where they differ.

The named rules of a difference:

- known time: duckdb by default shows a row before it was known, be it the first version of a later
  event or a correction; with `filter_by_created_timestamp` it does not, and both agree.
- ties: of rows equal in key, event and known time duckdb takes any, the as-of store the last.

There is no third rule: ttl, its edge included, clock changes, nulls and duplicates agree. What
duckdb cannot read at all is left out: a ttl of days and hours (71 hours), an entity frame without
any moment.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from feast import FeatureView, FileSource, RepoConfig
from hypothesis import HealthCheck, given, settings

from tests.feature_repo.store.asof_cases import (
    DAY,
    FEATURES,
    HOUR,
    MICROSECOND,
    TIMES,
    Case,
    Plain,
    Row,
    candidates,
    cases,
    expected,
    frame,
    new_york,
    plain,
    write,
)
from tests.feature_repo.store.test_proof import answers

duckdb = pytest.importorskip("feast.infra.offline_stores.duckdb")

NORMAL, LONG = 60, 1_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    yield plain(tmp_path_factory.mktemp("duckdb") / "data")


def duckdb_answers(project: Plain, case: Case, *, known_at: bool) -> list[tuple]:
    """Return what Feast's duckdb store gives each entity row; it does not keep their order."""
    write(case, project.folders[case.keys])
    view, registry = (
        files_of(project.view(case), project.folders[case.keys]),
        project.store.registry,
    )
    config = RepoConfig(
        project=project.store.project,
        provider="local",
        registry="unused",
        offline_store={"type": "duckdb"},
        repo_path=Path.cwd(),
        entity_key_serialization_version=3,
    )
    refs = [f"{view.name}:{feature}" for feature in FEATURES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        job = duckdb.DuckDBOfflineStore.get_historical_features(
            config,
            [view],
            refs,
            frame(case),
            registry,
            config.project,
            filter_by_created_timestamp=known_at,
        )
        found = job.to_arrow().sort_by("number")
    assert found["number"].to_pylist() == list(range(len(case.asked)))
    return list(zip(*(found[name].to_pylist() for name in FEATURES), strict=True))


def files_of(view: FeatureView, folder: Path) -> FeatureView:
    """Return the view over the glob that duckdb needs to read a folder."""
    changed = view.with_projection(view.projection)
    changed.batch_source = FileSource(
        name=view.name,
        path=str(folder / "*.parquet"),
        timestamp_field=TIMES[0],
        created_timestamp_column=TIMES[1],
    )
    return changed


def compared(project: Plain, case: Case) -> dict[str, int]:
    """Compare both stores and return how many rows each rule explains; nothing else may differ."""
    ours = answers(project, case)
    tied, early = [], []
    for known_at in (True, False):
        theirs = duckdb_answers(project, case, known_at=known_at)
        predicted = [candidates(case, *asked, known_at=known_at) for asked in case.asked]
        for row, rows in zip(theirs, predicted, strict=True):
            assert row in [(r.row, r.value) for r in rows] or (row == (None, None) and not rows)
        # Exactly the rows in which the rule makes another row first differ; where rows tie,
        # duckdb is free to differ or not.
        free = {i for i, rows in enumerate(predicted) if len(rows) > 1}
        rule = {
            i
            for i, (one, other) in enumerate(
                zip(expected(case), expected(case, known_at=known_at), strict=True)
            )
            if one != other
        }
        differing = {
            i for i, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other
        }
        assert differing - free == rule - free
        tied.append(len(differing & free))
        early.append(len(rule))
    assert early[0] == 0, "with the known time regarded there is no difference but ties"
    return {"rows": len(case.asked), "ties": sum(tied), "known time": early[1]}


def run(project: Plain, wanted: int) -> dict[str, int]:
    met = {"cases": 0, "rows": 0, "ties": 0, "known time": 0}

    @settings(
        max_examples=wanted,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases().filter(lambda case: case.rows and any(moment for _, moment in case.asked)))
    def compare(case: Case) -> None:
        for name, count in {"cases": 1, **compared(project, case)}.items():
            met[name] += count

    compare()
    assert met["cases"] >= wanted
    assert met["known time"] > 0
    return met


def test_stores_differ_where_the_rules_say(project: Plain) -> None:
    run(project, NORMAL)


@pytest.mark.long
def test_stores_differ_where_the_rules_say_at_length(project: Plain) -> None:
    run(project, LONG)


FRIDAY, MONDAY = new_york(2024, 3, 8, 16), new_york(2024, 3, 11, 16)


def case_of(*rows: tuple, asked: list, ttl: object = None) -> Case:
    made = tuple(Row(("A",), event, known, i, float(i)) for i, (event, known) in enumerate(rows))
    return Case(made, tuple((("A",), moment) for moment in asked), ttl, "UTC", "UTC", 0)


@pytest.mark.parametrize(
    ("case", "differing"),
    [
        # A correction shown before it was made.
        (case_of((FRIDAY, FRIDAY), (FRIDAY, MONDAY), asked=[FRIDAY, MONDAY]), 1),
        # An event shown before it was known.
        (case_of((FRIDAY, FRIDAY + HOUR), asked=[FRIDAY, FRIDAY + HOUR]), 1),
        # The edge of a ttl, which both include.
        (
            case_of((FRIDAY, FRIDAY), asked=[FRIDAY + HOUR, FRIDAY + HOUR + MICROSECOND], ttl=HOUR),
            0,
        ),
        # Three days over the clock change end an hour later by the wall clock.
        (
            case_of(
                (FRIDAY, FRIDAY), asked=[MONDAY + HOUR, MONDAY + HOUR + MICROSECOND], ttl=3 * DAY
            ),
            0,
        ),
    ],
)
def test_a_difference_has_a_name(project: Plain, case: Case, differing: int) -> None:
    assert compared(project, case)["known time"] == differing


def test_of_ties_the_as_of_store_takes_the_last(project: Plain) -> None:
    case = case_of((FRIDAY, FRIDAY), (FRIDAY, FRIDAY), asked=[FRIDAY])
    compared(project, case)
    assert answers(project, case) == [(1, 1.0)]
