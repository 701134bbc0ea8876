"""A served model in short: which it is, what it was trained on, and the evidence for it."""

from pydantic import ConfigDict

from home.records.evidence import Evidence
from home.records.record import Record


class TrainedOn(Record):
    """The rows a model was fitted on: first and last session, and their number."""

    start: str
    end: str
    rows: int


class ServedModel(Record):
    """What is shown of a serving file; the numbers that forecast are `forecasters`' to read.

    `model` is the model type.
    """

    model_config = ConfigDict(extra="ignore")

    name: str
    model: str
    version: int
    alias: str
    trained: TrainedOn
    evidence: Evidence
