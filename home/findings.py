"""The newest findings of each raw table, as the last landings of its keys left them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from home.records.finding import Finding
from home.records.record import Record, first_fault
from home.strict_json import signature, signed
from home.verified import read_regular
from market.errors import DamagedFile


class _Written(Record):
    """The findings by table, as their file holds them."""

    format: Literal[1]
    tables: dict[str, list[Finding]]
    sha256: str


def read_findings(path: Path) -> dict[str, list[Finding]]:
    """Return the newest findings by table; a table that never landed since is not there.

    Raises
    ------
    DamagedFile
        If the file is not as it was written.
    """
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return {}
    try:
        written = _Written.model_validate_json(content)
        whole = written.sha256 == signature(written.document())
        fault = "" if whole else "its content has another SHA-256 than it says"
    except ValidationError as error:
        fault = f"{first_fault(error):.80}"
    if fault:
        raise DamagedFile(f"{path} is damaged: {fault}; the next `optrade ingest` writes it anew")
    return written.tables


def findings_bytes(tables: Mapping[str, Sequence[Finding]]) -> bytes:
    """Return findings by table as JSON, one table a line."""
    documents = {name: [one.document() for one in found] for name, found in tables.items()}
    head = signed({"format": 1, "tables": documents})
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(found)}" for name, found in documents.items()
    )
    return (f'{{"format": 1, "sha256": "{head["sha256"]}", "tables": {{\n{lines}\n}}}}\n').encode()
