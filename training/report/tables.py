"""Evidence as the tables of a report: a score beside its baseline and interval. Pure.

A table is left out where the evidence lacks what it shows; a figure that is not known is "-".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from home.records.training.evidence import TrainingEvidence
from home.records.training.explained import Confusion
from home.records.training.judged import Compared, RealityCheck
from home.records.training.measured import ScoreBeside
from home.records.training.words import Figures

UNKNOWN: Final = "-"
Row = list["Cell | str"]


@dataclass(frozen=True)
class Cell:
    """A cell with a tone (`better`, `worse`) or a share of its row, 0 to 1, shown as a shade."""

    text: str
    tone: str = ""
    share: float | None = None


@dataclass(frozen=True)
class Table:
    """Columns, rows and what to know of them; the first column is words, the rest figures."""

    columns: tuple[str, ...]
    rows: list[Row]
    note: str = ""


ABBREVIATIONS: Final = {"auc": "AUC", "f1": "F1", "id": "ID"}
COMPARED: Final = ("score", "model", "baseline", "better by", "95 % interval")


def figure(value: float | None, digits: int = 4) -> str:
    """Return a figure as text."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def signed(value: float | None) -> str:
    """Return a difference as text, with its sign."""
    return UNKNOWN if value is None else f"{value:+.4f}"


def words(name: object) -> str:
    """Return a key of the evidence as words."""
    return " ".join(ABBREVIATIONS.get(part, part) for part in str(name).split("_"))


def comparison(rows: Sequence[ScoreBeside] | None) -> Table | None:
    """Return every score beside the gate baseline's."""
    if not rows:
        return None
    found: list[Row] = [
        [
            words(row.score),
            figure(row.model),
            figure(row.baseline_value),
            signed(row.difference),
            _interval(row.interval),
        ]
        for row in rows
    ]
    named = words(rows[0].baseline)
    return Table((*COMPARED[:2], named, *COMPARED[3:]), found, "Better is positive throughout.")


def against_baselines(evidence: TrainingEvidence) -> Table | None:
    """Return the headline difference from each baseline."""
    if not evidence.difference:
        return None
    rows: list[Row] = [
        [
            f"{words(name)}, {words(one.metric)}",
            figure(one.model),
            figure(one.baseline_value),
            signed(one.value),
            _interval(one.interval),
        ]
        for name, one in evidence.difference.items()
    ]
    columns = ("against, by", "model", "baseline", "better by", "95 % interval")
    note = "Intervals are of the stationary block bootstrap; a rule that only calls has no loss."
    return Table(columns, rows, note)


def folds(evidence: TrainingEvidence) -> Table | None:
    """Return each fold with its score, its baseline's, and the interval of the difference."""
    parts, name = evidence.folds, evidence.gate.baseline
    if not parts:
        return None
    secondary = _secondary(parts[0].scores)
    rows: list[Row] = []
    for fold in parts:
        gain = fold.difference[name]
        rows.append(
            [
                f"{fold.fold}: {fold.test_start} to {fold.test_end}",
                str(fold.rows.train),
                str(fold.rows.test),
                figure(gain.model),
                figure(gain.baseline_value),
                signed(gain.value),
                _interval(gain.interval),
                *(figure(fold.scores[score], 3) for score in secondary),
            ]
        )
    columns = ("fold, tested", "trained on", "tested", "log loss", words(name), "better by")
    return Table((*columns, "95 % interval", *map(words, secondary)), rows)


def confusion(table: Confusion) -> Table:
    """Return counts by outcome and call, shaded by their share of the outcome."""
    rows: list[Row] = []
    for name, counts in zip(table.classes, table.counts, strict=True):
        total = max(sum(counts), 1)
        cells = [Cell(str(count), share=count / total) for count in counts]
        rows.append([f"was {name}", *cells])
    return Table(("", *(f"called {name}" for name in table.classes)), rows)


def by_class(tables: Mapping[str, Confusion]) -> Table:
    """Return precision, recall, F1 and support of each class, and the baselines' F1."""
    model = tables["model"]
    others = [name for name in tables if name != "model"]
    rows: list[Row] = [
        [
            name,
            *(figure(score, 3) for score in (scores.precision, scores.recall, scores.f1)),
            str(scores.support),
            *(figure(tables[other].by_class[name].f1, 3) for other in others),
        ]
        for name, scores in model.by_class.items()
    ]
    columns = ("class", "precision", "recall", "F1", "sessions")
    return Table((*columns, *(f"F1 of {words(name)}" for name in others)), rows)


def trials(evidence: TrainingEvidence) -> Table | None:
    """Return the number of trials and what it leaves of the claim."""
    if (found := evidence.trials) is None:
        return None
    spa, deflated = found.spa, found.deflated
    rows: list[Row] = [
        ["trials of this model", str(found.count)],
        ["on the same sessions", f"{found.compared} on {found.sessions} sessions"],
        ["SPA p-value of the best (lower, consistent, upper)", _p_values(spa)],
        ["this one better, all errors together at 5 %", _yes(spa and spa.superior)],
        ["score: mean gain by its standard deviation", figure(deflated.score)],
        ["expected highest score of idle trials", figure(deflated.expected_maximum)],
        ["effective sessions", figure(deflated.effective_sessions, 0)],
        ["deflated score (a probability)", figure(deflated.probability, 3)],
    ]
    note = "Hansen 2005; Romano and Wolf 2005; Bailey and Lopez de Prado 2014."
    return Table(("", ""), rows, note)


def champion(found: Compared | None) -> Table | None:
    """Return the candidate beside the champion on the sessions that both were tested on."""
    if found is None:
        return None
    row: Row = [
        f"version {found.version}",
        str(found.sessions),
        figure(found.loss),
        figure(found.champion_loss),
        signed(found.difference),
        _interval(found.interval),
    ]
    columns = ("champion", "common sessions", "log loss", "champion's", "better by")
    return Table((*columns, "95 % interval"), [row])


def members(evidence: TrainingEvidence) -> Table | None:
    """Return the parts of a mixture and their weights."""
    found = evidence.members or []
    if len(found) < 2:
        return None
    rows: list[Row] = [[one.model, figure(one.weight, 3), str(len(one.features))] for one in found]
    return Table(("part of the mixture", "weight", "features"), rows)


def features(evidence: TrainingEvidence) -> Table | None:
    """Return what the model reads, with its information and the folds that chose it."""
    if not evidence.features:
        return None
    nats, parts = evidence.mutual_information, evidence.folds
    permuted = () if evidence.importance is None else evidence.importance.permutation.features
    rise = {row.name: row.increase for row in permuted}
    rows: list[Row] = []
    for name in evidence.features:
        seen = sum(name in part.features for part in parts)
        rows.append([name, figure(nats.get(name)), f"{seen} of {len(parts)}", _short(rise, name)])
    columns = ("feature", "mutual information (nats)", "chosen in folds", "rise of log loss")
    return Table(columns, rows)


def left_out(evidence: TrainingEvidence) -> list[str]:
    """Return what was not read, and why, a sentence each."""
    told = []
    if rare := evidence.left_out:
        shares = ", ".join(f"{name} ({share:.0%} known)" for name, share in rare.items())
        told.append(f"Too rarely known: {shares}.")
    if constant := evidence.constant:
        told.append(f"Constant: {', '.join(constant)}.")
    if twins := evidence.twins:
        pairs = ", ".join(f"{name} (as {other})" for name, other in twins.items())
        told.append(f"Twins of another feature: {pairs}.")
    return told


def pairs(found: Mapping[str, object] | None) -> Table | None:
    """Return plain keys and values, the nested ones left out."""
    if not found:
        return None
    rows: list[Row] = [
        [words(key), UNKNOWN if value is None else _plain(value)]
        for key, value in found.items()
        if not isinstance(value, Mapping | list)
    ]
    return Table(("", ""), rows)


def _secondary(scores: Figures) -> list[str]:
    return [name for name in ("auc", "accuracy", "macro_f1") if name in scores]


def _interval(ends: Sequence[float] | None) -> Cell | str:
    if ends is None:
        return UNKNOWN
    tone = "better" if ends[0] > 0.0 else "worse" if ends[1] < 0.0 else ""
    return Cell(f"{ends[0]:+.4f} to {ends[1]:+.4f}", tone)


def _p_values(spa: RealityCheck | None) -> str:
    known = (None,) * 3 if spa is None else (spa.lower, spa.consistent, spa.upper)
    return ", ".join(figure(value, 3) for value in known)


def _yes(answer: bool | None) -> str:
    return UNKNOWN if answer is None else "yes" if answer else "no"


def _short(rise: Mapping[str, float], name: str) -> str:
    return signed(rise.get(name))


def _plain(value: object) -> str:
    return _yes(value) if isinstance(value, bool) else str(value)
