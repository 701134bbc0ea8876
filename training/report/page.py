"""The report of a training: one self-contained page, its verdict first. Pure.

What the evidence lacks, the page leaves out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from home.records.training.evidence import TrainingEvidence
from home.records.training.explained import DayCurves
from training.report import figures, tables
from training.report.tables import Table

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE: Final = "page.html.j2"
TITLES: Final = {
    "direction": "Direction",
    "regime": "Volatility regime",
    "distribution": "Distribution of returns",
}


@dataclass(frozen=True)
class Plot:
    """A drawing as SVG text and what it shows."""

    svg: str
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Block:
    """A part of a section: a caption over a table."""

    table: Table
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A headed part of the page."""

    title: str
    blocks: Sequence[Block] = ()
    plots: Sequence[Plot] = ()
    lines: Sequence[str] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.blocks or self.plots or self.lines)


def report_html(evidence: TrainingEvidence, provenance: Mapping[str, object] | None = None) -> str:
    """Return the report of a training as one HTML page that needs no other file.

    Parameters
    ----------
    evidence
        `curves`, `importance`, `trials` and `champion` are shown where present.
    provenance
        Where the model comes from, by name.
    """
    verdict = evidence.verdict
    lead, _, rest = verdict.words.partition(": ")
    sections = (
        _scores(evidence),
        _trials(evidence),
        _time(evidence),
        _reliability(evidence),
        _mistakes(evidence),
        _reasons(evidence),
        Section("Warnings", lines=evidence.warnings),
        _features(evidence),
        _origin(evidence, provenance or {}),
    )
    return _template().render(
        title=f"{TITLES.get(evidence.task, evidence.task)} of {evidence.ticker}",
        standing=verdict.standing,
        lead=lead[:1].upper() + lead[1:],
        rest=rest,
        facts=_facts(evidence),
        sections=[section for section in sections if not section.empty],
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template(
        TEMPLATE
    )


def _facts(evidence: TrainingEvidence) -> list[str]:
    window, settings = evidence.window, evidence.settings
    facts = [f"model {evidence.model}"]
    if "horizon" in settings:
        facts.append(f"{settings['horizon']} sessions ahead")
    facts.append(f"{window.start} to {window.end}")
    facts.append(f"{window.tested_decided} sessions tested out of fold")
    if evidence.threshold is not None:
        facts.append(f"UP called above {evidence.threshold:.2f}")
    return facts


def _scores(evidence: TrainingEvidence) -> Section:
    half, every = evidence.pooled.at_half, evidence.pooled.all_days
    name = "Against the gate's baseline" if every is None else "Decided days"
    return Section(
        "Scores, pooled out of fold",
        _blocks(
            (name, tables.comparison(evidence.comparison)),
            ("Against every baseline", tables.against_baselines(evidence)),
            ("All days, FLAT ones by their sign", tables.comparison(every and every.comparison)),
            ("Calls at a threshold of 0.50", tables.comparison(half and half.comparison)),
        ),
    )


def _trials(evidence: TrainingEvidence) -> Section:
    found, rival = evidence.trials, evidence.champion
    lines = [] if found is None else [found.words[:1].upper() + found.words[1:] + "."]
    return Section(
        "Trials and champion" if rival else "Trials",
        _blocks(
            ("", tables.trials(evidence)),
            ("Beside the champion, on common sessions", tables.champion(rival)),
        ),
        lines=lines,
    )


def _time(evidence: TrainingEvidence) -> Section:
    plots = []
    if evidence.folds:
        drawn = figures.folds_plot(evidence.folds, evidence.gate.baseline)
        plots.append(Plot(drawn, "Gain in each fold, with its 95 % interval", wide=True))
    if evidence.curves is not None:
        over_time = evidence.curves.over_time
        named = tables.words(over_time.baseline)
        if over_time.rolling.sessions:
            caption = f"Mean loss of the last {over_time.window} tested sessions"
            plots.append(Plot(figures.rolling_plot(over_time, named), caption, wide=True))
        caption = f"Gain over the {named}, summed over sessions"
        plots.append(Plot(figures.cumulative_plot(over_time), caption, wide=True))
    return Section("Fold by fold, and over time", _blocks(("", tables.folds(evidence))), plots)


def _reliability(evidence: TrainingEvidence) -> Section:
    days = _days(evidence)
    bins = {label: one.reliability for label, one in days.items() if one.reliability}
    curves = {label: one.roc for label, one in days.items() if one.roc}
    plots = []
    if bins:
        caption = "Stated against what happened, 95 % intervals"
        wide = len(next(iter(bins.values()))) > 1
        plots.append(Plot(figures.reliability_plot(bins), caption, wide))
    if curves:
        plots.append(Plot(figures.roc_plot(curves), "ROC of the probability; dots are the calls"))
    return Section("Probabilities", plots=plots)


def _mistakes(evidence: TrainingEvidence) -> Section:
    found = []
    for label, one in _days(evidence).items():
        counts = one.confusion
        found.append((f"Calls, {label}", tables.confusion(counts["model"])))
        found.append((f"By class, {label}", tables.by_class(counts)))
    return Section("What is mistaken for what", _blocks(*found))


def _reasons(evidence: TrainingEvidence) -> Section:
    blocks = _blocks(("", tables.members(evidence)))
    plots, lines = [], []
    if (found := evidence.importance) is not None:
        permuted = found.permutation
        if any(row.increase for row in permuted.features):
            drawn = figures.importance_plot(permuted.features)
            plots.append(Plot(drawn, "Permutation importance on the test parts, by feature"))
            drawn = figures.importance_plot(permuted.views)
            plots.append(Plot(drawn, "The same, by whole view"))
        else:
            lines.append(
                "No feature moves the loss of the test parts: the probability is a constant there."
            )
        if found.weights:
            caption = "Weights of the final fit's linear part, and their range over the folds"
            plots.insert(1, Plot(figures.weights_plot(found.weights), caption))
    return Section("What it rests on", blocks, plots, lines)


def _features(evidence: TrainingEvidence) -> Section:
    return Section(
        "Features", _blocks(("", tables.features(evidence))), lines=tables.left_out(evidence)
    )


def _origin(evidence: TrainingEvidence, provenance: Mapping[str, object]) -> Section:
    return Section(
        "Settings and provenance",
        _blocks(
            ("Settings", tables.pairs(evidence.settings)),
            ("Sessions", tables.pairs(evidence.window.document())),
            (
                "Provenance",
                tables.pairs({"feature_service": evidence.feature_service, **provenance}),
            ),
        ),
    )


def _days(evidence: TrainingEvidence) -> dict[str, DayCurves]:
    """Return the curves by the words for their days."""
    if (found := evidence.curves) is None:
        return {}
    every = {} if found.all_days is None else {"all days": found.all_days}
    return {"decided days": found.decided} | every


def _blocks(*found: tuple[str, Table | None]) -> list[Block]:
    return [Block(table, caption) for caption, table in found if table is not None]
