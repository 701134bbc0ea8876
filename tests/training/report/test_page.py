import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from forecasters.linear import Linear
from home.records.evidence import Standing
from home.records.training.evidence import FoldEvidence, FoldRows, Member, Pooled, TrainingEvidence
from home.records.training.explained import Importance, Permutation, Rise
from home.records.training.judged import Compared, DeflatedScore, Gate
from tests.training.evidences import bare
from training.explain.curves import curves
from training.explain.importance import linear_weights
from training.judge.gate import judge
from training.judge.measures import measure, measure_all_days, measure_at_half, session_weights
from training.judge.out_of_fold import OutOfFold, losses
from training.judge.trials import trials_evidence
from training.report.page import report_html
from training.settings import Settings
from training.tasks.catalogue import TASKS
from training.tasks.declare import Task
from training.tasks.regime import REGIME
from training.walk import walk

NOT_DRAWN = {"curves": None, "importance": None, "folds": []}
PROVENANCE = {"origin": "simulated", "definition_hash": "abc123"}
VOID = {"meta", "link", "br", "use", "path", "rect"}


class Page(HTMLParser):
    """Words of a page, its tags, and whether they close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1] != "style":
            self.words.append(" ".join(data.split()))


def complete(task: Task, tested: OutOfFold) -> TrainingEvidence:
    """An evidence with all that a report can show."""
    weights = session_weights(len(tested.sessions), 50, 0)
    names = ["iv_rank", "hv_20"]
    measured = measure(task, tested, weights)
    against = Gate.against(tested.gate, measured.difference[tested.gate])
    rise = [Rise(name=name, increase=0.01, spread=0.002, by_fold=[]) for name in names]
    coef = np.array([[0.5, -0.1]] * (3 if task.name == "regime" else 1))
    linear = Linear(features=names, mean=np.zeros(2), scale=np.ones(2), coef=coef,
                    intercept=np.zeros(len(coef)))  # fmt: skip
    frame = losses(tested)
    rival = Compared(
        version=3, run_id="r", sessions=200, loss=0.6, champion_loss=0.65,
        difference=0.05, interval=[0.01, 0.09],
    )  # fmt: skip
    tried = trials_evidence(frame, [frame], 99, 0)
    return bare(against).model_copy(
        update={
            "task": task.name,
            "settings": {"ticker": "SPY", "horizon": 5, "n_features": 40},
            "folds": [part(task, tested.of_fold(number), number, names) for number in (1, 2)],
            "pooled": Pooled(
                scores=measured.scores,
                fold_mean={},
                all_days=measure_all_days(task, tested, weights) if task.has_flat else None,
                at_half=measure_at_half(task, tested, weights) if task.has_flat else None,
            ),
            "baselines": measured.baselines,
            "difference": measured.difference,
            "comparison": measured.comparison,
            "features": names,
            "mutual_information": dict.fromkeys(names, 0.02),
            "left_out": {"vix_close": 0.3},
            "constant": ["gap"],
            "twins": {"roc_5": "returns_5d"},
            "members": [
                Member(model="logistic", weight=0.625, features=names),
                Member(model="table", weight=0.375, features=names[:1]),
            ],
            "threshold": 0.5 if task.has_flat else None,
            "warnings": ["fold 1: the optimiser stopped before it converged"],
            "champion": rival,
            "curves": curves(task, tested, weights),
            "importance": Importance(
                permutation=Permutation(features=rise, views=rise[:1]),
                weights=linear_weights(linear, [linear], task.classes),
            ),
            "trials": tried,
            "verdict": judge(against),
        }
    )


def part(task: Task, tested: OutOfFold, number: int, names: list[str]) -> FoldEvidence:
    measured = measure(task, tested, session_weights(len(tested.sessions), 50, 0))
    return FoldEvidence(
        fold=number,
        train_start="2011-01-03",
        train_end="2011-12-01",
        test_start=str(tested.sessions[0])[:10],
        test_end=str(tested.sessions[-1])[:10],
        rows=FoldRows(train=300, train_dropped=0, test=int(tested.decided.sum()), test_dropped=0),
        scores=measured.scores,
        baselines=measured.baselines,
        difference=measured.difference,
        comparison=measured.comparison,
        features=names,
        threshold=None,
    )


def but(evidence: TrainingEvidence, **other: object) -> TrainingEvidence:
    """The same with other fields, checked."""
    return TrainingEvidence.model_validate(dict(evidence) | other)


@pytest.fixture(params=list(TASKS), scope="module")
def evidence(
    request: pytest.FixtureRequest, make_tested: Callable[..., OutOfFold]
) -> TrainingEvidence:
    task = TASKS[request.param]
    return complete(task, make_tested(task))


@pytest.fixture(scope="module")
def light(evidence: TrainingEvidence) -> TrainingEvidence:
    """The same without what is drawn: a plot takes longer than all tables."""
    return but(evidence, **NOT_DRAWN)


@pytest.fixture(scope="module")
def full_page(evidence: TrainingEvidence) -> str:
    return report_html(evidence, PROVENANCE)


def test_the_evidence_of_a_training_makes_a_page(make_regime: Callable[..., pd.DataFrame]) -> None:
    found = walk(REGIME, make_regime(500), None, Settings("SPY", resamples=50)).evidence
    page = Page(report_html(found))
    assert not page.open
    assert f"{found.gate.value:.4f}" in page.words


def test_the_first_line_is_the_verdict(full_page: str, evidence: TrainingEvidence) -> None:
    page = Page(full_page)
    body = page.words[1:]  # after the title
    words = evidence.verdict.words
    assert f"{body[0]} {body[1]}".lower() == words.lower()
    assert body[0] in ("Proven:", "Unproven:", "Refuted:")
    assert page.words[0].startswith(body[0])


def test_a_full_page_stands_alone_and_is_well_formed(full_page: str) -> None:
    page = Page(full_page)
    assert not page.open
    assert "script" not in page.tags
    assert page.tags.count("svg") == page.tags.count("figure") >= 7
    assert all(one.startswith("#") for one in page.addresses)
    assert not re.search(r"url\((?!#)", full_page)


def test_a_full_page_shows_its_figures(full_page: str, evidence: TrainingEvidence) -> None:
    words = Page(full_page).words
    gate = evidence.gate
    for part in (
        f"{gate.value:.4f}",
        f"{gate.baseline_value:.4f}",
        "abc123",
        "version 3",
        "0.625",
    ):
        assert part in words
    assert any(evidence.trials.words[1:] in line for line in words)
    for fold in evidence.folds:
        assert f"{fold.fold}: {fold.test_start} to {fold.test_end}" in words
    assert set(evidence.features) <= set(words)
    assert {"Settings", "Provenance", "Sessions"} <= set(words)


@pytest.mark.parametrize("missing", ["curves", "importance", "members", "trials", "champion"])
def test_what_the_evidence_lacks_the_page_leaves_out(
    evidence: TrainingEvidence, missing: str
) -> None:
    page = Page(report_html(but(evidence, **(NOT_DRAWN | {missing: None}))))
    assert not page.open
    assert "None" not in page.words


@pytest.mark.parametrize("missing", NOT_DRAWN)
def test_what_is_not_there_is_not_drawn(evidence: TrainingEvidence, missing: str) -> None:
    kept = but(evidence, **{name: NOT_DRAWN[name] for name in NOT_DRAWN if name != missing})
    curves_drawn = 4 if evidence.task == "direction" else 3  # the ROC is of two classes
    drawn = {"curves": curves_drawn, "importance": 3, "folds": 1}[missing]
    assert Page(report_html(kept)).tags.count("svg") == drawn


def test_a_gate_and_its_verdict_alone_make_a_page(evidence: TrainingEvidence) -> None:
    page = Page(report_html(bare(evidence.gate)))
    assert "svg" not in page.tags
    assert page.tags.count("section") == 1, "settings and provenance"
    assert "Scores, pooled out of fold" not in page.words


def test_unknown_is_a_dash(evidence: TrainingEvidence) -> None:
    unknown = {"model": None, "interval": None}
    row = evidence.comparison[0].model_copy(
        update=unknown | {"baseline_value": None, "difference": None}
    )
    trials = evidence.trials.model_copy(update={"spa": None, "deflated": DeflatedScore()})
    first, name = evidence.folds[0], evidence.gate.baseline
    gain = first.difference[name].model_copy(update=unknown | {"value": None})
    fold = first.model_copy(update={"difference": first.difference | {name: gain}})
    folds = [fold, *evidence.folds[1:]]
    given = but(
        evidence, curves=None, importance=None, comparison=[row], difference={}, trials=trials,
        folds=folds,
    )  # fmt: skip
    words = Page(report_html(given)).words
    at = words.index("log loss")
    assert words[at + 1 : at + 5] == ["-", "-", "-", "-"]
    assert "-, -, -" in words
    assert "None" not in words
    assert "nan" not in words


def test_markup_in_a_name_is_text(evidence: TrainingEvidence) -> None:
    hostile = "<script>alert('$x$')</script>"
    found = evidence.importance
    named = {
        of: [row.model_copy(update={"name": hostile}) for row in rows]
        for of, rows in found.permutation
    }
    weights = [row.model_copy(update={"name": hostile}) for row in found.weights]
    given = but(
        evidence,
        curves=None,
        ticker=hostile,
        features=[hostile],
        warnings=[hostile, hostile],
        importance=Importance(permutation=Permutation(**named), weights=weights),
        verdict=evidence.verdict.model_copy(update={"words": f"proven: {hostile}"}),
    )
    text = report_html(given)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not Page(text).open


def test_a_probability_that_nothing_moves_is_said_in_words(evidence: TrainingEvidence) -> None:
    idle = {
        of: [row.model_copy(update={"increase": 0.0}) for row in rows]
        for of, rows in evidence.importance.permutation
    }
    found = evidence.importance.model_copy(update={"permutation": Permutation(**idle)})
    words = " ".join(
        Page(report_html(but(evidence, curves=None, folds=[], importance=found))).words
    )
    assert "the probability is a constant" in words
    assert "Permutation importance" not in words


def test_the_same_evidence_gives_the_same_page(full_page: str, evidence: TrainingEvidence) -> None:
    assert report_html(evidence, PROVENANCE) == full_page


def test_a_page_is_marked_by_how_the_model_stands(light: TrainingEvidence) -> None:
    for standing in get_args(Standing):
        given = but(light, verdict=light.verdict.model_copy(update={"standing": standing}))
        assert f'<header class="{standing}">' in report_html(given)
