"""The report of a training: one self-contained page, its verdict first. Pure.

What the evidence lacks, the page leaves out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from training.report import figures, tables
from training.report.tables import Table

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE: Final = "page.html.j2"
#: What the evidence says of where it comes from, in this order.
PROVENANCE: Final = (
    "name", "version", "alias", "run_id", "origin", "feature_service", "definition_hash",
    "trained_at",
)  # fmt: skip
DAYS: Final = {"decided": "decided days", "all_days": "all days"}
TITLES: Final = {"direction": "Direction", "regime": "Volatility regime"}


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


def report_html(evidence: Mapping[str, Any]) -> str:
    """Return the report of a training as one HTML page that needs no other file.

    Parameters
    ----------
    evidence
        As `evidence.assemble` gives it. `verdict`, `task` and `ticker` are needed; `curves`,
        `importance`, `trials`, `champion`, `provenance` and all else are shown where present.
    """
    verdict = evidence["verdict"]
    lead, _, rest = verdict["words"].partition(": ")
    sections = (
        _scores(evidence),
        _trials(evidence),
        _time(evidence),
        _reliability(evidence),
        _mistakes(evidence),
        _reasons(evidence),
        Section("Warnings", lines=evidence.get("warnings") or ()),
        _features(evidence),
        _origin(evidence),
    )
    return _template().render(
        title=f"{TITLES.get(evidence['task'], evidence['task'])} of {evidence['ticker']}",
        proven=verdict["proven"],
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


def _facts(evidence: Mapping[str, Any]) -> list[str]:
    window, settings = evidence.get("window") or {}, evidence.get("settings") or {}
    facts = [f"model {evidence['model']}"] if "model" in evidence else []
    if "horizon" in settings:
        facts.append(f"{settings['horizon']} sessions ahead")
    if window:
        facts.append(f"{window['start']} to {window['end']}")
        facts.append(f"{window['tested_decided']} sessions tested out of fold")
    if evidence.get("threshold") is not None:
        facts.append(f"UP called above {evidence['threshold']:.2f}")
    return facts


def _scores(evidence: Mapping[str, Any]) -> Section:
    pooled = evidence.get("pooled") or {}
    name = "Decided days" if "all_days" in pooled else "Against the gate's baseline"
    half, every = pooled.get("at_half") or {}, pooled.get("all_days") or {}
    return Section(
        "Scores, pooled out of fold",
        _blocks(
            (name, tables.comparison(evidence.get("comparison"))),
            ("Against every baseline", tables.against_baselines(evidence)),
            ("All days, FLAT ones by their sign", tables.comparison(every.get("comparison"))),
            ("Calls at a threshold of 0.50", tables.comparison(half.get("comparison"))),
        ),
    )


def _trials(evidence: Mapping[str, Any]) -> Section:
    found = evidence.get("trials")
    lines = [found["words"][:1].upper() + found["words"][1:] + "."] if found else []
    rival = evidence.get("champion")
    return Section(
        "Trials and champion" if rival else "Trials",
        _blocks(
            ("", tables.trials(evidence)),
            ("Beside the champion, on common sessions", tables.champion(rival)),
        ),
        lines=lines,
    )


def _time(evidence: Mapping[str, Any]) -> Section:
    gate, parts = evidence.get("gate"), evidence.get("folds")
    over_time = (evidence.get("curves") or {}).get("over_time")
    plots = []
    if gate and parts:
        drawn = figures.folds_plot(parts, gate["baseline"])
        plots.append(Plot(drawn, "Gain in each fold, with its 95 % interval", wide=True))
    if over_time:
        named = tables.words(over_time["baseline"])
        if over_time["rolling"]["sessions"]:
            caption = f"Mean loss of the last {over_time['window']} tested sessions"
            plots.append(Plot(figures.rolling_plot(over_time, named), caption, wide=True))
        caption = f"Gain over the {named}, summed over sessions"
        plots.append(Plot(figures.cumulative_plot(over_time), caption, wide=True))
    return Section("Fold by fold, and over time", _blocks(("", tables.folds(evidence))), plots)


def _reliability(evidence: Mapping[str, Any]) -> Section:
    days = _days(evidence)
    bins = {label: one["reliability"] for label, one in days.items() if one["reliability"]}
    curves = {label: one["roc"] for label, one in days.items() if one["roc"]}
    plots = []
    if bins:
        caption = "Stated against what happened, 95 % intervals"
        wide = len(next(iter(bins.values()))) > 1
        plots.append(Plot(figures.reliability_plot(bins), caption, wide))
    if curves:
        plots.append(Plot(figures.roc_plot(curves), "ROC of the probability; dots are the calls"))
    return Section("Probabilities", plots=plots)


def _mistakes(evidence: Mapping[str, Any]) -> Section:
    found = []
    for label, one in _days(evidence).items():
        counts = one["confusion"]
        found.append((f"Calls, {label}", tables.confusion(counts["model"])))
        found.append((f"By class, {label}", tables.by_class(counts)))
    return Section("What is mistaken for what", _blocks(*found))


def _reasons(evidence: Mapping[str, Any]) -> Section:
    importance = evidence.get("importance") or {}
    permuted, weights = importance.get("permutation") or {}, importance.get("weights")
    plots, lines = [], []
    if any(row["increase"] for row in permuted.get("features") or ()):
        drawn = figures.importance_plot(permuted["features"])
        plots.append(Plot(drawn, "Permutation importance on the test parts, by feature"))
        plots.append(Plot(figures.importance_plot(permuted["views"]), "The same, by whole view"))
    elif permuted:
        lines.append(
            "No feature moves the loss of the test parts: the probability is a constant there."
        )
    if weights:
        caption = "Weights of the final fit's linear part, and their range over the folds"
        plots.insert(1, Plot(figures.weights_plot(weights), caption))
    blocks = _blocks(("", tables.members(evidence)))
    return Section("What it rests on", blocks, plots, lines)


def _features(evidence: Mapping[str, Any]) -> Section:
    return Section(
        "Features", _blocks(("", tables.features(evidence))), lines=tables.left_out(evidence)
    )


def _origin(evidence: Mapping[str, Any]) -> Section:
    provenance = {key: evidence[key] for key in PROVENANCE if key in evidence}
    provenance |= evidence.get("provenance") or {}
    return Section(
        "Settings and provenance",
        _blocks(
            ("Settings", tables.pairs(evidence.get("settings"))),
            ("Sessions", tables.pairs(evidence.get("window"))),
            ("Provenance", tables.pairs(provenance)),
        ),
    )


def _days(evidence: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    curves = evidence.get("curves") or {}
    return {label: curves[key] for key, label in DAYS.items() if key in curves}


def _blocks(*found: tuple[str, Table | None]) -> list[Block]:
    return [Block(table, caption) for caption, table in found if table is not None]
