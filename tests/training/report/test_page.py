import re
from collections.abc import Callable
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecasters.linear import Linear
from training.explain.curves import curves
from training.explain.importance import linear_weights
from training.judge.gate import Gate, judge
from training.judge.measures import measure, measure_all_days, measure_at_half, session_weights
from training.judge.out_of_fold import OutOfFold, losses
from training.judge.trials import trials_evidence
from training.report.page import report_html
from training.settings import Settings
from training.tasks.catalogue import TASKS
from training.tasks.declare import Task
from training.tasks.regime import REGIME
from training.walk import walk

DRAWN = ("curves", "importance", "folds")
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


def complete(task: Task, tested: OutOfFold) -> dict[str, Any]:
    """An evidence with all that a report can show."""
    weights = session_weights(len(tested.sessions), 50, 0)
    names = ["iv_rank", "hv_20"]
    measured = measure(task, tested, weights)
    headline = measured["difference"][task.gate_baseline]
    gate = Gate.against(task.gate_baseline, headline).as_dict()
    rise = [{"name": name, "increase": 0.01, "spread": 0.002, "by_fold": []} for name in names]
    coef = np.array([[0.5, -0.1]] * (3 if task.name == "regime" else 1))
    linear = Linear(features=names, mean=np.zeros(2), scale=np.ones(2), coef=coef,
                    intercept=np.zeros(len(coef)))  # fmt: skip
    frame = losses(task, tested)
    evidence = {
        "ticker": "SPY",
        "model": "logistic",
        "task": task.name,
        "settings": {"ticker": "SPY", "horizon": 5, "n_features": 40},
        "window": {"start": "2012-01-03", "end": "2014-10-01", "tested_decided": len(frame)},
        "folds": [part(task, tested.of_fold(number), number, names) for number in (1, 2)],
        "pooled": measured["scores"],
        **{key: measured[key] for key in ("baselines", "difference", "comparison")},
        "gate": gate,
        "features": names,
        "mutual_information": dict.fromkeys(names, 0.02),
        "left_out": {"vix_close": 0.3},
        "constant": ["gap"],
        "twins": {"roc_5": "returns_5d"},
        "members": [
            {"model": "logistic", "weight": 0.625, "features": names},
            {"model": "table", "weight": 0.375, "features": names[:1]},
        ],
        "threshold": 0.5 if task.has_flat else None,
        "warnings": ["fold 1: the optimiser stopped before it converged"],
        "champion": {
            "version": 3, "run_id": "r", "sessions": 200, "loss": 0.6, "champion_loss": 0.65,
            "difference": 0.05, "interval": [0.01, 0.09],
        },
        "curves": curves(task, tested, weights),
        "importance": {
            "permutation": {"features": rise, "views": rise[:1]},
            "weights": linear_weights(linear, [linear], task.classes),
        },
        "trials": trials_evidence(frame, [frame], 99, 0),
        "provenance": {"origin": "simulated", "definition_hash": "abc123"},
    }  # fmt: skip
    if task.has_flat:
        evidence["pooled"]["all_days"] = measure_all_days(task, tested, weights)
        evidence["pooled"]["at_half"] = measure_at_half(task, tested, weights)
    return evidence | {"verdict": judge(evidence).as_dict()}


def part(task: Task, tested: OutOfFold, number: int, names: list[str]) -> dict[str, Any]:
    measured = measure(task, tested, session_weights(len(tested.sessions), 50, 0))
    return {
        "fold": number,
        "test_start": str(tested.sessions[0])[:10],
        "test_end": str(tested.sessions[-1])[:10],
        "rows": {"train": 300, "test": int(tested.decided.sum())},
        "scores": measured["scores"],
        "difference": measured["difference"],
        "features": names,
    }


@pytest.fixture(params=list(TASKS), scope="module")
def complete_one(
    request: pytest.FixtureRequest, make_tested: Callable[..., OutOfFold]
) -> dict[str, Any]:
    task = TASKS[request.param]
    return complete(task, make_tested(task))


@pytest.fixture
def evidence(complete_one: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(complete_one)


@pytest.fixture
def light(evidence: dict[str, Any]) -> dict[str, Any]:
    """The same without what is drawn: a plot takes longer than all tables."""
    return {key: evidence[key] for key in evidence if key not in DRAWN}


@pytest.fixture(scope="module")
def full_page(complete_one: dict[str, Any]) -> str:
    return report_html(complete_one)


def test_the_evidence_of_a_training_makes_a_page(make_regime: Callable[..., pd.DataFrame]) -> None:
    found = walk(REGIME, make_regime(500), None, Settings("SPY", resamples=50)).evidence
    page = Page(report_html(found))
    assert not page.open
    assert f"{found['gate']['value']:.4f}" in page.words


def test_the_first_line_is_the_verdict(full_page: str, evidence: dict[str, Any]) -> None:
    page = Page(full_page)
    body = page.words[1:]  # after the title
    words = evidence["verdict"]["words"]
    assert f"{body[0]} {body[1]}".lower() == words.lower()
    assert body[0] in ("Proven:", "Not proven:")
    assert page.words[0].startswith(body[0])


def test_a_full_page_stands_alone_and_is_well_formed(full_page: str) -> None:
    page = Page(full_page)
    assert not page.open
    assert "script" not in page.tags
    assert page.tags.count("svg") == page.tags.count("figure") >= 7
    assert all(one.startswith("#") for one in page.addresses)
    assert not re.search(r"url\((?!#)", full_page)


def test_a_full_page_shows_its_figures(full_page: str, evidence: dict[str, Any]) -> None:
    words = Page(full_page).words
    gate = evidence["gate"]
    for part in (
        f"{gate['value']:.4f}",
        f"{gate['baseline_value']:.4f}",
        "abc123",
        "version 3",
        "0.625",
    ):
        assert part in words
    assert any(evidence["trials"]["words"][1:] in line for line in words)
    for fold in evidence["folds"]:
        assert f"{fold['fold']}: {fold['test_start']} to {fold['test_end']}" in words
    assert set(evidence["features"]) <= set(words)
    assert {"Settings", "Provenance", "Sessions"} <= set(words)


def test_what_the_evidence_lacks_the_page_leaves_out(light: dict[str, Any]) -> None:
    for missing in set(light) - {"verdict", "task", "ticker"}:
        without = {key: light[key] for key in light if key != missing}
        assert not Page(report_html(without)).open


@pytest.mark.parametrize("missing", DRAWN)
def test_what_is_not_there_is_not_drawn(evidence: dict[str, Any], missing: str) -> None:
    kept = {key: evidence[key] for key in evidence if key not in DRAWN or key == missing}
    curves_drawn = 4 if evidence["task"] == "direction" else 3  # the ROC is of two classes
    drawn = {"curves": curves_drawn, "importance": 3, "folds": 1}[missing]
    assert Page(report_html(kept)).tags.count("svg") == drawn


def test_a_verdict_alone_makes_a_page(evidence: dict[str, Any]) -> None:
    page = Page(report_html({key: evidence[key] for key in ("verdict", "task", "ticker")}))
    assert "svg" not in page.tags
    assert page.tags.count("section") == 0


def test_unknown_is_a_dash(evidence: dict[str, Any]) -> None:
    del evidence["curves"], evidence["importance"]
    known = evidence["comparison"][0]
    evidence["comparison"] = [
        known | {"model": None, "baseline_value": None, "difference": None, "interval": None}
    ]
    evidence["difference"] = {}
    evidence["trials"] = evidence["trials"] | {
        "spa": None,
        "deflated": dict.fromkeys(evidence["trials"]["deflated"]),
    }
    part = deepcopy(evidence["folds"][0])
    gain = part["difference"][evidence["gate"]["baseline"]]
    gain |= {"model": None, "value": None, "interval": None}
    evidence["folds"] = [part, *evidence["folds"][1:]]
    words = Page(report_html(evidence)).words
    at = words.index("log loss")
    assert words[at + 1 : at + 5] == ["-", "-", "-", "-"]
    assert "-, -, -" in words
    assert "None" not in words
    assert "nan" not in words


def test_markup_in_a_name_is_text(evidence: dict[str, Any]) -> None:
    hostile = "<script>alert('$x$')</script>"
    del evidence["curves"]
    evidence["ticker"] = hostile
    evidence["features"] = [hostile]
    evidence["warnings"] = [hostile, hostile]
    for rows in (
        evidence["importance"]["weights"],
        *evidence["importance"]["permutation"].values(),
    ):
        rows[0]["name"] = hostile
    evidence["verdict"] = evidence["verdict"] | {"words": f"proven: {hostile}"}
    text = report_html(evidence)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not Page(text).open


def test_a_probability_that_nothing_moves_is_said_in_words(evidence: dict[str, Any]) -> None:
    del evidence["curves"], evidence["folds"]
    for rows in evidence["importance"]["permutation"].values():
        for row in rows:
            row["increase"] = 0.0
    words = " ".join(Page(report_html(evidence)).words)
    assert "the probability is a constant" in words
    assert "Permutation importance" not in words


def test_the_same_evidence_gives_the_same_page(full_page: str, evidence: dict[str, Any]) -> None:
    assert report_html(evidence) == full_page


def test_a_proven_page_says_so(light: dict[str, Any]) -> None:
    for proven in (True, False):
        light["verdict"] = light["verdict"] | {"proven": proven}
        assert ('<header class="proven">' in report_html(light)) is proven
