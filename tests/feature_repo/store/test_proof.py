"""The as-of store against brute force: 2,000 generated cases here, 50,000 in the long profile."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo.asof_store import AsofOfflineStore
from tests.feature_repo.store.asof_cases import (
    FEATURES,
    TTLS,
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

NORMAL, LONG = 2_000, 50_000
# A read takes milliseconds whatever it holds: this many cases at most share one.
MOST = 6
STANDING = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    yield plain(tmp_path_factory.mktemp("plain") / "data")


def answers(project: Plain, case: Case, *, known_at: bool = True) -> list[tuple]:
    """Return the features that the store gives each entity row of a case."""
    write(case, project.folders[case.keys])
    view, config = project.view(case), project.configs[known_at]
    job = AsofOfflineStore.get_historical_features(
        config,
        [view],
        [f"{view.name}:{feature}" for feature in FEATURES],
        frame(case),
        project.store.registry,
        config.project,
    )
    found = job.to_arrow()
    assert found["number"].to_pylist() == list(range(len(case.asked))), "rows stay in place"
    return list(zip(*(found[name].to_pylist() for name in FEATURES), strict=True))


def compared(project: Plain, case: Case, known_at: bool) -> None:
    assert answers(project, case, known_at=known_at) == expected(case, known_at=known_at)


def test_store_is_the_brute_force_join(project: Plain) -> None:
    run(project, NORMAL)


@pytest.mark.long
def test_store_is_the_brute_force_join_at_length(project: Plain) -> None:
    run(project, LONG)


def run(project: Plain, wanted: int) -> None:
    """Compare at least as many cases as wanted, and see that they were worth comparing."""
    met: dict[str, int] = {"cases": 0, "rows": 0}

    @settings(STANDING, max_examples=wanted // MOST)
    @given(cases(MOST), st.sampled_from([True, True, True, False]))
    def compare(case: Case, known_at: bool) -> None:
        compared(project, case, known_at)
        met["cases"] += case.parts
        met["rows"] += len(case.asked)
        for kind in kinds(case):
            met[kind] = met.get(kind, 0) + 1

    while met["cases"] < wanted:
        compare()
    assert all(met.get(kind, 0) > wanted // 100 for kind in KINDS), met


KINDS = [
    "tie",
    "correction",
    "not yet known",
    "expired",
    "ttl edge",
    "two keys",
    "null",
    "too early",
]


def kinds(case: Case) -> set[str]:
    """Return what makes a case hard."""
    found = {"two keys"} if case.keys == 2 else set()
    for key, moment in case.asked:
        seen = candidates(case, key, moment)
        early = candidates(case, key, moment, known_at=False)
        if None in key or moment is None or any(row.value is None for row in seen):
            found.add("null")
        if len(seen) > 1:
            found.add("tie")
        if seen and early and early[-1] not in seen:
            found.add("correction" if early[-1].event == seen[-1].event else "not yet known")
        if not seen and any(row.key == key for row in case.rows) and moment:
            held = [row.event for row in case.rows if row.key == key and row.event]
            found.add("too early" if held and moment < min(held) else "expired")
        if seen and case.ttl and moment - seen[-1].event == case.ttl:
            found.add("ttl edge")
    return found


def case_of(rows: list[tuple], asked: list, ttl: object = None) -> Case:
    made = tuple(Row(("A",), event, known, i, float(i)) for i, (event, known) in enumerate(rows))
    return Case(made, tuple((("A",), moment) for moment in asked), ttl, "UTC", "UTC", 0)


def test_oracle_knows_the_textbook_cases() -> None:
    friday, monday = new_york(2024, 3, 8, 16), new_york(2024, 3, 11, 16)
    assert (monday - friday).total_seconds() == 71 * 3600
    late = case_of([(friday, friday), (friday, monday)], [friday, monday])
    assert expected(late) == [(0, 0.0), (1, 1.0)]
    assert expected(late, known_at=False) == [(1, 1.0), (1, 1.0)]
    tied = case_of([(friday, friday), (friday, friday)], [friday])
    assert expected(tied) == [(1, 1.0)]
    assert expected(case_of([(friday, friday)], [monday], TTLS[4])) == [(None, None)]


@pytest.mark.parametrize("known_at", [True, False])
def test_broken_store_would_be_found(project: Plain, known_at: bool) -> None:
    """A join that forgets the known time, or insists on it, differs from the sentence."""
    friday, monday = new_york(2024, 3, 8, 16), new_york(2024, 3, 11, 16)
    case = case_of([(friday, friday), (friday, monday)], [friday])
    with pytest.raises(AssertionError):
        assert answers(project, case, known_at=not known_at) == expected(case, known_at=known_at)
    compared(project, case, known_at)
