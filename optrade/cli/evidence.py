"""Evidence as people and programs read it: a score beside its baseline and interval."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from home.strict_json import Json
    from training.registry.register import Registered

COLUMNS: Final = [
    "model", "type", "tested", "score", "value", "baseline", "baseline value", "better by",
    "95 % interval", "verdict",
]  # fmt: skip


def evidence_rows(trained: "list[Registered]") -> list[list[str]]:
    """Return the table rows of several models, the gate's score first."""
    return [row for model in trained for row in _rows(model)]


def evidence_document(model: "Registered") -> "dict[str, Json]":
    """Return the evidence of a model with what the registry made of it."""
    return {
        "name": model.name,
        "version": model.version,
        "alias": model.alias,
        "serves": model.serves,
        "run_id": model.run_id,
        **model.evidence.document(),
    }


def _rows(model: "Registered") -> list[list[str]]:
    from training.tasks.catalogue import REGISTERED

    evidence = model.evidence
    compared = {row.score: row for row in evidence.comparison}
    rows = []
    for number, score in enumerate(REGISTERED[evidence.task].headline):
        row = compared[score]
        first = number == 0
        rows.append(
            [
                model.name if first else "",
                evidence.model if first else "",
                str(evidence.window.tested_decided) if first else "",
                score,
                _figure(row.model),
                row.baseline,
                _figure(row.baseline_value),
                _signed(row.difference),
                "-" if row.interval is None else " to ".join(map(_signed, row.interval)),
                evidence.verdict.standing if first else "",
            ]
        )
    return rows


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"
