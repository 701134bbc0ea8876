"""Evidence as the tables of a report: a score beside its baseline and interval. Pure.

A table is left out where the evidence lacks what it shows; a figure that is not known is "-".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

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


def comparison(rows: Sequence[Mapping[str, Any]] | None) -> Table | None:
    """Return every score beside the gate baseline's."""
    if not rows:
        return None
    found: list[Row] = [
        [
            words(row["score"]),
            figure(row["model"]),
            figure(row["baseline_value"]),
            signed(row["difference"]),
            _interval(row["interval"]),
        ]
        for row in rows
    ]
    named = words(rows[0]["baseline"])
    return Table((*COMPARED[:2], named, *COMPARED[3:]), found, "Better is positive throughout.")


def against_baselines(evidence: Mapping[str, Any]) -> Table | None:
    """Return the headline difference from each baseline."""
    differences = evidence.get("difference")
    if not differences:
        return None
    rows: list[Row] = [
        [
            f"{words(name)}, {words(one['metric'])}",
            figure(one["model"]),
            figure(one["baseline_value"]),
            signed(one["value"]),
            _interval(one["interval"]),
        ]
        for name, one in differences.items()
    ]
    columns = ("against, by", "model", "baseline", "better by", "95 % interval")
    note = "Intervals are of the stationary block bootstrap; a rule that only calls has no loss."
    return Table(columns, rows, note)


def folds(evidence: Mapping[str, Any]) -> Table | None:
    """Return each fold with its score, its baseline's, and the interval of the difference."""
    parts, gate = evidence.get("folds"), evidence.get("gate")
    if not parts or not gate:
        return None
    name, secondary = gate["baseline"], _secondary(parts[0]["scores"])
    rows: list[Row] = []
    for fold in parts:
        gain = fold["difference"][name]
        rows.append(
            [
                f"{fold['fold']}: {fold['test_start']} to {fold['test_end']}",
                str(fold["rows"]["train"]),
                str(fold["rows"]["test"]),
                figure(gain["model"]),
                figure(gain["baseline_value"]),
                signed(gain["value"]),
                _interval(gain["interval"]),
                *(figure(fold["scores"][score], 3) for score in secondary),
            ]
        )
    columns = ("fold, tested", "trained on", "tested", "log loss", words(name), "better by")
    return Table((*columns, "95 % interval", *map(words, secondary)), rows)


def confusion(table: Mapping[str, Any]) -> Table:
    """Return counts by outcome and call, shaded by their share of the outcome."""
    rows: list[Row] = []
    for name, counts in zip(table["classes"], table["counts"], strict=True):
        total = max(sum(counts), 1)
        cells = [Cell(str(count), share=count / total) for count in counts]
        rows.append([f"was {name}", *cells])
    return Table(("", *(f"called {name}" for name in table["classes"])), rows)


def by_class(tables: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return precision, recall, F1 and support of each class, and the baselines' F1."""
    model = tables["model"]
    others = [name for name in tables if name != "model"]
    rows: list[Row] = [
        [
            name,
            *(figure(scores[score], 3) for score in ("precision", "recall", "f1")),
            str(scores["support"]),
            *(figure(tables[other]["by_class"][name]["f1"], 3) for other in others),
        ]
        for name, scores in model["by_class"].items()
    ]
    columns = ("class", "precision", "recall", "F1", "sessions")
    return Table((*columns, *(f"F1 of {words(name)}" for name in others)), rows)


def trials(evidence: Mapping[str, Any]) -> Table | None:
    """Return the number of trials and what it leaves of the claim."""
    found = evidence.get("trials")
    if not found:
        return None
    spa, deflated = found["spa"] or {}, found["deflated"]
    rows: list[Row] = [
        ["trials of this model", str(found["count"])],
        ["on the same sessions", f"{found['compared']} on {found['sessions']} sessions"],
        ["SPA p-value of the best (lower, consistent, upper)", _p_values(spa)],
        ["this one better, all errors together at 5 %", _yes(spa.get("superior"))],
        ["score: mean gain by its standard deviation", figure(deflated["score"])],
        ["expected highest score of idle trials", figure(deflated["expected_maximum"])],
        ["effective sessions", figure(deflated["effective_sessions"], 0)],
        ["deflated score (a probability)", figure(deflated["probability"], 3)],
    ]
    note = "Hansen 2005; Romano and Wolf 2005; Bailey and Lopez de Prado 2014."
    return Table(("", ""), rows, note)


def champion(found: Mapping[str, Any] | None) -> Table | None:
    """Return the candidate beside the champion on the sessions that both were tested on."""
    if not found:
        return None
    row: Row = [
        f"version {found['version']}",
        str(found["sessions"]),
        figure(found["loss"]),
        figure(found["champion_loss"]),
        signed(found.get("difference")),
        _interval(found.get("interval")),
    ]
    columns = ("champion", "common sessions", "log loss", "champion's", "better by")
    return Table((*columns, "95 % interval"), [row])


def members(evidence: Mapping[str, Any]) -> Table | None:
    """Return the parts of a mixture and their weights."""
    found = evidence.get("members") or []
    if len(found) < 2:
        return None
    rows: list[Row] = [
        [one["model"], figure(one["weight"], 3), str(len(one["features"]))] for one in found
    ]
    return Table(("part of the mixture", "weight", "features"), rows)


def features(evidence: Mapping[str, Any]) -> Table | None:
    """Return what the model reads, with its information and the folds that chose it."""
    chosen = evidence.get("features")
    if not chosen:
        return None
    nats, parts = evidence.get("mutual_information") or {}, evidence.get("folds") or []
    rise = {row["name"]: row["increase"] for row in _permuted(evidence, "features")}
    rows: list[Row] = []
    for name in chosen:
        seen = sum(name in part.get("features", ()) for part in parts)
        rows.append([name, figure(nats.get(name)), f"{seen} of {len(parts)}", _short(rise, name)])
    columns = ("feature", "mutual information (nats)", "chosen in folds", "rise of log loss")
    return Table(columns, rows)


def left_out(evidence: Mapping[str, Any]) -> list[str]:
    """Return what was not read, and why, a sentence each."""
    told = []
    if rare := evidence.get("left_out"):
        shares = ", ".join(f"{name} ({share:.0%} known)" for name, share in rare.items())
        told.append(f"Too rarely known: {shares}.")
    if constant := evidence.get("constant"):
        told.append(f"Constant: {', '.join(constant)}.")
    if twins := evidence.get("twins"):
        pairs = ", ".join(f"{name} (as {other})" for name, other in twins.items())
        told.append(f"Twins of another feature: {pairs}.")
    return told


def pairs(found: Mapping[str, Any] | None) -> Table | None:
    """Return plain keys and values, the nested ones left out."""
    if not found:
        return None
    rows: list[Row] = [
        [words(key), UNKNOWN if value is None else _plain(value)]
        for key, value in found.items()
        if not isinstance(value, Mapping | list)
    ]
    return Table(("", ""), rows)


def _permuted(evidence: Mapping[str, Any], of: str) -> Sequence[Mapping[str, Any]]:
    importance = evidence.get("importance") or {}
    return (importance.get("permutation") or {}).get(of) or ()


def _secondary(scores: Mapping[str, Any]) -> list[str]:
    return [name for name in ("auc", "accuracy", "macro_f1") if name in scores]


def _interval(ends: Sequence[float] | None) -> Cell | str:
    if ends is None:
        return UNKNOWN
    tone = "better" if ends[0] > 0.0 else "worse" if ends[1] < 0.0 else ""
    return Cell(f"{ends[0]:+.4f} to {ends[1]:+.4f}", tone)


def _p_values(spa: Mapping[str, Any]) -> str:
    return ", ".join(figure(spa.get(kind), 3) for kind in ("lower", "consistent", "upper"))


def _yes(answer: bool | None) -> str:
    return UNKNOWN if answer is None else "yes" if answer else "no"


def _short(rise: Mapping[str, float], name: str) -> str:
    return signed(rise.get(name))


def _plain(value: object) -> str:
    return _yes(value) if isinstance(value, bool) else str(value)
