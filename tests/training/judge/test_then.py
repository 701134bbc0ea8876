"""How a recipe stood when a fold began: of what was known by then, and of nothing after it."""

from dataclasses import replace

import numpy as np
import pytest

from home.records.evidence import WALK_FORWARD
from market.calendar import session_shift
from training.judge.then import LEAST, standings
from training.registry.artifact import fold_documents
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.walk import Trained, walk

SETTINGS = Settings("SPY", "logistic", resamples=50)


@pytest.fixture(scope="module")
def trained(make_direction) -> Trained:
    return walk(DIRECTION, *make_direction(900, signal=1.0), SETTINGS)


def stood(trained, tested):
    return standings(trained.task, trained.settings, tested)


def test_a_fold_is_judged_by_the_folds_before_it(trained):
    found = stood(trained, trained.tested)
    assert len(found) == len(trained.folds) == 5
    assert (found[0].standing, found[0].interval) == ("unproven", None)
    assert f"0 sessions had been forecast out of fold and settled by then, needed {LEAST}" in (
        found[0].verdict
    )
    assert {one.standing for one in found[2:]} == {"proven"}  # the signal is strong
    assert all(one.verdict.endswith("; by what was known then") for one in found[1:])
    losses = trained.losses
    first = trained.tested.sessions[trained.tested.fold == 3][:1]
    known = losses[losses["session"] < session_shift(first, -5)[0]]
    gain = (known["baseline_loss"] - known["loss"]).mean()
    assert found[2].improvement == pytest.approx(gain)
    assert found[2].interval[0] < gain < found[2].interval[1]


def test_nothing_that_came_later_is_known(trained):
    """Labels of the last five sessions before a fold were not known when it began either."""
    tested = trained.tested
    for number in range(2, 6):
        first = tested.sessions[tested.fold == number][:1]
        later = tested.sessions >= session_shift(first, -5).to_numpy()[0]
        bent = np.where(later & (tested.labels >= 0), 1 - tested.labels, tested.labels)
        changed = stood(trained, replace(tested, labels=bent))
        assert changed[:number] == stood(trained, tested)[:number]


def test_documents_of_folds_are_models_of_no_version(trained):
    documents = fold_documents(trained, "walk", "feed")
    assert [one["alias"] for one in documents] == [WALK_FORWARD] * 5
    assert {one["version"] for one in documents} == {0}
    ends = [one["trained"]["end"] for one in documents]
    starts = [str(trained.tested.sessions[trained.tested.fold == n][0])[:10] for n in range(1, 6)]
    assert all(end < start for end, start in zip(ends, starts, strict=True))
    assert [one["evidence"]["standing"] for one in documents] == [
        one.standing for one in stood(trained, trained.tested)
    ]
