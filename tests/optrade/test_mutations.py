"""No wrong number is ever read: a file that changed is refused by every reader, by name."""

import pytest

from benchmarks.mutations import copied, run_trials, table
from home.layout import Home


@pytest.mark.integration
@pytest.mark.parametrize(
    ("seed", "count"), [(1, 24), *(pytest.param(n, 300, marks=pytest.mark.long) for n in (2, 3))]
)
def test_every_mutation_is_refused_by_every_reader(trained_home, tmp_path, seed, count) -> None:
    home = copied(Home(trained_home.home), tmp_path / "home")
    trials = run_trials(home, seed, count)
    wrong = [trial for trial in trials if set(trial.outcomes.values()) != {"refused"}]
    assert not wrong, table(trials)
